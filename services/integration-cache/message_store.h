/*
 * message_store: which Telegram messages stand in a chat for a caller: for the workers of the system that
 * this replaces. Kept for an hour, and for a bounded number of callers; the oldest go first.
 */
#ifndef INTEGRATION_CACHE_MESSAGE_STORE_H
#define INTEGRATION_CACHE_MESSAGE_STORE_H

#include "str.h"

#define MESSAGES_TTL_MS	   3600000
#define MESSAGES_MAX_DIALS 50	 /* of one caller in one chat; the oldest go first */
#define MESSAGES_MAX_SETS  50000 /* in memory */

struct message_set {
	int64_t start, bridge; /* 0: none */
	int64_t dials[MESSAGES_MAX_DIALS];
	unsigned dial_count;
};

enum message_event { MESSAGE_START, MESSAGE_DIAL, MESSAGE_BRIDGE };
#define MESSAGE_EVENTS 3
const char *message_event_name(enum message_event event);
bool message_event_read(struct str name, enum message_event *event);

void message_set_put(struct message_set *set, enum message_event event, int64_t id);
void message_set_drop(struct message_set *set, enum message_event event);
bool message_set_empty(const struct message_set *set);

struct message_store;
struct message_store *message_store_new(void);
void message_store_free(struct message_store **store);

/* NULL: there is none that young. */
struct message_set *message_store_get(struct message_store *store, struct str key, int64_t now_ms);
/* The same, new when there is none; lives for an hour from now on. */
struct message_set *message_store_make(struct message_store *store, struct str key, int64_t now_ms);
void message_store_remove(struct message_store *store, struct str key);
size_t message_store_count(const struct message_store *store);

#endif
