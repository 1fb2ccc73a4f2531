/*
 * gateway_parts: struct gateway, for its own files. The context of all its flows but the requests'.
 */
#ifndef INTEGRATION_CACHE_GATEWAY_PARTS_H
#define INTEGRATION_CACHE_GATEWAY_PARTS_H

#include "channel.h"
#include "crypto.h"
#include "dispatch.h"
#include "gateway.h"
#include "http_client.h"
#include "journal.h"

enum gateway_outcome {
	OUTCOME_DONE,
	OUTCOME_SKIPPED,
	OUTCOME_AGAIN,
	OUTCOME_SLOWER,
	OUTCOME_LOCKED,
	OUTCOME_REFUSED,
	OUTCOME_GONE,
	OUTCOME_AWAY, /* our own adapter was not there: nobody was asked */
};
#define OUTCOMES 8

struct gateway_meters {
	struct metric *queued, *duplicates, *commits, *commit_failures, *commit_seconds;
	struct metric *outcomes[OUTCOMES];
	struct metric *latency_seconds;
	struct metric *channels[BREAKER_STATES];
	struct metric *open, *dead, *oldest_seconds;
};

struct gateway {
	const struct gateway_settings *settings;
	struct loop *loop;
	const struct log_context *log;
	struct accounts *accounts;
	struct schema *schema;
	const struct adapters *adapters;
	struct str secret;
	char name[120], boot[CRYPTO_UUID_TEXT];
	struct pg *commit_pg; /* commits of dispatches and nothing else */
	struct pg *work_pg;   /* claims and outcomes */
	struct pg *look_pg;   /* leases, looks into the table */
	struct pg *keep_pg;   /* housekeeping, listings */
	struct pg_listen *listen;
	struct http_client *http;
	struct channels channels;
	struct dispatch_line line;
	struct journal_writer journal;
	struct gateway_meters meters;
	struct flow *root;
	bool draining;
	int64_t draining_ms; /* monotonic: since when */
};

/* Of a drain: less than the skeleton's own (CALLWEAVE_DRAIN_SECONDS). */
enum { GATEWAY_PATIENCE_MS = 12000 };

void gateway_meters_init(struct gateway_meters *meters, struct metrics *metrics);
const char *gateway_outcome_name(enum gateway_outcome outcome);

/* Milliseconds before try number `attempts`, doubling from `first_ms` to `max_ms`, with jitter. */
int64_t gateway_backoff_ms(unsigned attempts, int64_t first_ms, int64_t max_ms);

#endif
