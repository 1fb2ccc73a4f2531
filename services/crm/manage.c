/*
 * manage: what an operator does with an enterprise's CRM: register our module there, take it away, try
 * the credentials, see the employees, bring the first tokens.
 */
#include "inner.h"

#include "crypto.h"
#include "journal.h"
#include "json_put.h"
#include "tokens.h"

enum { DEADLINE_MS = 40000, MADE_BYTES = 16, MAX_MADE = 8 };

static const char sql_read[] = "SELECT memory::text FROM crm_memory WHERE enterprise_number = $1 "
			       "AND crm = $2 AND task = $3";
static const char sql_make[] = "SELECT crm_config_make($1, $2, $3, $4)";
static const char sql_keep[] =
	"INSERT INTO crm_memory (enterprise_number, crm, task, memory) VALUES ($1, $2, $3, "
	"$4::jsonb)"
	" ON CONFLICT (enterprise_number, crm, task) DO UPDATE SET memory = excluded.memory,"
	" updated_at = now()";
static const char sql_drop[] =
	"DELETE FROM crm_memory WHERE enterprise_number = $1 AND crm = $2 AND task = $3";

/* What registration left is one memory, also for taking it away. */
static const char memory_task[] = "register";

static const struct verb {
	const char *name;
	enum crm_task task;
	bool remembers;
} verbs[] = {
	{"register", CRM_REGISTER, true},
	{"unregister", CRM_UNREGISTER, true},
	{"test", CRM_TEST, false},
	{"employees", CRM_EMPLOYEES, false},
	{"authorize", CRM_AUTHORIZE, false},
};

enum { MANAGE_BEGIN, MANAGE_PREPARED, MANAGE_KEEP, MANAGE_ANSWER };

struct errand {
	struct inner inner;
	const struct verb *verb;
	const char *made[MAX_MADE]; /* members, by statement - 1 */
	unsigned made_count;
	struct pg_batch *batch;
};

static const struct verb *verb_of(struct str name)
{
	size_t i = 0;

	while (!str_equal(name, str_from(verbs[i].name)))
		i++; /* routes are made of this very table */
	return &verbs[i];
}

/* -- before --------------------------------------------------------------------------------------- */

static void put_key(struct pg_params *params, struct flow *flow, const char *third)
{
	const struct adapter *adapter = flow_context(flow);
	const struct errand *errand = flow_state(flow);

	*params = (struct pg_params){0};
	pg_put_text(params, errand->inner.portal.account.number);
	pg_put_text(params, adapter->driver->code);
	pg_put_text(params, third);
}

/* What stands in the URLs that the CRM is told is nothing that one could guess. */
static void make_members(struct flow *flow, struct errand *errand)
{
	const struct adapter *adapter = flow_context(flow);
	const char *const *member = adapter->driver->made;
	unsigned char random[MADE_BYTES];

	for (; member != NULL && *member != NULL && errand->made_count < MAX_MADE; member++) {
		struct pg_params params;
		char *text = arena_alloc(flow_arena(flow), 2 * MADE_BYTES + 1);

		crypto_random(random, sizeof(random));
		crypto_hex(random, sizeof(random), text);
		put_key(&params, flow, *member);
		pg_put_text(&params, text);
		pg_batch_add(errand->batch, sql_make, &params);
		errand->made[errand->made_count++] = *member;
	}
}

static enum flow_status manage_begin(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct errand *errand = flow_state(flow);
	struct inner *inner = &errand->inner;
	enum flow_status next = inner_begin(flow, inner);
	struct pg_params params;
	struct error error = {0};

	if (next != FLOW_NEXT)
		return next;
	errand->verb = verb_of(inner_verb(flow));
	if (!inner_open(flow, inner, inner_enterprise(inner), &error))
		return inner_fail(flow, inner_status_of(&error), "locked", error.text);
	errand->batch = pg_batch_new(flow_arena(flow));
	put_key(&params, flow, memory_task);
	pg_batch_add(errand->batch, sql_read, &params);
	if (errand->verb->task == CRM_REGISTER)
		make_members(flow, errand);
	return await_pg(flow, adapter->pg, errand->batch);
}

static enum flow_status manage_prepared(struct flow *flow)
{
	struct errand *errand = flow_state(flow);
	struct inner *inner = &errand->inner;
	struct error error;

