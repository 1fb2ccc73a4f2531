/*
 * updates: what people did to bots, until the bots have taken it; and who asks for it how.
 *
 * As the real server keeps them: by getUpdates an update is confirmed by a higher offset, by a webhook
 * with a 2xx. Bounded: the oldest updates of a bot and the oldest presses go first.
 */
#ifndef SANDBOX_UPDATES_H
#define SANDBOX_UPDATES_H

#include "buf.h"

struct flow;
struct updates;

#define UPDATES_MAX	   1000 /* a bot */
#define UPDATES_PRESSES	   5000
#define UPDATES_MEMBERS	   10000
#define UPDATES_PRESS_LIFE 15000 /* ms until "query is too old" */

struct update {
	int64_t id;
	char *json; /* the whole Update object, owned */
	struct update *next;
};

/* A bot as far as updates go. */
struct listener {
	int64_t bot_id, last_id;
	struct update *first, **last; /* not confirmed yet */
	size_t count;
	int64_t polls;	     /* getUpdates so far: the newest ends the one before */
	char *webhook;	     /* owned; NULL: none */
	char *secret;	     /* owned; NULL: none */
	char *trouble;	     /* owned; why the last delivery failed, NULL: it did not */
	struct flow *sender; /* webhook.c: while something is to be delivered */
};

struct press {
	int64_t number; /* the callback query's id */
	int64_t bot_id, chat_id, message_id, user_id, at_ms, answered_ms;
	char *data, *text; /* owned; text NULL: not answered */
	bool alert;
	struct press *next;
};

struct updates *updates_new(void);
void updates_free(struct updates **updates); /* senders must have ended */

/* Made on first use. */
struct listener *updates_of(struct updates *updates, int64_t bot_id);

/* `member` is the update's own part: "\"message\":{...}". Returns its id. */
int64_t updates_add(struct listener *listener, struct str member);
/* Forget those before `offset`; negative: all but the last -offset. */
void updates_confirm(struct listener *listener, int64_t offset);
void listener_set_webhook(struct listener *listener, struct str url, struct str secret);
void listener_set_trouble(struct listener *listener, const char *words); /* NULL: none */
bool updates_next_sender(struct updates *updates, struct flow **sender); /* any that runs */

/* A new press; `like` is copied. */
struct press *updates_press(struct updates *updates, const struct press *like, struct str data);
struct press *updates_find_press(struct updates *updates, int64_t number);
void updates_write_presses(const struct updates *updates, int64_t number, struct buf *to);

/* "member" when nothing else was declared. */
const char *updates_member(const struct updates *updates, int64_t chat_id, int64_t user_id);
bool updates_set_member(
	struct updates *updates, int64_t chat_id, int64_t user_id, struct str status);

#endif
