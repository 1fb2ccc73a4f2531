/*
 * twiml: answers to Twilio as XML that is always well-formed: a writer, never printf.
 *
 * Byte for byte what npm `twilio` makes: <?xml version="1.0" encoding="UTF-8"?> and no white space
 * between elements, empty ones as <Verb/>. Texts are escaped; characters that XML forbids and broken
 * UTF-8 become U+FFFD.
 */
#ifndef CALLWEAVE_TWIML_H
#define CALLWEAVE_TWIML_H

#include "buf.h"

#define TWIML_MAX_BYTES (60 * 1024) /* Twilio takes 64 KB: 11750 */
#define TWIML_MAX_DEPTH 6

struct twiml {
	struct buf *to;
	const char *open[TWIML_MAX_DEPTH];
	unsigned depth;
	bool in_tag; /* attributes may still come */
};

void twiml_begin(struct twiml *twiml, struct buf *to); /* prolog and <Response> */
/* An element inside the one that is open. Names are ours, values anybody's. */
void twiml_open(struct twiml *twiml, const char *verb);
void twiml_attribute(struct twiml *twiml, const char *name, struct str value); /* empty: left out */
void twiml_number(struct twiml *twiml, const char *name, int64_t value);
void twiml_text(struct twiml *twiml, struct str text);
void twiml_close(struct twiml *twiml);
void twiml_end(struct twiml *twiml); /* closes what is open, and <Response> */

#endif
