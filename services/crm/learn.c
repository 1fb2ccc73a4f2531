/*
 * learn: see learn.h. A number is looked up once at a time, however often it is asked for.
 */
#include "learn.h"

#include "alloc.h"
#include "customers.h"
#include "inner.h"
#include "journal.h"
#include "json_put.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	MAX_LOOKUPS = 64, /* under way at a time; more are told to come back */
	KEY_BYTES = 160,
	REQUEST_MS = 5000,
	LOOKUP_MS = 40000,
};

static const char sql_learn[] = "SELECT customer_learn($1, $2, $3::jsonb)";

struct learner {
	struct table *keys; /* "0367 +375..." of those under way */
};

struct learner *learner_new(void)
{
	struct learner *learner = alloc_zeroed(1, sizeof(*learner));

	learner->keys = table_new();
	return learner;
}

void learner_free(struct learner **learner)
{
	if (*learner == NULL)
		return;
	table_free(&(*learner)->keys);
	free(*learner);
	*learner = NULL;
}

bool learn_put(struct pg_batch *batch, const struct adapter *adapter, const char *enterprise,
	struct str customers, struct arena *arena)
{
	struct pg_params params = {0};

	if (str_equal(customers, STR("[]")))
		return false;
	pg_put_text(&params, enterprise);
	pg_put_text(&params, adapter->driver->code);
	pg_put_str(&params, arena, customers);
	pg_batch_add(batch, sql_learn, &params);
	return true;
}

/* -- the look-up, on its own ---------------------------------------------------------------------- */

struct study {
	char key[KEY_BYTES], number[64], phone[64];
	struct inner inner; /* its portal and attempt */
	bool has_customers;
	struct pg_batch *batch;
};

static enum flow_status study_ask(struct flow *flow)
{
	struct study *study = flow_state(flow);
	struct inner *inner = &study->inner;
	struct error error = {0};

	if (!inner_open(flow, inner, str_from(study->number), &error))
		return flow_fail_error(flow, &error);
	inner_attempt(flow, inner, CRM_FIND);
	inner->attempt.share = RATE_LEARN;
	inner->attempt.job.phone = str_from(study->phone);
	attempt_start(flow, &inner->attempt);
	return await_children(flow);
}

static enum flow_status study_store(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct study *study = flow_state(flow);
	const struct attempt *attempt = &study->inner.attempt;
	struct str customers;

	study->batch = pg_batch_new(flow_arena(flow));
	journal_put(study->batch, flow, attempt, crm_task_name(CRM_FIND), STR(""));
	if (attempt->outcome == OUTCOME_DONE) {
		customers = customers_json(attempt->job.customers, attempt->job.customer_count,
			study->inner.portal.account.country, flow_arena(flow));
		study->has_customers = learn_put(
			study->batch, adapter, study->number, customers, flow_arena(flow));
	}
	return await_pg(flow, adapter->pg, study->batch);
}

static enum flow_status study_stored(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct study *study = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(study->batch, &error))
		return flow_fail_error(flow, &error);
	if (study->has_customers)
		metric_add(adapter->meters.learned, (double)pg_int(study->batch, 1, 0, 0));
	return FLOW_END;
}

static void study_finally(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct study *study = flow_state(flow);

	if (flow_error(flow) != NULL)
		log_warn(
			flow_log(flow), "a customer was not looked up: %s", flow_error(flow)->text);
	(void)table_remove(adapter->learner->keys, str_from(study->key));
	inner_free(&study->inner);
}

static const struct flow_step study_steps[] = {
	{"ask", study_ask},
	{"store", study_store},
	{"stored", study_stored},
	{NULL, NULL},
};

static const struct flow_spec study_flow = {
	.name = "study",
	.steps = study_steps,
	.finally = study_finally,
	.state_bytes = sizeof(struct study),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = LOOKUP_MS,
};

/* -- the request ---------------------------------------------------------------------------------- */

static void start_study(
	struct adapter *adapter, const char *key, struct str number, struct str phone)
{
	struct flow *flow = flow_spawn(adapter->root, &study_flow);
	struct study *study = flow_state(flow);

	(void)str_copy(study->key, sizeof(study->key), str_from(key));
	(void)str_copy(study->number, sizeof(study->number), number);
	(void)str_copy(study->phone, sizeof(study->phone), phone);
	(void)table_put(adapter->learner->keys, str_from(key), flow);
}

static enum flow_status accepted(struct flow *flow, const char *words)
{
	struct inner_answer answer;
	struct json_writer *writer = inner_answer_begin(&answer);

	json_put_member_str(writer, "status", str_from(words));
	return inner_answer_send(flow, &answer, 202);
}

static enum flow_status learn_take(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct inner *inner = flow_state(flow);
	enum flow_status next = inner_begin(flow, inner);
	struct str phone, number;
	char key[KEY_BYTES];
	struct error error = {0};

	if (next != FLOW_NEXT)
		return next;
	phone = str_trim(args_get(&inner->args, "phone"));
	number = inner_enterprise(inner);
	if (phone.size == 0 || phone.size >= sizeof(((struct study *)NULL)->phone))
		return http_reply_detail(flow, 400, "phone required");
	if (!inner_open(flow, inner, number, &error))
		return inner_fail(flow, inner_status_of(&error), "locked", error.text);
	phone = inner_phone(flow, inner, phone);
	(void)snprintf(key, sizeof(key), "%.*s %.*s", STR_ARG(number), STR_ARG(phone));
	if (table_get(adapter->learner->keys, str_from(key)) != NULL)
		return accepted(flow, "already under way");
	if (table_count(adapter->learner->keys) >= MAX_LOOKUPS) {
		http_reply_header(flow, "Retry-After", "5");
		return http_reply_detail(flow, 503, "too many look-ups are under way");
	}
	start_study(adapter, key, number, phone);
	return accepted(flow, "accepted");
}

static void learn_finally(struct flow *flow)
{
	inner_free(flow_state(flow));
}

static const struct flow_step learn_steps[] = {{"take", learn_take}, {NULL, NULL}};

const struct flow_spec learn_flow = {
	.name = "learn",
	.steps = learn_steps,
	.finally = learn_finally,
	.state_bytes = sizeof(struct inner),
	.arena_max_bytes = (size_t)8 << 20,
	.deadline_ms = REQUEST_MS,
};
