/*
 * twilio_media_check: is this message one of the three that Twilio takes over a stream? With exactly
 * their members, no more and no less (twilio.com/docs/voice/media-streams/websocket-messages).
 */
#ifndef SANDBOX_TWILIO_MEDIA_CHECK_H
#define SANDBOX_TWILIO_MEDIA_CHECK_H

#include "arena.h"
#include "buf.h"

enum media_sent_kind { SENT_MEDIA, SENT_MARK, SENT_CLEAR };

struct media_sent {
	enum media_sent_kind kind;
	const uint8_t *audio; /* MEDIA; in the arena */
	size_t bytes;
	struct str name; /* MARK; in the arena */
};

/* NULL: it is; else the words of warning 31951. */
const char *media_check(
	struct str text, struct str stream_sid, struct arena *arena, struct media_sent *sent);

#endif
