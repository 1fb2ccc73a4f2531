/*
 * mirror: see mirror.h. A page of changes and how far it came are stored in one transaction, so nothing
 * is passed over and nothing counts twice.
 */
#include "mirror.h"

#include "alloc.h"
#include "customers.h"
#include "inner.h"
#include "journal.h"
#include "learn.h"

#include <stdlib.h>

enum {
	LOOK_MS = 2000, /* also finds what other instances have woken */
	MOST = 4,	/* enterprises at a time */
	LEASE_SECONDS = 120,
	TURN_MS = 100000, /* of one enterprise: then another one's */
	SKIPPED_SECONDS = 21600,
	FAILED_SECONDS = 30, /* doubled by each failure in a row */
	LOCKED_SECONDS = 900,
	MAX_DOUBLINGS = 6,
	ARENA_BYTES = 16 << 20,
};

static const char task[] = "changes";

static const char sql_enroll[] =
	"INSERT INTO crm_memory (enterprise_number, crm, task)"
	" SELECT number, $1, $2 FROM enterprises WHERE number = ANY ($3::text[])"
	" ON CONFLICT (enterprise_number, crm, task) DO UPDATE SET next_at = now()"
	" WHERE crm_memory.last_error IS NOT NULL OR crm_memory.memory = '{}'";
static const char sql_claim[] =
	"UPDATE crm_memory m SET lease_owner = $3, lease_until = now() + $4::integer * interval '1 "
	"s'"
	" FROM (SELECT enterprise_number FROM crm_memory WHERE crm = $1 AND task = $2"
	" AND next_at <= now() AND (lease_until IS NULL OR lease_until < now())"
	" ORDER BY next_at LIMIT $5::integer FOR UPDATE SKIP LOCKED) AS due"
	" WHERE m.crm = $1 AND m.task = $2 AND m.enterprise_number = due.enterprise_number"
	" RETURNING m.enterprise_number, m.memory::text, m.failures, now()::text";
static const char sql_age[] =
	"SELECT coalesce(extract(epoch FROM now() - min(updated_at)), 0)::bigint FROM crm_memory"
	" WHERE crm = $1 AND task = $2 AND memory <> '{}'";
static const char sql_page[] =
	"UPDATE crm_memory SET memory = $5::jsonb, lease_until = now() + $6::integer * interval '1 "
	"s',"
	" updated_at = now(), failures = 0, last_error = NULL"
	" WHERE enterprise_number = $1 AND crm = $2 AND task = $3 AND lease_owner = $4";
static const char sql_leave[] =
	"UPDATE crm_memory SET lease_owner = NULL, lease_until = NULL,"
	" next_at = CASE WHEN next_at > $7::timestamptz THEN next_at"
	" ELSE now() + $5::bigint * interval '1 s' END,"
	" last_error = nullif($6, ''), failures = CASE WHEN $6 = '' THEN 0 ELSE failures + 1 END"
	" WHERE enterprise_number = $1 AND crm = $2 AND task = $3 AND lease_owner = $4";
static const char sql_wake[] =
	"INSERT INTO crm_memory (enterprise_number, crm, task) VALUES ($1, $2, $3)"
	" ON CONFLICT (enterprise_number, crm, task) DO UPDATE SET next_at = now()";

struct mirror {
	struct flow_queue wake;
	bool wanted;
	unsigned active, generation;
	bool enrolled;	     /* all of that generation */
	int64_t enrolled_ms; /* the newest of accounts that are */
	int64_t newest_ms;   /* of those that are being enrolled */
	struct arena *arena;
	struct pg_batch *batch;
	struct pg_array numbers;
};

struct mirror *mirror_new(void)
{
	struct mirror *mirror = alloc_zeroed(1, sizeof(*mirror));

	flow_queue_init(&mirror->wake);
	mirror->arena = arena_new(ARENA_BYTES);
	pg_array_text_init(&mirror->numbers, ARENA_BYTES / 4);
	return mirror;
}

