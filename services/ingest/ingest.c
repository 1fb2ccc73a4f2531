/*
 * ingest: what is started, in order, and stopped, in the reverse order.
 */
#include "ingest.h"

#include "alloc.h"

#include <stdlib.h>

static bool open_journal(struct ingest *ingest, struct error *error)
{
	struct journal_options options = {
		.folder = ingest->settings->journal_folder,
		.name = "events",
		.max_bytes = (size_t)ingest->settings->journal_bytes,
	};

	ingest->journal = journal_open(&options, error);
	if (ingest->journal == NULL)
		return error_prefix(error, "journal: ");
	if (journal_torn_bytes(ingest->journal) > 0)
		log_warn(ingest->log, "journal: a torn end of %zu bytes was cut off",
			journal_torn_bytes(ingest->journal));
	if (!journal_empty(ingest->journal))
		log_info(ingest->log, "journal: %zu batches to replay",
			journal_records(ingest->journal));
	return true;
}

/* Redis only saves readers a second: its absence stops nothing. A URL that is none is a mistake. */
static bool open_redis(struct ingest *ingest, struct service *service, struct error *error)
{
	struct redis_options options = {.url = service_redis_url(service), .log = *ingest->log};

	if (options.url[0] == '\0')
		return true; /* readers look for themselves once a second */
	ingest->redis = redis_new(ingest->loop, &options, error);
	return ingest->redis != NULL;
}

/* A commit that the server gives up by itself is known not to have happened; one that we give up
 * on is in doubt. So the server gives up first. */
static void open_database(struct ingest *ingest, struct service *service)
{
	static const char *const channels[] = {"callweave_config", NULL};
	struct pg_options aux;

	ingest->database = (struct pg_options){
		.url = service_database_url(service),
		.application_name = "callweave ingest",
		.statement_timeout_ms = ingest->settings->commit_timeout_ms * 9 / 10,
		.log = *ingest->log,
	};
	aux = ingest->database;
	aux.application_name = "callweave ingest aux";
	aux.statement_timeout_ms = 0;
	ingest->pg = pg_new(ingest->loop, &ingest->database);
	ingest->pg_aux = pg_new(ingest->loop, &aux);
	ingest->schema = schema_new(ingest->loop, ingest->pg_aux, ingest->log);
	ingest->listen = pg_listen_new(ingest->loop, &aux, channels);
}

void *ingest_start(struct service *service, struct error *error)
{
	struct ingest *ingest = alloc_zeroed(1, sizeof(*ingest));

	ingest->settings = service_config(service);
	ingest->loop = service_loop(service);
	ingest->log = service_log(service);
	ingest->spool_folder = service_spool_folder(service);
	meters_init(&ingest->meters, service_metrics(service));
	backlog_init(&ingest->backlog);
	if (service_database_url(service)[0] == '\0') {
		error_set(error, ERROR_INPUT, "DATABASE_URL: missing");
		free(ingest);
		return NULL;
	}
	if (!open_journal(ingest, error) || !open_redis(ingest, service, error)) {
		journal_close(&ingest->journal);
		free(ingest);
		return NULL;
	}
	open_database(ingest, service);
	ingest->quarantine = quarantine_new(ingest->loop, ingest->pg_aux,
		ingest->settings->quarantine_rows, &ingest->meters, ingest->log);
	ingest->debug_log = debug_log_new(ingest->loop, ingest->settings->log_folder,
		ingest->meters.debug_dropped, ingest->log);
	follower_start(ingest);
	writer_start(ingest);
	housekeeper_start(ingest);
	return ingest;
}

/* Nothing accepted is left behind: the skeleton waits for this after the last answer. */
bool ingest_drained(void *context)
{
	return writer_idle(context);
}

void ingest_stop(void *context)
{
	struct ingest *ingest = context;

	housekeeper_stop(ingest);
	writer_stop(ingest);
	follower_stop(ingest);
	debug_log_free(&ingest->debug_log);
	quarantine_free(&ingest->quarantine);
	pg_listen_free(&ingest->listen);
	schema_free(&ingest->schema);
	if (ingest->pg_recovery != NULL)
		pg_free(&ingest->pg_recovery);
	pg_free(&ingest->pg_aux);
	pg_free(&ingest->pg);
	redis_free(&ingest->redis);
	journal_close(&ingest->journal);
	backlog_free(&ingest->backlog);
	free(ingest);
}

/* -- readiness: can an event that comes now be attributed and made durable? ------------------------- */

/* Without any table every token is unknown, and good events would be refused. */
static const char *why_no_enterprises(void *context)
{
	struct ingest *ingest = context;

	if (ingest->tenants != NULL)
		return NULL;
	return "PostgreSQL has not been reached yet, and no table of enterprises was kept";
}

/* With the journal at hand PostgreSQL may be away. */
static const char *why_not_durable(void *context)
{
	struct ingest *ingest = context;

	if (ingest->writer.journal_problem[0] == '\0' || writer_database_usable(ingest))
		return NULL;
	return ingest->writer.journal_problem;
}

const struct service_check ingest_checks[] = {
	{"enterprises", why_no_enterprises},
	{"storage", why_not_durable},
	{0},
};
