/*
 * message_place: where in a finished text the link to a recording goes, so that it can be put in
 * when nobody remembers the call any more.
 */
#ifndef CALLWEAVE_MESSAGE_PLACE_H
#define CALLWEAVE_MESSAGE_PLACE_H

#include "buf.h"

/* Render with this as the recording's URL: it stands where the link will be. */
#define MESSAGE_PLACE_URL "https://recording.invalid/0"

/* `size` bytes at `at` of the text make place for `with`. */
struct message_place {
	unsigned at, size;
	struct str
		with; /* a part of the text that has MESSAGE_PLACE_URL; empty: there is no place */
};

/* What the two renderings differ in, in whole characters. */
struct message_place message_place_find(struct str without, struct str with);

/* Append `html` with `url` in its place; `place` then describes what was appended, so that another URL
 * can follow. False: there is no place (nothing is appended), or `to` is full. */
bool message_place_fill(
	struct str html, struct message_place *place, struct str url, struct buf *to);

#endif
