/*
 * rebuild: folds the event log again from the start and corrects `calls`: one run, then the end.
 */
#ifndef REBUILD_H
#define REBUILD_H

#include "refold.h"
#include "refold_tenants.h"

struct rebuild_options {
	const char *database_url;
	const char *enterprise; /* NULL: all */
	int64_t from_ms, to_ms; /* REFOLD_NO_TIME: without that end */
	int64_t linger_ms;
	int64_t show; /* changes at most; 0: all */
	bool dry_run;
	bool quiet; /* no progress */
};

struct rebuild {
	const struct rebuild_options *options;
	struct loop *loop;
	struct pg *pg;
	struct arena *arena; /* of tenants */
	struct arena *page;
	struct pg_batch *batch;
	struct table *tenants;
	struct refold *refold;
	int64_t began_ms, shown_ms; /* monotonic */
	int64_t shown;		    /* changes, up to this n */
	int64_t applied;
	struct error error;
	bool done, ended; /* well; at all */
};

/* job.c: run it. False: error has words for the person at the terminal. */
bool rebuild_run(const struct rebuild_options *options, struct error *error);

/* show.c */
void show_progress(struct rebuild *rebuild, bool last);
void show_changes_head(void);
void show_change(const struct pg_batch *batch, int row, struct arena *arena);
void show_summary(const struct rebuild *rebuild);

#endif
