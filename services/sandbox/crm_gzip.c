/*
 * crm_gzip: answers as gzip. The only user of zlib in the sandbox: MoySklad's Remap API answers nobody
 * who does not take it, so a client that cannot unpack must fail here already.
 */
#include "crm.h"

#define ZLIB_CONST /* it does not write to its input */
#include <zlib.h>

void crm_gzip(struct str plain, struct buf *packed)
{
	z_stream stream = {.next_in = (const unsigned char *)plain.data};
	size_t room = plain.size + 128 + plain.size / 1000;
	char *to = buf_reserve(packed, room);

	/* 15 bits of window, and 16 for a gzip header instead of zlib's. */
	if (to == NULL || deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8,
				  Z_DEFAULT_STRATEGY) != Z_OK) {
		packed->failed = true;
		return;
	}
	stream.avail_in = (unsigned)plain.size;
	stream.next_out = (unsigned char *)to;
	stream.avail_out = (unsigned)room;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		packed->failed = true;
	buf_grew(packed, room - stream.avail_out);
	deflateEnd(&stream);
}
