/*
 * quarantine: refused events that a person may want back, in the table event_quarantine.
 *
 * Bounded on every side, because anybody can send us nonsense: rows a second, bytes in memory, rows
 * a token, rows in all. What is over is dropped and counted.
 */
#ifndef INGEST_QUARANTINE_H
#define INGEST_QUARANTINE_H

#include "flow.h"
#include "meters.h"
#include "pg.h"

enum {
	QUARANTINE_BATCH_ROWS = 200, /* at most once a second */
	QUARANTINE_BATCH_BYTES = 1024 * 1024,
	QUARANTINE_COLUMN_BYTES = 2 * 1024 * 1024, /* with what the wire format adds */
	QUARANTINE_TOKEN_ROWS = 1000,
	QUARANTINE_TOKEN_BYTES = 100, /* longer tokens are cut */
};

struct quarantine_item {
	struct str type;
	struct str token;
	struct str reason;
	struct str peer;
	struct str trace;
	struct str body;
};

struct quarantine;

/* Rows go through `pg`; `rows` bounds the table. Its flow runs until quarantine_free(). */
struct quarantine *quarantine_new(struct loop *loop, struct pg *pg, int64_t rows,
	struct meters *meters, const struct log_context *log);
void quarantine_free(struct quarantine **quarantine);

/* Copied; dropped when there are too many. */
void quarantine_offer(struct quarantine *quarantine, const struct quarantine_item *item);

#endif