void mirror_free(struct mirror **mirror)
{
	if (*mirror == NULL)
		return;
	pg_array_free(&(*mirror)->numbers);
	arena_free(&(*mirror)->arena);
	free(*mirror);
	*mirror = NULL;
}

void mirror_wake(struct mirror *mirror)
{
	mirror->wanted = true;
	(void)flow_queue_wake_all(&mirror->wake);
}

void mirror_put_wake(struct pg_batch *batch, const struct adapter *adapter, const char *enterprise)
{
	struct pg_params params = {0};

	pg_put_text(&params, enterprise);
	pg_put_text(&params, adapter->driver->code);
	pg_put_text(&params, task);
	pg_batch_add(batch, sql_wake, &params);
}

/* -- one enterprise's turn ------------------------------------------------------------------------ */

enum { TURN_ASK, TURN_STORE, TURN_STORED, TURN_LEAVE, TURN_LEFT };
enum { MAX_PAGES = 20 };

struct turn {
	char number[64], claimed_at[64];
	struct str memory;
	int64_t failures;
	unsigned pages;
	struct inner inner;
	struct pg_batch *batch;
	char why[256]; /* it failed */
	bool lasts;    /* until a person has acted */
};

static void put_turn_key(
	struct pg_params *params, const struct adapter *adapter, const struct turn *turn)
{
	*params = (struct pg_params){0};
	pg_put_text(params, turn->number);
	pg_put_text(params, adapter->driver->code);
	pg_put_text(params, task);
	pg_put_text(params, adapter->name);
}

static enum flow_status turn_fail(struct flow *flow, const char *why)
{
	struct turn *turn = flow_state(flow);

	(void)str_copy(turn->why, sizeof(turn->why), str_from(why));
	return flow_goto(flow, TURN_LEAVE);
}

static enum flow_status turn_ask(struct flow *flow)
{
	struct turn *turn = flow_state(flow);
	struct inner *inner = &turn->inner;
	struct error error = {0};

	inner_free(inner); /* the page before */
	*inner = (struct inner){0};
	if (!inner_open(flow, inner, str_from(turn->number), &error)) {
		turn->lasts = true;
		return turn_fail(flow, error.text);
	}
	inner_attempt(flow, inner, CRM_CHANGES);
	inner->attempt.share = RATE_MIRROR;
	inner->attempt.job.memory = turn->memory;
	attempt_start(flow, &inner->attempt);
	return await_children(flow);
}

static enum flow_status turn_store(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct turn *turn = flow_state(flow);
	const struct attempt *attempt = &turn->inner.attempt;
	struct arena *arena = flow_arena(flow);
	struct pg_params params;

	if (attempt->outcome == OUTCOME_SKIPPED) {
		turn->lasts = true;
		return flow_goto(flow, TURN_LEAVE);
	}
	turn->lasts = attempt->outcome == OUTCOME_LOCKED || attempt->outcome == OUTCOME_REFUSED;
	if (attempt->outcome != OUTCOME_DONE)
		return turn_fail(flow, attempt->reason);
	turn->memory = attempt->job.memory.size > 0 ? attempt->job.memory : STR("{}");
	turn->batch = pg_batch_new(arena);
	put_turn_key(&params, adapter, turn);
	pg_put_str(&params, arena, turn->memory);
	pg_put_int(&params, arena, LEASE_SECONDS);
	pg_batch_add(turn->batch, sql_page, &params);
	(void)learn_put(turn->batch, adapter, turn->number,
		customers_json(attempt->job.customers, attempt->job.customer_count,
			turn->inner.portal.account.country, arena),
		arena);
	return await_pg(flow, adapter->pg, turn->batch);
}

static enum flow_status turn_stored(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct turn *turn = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(turn->batch, &error))
		return turn_fail(flow, error.text);
	if (turn->inner.attempt.job.customer_count > 0)
		metric_add(adapter->meters.learned, (double)pg_int(turn->batch, 1, 0, 0));
	turn->failures = 0;
	if (turn->inner.attempt.job.more && ++turn->pages < MAX_PAGES && !adapter->draining &&
		pg_affected(turn->batch, 0) == 1)
		return flow_goto(flow, TURN_ASK);
	return FLOW_NEXT;
}

