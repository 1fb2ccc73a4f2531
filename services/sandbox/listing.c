/*
 * listing: see listing.h.
 */
#include "listing.h"

#include "http_server.h"

enum flow_status listing_send(
	struct flow *flow, struct listing *listing, struct buf *piece, bool is_last)
{
	enum flow_status status;

	listing->over = is_last;
	if (is_last && !listing->streaming) {
		status = http_reply_json(flow, 200, piece);
	} else {
		if (!listing->streaming)
			http_stream_begin(flow, "application/json");
		listing->streaming = true;
		status = await_http_stream(flow, buf_str(piece));
	}
	buf_free(piece);
	return status;
}

enum flow_status listing_more(struct flow *flow, const struct listing *listing, unsigned step)
{
	return listing->over ? FLOW_END : flow_goto(flow, step);
}
