/*
 * lookups: one fact about one number: its name, its profile, who is responsible for it.
 *
 * Nobody gets an error: who is not known, or cannot be asked now, has no name.
 */
#include "answer.h"
#include "args.h"
#include "customers.h"

struct lookup {
	struct str number; /* of the enterprise; empty: there is none */
	struct customer_key key;
	bool has_key; /* false: nobody can have that number */
	int64_t until_ms;
};

enum { LOOKUP_FIND, LOOKUP_WAIT, LOOKUP_ANSWER };

static bool wants_anew(struct flow *flow)
{
	struct args args = {.count = 0};
	const struct args_source source = {.query = http_request(flow)->query};
	struct error ignored;

	return source.query.size > 0 && args_read(&args, &source, flow_arena(flow), &ignored) &&
	       args_true(&args, "nocache");
}

static enum flow_status lookup_find(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct lookup *lookup = flow_state(flow);
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);

	if (path.count != 2)
		return answer_no_such_path(flow);
	if (account == NULL || !customer_key(account, path.items[1], &lookup->key)) {
		cache->stats.status_hits++; /* nobody, and that is known here */
		return flow_goto(flow, LOOKUP_ANSWER);
	}
	lookup->has_key = true;
	lookup->number = str_from(arena_strdup(flow_arena(flow), account->number));
	if (wants_anew(flow))
		customers_forget(cache->customers, &lookup->key);
	lookup->until_ms = loop_now_ms(cache->loop) + cache->settings->budget_ms;
	if (customers_find(cache->customers, account, &lookup->key) != NULL)
		return flow_goto(flow, LOOKUP_ANSWER);
	return flow_goto(flow, LOOKUP_WAIT);
}

static enum flow_status lookup_wait(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	const struct lookup *lookup = flow_state(flow);
	struct flow_queue *queue = customers_pending(cache->customers, &lookup->key, 1);
	int64_t left_ms = lookup->until_ms - loop_now_ms(cache->loop);

	if (queue == NULL || left_ms <= 0)
		return FLOW_NEXT;
	flow_goto(flow, LOOKUP_WAIT);
	return await_queue_for(flow, queue, left_ms);
}

static const struct customer *found(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct lookup *lookup = flow_state(flow);

	return lookup->has_key ? customers_peek(cache->customers, &lookup->key) : NULL;
}

static enum flow_status name_answer(struct flow *flow)
{
	const struct customer *customer = found(flow);
	struct answer answer;

	answer_begin_object(&answer);
	customer_put_text(
		&answer.json, "name", customer != NULL ? customer->name : str_of(NULL, 0));
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status profile_answer(struct flow *flow)
{
	static const struct customer nobody = {.known = false};
	const struct customer *customer = found(flow);
	struct answer answer;

	answer_begin(&answer);
	customer_write_profile(&answer.json, customer != NULL ? customer : &nobody);
	return answer_send(flow, 200, &answer);
}

static enum flow_status responsible_answer(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct lookup *lookup = flow_state(flow);
	const struct account *account = accounts_find(cache->accounts, lookup->number);
	struct str extension = {0};
	struct answer answer;

	if (account != NULL)
		extension = customer_responsible(account, found(flow), flow_arena(flow));
	answer_begin_object(&answer);
	customer_put_text(&answer.json, "extension", extension);
	return answer_send_object(flow, 200, &answer);
}

/* -- the routes ----------------------------------------------------------------------------------- */

#define LOOKUP_STEPS(last)                                                                         \
	{                                                                                          \
		[LOOKUP_FIND] = {"find", lookup_find}, [LOOKUP_WAIT] = {"wait", lookup_wait},      \
		[LOOKUP_ANSWER] = {"answer", last}, {NULL, NULL},                                  \
	}
#define LOOKUP_FLOW(words, table)                                                                  \
	{                                                                                          \
		.name = (words), .steps = (table), .state_bytes = sizeof(struct lookup),           \
		.deadline_ms = 70000                                                               \
	}

static const struct flow_step name_steps[] = LOOKUP_STEPS(name_answer);
const struct flow_spec customer_name_flow = LOOKUP_FLOW("customer-name", name_steps);

static const struct flow_step profile_steps[] = LOOKUP_STEPS(profile_answer);
const struct flow_spec customer_profile_flow = LOOKUP_FLOW("customer-profile", profile_steps);

static const struct flow_step responsible_steps[] = LOOKUP_STEPS(responsible_answer);
const struct flow_spec responsible_flow = LOOKUP_FLOW("responsible-extension", responsible_steps);
