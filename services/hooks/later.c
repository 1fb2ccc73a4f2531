/*
 * later: see later.h. Nothing that was acknowledged is lost: the answer follows the commit, or the
 * journal's fdatasync.
 */
#include "later.h"

#include "alloc.h"
#include "hooks.h"
#include "journal.h"
#include "sender.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COMMIT_MS = 3000, REPLAY_MS = 10000, LOOK_AGAIN_MS = 250, REST_MS = 2000 };
#define RECORD_MAX_BYTES ((size_t)1 << 20)
#define REPLAY_BYTES	 ((size_t)4 << 20)

static const struct later_kind *const kinds[] = {
	&voice_start_kind,
	&voice_move_kind,
	&voice_talk_kind,
	&voice_recording_kind,
	&voice_status_kind,
	&text_in_kind,
	&text_status_kind,
};

enum { COMMITS_MAX = 32 };

struct later {
	struct hooks *hooks;
	/* Each request is a transaction of its own: on one connection they would wait for each other's sync;
	 * on several PostgreSQL syncs them together. */
	struct pg *commits[COMMITS_MAX];
	unsigned commit_count, next_commit;
	struct journal *journal;
	struct flow *replayer;
	struct flow_queue appended;
	struct metric *records, *refused;
	char problem[200]; /* why the last append failed; "": it did not */
	bool away;	   /* said already */
};

static const struct later_kind *find_kind(struct str name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_equal(name, str_from(kinds[i]->name)))
			return kinds[i];
	}
	return NULL;
}

static bool usable(const struct later *later)
{
	return pg_ready(later->hooks->pg) && schema_why_not(later->hooks->schema) == NULL;
}

size_t later_records(const struct later *later)
{
	return journal_records(later->journal);
}

const char *later_why_not(const struct later *later)
{
	return later->problem[0] != '\0' ? later->problem : NULL;
}

/* -- what cannot be stored now, or ever -------------------------------------------------------------- */

static void keep(struct later *later, struct later_store *store)
{
	const struct log_context *log = service_log(later->hooks->service);
	struct buf record;
	struct error error;

	if (!later->away)
		log_warn(log, "PostgreSQL is away, what comes goes to the journal: %s",
			pg_last_error(later->hooks->pg));
	later->away = true;
	buf_init(&record, RECORD_MAX_BYTES);
	buf_printf(&record, "%s ", store->kind->name);
	buf_add(&record, store->json);
	store->batch = NULL;
	store->stored = !record.failed &&
			journal_append(later->journal, buf_str(&record), &error) &&
			journal_sync(later->journal, &error);
	if (record.failed)
		error_set(&error, ERROR_INPUT, "%s: too long for the journal", store->kind->name);
	str_copy(later->problem, sizeof(later->problem), str_from(store->stored ? "" : error.text));
	if (!store->stored) {
		log_error(log, "neither PostgreSQL nor the journal takes it: %s", error.text);
		error_set(&store->error, ERROR_BUSY, "it cannot be stored now");
	}
	metric_set(later->records, (double)journal_records(later->journal));
	buf_free(&record);
	flow_queue_wake_all(&later->appended);
}

/* PostgreSQL will never take it: for a person, in a file beside the journal. */
static void set_aside(struct later *later, struct str name, struct str json, const char *why)
{
	const struct log_context *log = service_log(later->hooks->service);
	char path[600];
	struct buf line;
	int fd;

	metric_add(later->refused, 1);
	log_error(log, "PostgreSQL refuses a record (%.*s): %s: kept in refused.log", STR_ARG(name),
		why);
	snprintf(path, sizeof(path), "%s/refused.log", later->hooks->settings->journal_folder);
	buf_init(&line, RECORD_MAX_BYTES + 1024);
	buf_printf(&line, "%.*s %.*s\n", STR_ARG(name), STR_ARG(json));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line.data, line.size) != (ssize_t)line.size || fdatasync(fd) != 0)
		log_error(log, "refused.log: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_free(&line);
}

/* Data that it refuses (SQLSTATE 22, 23) stays refused; all else may be better later. */
static bool is_final(const struct pg_batch *batch, const struct error *error)
{
	return (error->kind == ERROR_INPUT || error->kind == ERROR_CONFLICT) &&
	       !pg_batch_in_doubt(batch);
}

static void run(
	struct pg_batch *batch, const struct later_kind *kind, const char *json, bool replay)
{
	struct pg_params params = {0};

	pg_put_text(&params, json);
	pg_put_bool(&params, replay);
	pg_batch_add(batch, kind->sql, &params);
}

