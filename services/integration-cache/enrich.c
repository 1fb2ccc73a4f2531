/*
 * enrich: what the CRM says of one number, waited for: the local mirror anew, then the CRM, for some
 * seconds at most. The answer is always 200: callers read `success`.
 */
#include "answer.h"
#include "customers.h"

#define ENRICH_MS 3000

struct enrich {
	struct str number, code; /* the enterprise, its primary CRM */
	struct customer_key key;
	int64_t until_ms;
	bool asked; /* the CRM */
	struct pg_batch *batch;
};

enum { ENRICH_BEGIN, ENRICH_LOOK, ENRICH_AGAIN, ENRICH_PHONES, ENRICH_ANSWER };

static const char sql_phones[] =
	"SELECT coalesce(customer_shown($1, $2) -> 'phones', '[]'::jsonb)::text";

static enum flow_status fail(struct flow *flow, const char *words)
{
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_bool(&answer.json, "success", false);
	json_put_member_str(&answer.json, "error", str_from(words));
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status enrich_begin(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct enrich *enrich = flow_state(flow);
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	const struct account_integration *primary;

	if (path.count != 2)
		return answer_no_such_path(flow);
	if (!pg_ready(cache->pg))
		return fail(flow, "Database connection failed");
	primary = account != NULL ? account_integration(account, str_from(account->primary)) : NULL;
	if (primary == NULL || !primary->enabled)
		return fail(flow, "No integrations configured");
	if (!customer_key(account, path.items[1], &enrich->key))
		return fail(flow, "No customer profile found");
	enrich->number = str_from(arena_strdup(flow_arena(flow), account->number));
	enrich->code = str_from(arena_strdup(flow_arena(flow), account->primary));
	enrich->until_ms = loop_now_ms(cache->loop) + ENRICH_MS;
	customers_forget(cache->customers, &enrich->key);
	(void)customers_find(cache->customers, account, &enrich->key);
	return FLOW_NEXT;
}

static bool is_known(const struct customer *customer, struct str code)
{
	const struct customer_crm *crm = customer != NULL ? customer_crm(customer, code) : NULL;

	return crm != NULL && crm->id.size > 0;
}

/* Until the CRM's customer is there, or nobody can bring it. */
static enum flow_status enrich_look(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct enrich *enrich = flow_state(flow);
	struct flow_queue *queue = customers_pending(cache->customers, &enrich->key, 1);
	const struct account *account = accounts_find(cache->accounts, enrich->number);
	int64_t left_ms = enrich->until_ms - loop_now_ms(cache->loop);

	if (account == NULL || left_ms <= 0)
		return flow_goto(flow, ENRICH_PHONES);
	if (queue == NULL) {
		if (is_known(customers_peek(cache->customers, &enrich->key), enrich->code))
			return flow_goto(flow, ENRICH_PHONES);
		if (!enrich->asked && !customers_ask(cache->customers, account, &enrich->key))
			return flow_goto(flow, ENRICH_PHONES);
		enrich->asked = true;
		queue = customers_watch(cache->customers, &enrich->key);
	}
	return queue != NULL ? await_queue_for(flow, queue, left_ms) : FLOW_NEXT;
}

static enum flow_status enrich_again(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	const struct enrich *enrich = flow_state(flow);
	const struct account *account = accounts_find(cache->accounts, enrich->number);

	if (account != NULL)
		(void)customers_find(cache->customers, account, &enrich->key);
	return flow_goto(flow, ENRICH_LOOK);
}

static enum flow_status enrich_phones(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct enrich *enrich = flow_state(flow);
	const struct customer *customer = customers_peek(cache->customers, &enrich->key);
	struct str phone = str_of(enrich->key.text, enrich->key.size);
	struct pg_params params = {0};

	if (customer == NULL || (!customer->known && !is_known(customer, enrich->code)))
		return fail(flow, "No customer profile found");
	if (!is_known(customer, enrich->code))
		return fail(flow, arena_printf(flow_arena(flow), "No external_id found for %.*s",
					  STR_ARG(enrich->code)));
	if (customer->name.size == 0)
		return fail(flow, "No name data in profile");
	(void)str_cut(&phone, ' ');
	pg_put_str(&params, flow_arena(flow), enrich->number);
	pg_put_str(&params, flow_arena(flow), phone);
	return await_pg_query(flow, cache->pg, &enrich->batch, sql_phones, &params);
}

static void put_result(struct json_writer *json, const struct enrich *enrich,
	const struct customer *customer, struct str phones, int64_t count)
{
	json_open_object(json);
	json_put_member_bool(json, "success", true);
	customer_put_text(json, "full_name", customer->name);
	json_put_member_str(json, "source", enrich->code);
	json_put_member_str(json, "external_id", customer_crm(customer, enrich->code)->id);
	customer_put_text(json, "person_uid", customer->person_uid);
	json_put_member_raw(json, "linked_phones", phones);
	json_put_member_int(json, "updated_count", count);
	json_put_member_bool(json, "is_primary_source", str_equal(customer->source, enrich->code));
	json_close_object(json);
}

static enum flow_status enrich_answer(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct enrich *enrich = flow_state(flow);
	const struct customer *customer = customers_peek(cache->customers, &enrich->key);
	const struct json_limits limits = {16 << 10, 2};
	struct str phones;
	struct answer answer;
	struct json *list;
	struct error error;

	if (!pg_batch_ok(enrich->batch, &error))
		return fail(flow, "Database connection failed");
	if (!is_known(customer, enrich->code)) /* changed while we asked */
		return fail(flow, "No customer profile found");
	phones = pg_text(enrich->batch, 0, 0, 0);
	list = json_parse(phones, limits, &error);
	answer_begin(&answer);
	put_result(&answer.json, enrich, customer, list != NULL ? phones : STR("[]"),
		list != NULL ? (int64_t)json_count(list) : 0);
	json_free(&list);
	return answer_send(flow, 200, &answer);
}

static const struct flow_step enrich_steps[] = {
	[ENRICH_BEGIN] = {"begin", enrich_begin},
	[ENRICH_LOOK] = {"look", enrich_look},
	[ENRICH_AGAIN] = {"again", enrich_again},
	[ENRICH_PHONES] = {"phones", enrich_phones},
	[ENRICH_ANSWER] = {"answer", enrich_answer},
	{NULL, NULL},
};

const struct flow_spec enrich_flow = {
	.name = "enrich-customer",
	.steps = enrich_steps,
	.state_bytes = sizeof(struct enrich),
	.deadline_ms = 10000,
};
