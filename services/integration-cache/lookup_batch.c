/*
 * lookup_batch: everything that is to be known for a call, in one request: who calls, who of us is
 * responsible, the managers that ring, the line. POST /lookup, one item or a list.
 */
#include "answer.h"
#include "customers.h"
#include "people.h"

#define MAX_ITEMS      100
#define MAX_EXTENSIONS 50
#define ARENA_BYTES    ((size_t)8 << 20)

struct item {
	struct str enterprise, phone, line;
	struct json_strings extensions;
};

static const struct json_field item_fields[] = {
	JSON_FIELD(struct item, enterprise, JSON_STRING, JSON_REQUIRED | JSON_LAX),
	JSON_FIELD(struct item, phone, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct item, line, JSON_STRING, JSON_LAX),
	{.name = "extensions",
		.type = JSON_STRINGS,
		.offset = offsetof(struct item, extensions),
		.flags = JSON_LAX,
		.max_count = MAX_EXTENSIONS},
	{0},
};

struct batch {
	struct item *items;
	struct customer_key *keys; /* size 0: that item has none */
	unsigned count;
	bool is_list;
	int64_t until_ms;
};

enum { BATCH_FIND, BATCH_WAIT, BATCH_ANSWER };

/* -- what is asked -------------------------------------------------------------------------------- */

static bool read_items(
	const struct json *json, struct batch *batch, struct arena *arena, struct error *error)
{
	const struct json *list = json_member(json, "items");

	batch->is_list = list != NULL;
	batch->count = list != NULL ? (unsigned)json_count(list) : 1;
	if (list != NULL && json_kind(list) != JSON_ARRAY)
		return error_set(error, ERROR_INPUT, "items: not a list");
	if (batch->count > MAX_ITEMS)
		return error_set(error, ERROR_INPUT, "items: more than %d", MAX_ITEMS);
	batch->items = arena_array(arena, batch->count + 1, sizeof(batch->items[0]));
	batch->keys = arena_array(arena, batch->count + 1, sizeof(batch->keys[0]));
	if (list == NULL)
		return json_read(json, item_fields, &batch->items[0], arena, error);
	json = json_first(list);
	for (unsigned i = 0; i < batch->count; i++, json = json_next(json)) {
		if (!json_read(json, item_fields, &batch->items[i], arena, error))
			return error_prefix(error, "items[%u].", i);
	}
	return true;
}

static bool read_batch(struct flow *flow, struct batch *batch, struct error *error)
{
	const struct json_limits limits = {(size_t)256 << 10, 8};
	struct json *json = json_parse(http_request(flow)->body, limits, error);
	bool good;

	if (json == NULL)
		return false;
	good = json_kind(json) == JSON_OBJECT ? read_items(json, batch, flow_arena(flow), error)
					      : error_set(error, ERROR_INPUT, "not an object");
	json_free(&json);
	return good;
}

/* -- looking up ----------------------------------------------------------------------------------- */

static enum flow_status batch_find(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct batch *batch = flow_state(flow);
	struct error error;

	if (!read_batch(flow, batch, &error))
		return answer_invalid(flow, "body", NULL, error.text);
	batch->until_ms = loop_now_ms(cache->loop) + cache->settings->budget_ms;
	for (unsigned i = 0; i < batch->count; i++) {
		const struct item *item = &batch->items[i];
		const struct account *account = answer_account(flow, item->enterprise);

		*(account != NULL ? &cache->stats.metadata_hits : &cache->stats.metadata_misses) +=
			1;
		if (account != NULL && customer_key(account, item->phone, &batch->keys[i]))
			(void)customers_find(cache->customers, account, &batch->keys[i]);
		else
			batch->keys[i].size = 0;
	}
	return FLOW_NEXT;
}

