/*
 * fuzz_ami: any bytes from a PBX: blocks end where they end whatever the pieces, fields lie inside
 * them, and what is written of any value is one line.
 */
#include "ami_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void read_block(struct str block)
{
	struct ami_message message;

	ami_message_read(block, &message);
	require(message.count <= AMI_MAX_FIELDS);
	for (unsigned i = 0; i < message.count; i++) {
		struct str value = message.fields[i].value;

		require(value.size == 0 ||
			(value.data >= block.data &&
				value.data + value.size <= block.data + block.size));
		require(value.size == 0 || memchr(value.data, '\n', value.size) == NULL);
	}
	(void)ami_message_get(&message, "ActionID");
}

/* The same blocks come out when the bytes come one by one. */
static void read_in_pieces(struct str input)
{
	size_t scanned = 0, whole_scanned = 0, whole, pieces = 0;

	whole = ami_block_size(input, &whole_scanned);
	for (size_t got = 1; got <= input.size && pieces == 0; got++)
		pieces = ami_block_size(str_of(input.data, got), &scanned);
	require(whole == pieces);
}

static void write_value(struct str value)
{
	struct buf line;

	buf_init(&line, 4096);
	if (ami_put(&line, "Channel", value, NULL)) {
		require(ami_line_size(buf_str(&line)) == line.size);
		require(memchr(line.data, '\r', line.size) == line.data + line.size - 2);
	}
	buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_of((const char *)data, size);
	size_t scanned = 0, block;

	if (size > AMI_MAX_BLOCK_BYTES)
		return 0;
	if (size < 2048)
		read_in_pieces(input);
	write_value(input);
	while ((block = ami_block_size(input, &scanned)) > 0) {
		read_block(str_of(input.data, block));
		input = str_of(input.data + block, input.size - block);
	}
	return 0;
}
