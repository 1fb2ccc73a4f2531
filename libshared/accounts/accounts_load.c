/*
 * accounts_load: follows PostgreSQL: one flow hears notices, another reads what they ask for.
 *
 * Everything is read at the start, after each gap in the notices, and from time to time in case one
 * was lost all the same. What cannot be read stays as it was, and is tried again with backoff.
 */
#include "accounts_private.h"

#include <stdio.h>

#define LOAD_ARENA_BYTES ((size_t)256 << 20) /* a page of large configurations */
#define LOAD_DEADLINE_MS 15000
#define LIST_DEADLINE_MS 60000
#define GATHER_MS	 20 /* changes that come together are read once */
#define FIRST_RETRY_MS	 250
#define LAST_RETRY_MS	 4000
#define HEAR_MS		 60000

/* -- a page of enterprises ------------------------------------------------------------------------ */

struct load {
	struct pg_batch *batch;
	struct pg_array numbers;
	struct table *missing; /* of those asked for: who turns out not to be there */
	struct pg_batch *list; /* of all, when all are read */
	int at;		       /* the first of it that is not read */
};

/* The next numbers: of the list, or those that were wanted. */
static void load_choose(struct accounts *accounts, struct load *load)
{
	struct str number;
	size_t at = 0;
	int count = 0;

	pg_array_text_init(&load->numbers, 16 << 10);
	while (load->list != NULL && load->at < pg_rows(load->list, 0) && count < ACCOUNTS_PAGE) {
		number = pg_text(load->list, 0, load->at++, 0);
		pg_array_add_str(&load->numbers, number);
		(void)table_put(load->missing, number, accounts);
		(void)table_remove(accounts->wanted, number);
		count++;
	}
	while (load->list == NULL && count < ACCOUNTS_PAGE &&
		table_next(accounts->wanted, &at, &number, NULL)) {
		pg_array_add_str(&load->numbers, number);
		(void)table_put(load->missing, number, accounts);
		(void)table_remove(accounts->wanted, number);
		count++;
	}
}

static enum flow_status load_ask(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct load *load = flow_state(flow);
	struct pg_params params = {0};

	load->missing = table_new();
	load_choose(accounts, load);
	pg_put_array(&params, &load->numbers);
	load->batch = pg_batch_new(flow_arena(flow));
	accounts_add_queries(load->batch, &params);
	return await_pg(flow, accounts->pg, load->batch);
}

static enum flow_status load_take(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct load *load = flow_state(flow);
	struct error error;
	struct str number;
	size_t at = 0;

	if (!pg_batch_ok(load->batch, &error))
		return flow_fail_error(flow, &error);
	accounts_take_rows(accounts, load->batch, load->missing);
	while (table_next(load->missing, &at, &number, NULL))
		accounts_drop(accounts, number);
	table_free(&load->missing);
	return FLOW_END;
}

/* What was asked for and not read is wanted again. */
static void load_finally(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct load *load = flow_state(flow);
	const struct error *error = flow_error(flow);
	struct str number;
	size_t at = 0;

	while (load->missing != NULL && table_next(load->missing, &at, &number, NULL))
		(void)table_put(accounts->wanted, number, accounts);
	table_free(&load->missing);
	pg_array_free(&load->numbers);
	if (error != NULL)
		(void)snprintf(accounts->why, sizeof(accounts->why), "%.150s", error->text);
}

static const struct flow_step load_steps[] = {
	{"ask", load_ask},
	{"take", load_take},
	{NULL, NULL},
};

static const struct flow_spec load_flow = {
	.name = "account",
	.steps = load_steps,
	.finally = load_finally,
	.state_bytes = sizeof(struct load),
	.arena_max_bytes = LOAD_ARENA_BYTES,
	.deadline_ms = LOAD_DEADLINE_MS,
};

/* -- all of them ---------------------------------------------------------------------------------- */

struct list {
	struct pg_batch *batch;
	int at;
};

enum { LIST_ASK, LIST_TAKE, LIST_PAGE, LIST_PAGED };

static const char sql_list[] = "SELECT number FROM enterprises ORDER BY number";

static enum flow_status list_ask(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct list *list = flow_state(flow);
	struct pg_params none = {0};

	return await_pg_query(flow, accounts->pg, &list->batch, sql_list, &none);
}

/* Those that are gone go. */
static enum flow_status list_take(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct list *list = flow_state(flow);
	struct table *present = table_new();
	struct error error;
	struct str number;
	size_t at = 0;

	if (!pg_batch_ok(list->batch, &error)) {
		table_free(&present);
		return flow_fail_error(flow, &error);
	}
	for (int row = 0; row < pg_rows(list->batch, 0); row++)
		(void)table_put(present, pg_text(list->batch, 0, row, 0), list);
	while (table_next(accounts->by_number, &at, &number, NULL)) {
		if (table_get(present, number) == NULL)
			accounts_drop(accounts, number);
	}
	table_free(&present);
	return FLOW_NEXT;
}

static enum flow_status list_page(struct flow *flow)
{
	struct list *list = flow_state(flow);
	struct load *load;

	if (list->at >= pg_rows(list->batch, 0))
		return FLOW_END;
	load = flow_state(flow_spawn(flow, &load_flow));
	load->list = list->batch;
	load->at = list->at;
	list->at += ACCOUNTS_PAGE;
	return await_children(flow);
}

