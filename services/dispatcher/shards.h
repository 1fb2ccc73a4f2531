/*
 * shards: which of the 64 partitions of the work are ours, and how far each was folded.
 */
#ifndef DISPATCHER_SHARDS_H
#define DISPATCHER_SHARDS_H

#include "arena.h"
#include "pg.h"

#define SHARD_COUNT 64

enum shard_state {
	SHARD_FREE,    /* somebody else's, or nobody's */
	SHARD_LOADING, /* ours; its memory is being read back */
	SHARD_OWNED,   /* ours; folded and delivered here */
	SHARD_LEAVING, /* not worked on any more; requests under way are still to end */
};

/* A place in the log: the last event that was folded. */
struct log_position {
	int64_t tx, id;
	int64_t at_ms; /* its created_at; PG_NO_TIME: from the beginning */
};

struct shard {
	enum shard_state state;
	int64_t epoch;
	struct log_position at;
	bool caught_up; /* reads together with the others that are */
	bool drop;	/* its memory has to go at the next safe moment */
	bool give_back; /* by our own will: told to the database when it has left */
	unsigned busy;	/* deliveries under way, or with an outcome that is not yet recorded */
};

struct shards {
	struct shard items[SHARD_COUNT];
	struct log_position main; /* where all that have caught up are read on */
	int64_t lease_until_ms;	  /* monotonic: from then on somebody else may own ours */
	bool others;		  /* does somebody else own the rest? */
};

static inline bool position_before(struct log_position a, struct log_position b)
{
	return a.tx < b.tx || (a.tx == b.tx && a.id < b.id);
}

/* Those that are ours, as PostgreSQL writes an array. */
const char *shards_owned_list(const struct shards *shards, struct arena *arena);

unsigned shards_count(const struct shards *shards, enum shard_state state);
bool shards_want_drop(const struct shards *shards);

/* May we speak for our shards at this moment? */
bool shards_lease_holds(const struct shards *shards, int64_t now_ms);

/* The shards to read next and from where. True: those that lag behind, up to shards->main. */
struct shard_group {
	bool wanted[SHARD_COUNT];
	unsigned count;
	struct log_position from;
	bool lagging;
};
void shards_group(struct shards *shards, bool prefer_lagging, struct shard_group *group);

/* Everything up to shards->main was read: a lagging group joins the others. */
void shards_join(struct shards *shards, const struct shard_group *group);

/* Forget all: every shard is read back from the database under its present lease. */
void shards_forget_all(struct shards *shards);

#endif