	if (!pg_batch_ok(errand->batch, &error))
		return inner_fail(flow, 503, "again", error.text);
	for (unsigned i = 0; i < errand->made_count; i++) {
		if (!pg_is_null(errand->batch, (int)i + 1, 0, 0))
			portal_set_config(&inner->portal, errand->made[i],
				pg_text(errand->batch, (int)i + 1, 0, 0));
	}
	inner_attempt(flow, inner, errand->verb->task);
	if (errand->verb->remembers && pg_rows(errand->batch, 0) > 0)
		inner->attempt.job.memory = pg_text(errand->batch, 0, 0, 0);
	inner->attempt.job.code = args_get(&inner->args, "code");
	attempt_start(flow, &inner->attempt);
	return await_children(flow);
}

/* -- after ---------------------------------------------------------------------------------------- */

static void put_memory(struct flow *flow, struct errand *errand)
{
	const struct attempt *attempt = &errand->inner.attempt;
	bool is_gone = errand->verb->task == CRM_UNREGISTER && attempt->outcome == OUTCOME_DONE;
	struct pg_params params;

	put_key(&params, flow, memory_task);
	if (!is_gone)
		pg_put_str(&params, flow_arena(flow), attempt->job.memory);
	pg_batch_add(errand->batch, is_gone ? sql_drop : sql_keep, &params);
}

/* Also what a failed one remembers: half of a registration is to be gone on with. */
static enum flow_status manage_keep(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct errand *errand = flow_state(flow);
	const struct attempt *attempt = &errand->inner.attempt;
	const char *number = errand->inner.portal.account.number;
	bool has_tokens = errand->verb->task == CRM_AUTHORIZE && attempt->outcome == OUTCOME_DONE &&
			  attempt->job.oauth_after.size > 0;
	bool has_memory = errand->verb->remembers && attempt->job.memory.size > 0;

	errand->batch = pg_batch_new(flow_arena(flow));
	journal_put(errand->batch, flow, attempt, errand->verb->name, STR(""));
	if (has_memory)
		put_memory(flow, errand);
	if (has_tokens)
		token_put_install(
			errand->batch, adapter, number, attempt->job.oauth_after, flow_arena(flow));
	return await_pg(flow, adapter->pg, errand->batch);
}

static void put_employees(struct json_writer *writer, struct errand *errand, struct arena *arena)
{
	const struct crm_job *job = &errand->inner.attempt.job;

	json_put_member_int(writer, "total", job->employee_count);
	json_put_member_bool(writer, "more", job->more);
	json_put_name(writer, "employees");
	json_open_array(writer);
	for (unsigned i = 0; i < job->employee_count; i++) {
		const struct crm_employee *employee = &job->employees[i];

		json_open_object(writer);
		json_put_member_str(writer, "id", employee->id);
		json_put_member_str(writer, "name", employee->name);
		json_put_member_str(writer, "email", employee->email);
		json_put_member_str(writer, "phone", employee->phone);
		json_put_member_str(writer, "extension", employee->extension);
		json_put_member_str(writer, "mapped_extension",
			crm_extension_of(job->account, employee->id, arena));
		json_close_object(writer);
	}
	json_close_array(writer);
}

static enum flow_status manage_answer(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct errand *errand = flow_state(flow);
	const struct attempt *attempt = &errand->inner.attempt;
	struct inner_answer answer;
	struct json_writer *writer;
	struct error error;

	if (errand->verb->task == CRM_AUTHORIZE)
		token_forget(
			tokens_get(adapter->tokens, str_from(errand->inner.portal.account.number)));
	if (!pg_batch_ok(errand->batch, &error))
		return inner_fail(flow, 503, "again", error.text);
	if (attempt->outcome != OUTCOME_DONE)
		return inner_fail_attempt(flow, attempt);
	log_info(flow_log(flow), "%s: done", errand->verb->name);
	writer = inner_answer_begin(&answer);
	json_put_member_bool(writer, "success", true);
	json_put_member_str(writer, "outcome", STR("done"));
	if (attempt->reason[0] != '\0')
		json_put_member_str(writer, "warning", str_from(attempt->reason));
	if (errand->verb->task == CRM_EMPLOYEES)
		put_employees(writer, errand, flow_arena(flow));
	return inner_answer_send(flow, &answer, 200);
}

static void manage_finally(struct flow *flow)
{
	struct errand *errand = flow_state(flow);

	inner_free(&errand->inner);
}

static const struct flow_step manage_steps[] = {
	[MANAGE_BEGIN] = {"begin", manage_begin},
	[MANAGE_PREPARED] = {"prepared", manage_prepared},
	[MANAGE_KEEP] = {"keep", manage_keep},
	[MANAGE_ANSWER] = {"answer", manage_answer},
	{NULL, NULL},
};

const struct flow_spec manage_flow = {
	.name = "manage",
	.steps = manage_steps,
	.finally = manage_finally,
	.state_bytes = sizeof(struct errand),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = DEADLINE_MS,
};
