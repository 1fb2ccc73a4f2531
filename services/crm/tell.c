/*
 * tell: the addresses at which the former services were told of calls, each one attempt through the same
 * job as a delivery. Raw events become calls by crm_raw; what a driver remembers of a call is kept in
 * crm_calls, as 8020 does for its deliveries.
 */
#include "told.h"

#include "journal.h"
#include "json_put.h"

enum { DEADLINE_MS = 35000, MEMORY_READ = 0 };

static const char sql_read[] =
	"SELECT memory::text FROM crm_calls WHERE enterprise_number = $1 AND crm = $2"
	" AND call_key = $3";
static const char sql_keep[] =
	"INSERT INTO crm_calls (enterprise_number, crm, call_key, memory)"
	" VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT (enterprise_number, crm, call_key)"
	" DO UPDATE SET memory = excluded.memory, updated_at = now()";

enum { TELL_BEGIN, TELL_ATTEMPT, TELL_KEEP, TELL_ANSWER };

struct telling {
	struct inner inner;
	struct told told;
	struct pg_batch *batch;
};

/* -- answers: each address' own words ------------------------------------------------------------- */

static enum flow_status answer(
	struct flow *flow, const struct telling *telling, int status, const char *error)
{
	const struct attempt *attempt = &telling->inner.attempt;
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);
	bool is_worded = telling->told.style == TOLD_IN_WORDS;

	if (is_worded)
		json_put_member_str(
			writer, "status", error == NULL ? STR("success") : STR("error"));
	else
		json_put_member_bool(writer, "success", error == NULL);
	if (telling->told.style == TOLD_WITH_STATUS && telling->inner.has_attempt)
		json_put_member_int(writer, "status", attempt->http_status);
	if (error != NULL)
		json_put_member_str(writer, is_worded ? "message" : "error", str_from(error));
	else if (telling->inner.has_attempt && attempt->outcome == OUTCOME_SKIPPED) {
		json_put_member_bool(writer, "skipped", true);
		json_put_member_str(writer, "reason", str_from(attempt->reason));
	}
	return inner_answer_send(flow, &answer, status);
}

static enum flow_status answer_error(
	struct flow *flow, const struct telling *telling, const struct error *error)
{
	return answer(flow, telling, inner_status_of(error), error->text);
}

/* -- the steps ------------------------------------------------------------------------------------ */

static void put_key(struct flow *flow, struct pg_params *params)
{
	const struct adapter *adapter = flow_context(flow);
	const struct telling *telling = flow_state(flow);

	*params = (struct pg_params){0};
	pg_put_text(params, telling->inner.portal.account.number);
	pg_put_text(params, adapter->driver->code);
	pg_put_str(params, flow_arena(flow), telling->told.call.key);
}

static enum flow_status tell_begin(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct telling *telling = flow_state(flow);
	struct inner *inner = &telling->inner;
	enum flow_status next = inner_begin(flow, inner);
	const struct account *account;
	struct pg_params params;
	struct error error = {0};

	if (next != FLOW_NEXT)
		return next;
	if (!told_find(&telling->told, inner_verb(flow), &inner->args, inner->json, &error))
		return answer_error(flow, telling, &error);
	account = accounts_find_any(adapter->accounts, telling->told.enterprise);
	if (account == NULL)
		return answer(flow, telling, 404, "enterprise not found");
	if (!inner_open(flow, inner, str_from(account->number), &error))
		return answer_error(flow, telling, &error);
	if (!told_read(&telling->told, account, flow_arena(flow), &error))
		return answer_error(flow, telling, &error);
	if (telling->told.is_internal)
		return answer(flow, telling, 200, NULL);
	put_key(flow, &params);
	return await_pg_query(flow, adapter->pg, &telling->batch, sql_read, &params);
}

static enum flow_status tell_attempt(struct flow *flow)
{
	struct telling *telling = flow_state(flow);
	struct inner *inner = &telling->inner;
	struct error error;

	if (!pg_batch_ok(telling->batch, &error))
		return answer_error(flow, telling, &error);
	inner_attempt(flow, inner, CRM_TELL);
	inner->attempt.job.kind = telling->told.kind;
	inner->attempt.job.call = &telling->told.call;
	if (pg_rows(telling->batch, MEMORY_READ) > 0)
		inner->attempt.job.memory = pg_text(telling->batch, MEMORY_READ, 0, 0);
	attempt_start(flow, &inner->attempt);
	return await_children(flow);
}

static enum flow_status tell_keep(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct telling *telling = flow_state(flow);
	struct pg_params params;

	telling->batch = pg_batch_new(flow_arena(flow));
	journal_put(telling->batch, flow, &telling->inner.attempt,
		crm_kind_name(telling->told.kind), telling->told.call.key);
	if (telling->inner.attempt.job.memory.size > 0) {
		put_key(flow, &params);
		pg_put_str(&params, flow_arena(flow), telling->inner.attempt.job.memory);
		pg_batch_add(telling->batch, sql_keep, &params);
	}
	return await_pg(flow, adapter->pg, telling->batch);
}

static enum flow_status tell_answer(struct flow *flow)
{
	const struct telling *telling = flow_state(flow);
	const struct attempt *attempt = &telling->inner.attempt;
	int status = inner_status(attempt->outcome);
	struct error error;

	if (!pg_batch_ok(telling->batch, &error))
		log_warn(flow_log(flow), "the attempt was not kept: %s", error.text);
	return answer(flow, telling, status, status == 200 ? NULL : attempt->reason);
}

static void tell_finally(struct flow *flow)
{
	struct telling *telling = flow_state(flow);

	inner_free(&telling->inner);
}

static const struct flow_step tell_steps[] = {
	[TELL_BEGIN] = {"begin", tell_begin},
	[TELL_ATTEMPT] = {"attempt", tell_attempt},
	[TELL_KEEP] = {"keep", tell_keep},
	[TELL_ANSWER] = {"answer", tell_answer},
	{NULL, NULL},
};

const struct flow_spec tell_flow = {
	.name = "tell",
	.steps = tell_steps,
	.finally = tell_finally,
	.state_bytes = sizeof(struct telling),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = DEADLINE_MS,
};
