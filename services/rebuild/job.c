/*
 * job: the run as a flow: connect, learn the enterprises, refold, show, apply.
 */
#include "rebuild.h"

#include "alloc.h"

#include <stdlib.h>

#define TENANTS_BYTES	  ((size_t)256 << 20)
#define PAGE_BYTES	  ((size_t)64 << 20)
#define PAGE_ROWS	  500
#define CHUNK_EVENTS	  4000
#define CONNECT_WAIT_MS	  10000
#define STATEMENT_MAX_MS  (4 * 3600 * INT64_C(1000)) /* a sort of a log of years */
#define PROGRESS_EVERY_MS 200

/* The log is sorted by this connection, in memory as far as that goes. */
static const char sql_memory[] = "SELECT set_config('work_mem', '256MB', false)";

/* -- progress: beside the run ------------------------------------------------------------------------ */

static enum flow_status progress_wait(struct flow *flow)
{
	return await_sleep(flow, PROGRESS_EVERY_MS);
}

static enum flow_status progress_show(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);

	if (rebuild->done || rebuild->ended)
		return FLOW_END;
	show_progress(rebuild, false);
	return flow_goto(flow, 0);
}

static const struct flow_step progress_steps[] = {
	{"wait", progress_wait},
	{"show", progress_show},
	{NULL, NULL},
};

static const struct flow_spec progress_flow = {
	.name = "progress", .steps = progress_steps, .deadline_ms = FLOW_FOREVER};

/* -- the refold, watched ------------------------------------------------------------------------------ */

static enum flow_status watched_run(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);

	refold_spawn(flow, rebuild->refold);
	return await_children(flow);
}

static enum flow_status watched_done(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);

	rebuild->done = true; /* ends the progress */
	return FLOW_END;
}

static const struct flow_step watched_steps[] = {
	{"run", watched_run},
	{"done", watched_done},
	{NULL, NULL},
};

static const struct flow_spec watched_flow = {
	.name = "watched refold", .steps = watched_steps, .deadline_ms = FLOW_FOREVER};

/* -- the run ------------------------------------------------------------------------------------------- */

enum { JOB_CONNECT, JOB_LEARN, JOB_REFOLD, JOB_FOLDED, JOB_PAGE, JOB_SHOW, JOB_APPLY, JOB_APPLIED };

static enum flow_status job_connect(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);

	return await_pg_ready(flow, rebuild->pg, CONNECT_WAIT_MS);
}

static enum flow_status job_learn(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	struct pg_params none = {0};

	if (!pg_ready(rebuild->pg))
		return flow_fail(flow, ERROR_BUSY,
			"PostgreSQL is not reached: %s; is DATABASE_URL right, does it run?",
			pg_last_error(rebuild->pg));
	rebuild->batch = pg_batch_new(rebuild->page);
	refold_tenants_query(rebuild->batch, rebuild->page, rebuild->options->enterprise);
	pg_batch_add(rebuild->batch, sql_memory, &none);
	return await_pg(flow, rebuild->pg, rebuild->batch);
}

static enum flow_status job_refold(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	const struct rebuild_options *options = rebuild->options;
	struct error error;

	if (!pg_batch_ok(rebuild->batch, &error))
		return flow_fail_error(flow, &error);
	rebuild->tenants = refold_tenants_take(rebuild->batch, rebuild->arena);
	if (options->enterprise != NULL && table_count(rebuild->tenants) == 0)
		return flow_fail(flow, ERROR_MISSING, "no enterprise has the number %s",
			options->enterprise);
	const struct refold_options refold = {
		.pg = rebuild->pg,
		.tenants = rebuild->tenants,
		.enterprise = options->enterprise,
		.from_ms = options->from_ms,
		.to_ms = options->to_ms,
		.linger_ms = options->linger_ms,
		.chunk_events = CHUNK_EVENTS,
	};
	rebuild->refold = refold_new(&refold);
	rebuild->began_ms = rebuild->shown_ms = clock_monotonic_ms();
	(void)flow_spawn(flow, &progress_flow);
	(void)flow_spawn(flow, &watched_flow);
	return await_children(flow);
}

static enum flow_status job_folded(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	struct error error;

	if (!refold_ok(rebuild->refold, &error))
		return flow_fail_error(flow, &error);
	show_progress(rebuild, true);
	if (refold_changes_count(rebuild->refold) > 0)
		show_changes_head();
	return FLOW_NEXT;
}

