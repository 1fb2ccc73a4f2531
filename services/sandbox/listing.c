/*
 * listing: the two steps that every long list shares. The list itself is written by its owner,
 * piece by piece, since only he knows where he was when the store has changed in between.
 */
#include "listing.h"

#include "http_server.h"

enum flow_status listing_send(
	struct flow *flow, struct listing *listing, struct buf *piece, bool is_last)
{
	enum flow_status status;

	/* Kept in the flow's state, since the piece is gone when the next step asks. */
	listing->over = is_last;
	/* Most lists are short; with a length they can be read by clients that know no chunks,
	 * curl in a shell script among them. */
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