static enum flow_status list_paged(struct flow *flow)
{
	const struct accounts *accounts = flow_context(flow);

	if (flow_failed_children(flow) > 0)
		return flow_fail(flow, ERROR_UPSTREAM, "%s", accounts->why);
	return flow_goto(flow, LIST_PAGE);
}

static const struct flow_step list_steps[] = {
	[LIST_ASK] = {"ask", list_ask},
	[LIST_TAKE] = {"take", list_take},
	[LIST_PAGE] = {"page", list_page},
	[LIST_PAGED] = {"paged", list_paged},
	{NULL, NULL},
};

static void list_finally(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	const struct error *error = flow_error(flow);

	if (error == NULL)
		return;
	accounts->all_wanted = true;
	(void)snprintf(accounts->why, sizeof(accounts->why), "%.150s", error->text);
}

static const struct flow_spec list_flow = {
	.name = "accounts",
	.steps = list_steps,
	.finally = list_finally,
	.state_bytes = sizeof(struct list),
	.arena_max_bytes = LOAD_ARENA_BYTES,
	.deadline_ms = LIST_DEADLINE_MS,
};

/* -- the loader ----------------------------------------------------------------------------------- */

struct loader {
	unsigned failed; /* children that failed before this load */
	unsigned tries;
	bool all; /* what runs now reads everything */
};

enum { LOADER_WAIT, LOADER_GATHER, LOADER_READ, LOADER_DONE };

static enum flow_status loader_wait(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	const struct loader *loader = flow_state(flow);
	int64_t retry_ms = FIRST_RETRY_MS << (loader->tries < 4 ? loader->tries : 4);

	if (loader->tries > 0)
		return await_queue_for(
			flow, &accounts->wake, retry_ms < LAST_RETRY_MS ? retry_ms : LAST_RETRY_MS);
	if (accounts->all_wanted || table_count(accounts->wanted) > 0)
		return FLOW_NEXT;
	return await_queue_for(flow, &accounts->wake, accounts->refresh_ms);
}

static enum flow_status loader_gather(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);

	if (flow_timed_out(flow) && table_count(accounts->wanted) == 0)
		accounts->all_wanted = true;
	return await_sleep(flow, GATHER_MS);
}

static enum flow_status loader_read(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct loader *loader = flow_state(flow);

	loader->failed = flow_failed_children(flow);
	loader->all = accounts->all_wanted;
	accounts->all_wanted = false;
	accounts->begun++;
	flow_spawn(flow, loader->all ? &list_flow : &load_flow);
	return await_children(flow);
}

static enum flow_status loader_done(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct loader *loader = flow_state(flow);
	bool failed = flow_failed_children(flow) > loader->failed;

	if (failed && !accounts->failing)
		log_warn(&accounts->log, "accounts: not read: %s; the last good copy serves",
			accounts->why);
	else if (!failed && accounts->failing)
		log_info(&accounts->log, "accounts: read again");
	accounts->failing = failed;
	accounts->stats.loads += !failed;
	accounts->stats.failed_loads += failed;
	loader->tries = failed ? loader->tries + 1 : 0;
	if (!failed) {
		accounts->ever = accounts->ever || loader->all;
		accounts->done = accounts->begun;
		accounts->stats.last_load_ms = clock_wall_ms();
	}
	(void)flow_queue_wake_all(&accounts->loaded);
	return flow_goto(flow, LOADER_WAIT);
}

static const struct flow_step loader_steps[] = {
	[LOADER_WAIT] = {"wait", loader_wait},
	[LOADER_GATHER] = {"gather", loader_gather},
	[LOADER_READ] = {"read", loader_read},
	[LOADER_DONE] = {"done", loader_done},
	{NULL, NULL},
};

static void loader_finally(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);

	accounts->loader = NULL;
}

static const struct flow_spec loader_flow = {
	.name = "accounts-loader",
	.steps = loader_steps,
	.finally = loader_finally,
	.state_bytes = sizeof(struct loader),
	.deadline_ms = FLOW_FOREVER,
};

/* -- the listener --------------------------------------------------------------------------------- */

static enum flow_status hear_wait(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);

	return await_pg_notice(flow, accounts->listen, HEAR_MS);
}

static enum flow_status hear_take(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);
	struct pg_notice notice;

	while (pg_listen_take(accounts->listen, &notice)) {
		accounts->stats.notices++;
		(void)accounts_want(accounts, str_from(notice.payload));
	}
	return flow_goto(flow, 0);
}

static const struct flow_step hear_steps[] = {
	{"wait", hear_wait},
	{"take", hear_take},
	{NULL, NULL},
};

static void hear_finally(struct flow *flow)
{
	struct accounts *accounts = flow_context(flow);

	accounts->listener = NULL;
}

static const struct flow_spec hear_flow = {
	.name = "accounts-listener",
	.steps = hear_steps,
	.finally = hear_finally,
	.deadline_ms = FLOW_FOREVER,
};

void accounts_follow(struct accounts *accounts)
{
	accounts->listener = flow_start(accounts->loop, &hear_flow, accounts, &accounts->log);
	accounts->loader = flow_start(accounts->loop, &loader_flow, accounts, &accounts->log);
}