/* When this enterprise is due again. */
static int64_t pause_seconds(const struct adapter *adapter, const struct turn *turn)
{
	int64_t doublings = turn->failures < MAX_DOUBLINGS ? turn->failures : MAX_DOUBLINGS;

	if (turn->why[0] != '\0')
		return turn->lasts ? LOCKED_SECONDS : (int64_t)FAILED_SECONDS << doublings;
	if (turn->lasts)
		return SKIPPED_SECONDS;
	return turn->inner.attempt.job.more ? 0 : adapter->config->mirror_seconds;
}

static enum flow_status turn_leave(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct turn *turn = flow_state(flow);
	struct pg_params params;

	put_turn_key(&params, adapter, turn);
	pg_put_int(&params, flow_arena(flow), pause_seconds(adapter, turn));
	pg_put_text(&params, turn->why);
	pg_put_text(&params, turn->claimed_at);
	turn->batch = pg_batch_new(flow_arena(flow));
	pg_batch_add(turn->batch, sql_leave, &params);
	if (turn->why[0] != '\0' &&
		turn->inner.has_attempt) /* the good ones would fill the journal */
		journal_put(turn->batch, flow, &turn->inner.attempt, task, STR(""));
	return await_pg(flow, adapter->pg, turn->batch);
}

static enum flow_status turn_left(struct flow *flow)
{
	const struct turn *turn = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(turn->batch, &error))
		log_warn(flow_log(flow), "mirror: the lease runs out by itself: %s", error.text);
	return FLOW_END;
}

static void turn_finally(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct turn *turn = flow_state(flow);

	adapter->mirror->active--;
	inner_free(&turn->inner);
	mirror_wake(adapter->mirror);
}

static const struct flow_step turn_steps[] = {
	[TURN_ASK] = {"ask", turn_ask},
	[TURN_STORE] = {"store", turn_store},
	[TURN_STORED] = {"stored", turn_stored},
	[TURN_LEAVE] = {"leave", turn_leave},
	[TURN_LEFT] = {"left", turn_left},
	{NULL, NULL},
};

static const struct flow_spec turn_flow = {
	.name = "mirror-turn",
	.steps = turn_steps,
	.finally = turn_finally,
	.state_bytes = sizeof(struct turn),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = TURN_MS,
};

static void turn_start(struct flow *parent, struct adapter *adapter, int row)
{
	const struct pg_batch *batch = adapter->mirror->batch;
	struct flow *flow = flow_spawn(parent, &turn_flow);
	struct turn *turn = flow_state(flow);
	struct str memory = pg_text(batch, 1, row, 1);

	(void)str_copy(turn->number, sizeof(turn->number), pg_text(batch, 1, row, 0));
	(void)str_copy(turn->claimed_at, sizeof(turn->claimed_at), pg_text(batch, 1, row, 3));
	turn->memory =
		str_of(arena_strndup(flow_arena(flow), memory.data, memory.size), memory.size);
	turn->failures = pg_int(batch, 1, row, 2);
	flow_set_enterprise(flow, turn->number);
	adapter->mirror->active++;
}

/* -- whose turn it is ----------------------------------------------------------------------------- */

enum { MIRROR_WAIT, MIRROR_ENROLL, MIRROR_CLAIM, MIRROR_TAKE };

static bool may_work(const struct adapter *adapter)
{
	return !adapter->draining && adapter->mirror->active < MOST && pg_ready(adapter->pg) &&
	       schema_why_not(adapter->schema) == NULL &&
	       accounts_why_not(adapter->accounts) == NULL;
}

/* Looks by itself now and then: others wake enterprises, and time does. */
static enum flow_status mirror_wait(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct mirror *mirror = adapter->mirror;

	if (mirror->wanted && may_work(adapter))
		return FLOW_NEXT;
	return await_queue_for(flow, &mirror->wake, LOOK_MS);
}

