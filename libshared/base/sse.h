/*
 * sse: Server-Sent Events out of bytes that come in any pieces (WHATWG HTML, "Server-sent events").
 *
 * Lines end in CR LF, LF or CR; an empty line ends an event; comments and unknown fields are passed
 * over. Ids and retries are not kept: nobody here resumes a stream.
 */
#ifndef CALLWEAVE_SSE_H
#define CALLWEAVE_SSE_H

#include "buf.h"

#define SSE_MAX_EVENT_BYTES 64 /* of an event's name; longer ones are cut */

struct sse {
	struct buf line; /* one that is not whole yet */
	struct buf data;
	char event[SSE_MAX_EVENT_BYTES];
	bool has_data, skip_feed, ended;
	bool failed; /* a line or an event was longer than the maximum: nothing more comes out */
};

void sse_init(struct sse *sse, size_t max_bytes);
void sse_free(struct sse *sse);

/* Takes from the front of `*bytes`. True: an event is whole (sse_data, sse->event) and valid until the
 * next call; call again. False: all bytes were taken. */
bool sse_next(struct sse *sse, struct str *bytes);
struct str sse_data(const struct sse *sse);

#endif
