/*
 * dispatcher: the process's own struct: what all its parts share.
 *
 * log -> round (fold, commit) -> outbox -> couriers -> Telegram -> writer. Beside it: lease and
 * recovery (who folds what), directory (tenants), maintenance.
 */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include "alloc.h"
#include "bots.h"
#include "courier.h"
#include "directory.h"
#include "folding.h"
#include "gateway.h"
#include "lease.h"
#include "listen.h"
#include "maintenance.h"
#include "meters.h"
#include "outbox.h"
#include "people.h"
#include "pg.h"
#include "pg_listen.h"
#include "recordings.h"
#include "recovery.h"
#include "redis.h"
#include "refolding.h"
#include "round.h"
#include "schema.h"
#include "service.h"
#include "settings.h"
#include "shards.h"
#include "told.h"
#include "writer.h"

struct dispatcher {
	const struct dispatcher_config *config;
	struct service *service;
	struct loop *loop;
	struct log_context log;
	char name[96]; /* of this instance, unlike any other, also of its own past */
	struct pg *pg; /* rounds and the writer: their commits never wait for each other's locks */
	struct pg *side_pg;  /* directory, recovery, maintenance */
	struct pg *lease_pg; /* leases only: nothing delays a renewal */
	struct pg_listen *listen;
	struct redis *redis;
	struct http_client *http;
	struct meters meters;
	struct shards shards;
	struct lease lease;
	struct recovery recovery;
	struct directory directory;
	struct folding folding;
	struct people people;
	struct round round;
	struct bots bots;
	struct outbox outbox;
	struct writer writer;
	struct told told;
	struct gateway gateway;
	struct recordings recordings;
	struct refolding refolding;
	struct maintenance maintenance;
	struct schema *schema;
	struct flow *root; /* parent of all flows: they end with it */
	bool running;	   /* the database is as new as we need it: the flows have been started */
	bool draining;
};

void *dispatcher_start(struct service *service, struct error *error);
void dispatcher_drain(void *context);
bool dispatcher_drained(void *context);
void dispatcher_stop(void *context);

/* Readiness: NULL, or why not. */
const char *dispatcher_why_no_database(void *context);
const char *dispatcher_why_no_schema(void *context);
const char *dispatcher_why_no_shards(void *context);
const char *dispatcher_why_no_directory(void *context);

#endif