static void add_numbers(const struct adapter *adapter)
{
	struct mirror *mirror = adapter->mirror;
	const struct account *account;
	size_t at = 0;

	mirror->newest_ms = mirror->enrolled_ms;
	pg_array_clear(&mirror->numbers);
	while ((account = accounts_next(adapter->accounts, &at)) != NULL) {
		const struct account_integration *integration =
			account_integration(account, str_from(adapter->driver->code));

		if (account->loaded_ms < mirror->enrolled_ms)
			continue;
		if (account->loaded_ms > mirror->newest_ms)
			mirror->newest_ms = account->loaded_ms;
		if (account->active && integration != NULL && integration->enabled)
			pg_array_add_str(&mirror->numbers, str_from(account->number));
	}
}

/* Enterprises that are new have no row yet; where something was in the way, a change may have mended it. */
static enum flow_status mirror_enroll(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct mirror *mirror = adapter->mirror;
	struct pg_params params = {0};

	mirror->wanted = false;
	if (!may_work(adapter))
		return flow_goto(flow, MIRROR_WAIT);
	arena_reset(mirror->arena);
	if (mirror->enrolled && mirror->generation == accounts_generation(adapter->accounts))
		return flow_goto(flow, MIRROR_CLAIM);
	mirror->generation = accounts_generation(adapter->accounts);
	mirror->enrolled = false;
	add_numbers(adapter);
	pg_put_text(&params, adapter->driver->code);
	pg_put_text(&params, task);
	pg_put_array(&params, &mirror->numbers);
	mirror->batch = pg_batch_new(mirror->arena);
	pg_batch_add(mirror->batch, sql_enroll, &params);
	return await_pg(flow, adapter->pg, mirror->batch);
}

static enum flow_status mirror_claim(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct mirror *mirror = adapter->mirror;
	struct pg_params age = {0}, claim = {0};
	struct error error;

	if (!mirror->enrolled && !pg_batch_ok(mirror->batch, &error)) {
		log_warn(flow_log(flow), "mirror: %s", error.text);
		(void)flow_goto(flow, MIRROR_WAIT);
		return await_sleep(flow, LOOK_MS);
	}
	mirror->enrolled = true;
	mirror->enrolled_ms = mirror->newest_ms;
	mirror->batch = pg_batch_new(mirror->arena);
	pg_put_text(&age, adapter->driver->code);
	pg_put_text(&age, task);
	claim = age;
	pg_put_text(&claim, adapter->name);
	pg_put_int(&claim, mirror->arena, LEASE_SECONDS);
	pg_put_int(&claim, mirror->arena, MOST - mirror->active);
	pg_batch_add(mirror->batch, sql_age, &age);
	pg_batch_add(mirror->batch, sql_claim, &claim);
	return await_pg(flow, adapter->pg, mirror->batch);
}

static enum flow_status mirror_take(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct mirror *mirror = adapter->mirror;
	struct error error;

	(void)flow_goto(flow, MIRROR_WAIT);
	if (!pg_batch_ok(mirror->batch, &error)) {
		log_warn(flow_log(flow), "mirror: %s", error.text);
		return await_sleep(flow, LOOK_MS);
	}
	metric_set(adapter->meters.mirror_age, (double)pg_int(mirror->batch, 0, 0, 0));
	for (int row = 0; row < pg_rows(mirror->batch, 1); row++)
		turn_start(adapter->root, adapter, row);
	return FLOW_NEXT;
}

static const struct flow_step mirror_steps[] = {
	[MIRROR_WAIT] = {"wait", mirror_wait},
	[MIRROR_ENROLL] = {"enroll", mirror_enroll},
	[MIRROR_CLAIM] = {"claim", mirror_claim},
	[MIRROR_TAKE] = {"take", mirror_take},
	{NULL, NULL},
};

static const struct flow_spec mirror_flow = {
	.name = "mirror", .steps = mirror_steps, .deadline_ms = FLOW_FOREVER};

void mirror_start(struct adapter *adapter)
{
	(void)flow_spawn(adapter->root, &mirror_flow);
}
