/*
 * meters: what ingest counts, under the names that operators see on /metrics.
 */
#ifndef INGEST_METERS_H
#define INGEST_METERS_H

#include "call_event.h"
#include "metrics.h"

enum refusal_reason {
	REFUSED_INPUT,	  /* 422: not an event */
	REFUSED_TOKEN,	  /* 401: nobody's token */
	REFUSED_BUSY,	  /* 503: no room, or no place to write */
	REFUSED_DATABASE, /* 422: PostgreSQL will not have this one */
	REFUSAL_REASONS
};

struct meters {
	struct metric *received[EVENT_TYPES];
	struct metric *refused[REFUSAL_REASONS];
	struct metric *recovered;
	struct metric *committed;
	struct metric *commits;
	struct metric *commit_seconds;
	struct metric *commit_failures;
	struct metric *journaled;
	struct metric *journal_bytes;
	struct metric *journal_records;
	struct metric *waiting;
	struct metric *enterprises;
	struct metric *quarantined;
	struct metric *quarantine_dropped;
	struct metric *debug_dropped;
};

void meters_init(struct meters *meters, struct metrics *metrics);

#endif
