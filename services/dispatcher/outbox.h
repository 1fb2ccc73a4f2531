/*
 * outbox: calls with a live message, as long as something is or may soon be to tell about them.
 *
 * The table `outbox` in PostgreSQL is the truth; this is its working copy for the shards we own.
 * A live_call holds the newest state of a call once for all its chats; a delivery is one chat's
 * copy of it. Couriers deliver (courier.c), the writer records (writer.c).
 */
#ifndef DISPATCHER_OUTBOX_H
#define DISPATCHER_OUTBOX_H

#include "delivery.h"
#include "message_place.h"
#include "str.h"
#include "table.h"

/* A state of a call as it is told. Texts are borrowed. */
struct live_state {
	int version;
	bool final, remove;
	struct str html, markup; /* markup of readers without a phone of their own; may be empty */
	struct message_place place;
	const char *trace;
	int64_t since_ms;
};

struct live_call {
	int64_t id;
	unsigned shard;
	char *enterprise;
	bool replace, silent; /* as the enterprise chose */
	char *recording;      /* URL; NULL: there is none yet */
	/* The newest state, committed. */
	int version;
	bool final, remove;
	char *html, *markup, *place_with;
	struct message_place place;
	char trace[40];
	int64_t since_ms; /* wall: arrival of the event that led to it */
	int told_version; /* latency was measured up to here */
	bool orphan;	  /* its shard is not ours any more: only what is under way ends */
	struct delivery *deliveries;
};

struct outbox {
	struct table *calls;   /* id -> live_call */
	struct table *orphans; /* address -> live_call: their requests are still under way */
	unsigned deliveries;   /* with those of orphans */
	bool overflow;	       /* rows wait in the database only */
};

void outbox_init(struct outbox *outbox);
void outbox_free(struct dispatcher *d);

struct live_call *outbox_find(const struct outbox *outbox, int64_t call_id);
struct live_call *outbox_call(
	struct outbox *outbox, int64_t call_id, unsigned shard, const char *enterprise);
struct delivery *live_call_delivery(const struct live_call *call, int64_t chat_id);
struct delivery *live_call_add(struct dispatcher *d, struct live_call *call, struct chat *chat);

void live_call_set(struct live_call *call, const struct live_state *state);
/* How its enterprise wants it told, as of now. */
void live_call_choose(const struct dispatcher *d, struct live_call *call);
void live_call_set_recording(struct live_call *call, const char *url);

/* Nothing may be left to do: free the call, or an orphan's deliveries that have ended. */
void live_call_settle(struct dispatcher *d, struct live_call *call);

/* Let go of all calls of a shard. */
void outbox_drop_shard(struct dispatcher *d, unsigned shard);

#endif
