/*
 * ami_message: Asterisk's manager protocol as bytes: blocks of "Name: value" lines. No I/O.
 *
 * A block ends with an empty line. Private to clients: services use ami.h.
 */
#ifndef CALLWEAVE_AMI_MESSAGE_H
#define CALLWEAVE_AMI_MESSAGE_H

#include "buf.h"
#include "error.h"

#define AMI_MAX_BLOCK_BYTES ((size_t)64 << 10)
#define AMI_MAX_FIELDS	    96 /* of a block; further ones are passed over */

/* Slices of what was read. */
struct ami_message {
	struct {
		struct str name, value;
	} fields[AMI_MAX_FIELDS];
	unsigned count;
};

/* The size of the first line with its end; 0: it is not whole yet. */
size_t ami_line_size(struct str input);
/* The size of the first block with its empty line; 0: it is not whole yet. `*scanned` remembers how
 * far it was searched: 0 at first and after each block that was taken. */
size_t ami_block_size(struct str input, size_t *scanned);
void ami_message_read(struct str block, struct ami_message *to);
/* The first value of that name, in any case; empty when there is none. */
struct str ami_message_get(const struct ami_message *message, const char *name);

/* Append "Name: value\r\n". False, with the name in words, for a value with a control character: it
 * could end the line and begin another action. */
bool ami_put(struct buf *to, const char *name, struct str value, struct error *error);

#endif
