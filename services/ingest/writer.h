/*
 * writer: the one flow that makes events durable, in the order in which they were accepted.
 *
 * While PostgreSQL answers, batches go there, one commit in flight. When it does not, they go to
 * the journal, and so does everything that comes until the journal is replayed: no event overtakes
 * another.
 */
#ifndef INGEST_WRITER_H
#define INGEST_WRITER_H

#include "batch.h"
#include "pg.h"

enum {
	WORK_COLUMNS = 8,
	WORK_BATCHES = 32,	   /* records of the journal in one transaction */
	WORK_REPLAY_EVENTS = 1024, /* no further record behind so many */
	WORK_REPLAY_BYTES = 1024 * 1024,
	WORK_MAX_PARTS = 32, /* more than a batch can be halved */
};

/* What one transaction stores: one batch, or several records of the journal. */
struct work {
	struct batch *batches[WORK_BATCHES];
	unsigned count; /* 0: nothing is under way */
	bool replaying; /* out of the journal */
	/* Nodes of the only batch that are still to be stored, the next one last. */
	unsigned parts[WORK_MAX_PARTS];
	unsigned part_count;
	bool to_quarantine; /* the next part is one event, and call_events will not have it */
	struct pg_array columns[WORK_BATCHES][WORK_COLUMNS];
};

enum commit_outcome {
	COMMIT_STORED,
	COMMIT_REFUSED, /* for its data: nothing of it is stored, and never will be */
	COMMIT_AWAY,	/* no answer, or none that says anything about the data */
	COMMIT_STUCK,	/* no answer in time: the connection is of no use any more */
};

struct writer {
	struct flow *flow;
	struct work work;
	struct batch *stored; /* its waiters are still to be woken; never over a wait */
	struct batch *replay[WORK_BATCHES]; /* memory for what comes out of the journal */
	bool one_by_one; /* some event in the journal is refused: no two records together */
	enum commit_outcome outcome; /* of the last attempt */
	struct error error;
	int64_t retry_ms;
	int64_t retry_at_ms; /* PostgreSQL is left alone until then */
	int64_t hint_at_ms;
	int64_t replay_until_ms; /* new events wait at most so long while the journal is replayed */
	bool away;		 /* events go to the journal */
	char journal_problem[200]; /* why the last append to it failed; "": it did not */
};

struct ingest;

void writer_start(struct ingest *ingest);
void writer_stop(struct ingest *ingest);
bool writer_idle(const struct ingest *ingest);
bool writer_database_usable(const struct ingest *ingest);

/* Something answers, but not as it should: it is asked less and less often. */
void writer_leave_alone(struct ingest *ingest);
const char *writer_why_away(struct ingest *ingest);
void writer_begin(struct work *work, bool replaying); /* batches and count are set */

/* -- one attempt (commit.c): a child of the writer's flow, its outcome is left in the writer -------- */

void commit_init(struct work *work);
void commit_free(struct work *work);
void commit_spawn(struct flow *flow, unsigned node);

/* -- the journal (spool.c) -------------------------------------------------------------------------- */

/* Put a batch into it and answer those who wait. */
void spool_keep(struct ingest *ingest, struct batch *batch);
/* Its oldest records become the writer's work; false when there is nothing that could be. */
bool spool_take(struct ingest *ingest);
/* That work is done. */
void spool_drop(struct ingest *ingest);
void spool_show(struct ingest *ingest); /* on the metrics */
void spool_free(struct ingest *ingest);

#endif
