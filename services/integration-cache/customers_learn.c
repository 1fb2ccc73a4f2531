/*
 * customers_learn: numbers that the primary CRM has not told of yet: its adapter is asked, in the
 * background. It puts what it finds into customers, and the announcement of that brings it here.
 */
#include "customers_private.h"

#define MAX_ASKING	8
#define ASK_TIMEOUT_MS	3000
#define ASK_DEADLINE_MS 5000

/* -- what is to be asked -------------------------------------------------------------------------- */

static bool may_ask(const struct integration_cache *cache, const struct account *account)
{
	struct str code = str_from(account->primary);
	const struct account_integration *primary = account_integration(account, code);

	return account->active && primary != NULL && primary->enabled &&
	       adapters_url(cache->adapters, code) != NULL &&
	       service_internal_secret(cache->service).size > 0;
}

static void enqueue(
	struct customers *customers, const struct account *account, const struct entry *entry)
{
	struct question *question;
	struct str phone = str_of(entry->key, entry->key_size);

	if (customers->question_count == MAX_QUESTIONS) {
		customers->stats.crm_dropped++;
		return;
	}
	question = &customers->questions[(customers->first_question + customers->question_count) %
					 MAX_QUESTIONS];
	(void)str_cut(&phone, ' ');
	(void)str_copy(
		question->enterprise, sizeof(question->enterprise), str_from(account->number));
	(void)str_copy(question->phone, sizeof(question->phone), phone);
	(void)str_copy(question->code, sizeof(question->code), str_from(account->primary));
	customers->question_count++;
	(void)flow_queue_wake_all(&customers->asked);
}

void customers_learn(
	struct customers *customers, const struct account *account, struct entry *entry)
{
	const struct integration_cache *cache = customers->cache;
	int64_t now_ms = loop_now_ms(cache->loop);
	const struct customer_crm *crm;

	if (account == NULL || account->primary[0] == '\0')
		return;
	crm = customer_crm(&entry->customer, str_from(account->primary));
	if (crm != NULL && crm->id.size > 0)
		return; /* its changes come by themselves */
	if (entry->asked_ms != 0 &&
		now_ms - entry->asked_ms < cache->settings->learn_seconds * 1000)
		return;
	if (!may_ask(cache, account))
		return;
	entry->asked_ms = now_ms;
	enqueue(customers, account, entry);
}

/* -- one question --------------------------------------------------------------------------------- */

struct ask {
	struct question question;
	struct http_call call;
	struct http_answer answer;
};

static enum flow_status ask_post(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	const struct integration_cache *cache = customers->cache;
	struct ask *ask = flow_state(flow);
	struct str code = str_from(ask->question.code);

	flow_set_enterprise(flow, ask->question.enterprise);
	customers->stats.crm_asked++;
	metric_add(customers->meters.crm_asked, 1);
	if (!adapters_call(cache->adapters, code,
		    arena_printf(flow_arena(flow), "/internal/%s/learn", ask->question.code),
		    flow_arena(flow), &ask->call))
		return flow_fail(flow, ERROR_MISSING, "no such CRM: %s", ask->question.code);
	ask->call.body =
		str_from(arena_printf(flow_arena(flow), "{\"enterprise\":\"%s\",\"phone\":\"%s\"}",
			ask->question.enterprise, ask->question.phone));
	ask->call.timeout_ms = ASK_TIMEOUT_MS;
	return await_http(flow, cache->http, &ask->call, &ask->answer);
}

static enum flow_status ask_judge(struct flow *flow)
{
	const struct ask *ask = flow_state(flow);

	if (ask->answer.reach != HTTP_ANSWERED)
		return flow_fail_error(flow, &ask->answer.error);
	if (ask->answer.status >= 300)
		return flow_fail(flow, ERROR_UPSTREAM, "the adapter of %s answered %d",
			ask->question.code, ask->answer.status);
	return FLOW_END;
}

static void ask_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	if (flow_error(flow) != NULL)
		customers->stats.crm_failed++;
	(void)flow_queue_wake_all(&customers->asked);
}

static const struct flow_step ask_steps[] = {
	{"post", ask_post},
	{"judge", ask_judge},
	{NULL, NULL},
};

static const struct flow_spec ask_flow = {
	.name = "customer-learn",
	.steps = ask_steps,
	.finally = ask_finally,
	.state_bytes = sizeof(struct ask),
	.deadline_ms = ASK_DEADLINE_MS,
};

/* -- for ever ------------------------------------------------------------------------------------- */

enum { LEARNER_WAIT, LEARNER_START };

static enum flow_status learner_wait(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	if (customers->question_count > 0 && flow_children(flow) < MAX_ASKING)
		return FLOW_NEXT;
	flow_goto(flow, LEARNER_WAIT);
	return await_queue(flow, &customers->asked);
}

static enum flow_status learner_start(struct flow *flow)
{
	struct customers *customers = flow_context(flow);
	struct ask *ask = flow_state(flow_spawn(flow, &ask_flow));

	ask->question = customers->questions[customers->first_question];
	customers->first_question = (customers->first_question + 1) % MAX_QUESTIONS;
	customers->question_count--;
	return flow_goto(flow, LEARNER_WAIT);
}

static const struct flow_step learner_steps[] = {
	[LEARNER_WAIT] = {"wait", learner_wait},
	[LEARNER_START] = {"start", learner_start},
	{NULL, NULL},
};

static void learner_finally(struct flow *flow)
{
	struct customers *customers = flow_context(flow);

	customers->learner = NULL;
}

static const struct flow_spec learner_flow = {
	.name = "customers-learner",
	.steps = learner_steps,
	.finally = learner_finally,
	.deadline_ms = FLOW_FOREVER,
};

void customers_learn_start(struct customers *customers)
{
	customers->learner =
		flow_start(customers->cache->loop, &learner_flow, customers, customers->cache->log);
}
