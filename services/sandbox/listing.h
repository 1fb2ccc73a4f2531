/*
 * listing: a long JSON array as an answer. A short one goes out whole, with its length; a longer one
 * goes out in pieces, each when the reader has taken the one before, so that memory stays bounded.
 */
#ifndef SANDBOX_LISTING_H
#define SANDBOX_LISTING_H

#include "buf.h"
#include "flow.h"

#define LISTING_PIECE_BYTES (2u << 20)	/* a writer stops after the item that passes it */
#define LISTING_MAX_BYTES   (15u << 20) /* of a piece with its last item */

struct listing {
	bool streaming;
	bool over;
};

/* Send a piece: `return listing_send(...)`. The next step then asks listing_more(). Frees the piece. */
enum flow_status listing_send(
	struct flow *flow, struct listing *listing, struct buf *piece, bool is_last);

/* FLOW_END, or goes on with the step that writes the next piece. */
enum flow_status listing_more(struct flow *flow, const struct listing *listing, unsigned step);

#endif
