/*
 * fuzz_sse: any bytes, in any pieces, give the same events, and never more than the maximum.
 */
#include "crypto.h"
#include "sse.h"

#include <stdlib.h>

enum { MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct found {
	size_t events;
	uint32_t sum;
	bool failed;
};

static struct found read_in_pieces(struct str input, size_t piece)
{
	struct found found = {0};
	struct sse sse;

	sse_init(&sse, MAX_BYTES);
	for (size_t at = 0; at < input.size; at += piece) {
		size_t left = input.size - at;
		struct str bytes = str_of(input.data + at, left < piece ? left : piece);

		while (sse_next(&sse, &bytes)) {
			struct str event = sse_data(&sse);

			if (event.size > MAX_BYTES)
				abort();
			found.events++;
			found.sum = crypto_crc32c(found.sum, event.data, event.size);
			found.sum = crypto_crc32c(found.sum, sse.event, strlen(sse.event) + 1);
		}
		if (bytes.size != 0)
			abort();
	}
	found.failed = sse.failed;
	sse_free(&sse);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_of((const char *)data, size);
	struct found whole, pieces;

	if (size < 2)
		return 0;
	whole = read_in_pieces(input, size);
	pieces = read_in_pieces(input, 1 + data[0] % 7);
	if (whole.events != pieces.events || whole.sum != pieces.sum ||
		whole.failed != pieces.failed)
		abort();
	return 0;
}