/* -- the changes, page by page --------------------------------------------------------------------------- */

static enum flow_status job_page(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	int64_t all = refold_changes_count(rebuild->refold), show = rebuild->options->show;
	int64_t last = rebuild->shown + PAGE_ROWS;

	if (show == 0 || show > all)
		show = all;
	if (rebuild->shown >= show)
		return flow_goto(flow, JOB_APPLY);
	arena_reset(rebuild->page);
	rebuild->batch = pg_batch_new(rebuild->page);
	refold_add_changes(
		rebuild->batch, rebuild->page, rebuild->shown + 1, last < show ? last : show);
	return await_pg(flow, rebuild->pg, rebuild->batch);
}

static enum flow_status job_show(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	struct error error;

	if (!pg_batch_ok(rebuild->batch, &error))
		return flow_fail_error(flow, &error);
	for (int row = 0; row < pg_rows(rebuild->batch, 0); row++)
		show_change(rebuild->batch, row, rebuild->page);
	rebuild->shown += PAGE_ROWS;
	return flow_goto(flow, JOB_PAGE);
}

/* All in one transaction: others see the calls as they were, and then as they are. */
static enum flow_status job_apply(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	int64_t all = refold_changes_count(rebuild->refold);

	arena_reset(rebuild->page);
	rebuild->batch = NULL;
	if (rebuild->options->dry_run || all == 0)
		return FLOW_NEXT;
	rebuild->batch = pg_batch_new(rebuild->page);
	const struct refold_piece piece = {
		.first = 1, .last = all, .why = "folded again by callweave-rebuild"};
	refold_add_apply(rebuild->batch, rebuild->page, &piece);
	return await_pg(flow, rebuild->pg, rebuild->batch);
}

static enum flow_status job_applied(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);
	struct error error;

	if (rebuild->batch != NULL && !pg_batch_ok(rebuild->batch, &error))
		return flow_fail_error(flow, &error);
	if (rebuild->batch != NULL)
		rebuild->applied = pg_int(rebuild->batch, 0, 0, 0);
	show_summary(rebuild);
	return FLOW_END;
}

static void job_finally(struct flow *flow)
{
	struct rebuild *rebuild = flow_context(flow);

	if (flow_error(flow) != NULL)
		rebuild->error = *flow_error(flow);
	rebuild->ended = true;
	loop_stop(rebuild->loop);
}

static const struct flow_step job_steps[] = {
	[JOB_CONNECT] = {"connect", job_connect},
	[JOB_LEARN] = {"learn", job_learn},
	[JOB_REFOLD] = {"refold", job_refold},
	[JOB_FOLDED] = {"folded", job_folded},
	[JOB_PAGE] = {"page", job_page},
	[JOB_SHOW] = {"show", job_show},
	[JOB_APPLY] = {"apply", job_apply},
	[JOB_APPLIED] = {"applied", job_applied},
	{NULL, NULL},
};

static const struct flow_spec job_flow = {
	.name = "rebuild", .steps = job_steps, .finally = job_finally, .deadline_ms = FLOW_FOREVER};

bool rebuild_run(const struct rebuild_options *options, struct error *error)
{
	const struct pg_options pg = {.url = options->database_url,
		.application_name = "callweave-rebuild",
		.statement_timeout_ms = STATEMENT_MAX_MS};
	struct rebuild rebuild = {.options = options,
		.loop = loop_new(),
		.arena = arena_new(TENANTS_BYTES),
		.page = arena_new(PAGE_BYTES)};
	const struct log_context no_log = {0};
	bool ok;

	rebuild.pg = pg_new(rebuild.loop, &pg);
	(void)flow_start(rebuild.loop, &job_flow, &rebuild, &no_log);
	loop_run(rebuild.loop);
	ok = rebuild.error.kind == ERROR_NONE;
	*error = rebuild.error;
	flow_cancel_all(rebuild.loop);
	refold_free(&rebuild.refold);
	pg_free(&rebuild.pg);
	refold_tenants_free(&rebuild.tenants);
	arena_free(&rebuild.page);
	arena_free(&rebuild.arena);
	loop_free(&rebuild.loop);
	return ok;
}
