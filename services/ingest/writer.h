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
	WRITER_COLUMNS = 8,
	WRITER_MAX_PARTS = 32, /* deeper than a batch can be halved */
};

enum commit_outcome {
	COMMIT_STORED,
	COMMIT_REFUSED, /* for its data: nothing of it is stored, and never will be */
	COMMIT_AWAY,	/* no answer, or none that says anything about the data */
	COMMIT_STUCK,	/* no answer in time: the connection is of no use any more */
};

struct writer {
	struct flow *flow;
	struct batch *work;   /* under way; NULL: none */
	struct batch *replay; /* memory for what comes out of the journal */
	bool replaying;	      /* work is out of the journal */
	unsigned parts
		[WRITER_MAX_PARTS]; /* nodes of work that are still to be stored, next one last */
	unsigned part_count;
	enum commit_outcome outcome; /* of the last attempt */
	struct error error;
	int64_t retry_ms;
	int64_t retry_at_ms;	 /* PostgreSQL is left alone until then */
	int64_t replay_until_ms; /* new events wait at most so long while the journal is replayed */
	bool away;		 /* events go to the journal */
	char journal_problem[200]; /* why the last append to it failed; "": it did not */
	struct pg_array columns[WRITER_COLUMNS];
};

struct ingest;

void writer_start(struct ingest *ingest);
void writer_stop(struct ingest *ingest);
bool writer_idle(const struct ingest *ingest);
bool writer_database_usable(const struct ingest *ingest);

void commit_columns_init(struct pg_array columns[WRITER_COLUMNS]);

/* One attempt to store writer->parts' node as a child flow of the writer's; the outcome is left in
 * the writer: see commit.c. */
void commit_spawn(struct flow *flow, unsigned node);

#endif