/* The next connection in turn that stands; the common one when none does. */
static struct pg *commit_connection(struct later *later)
{
	for (unsigned i = 0; i < later->commit_count; i++) {
		struct pg *pg = later->commits[later->next_commit++ % later->commit_count];

		if (pg_ready(pg))
			return pg;
	}
	return later->hooks->pg;
}

/* -- one thing --------------------------------------------------------------------------------------- */

struct store_state {
	struct later_store *store;
	struct pg_batch *batch; /* in the parent's arena */
	bool over;
};

static enum flow_status store_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct store_state *state = flow_state(flow);
	struct str json = state->store->json;

	if (!usable(hooks->later))
		return flow_fail(flow, ERROR_BUSY, "PostgreSQL is away");
	run(state->batch, state->store->kind, arena_strndup(flow_arena(flow), json.data, json.size),
		false);
	return await_pg(flow, commit_connection(hooks->later), state->batch);
}

static enum flow_status store_read(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct store_state *state = flow_state(flow);
	struct later_store *store = state->store;
	struct error error;

	if (pg_batch_ok(state->batch, &error)) {
		store->stored = true;
		store->batch = state->batch;
	} else if (is_final(state->batch, &error)) {
		set_aside(hooks->later, str_from(store->kind->name), store->json, error.text);
		error_set(&store->error, ERROR_INTERNAL, "it cannot be stored");
	} else {
		return flow_fail(flow, ERROR_BUSY, "%s", error.text);
	}
	state->over = true;
	return FLOW_END;
}

/* No answer in time is as good as none: the statement bears to run again. A request that was given up
 * needs nothing. */
static void store_finally(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct store_state *state = flow_state(flow);

	if (!state->over && flow_error(flow)->kind == ERROR_BUSY)
		keep(hooks->later, state->store);
}

static const struct flow_step store_steps[] = {
	{"ask", store_ask},
	{"read", store_read},
	{NULL, NULL},
};

static const struct flow_spec store_flow = {
	.name = "store",
	.steps = store_steps,
	.finally = store_finally,
	.state_bytes = sizeof(struct store_state),
	.deadline_ms = COMMIT_MS,
};

enum flow_status await_later(struct flow *flow, struct later_store *store)
{
	const struct hooks *hooks = flow_context(flow);
	struct store_state *state;

	store->stored = false;
	store->batch = NULL;
	if (!journal_empty(hooks->later->journal)) {
		keep(hooks->later, store);
		return FLOW_NEXT;
	}
	state = flow_state(flow_spawn(flow, &store_flow));
	state->store = store;
	state->batch = pg_batch_new(flow_arena(flow));
	return await_children(flow);
}

/* -- the journal, record by record ------------------------------------------------------------------- */

struct replay_state {
	struct buf record;
	const struct later_kind *kind;
	struct str json;
	struct pg_batch *batch;
};

/* "text_in {...}". False: there is nothing to replay, or it was dropped. */
static bool take_record(struct later *later, struct replay_state *state)
{
	const struct log_context *log = service_log(later->hooks->service);
	struct error error = {.kind = ERROR_NONE};
	struct str name;

	buf_init(&state->record, RECORD_MAX_BYTES);
	if (!journal_peek(later->journal, &state->record, &error)) {
		if (error.kind != ERROR_NONE) {
			log_error(log, "journal: %s: set aside as .damaged", error.text);
			(void)journal_skip_damaged(later->journal, &error);
		}
		return false;
	}
	state->json = buf_str(&state->record);
	name = str_cut(&state->json, ' ');
	state->kind = find_kind(name);
	if (state->kind != NULL)
		return true;
	set_aside(later, name, state->json, "no such kind");
	(void)journal_drop(later->journal, &error);
	return false;
}

static enum flow_status replay_take(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct replay_state *state = flow_state(flow);

	if (!take_record(hooks->later, state))
		return FLOW_END;
	state->batch = pg_batch_new(flow_arena(flow));
	run(state->batch, state->kind, state->json.data, true);
	return await_pg(flow, hooks->pg, state->batch);
}

static enum flow_status replay_read(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct replay_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error)) {
		if (!is_final(state->batch, &error))
			return flow_fail_error(flow, &error);
		set_aside(hooks->later, str_from(state->kind->name), state->json, error.text);
	}
	if (!journal_drop(hooks->later->journal, &error))
		return flow_fail_error(flow, &error);
	return FLOW_END;
}

