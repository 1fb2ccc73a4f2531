/*
 * ingest: takes PBX events, makes them durable, and only then says "ok".
 */
#ifndef INGEST_H
#define INGEST_H

#include "backlog.h"
#include "debug_log.h"
#include "follow.h"
#include "journal.h"
#include "meters.h"
#include "pg_listen.h"
#include "quarantine.h"
#include "redis.h"
#include "schema.h"
#include "service.h"
#include "settings.h"
#include "tenants.h"
#include "writer.h"

struct ingest {
	const struct ingest_settings *settings;
	struct loop *loop;
	const struct log_context *log;
	struct pg_options database;
	struct pg *pg;		/* commits of events and nothing else */
	struct pg *pg_recovery; /* uploads, from the first on; NULL before */
	const char *spool_folder;
	struct pg *pg_aux; /* everything else: a slow look must not hold up a commit */
	struct pg_listen *listen;
	struct redis *redis;
	struct journal *journal;
	struct tenants *tenants; /* the last good one; NULL: none yet */
	struct schema *schema;
	bool schema_known; /* it was new enough once: it never grows older */
	struct backlog backlog;
	struct writer writer;
	struct quarantine *quarantine;
	struct debug_log *debug_log;
	struct meters meters;
	struct follow *follow;	  /* of the table of enterprises */
	struct flow *housekeeper; /* of ingest_batches and event_keys */
};

/* -- life (ingest.c) ------------------------------------------------------------------------------ */

void *ingest_start(struct service *service, struct error *error);
bool ingest_drained(void *context);
void ingest_stop(void *context);
extern const struct service_check ingest_checks[];

/* -- the ways in (routes.c, event_flow.c) --------------------------------------------------------- */

extern const struct http_route ingest_routes[];
extern const struct flow_spec event_flow;

/* -- in the background (follower.c, housekeeper.c) ------------------------------------------------ */

void follower_start(struct ingest *ingest); /* with the kept table, if there is one */
void follower_stop(struct ingest *ingest);
void housekeeper_start(struct ingest *ingest);
void housekeeper_stop(struct ingest *ingest);

#endif