static enum flow_status batch_wait(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	const struct batch *batch = flow_state(flow);
	struct flow_queue *queue = customers_pending(cache->customers, batch->keys, batch->count);
	int64_t left_ms = batch->until_ms - loop_now_ms(cache->loop);

	if (queue == NULL || left_ms <= 0)
		return FLOW_NEXT;
	flow_goto(flow, BATCH_WAIT);
	return await_queue_for(flow, queue, left_ms);
}

/* -- what is answered ----------------------------------------------------------------------------- */

static void put_customer(struct flow *flow, struct json_writer *json, const struct account *account,
	const struct customer *customer)
{
	static const struct customer nobody = {.known = false};
	const struct customer *shown = customer != NULL ? customer : &nobody;

	customer_put_text(json, "name", shown->name);
	json_put_name(json, "profile");
	customer_write_profile(json, shown);
	json_put_name(json, "responsible");
	json_open_object(json);
	customer_put_text(
		json, "extension", customer_responsible(account, customer, flow_arena(flow)));
	json_close_object(json);
	json_put_member_bool(json, "black_list", shown->black_list);
}

static void put_managers(struct flow *flow, struct json_writer *json, const struct account *account,
	const struct json_strings *extensions)
{
	json_put_name(json, "managers");
	json_open_object(json);
	for (size_t i = 0; i < extensions->count; i++) {
		const struct account_manager *manager =
			table_get(account->managers, extensions->items[i]);

		if (manager == NULL)
			continue;
		json_put_name(json, manager->extension);
		json_open_object(json);
		people_put_manager(json, manager, flow_arena(flow));
		json_close_object(json);
	}
	json_close_object(json);
}

static void put_line(struct json_writer *json, const struct account *account, struct str id)
{
	const struct account_line *line = table_get(account->lines, id);

	json_put_name(json, "line");
	if (line == NULL) {
		json_put_null(json);
		return;
	}
	json_open_object(json);
	json_put_member_str(json, "line_id", str_from(line->id));
	json_put_member_str(json, "name", str_from(line->name));
	json_put_member_str(json, "operator", str_from(line_operator(line)));
	json_close_object(json);
}

static void put_item(struct flow *flow, struct json_writer *json, unsigned i)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct batch *batch = flow_state(flow);
	const struct item *item = &batch->items[i];
	const struct account *account = answer_account(flow, item->enterprise);
	const struct customer *customer = NULL;

	json_open_object(json);
	if (account == NULL) {
		json_put_member_str(json, "detail", STR("Enterprise not found"));
	} else {
		if (batch->keys[i].size > 0)
			customer = customers_peek(cache->customers, &batch->keys[i]);
		json_put_member_str(json, "enterprise_number", str_from(account->number));
		put_customer(flow, json, account, customer);
		put_managers(flow, json, account, &item->extensions);
		put_line(json, account, item->line);
	}
	json_close_object(json);
}

static enum flow_status batch_answer(struct flow *flow)
{
	const struct batch *batch = flow_state(flow);
	struct answer answer;

	if (!batch->is_list && answer_account(flow, batch->items[0].enterprise) == NULL)
		return http_reply_detail(flow, 404, "Enterprise not found");
	answer_begin(&answer);
	if (batch->is_list) {
		json_open_object(&answer.json);
		json_put_name(&answer.json, "items");
		json_open_array(&answer.json);
	}
	for (unsigned i = 0; i < batch->count; i++)
		put_item(flow, &answer.json, i);
	if (batch->is_list) {
		json_close_array(&answer.json);
		json_close_object(&answer.json);
	}
	return answer_send(flow, 200, &answer);
}

static const struct flow_step batch_steps[] = {
	[BATCH_FIND] = {"find", batch_find},
	[BATCH_WAIT] = {"wait", batch_wait},
	[BATCH_ANSWER] = {"answer", batch_answer},
	{NULL, NULL},
};

const struct flow_spec lookup_flow = {
	.name = "lookup",
	.steps = batch_steps,
	.state_bytes = sizeof(struct batch),
	.arena_max_bytes = ARENA_BYTES,
	.deadline_ms = 70000,
};
