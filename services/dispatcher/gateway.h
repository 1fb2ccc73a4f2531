/*
 * gateway: what CRMs are told of calls: POST /dispatch/call-event of 8020, once per call and change,
 * in the order of the changes.
 *
 * The table `outbox` (destination 'gateway', a slot an event) is the truth; letters are its working
 * copy for the shards we own. 8020 knows an event that it has taken, so one may be sent again: no
 * claim is needed, and a kill costs nothing. ADR 0019.
 */
#ifndef DISPATCHER_GATEWAY_H
#define DISPATCHER_GATEWAY_H

#include "flow.h"
#include "gateway_meters.h"
#include "http_client.h"
#include "str.h"
#include "table.h"

struct dispatcher;
struct gateway_line;
struct pg_batch;

/* One row of the outbox. Texts are borrowed. */
struct gateway_row {
	int64_t id, call_id;
	unsigned shard;
	const char *enterprise, *body, *trace; /* body: JSON without the token */
	int64_t since_ms;		       /* wall: what it tells of came; 0: not known */
	int64_t made_ms;		       /* wall: it is given up a day later */
	int64_t due_ms;			       /* monotonic: not before */
	unsigned attempts;
};

/* The same in memory. */
struct gateway_letter {
	struct gateway_row row;
	char *texts[3];		   /* owned: those of the row */
	struct gateway_line *line; /* NULL: it has been told, or its shard is not ours any more */
	struct gateway_letter *next;
	bool sending;
	/* What the database has to know of it. */
	const char *state; /* "sent", "failed", "dead" */
	int http_status;
	char *words;	      /* owned; NULL: fine */
	int64_t next_wall_ms; /* of the next try; 0: there is none */
	bool dirty, recording;
	struct gateway_letter *next_report;
};

/* A call's letters, oldest first; at most one of them is under way. */
struct gateway_line {
	int64_t call_id;
	struct gateway_letter *first;
	enum { LINE_READY, LINE_TAKEN, LINE_RESTING } state;
	struct gateway_line *next, **link; /* of the list of its state */
};

struct gateway_list {
	struct gateway_line *first, **last;
};

struct gateway {
	struct http_client *http; /* of its own: Telegram's connections are not its to use up */
	struct table *told;	  /* call id -> what was told of it, see gateway_told.h */
	struct table *lines, *letters; /* call id -> line; row id -> letter */
	struct gateway_list ready, resting;
	unsigned sending;
	unsigned failures; /* in a row: 8020 does not take anything */
	int64_t paused_until_ms;
	struct gateway_letter *first_report, **last_report;
	struct gateway_letter **taken; /* in the commit under way */
	unsigned reports, taken_count;
	/* Rows that are in the table only: all are read, from the first, until none came meanwhile. */
	bool behind;
	bool reading;	  /* the next page is under way: what it may hold is not forgotten */
	unsigned left;	  /* rows that were left there since that began */
	int64_t page_end; /* row id */
	int64_t read_ms;  /* monotonic: when all had been read */
	struct arena *arena;
	struct pg_batch *batch;
	struct flow_queue wake;
	int lookup, click_lookup; /* places of our statements in the round's look-up; -1: none */
	struct gateway_meters meters;
};

void gateway_init(struct gateway *gateway, struct metrics *metrics);
void gateway_connect(struct dispatcher *d);
void gateway_free(struct gateway *gateway);

/* Is there one? */
bool gateway_wanted(const struct dispatcher *d);

/* A row that is committed. One that finds no room is read later. Texts are copied. */
void gateway_add(struct dispatcher *d, const struct gateway_row *row);

/* There may be rows of ours that we do not know: shards were taken over. */
void gateway_want(struct dispatcher *d);

/* Let go of a shard; what is under way ends. */
void gateway_drop_shard(struct dispatcher *d, unsigned shard);

/* gateway_courier.c: send what can be sent. */
void gateway_kick(struct dispatcher *d);

/* What became of a try: it is over ("sent", "dead"), or rests ("failed"). `words` are copied. */
struct gateway_outcome {
	const char *state;
	int http_status;
	const char *words; /* NULL: fine */
	int64_t delay_ms;
};
void gateway_tried(
	struct dispatcher *d, struct gateway_letter *letter, const struct gateway_outcome *outcome);

/* The writer's part: is there something to write, add it, it is written or not. */
bool gateway_reports(const struct dispatcher *d);
void gateway_batch(struct dispatcher *d, struct pg_batch *batch, struct arena *arena);
void gateway_recorded(struct dispatcher *d, bool ok);

/* Reads what is left in the table, and looks after those that rest. */
extern const struct flow_spec gateway_flow;

#endif