static void replay_finally(struct flow *flow)
{
	struct replay_state *state = flow_state(flow);

	if (flow_error(flow) != NULL)
		log_warn(flow_log(flow), "the journal waits: %s", flow_error(flow)->text);
	buf_free(&state->record);
}

static const struct flow_step replay_steps[] = {
	{"take", replay_take},
	{"read", replay_read},
	{NULL, NULL},
};

static const struct flow_spec replay_flow = {
	.name = "replay",
	.steps = replay_steps,
	.finally = replay_finally,
	.state_bytes = sizeof(struct replay_state),
	.arena_max_bytes = REPLAY_BYTES,
	.deadline_ms = REPLAY_MS,
};

/* -- for ever ---------------------------------------------------------------------------------------- */

enum { REPLAYER_WAIT, REPLAYER_TAKE, REPLAYER_NEXT };

static enum flow_status replayer_wait(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct later *later = hooks->later;

	if (journal_empty(later->journal)) {
		(void)flow_goto(flow, REPLAYER_WAIT);
		return await_queue(flow, &later->appended);
	}
	if (usable(later))
		return FLOW_NEXT;
	(void)flow_goto(flow, REPLAYER_WAIT);
	return await_sleep(flow, LOOK_AGAIN_MS);
}

static enum flow_status replayer_take(struct flow *flow)
{
	(void)flow_spawn(flow, &replay_flow);
	return await_children(flow);
}

/* A record that could not be stored rests; nothing behind it is tried before it. */
static enum flow_status replayer_next(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct later *later = hooks->later;
	unsigned *failed = flow_state(flow);
	bool again = flow_failed_children(flow) > *failed;

	*failed = flow_failed_children(flow);
	metric_set(later->records, (double)journal_records(later->journal));
	(void)flow_goto(flow, REPLAYER_WAIT);
	if (again)
		return await_sleep(flow, REST_MS);
	if (journal_empty(later->journal) && later->away) {
		later->away = false;
		log_info(flow_log(flow), "the journal is replayed");
		world_wake(hooks);
		sender_wake(hooks->sender);
	}
	return FLOW_NEXT;
}

static const struct flow_step replayer_steps[] = {
	[REPLAYER_WAIT] = {"wait", replayer_wait},
	[REPLAYER_TAKE] = {"take", replayer_take},
	[REPLAYER_NEXT] = {"next", replayer_next},
	{NULL, NULL},
};

static const struct flow_spec replayer_flow = {
	.name = "replayer",
	.steps = replayer_steps,
	.state_bytes = sizeof(unsigned),
	.deadline_ms = FLOW_FOREVER,
};

static void open_connections(struct later *later)
{
	const struct hooks *hooks = later->hooks;
	const struct pg_options options = {
		.url = service_database_url(hooks->service),
		.application_name = "callweave hooks commits",
		.log = *service_log(hooks->service),
	};

	later->commit_count = (unsigned)hooks->settings->commits;
	for (unsigned i = 0; i < later->commit_count; i++)
		later->commits[i] = pg_new(hooks->loop, &options);
}

struct later *later_new(struct hooks *hooks, struct error *error)
{
	const struct journal_options options = {
		.folder = hooks->settings->journal_folder,
		.name = "hooks",
		.max_bytes = (size_t)hooks->settings->journal_bytes,
		.max_record_bytes = RECORD_MAX_BYTES,
	};
	struct metrics *metrics = service_metrics(hooks->service);
	struct later *later = alloc_zeroed(1, sizeof(*later));

	later->hooks = hooks;
	flow_queue_init(&later->appended);
	later->journal = journal_open(&options, error);
	if (later->journal == NULL) {
		free(later);
		return NULL;
	}
	later->records = metrics_gauge(metrics, "callweave_hooks_journal_records", NULL,
		"Webhooks that wait in the journal for PostgreSQL");
	later->refused = metrics_counter(metrics, "callweave_hooks_refused_records_total", NULL,
		"Webhooks that PostgreSQL refuses, kept in refused.log");
	metric_set(later->records, (double)journal_records(later->journal));
	later->away = !journal_empty(later->journal);
	open_connections(later);
	later->replayer =
		flow_start(hooks->loop, &replayer_flow, hooks, service_log(hooks->service));
	return later;
}

void later_free(struct later **later)
{
	if (*later == NULL)
		return;
	for (unsigned i = 0; i < (*later)->commit_count; i++)
		pg_free(&(*later)->commits[i]);
	journal_close(&(*later)->journal);
	free(*later);
	*later = NULL;
}
