/*
 * delivery: one call's live message in one chat: what stands there, what has to happen next, what the
 * database still has to know of it.
 */
#ifndef DISPATCHER_DELIVERY_H
#define DISPATCHER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

struct chat;
struct dispatcher;
struct live_call;

/* Unknown sends to one chat of one call after which only a person decides. */
#define DELIVERY_MAX_UNKNOWN 3
/* Replaced messages of one call that are still to be deleted from a chat; more are not made. */
#define DELIVERY_MAX_OLD 4
/* Bot API: messages older than 48 h are not deleted, and perhaps not edited; less an hour of doubt. */
#define DELIVERY_CHANGE_MS ((int64_t)47 * 3600 * 1000)

enum delivery_state {
	DELIVERY_IDLE,	  /* the chat shows the newest state, or need not */
	DELIVERY_WAITING, /* in its chat's line */
	DELIVERY_TAKEN,	  /* a courier has it */
	DELIVERY_PARKED,  /* unknown outcome: waits for a newer state, or for a person */
	DELIVERY_DEAD,	  /* given up; a newer state is tried again */
};

/* The next request that a delivery needs. */
enum errand_kind {
	ERRAND_NONE,
	ERRAND_SEND, /* a new message; in mode "replace" also where one stands */
	ERRAND_EDIT,
	ERRAND_DELETE, /* the call turned out to be part of another */
	ERRAND_CLEAR,  /* the oldest of the messages that were replaced */
};

/* What the database has to know: the last outcome, written again until it is recorded. */
struct report {
	const char *state; /* of the outbox row; NULL: nothing to report */
	int version;
	int http_status;
	int64_t next_wall_ms;
	char *words; /* owned; NULL when fine */
	bool dirty;
	bool recording; /* in the commit under way */
	bool claim;	/* a courier waits for it to be recorded */
	bool granted;	/* the claim stands in the database */
	struct delivery *next;
};

struct delivery {
	struct live_call *call;
	struct chat *chat;
	struct delivery *next; /* of the same call */
	struct delivery *waiting_next, **waiting_link;
	enum delivery_state state;
	char *markup;	    /* owned: this reader's buttons; NULL: those of the call */
	int64_t message_id; /* 0: none stands in the chat, as far as we know */
	int sent_version;
	int64_t sent_ms; /* wall: when message_id was sent; 0: not known */
	bool sent_final; /* it shows a final state: from then on it is only edited */
	bool claimed;	 /* 'sending' stands in the database for a send that has not left */
	int64_t old_ids[DELIVERY_MAX_OLD]; /* replaced messages, oldest first */
	unsigned old_count;
	unsigned attempts, unknown_sends;
	int held_version;	  /* counted as held back by a limit */
	int64_t due_ms;		  /* monotonic: not before */
	int64_t failing_since_ms; /* wall, as it outlives the process; 0: it is not */
	struct report report;
};

/* Another text of buttons for this reader; NULL: those of the call. */
void delivery_set_markup(struct delivery *delivery, const char *markup);
const char *delivery_markup(const struct delivery *delivery); /* "": none */

/* Does the chat show less than the newest state? */
bool delivery_behind(const struct delivery *delivery);
/* Is something left to do for it? */
bool delivery_needs(const struct delivery *delivery);
enum errand_kind delivery_next(const struct delivery *delivery);
/* Is the next request a new message? */
bool delivery_sends(const struct delivery *delivery);
/* A replaced message that is no more, or that nobody can delete. */
void delivery_drop_old(struct delivery *delivery);

/* A send of `version` with unknown outcome: does it rest until there is something newer to tell, or
 * a person looks? (ADR 0005) */
bool delivery_parked(const struct delivery *delivery, int version);

/* The one place that changes a state: keeps the chat's line and the shard's count. */
void delivery_enter(struct dispatcher *d, struct delivery *delivery, enum delivery_state state);

/* Record an outcome: `words` are copied, NULL when fine. */
void delivery_report(struct dispatcher *d, struct delivery *delivery, const char *state,
	int version, const char *words);

/* Its chat has another id from now on. */
void delivery_follow(struct dispatcher *d, struct delivery *delivery, struct chat *to);

/* A claimed send that will not leave now: the database need not fear for it. */
void delivery_unclaim(struct dispatcher *d, struct delivery *delivery);

/* The writer is done with it. */
void delivery_recorded(struct dispatcher *d, struct delivery *delivery);

/* At the end of its call: nothing of it is under way. */
void delivery_free(struct dispatcher *d, struct delivery *delivery);
/* Does something of it keep its call in memory? */
bool delivery_ended(const struct delivery *delivery);

#endif
