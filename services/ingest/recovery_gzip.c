/*
 * recovery_gzip: unpacks an upload piece by piece, into a file, and never more than it may be.
 */
#include "alloc.h"
#include "recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { IN_BYTES = 32 * 1024, OUT_BYTES = 256 * 1024, GZIP_ONLY = 16 };

struct recovery_gunzip {
	int from, to;
	off_t at;
	uint64_t written, max_bytes;
	z_stream stream;
	unsigned char in[IN_BYTES], out[OUT_BYTES];
};

bool recovery_is_gzip(int fd)
{
	unsigned char head[2];

	return pread(fd, head, sizeof(head), 0) == sizeof(head) && head[0] == 0x1f &&
	       head[1] == 0x8b;
}

struct recovery_gunzip *recovery_gunzip_new(int from, int to, uint64_t max_bytes)
{
	struct recovery_gunzip *gunzip = alloc_zeroed(1, sizeof(*gunzip));

	gunzip->from = from;
	gunzip->to = to;
	gunzip->max_bytes = max_bytes;
	if (inflateInit2(&gunzip->stream, MAX_WBITS + GZIP_ONLY) != Z_OK)
		abort(); /* out of memory, or built against another zlib */
	return gunzip;
}

void recovery_gunzip_free(struct recovery_gunzip **gunzip)
{
	if (*gunzip == NULL)
		return;
	inflateEnd(&(*gunzip)->stream);
	free(*gunzip);
	*gunzip = NULL;
}

static bool fill(struct recovery_gunzip *gunzip, struct error *error)
{
	ssize_t got = pread(gunzip->from, gunzip->in, IN_BYTES, gunzip->at);

	if (got < 0)
		return error_set(
			error, ERROR_INTERNAL, "the upload cannot be read: %s", strerror(errno));
	if (got == 0)
		return error_set(error, ERROR_INPUT, "the gzip file ends too early");
	gunzip->at += got;
	gunzip->stream.next_in = gunzip->in;
	gunzip->stream.avail_in = (unsigned)got;
	return true;
}

static bool empty(struct recovery_gunzip *gunzip, struct error *error)
{
	size_t size = OUT_BYTES - gunzip->stream.avail_out;
	const unsigned char *at = gunzip->out;

	gunzip->written += size;
	if (gunzip->written > gunzip->max_bytes)
		return error_set(error, ERROR_INPUT, "unpacked it is larger than %llu MiB",
			(unsigned long long)(gunzip->max_bytes >> 20));
	while (size > 0) {
		ssize_t put = write(gunzip->to, at, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return error_set(
				error, ERROR_INTERNAL, "no room to unpack it: %s", strerror(errno));
		at += put;
		size -= (size_t)put;
	}
	return true;
}

bool recovery_gunzip_some(struct recovery_gunzip *gunzip, bool *done, struct error *error)
{
	int status = Z_OK;

	gunzip->stream.next_out = gunzip->out;
	gunzip->stream.avail_out = OUT_BYTES;
	while (status == Z_OK && gunzip->stream.avail_out > 0) {
		if (gunzip->stream.avail_in == 0 && !fill(gunzip, error))
			return false;
		status = inflate(&gunzip->stream, Z_NO_FLUSH);
	}
	if (status != Z_OK && status != Z_STREAM_END)
		return error_set(error, ERROR_INPUT, "not a good gzip file: %s",
			gunzip->stream.msg != NULL ? gunzip->stream.msg : "damaged");
	*done = status == Z_STREAM_END;
	return empty(gunzip, error);
}
