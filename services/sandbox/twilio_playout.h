/*
 * twilio_playout: what Twilio holds of the audio that it was sent: played in real time, marks echoed
 * when all before them was played, everything dropped by clear. Pure: its clock is the frame.
 */
#ifndef SANDBOX_TWILIO_PLAYOUT_H
#define SANDBOX_TWILIO_PLAYOUT_H

#include "buf.h"

#include <sys/queue.h>

#define PLAYOUT_MAX_BYTES (10 * 60 * 8000) /* ten minutes: what comes then is discarded, 31931 */
#define PLAYOUT_MAX_MARKS 10000

struct playout_mark {
	TAILQ_ENTRY(playout_mark) link;
	int64_t at; /* bytes that have to be played first */
	char *name;
};

struct playout {
	struct buf audio;
	size_t offset;		/* of `audio`, already played */
	int64_t queued, played; /* bytes since the beginning; what was cleared counts as played */
	TAILQ_HEAD(playout_marks, playout_mark) marks;
	unsigned mark_count;
};

void playout_init(struct playout *playout);
void playout_free(struct playout *playout);
bool playout_add(struct playout *playout, const void *mulaw, size_t bytes);
bool playout_add_mark(struct playout *playout, struct str name);
/* Play up to `bytes`; gives how many there were. */
size_t playout_take(struct playout *playout, uint8_t *to, size_t bytes);
/* The next mark that has been reached, taken out: the caller frees it. NULL: none. */
char *playout_due(struct playout *playout);
/* Drop what was not played: its marks are due. Gives the bytes. */
int64_t playout_clear(struct playout *playout);
int64_t playout_left(const struct playout *playout); /* bytes */

#endif
