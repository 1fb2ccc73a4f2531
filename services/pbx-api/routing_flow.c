/*
 * routing_flow: a PBX asks who calls and where the call should go: answered from what is near, always
 * within its 300 ms. What is not known by then is left out.
 */
#include "pbx_api.h"
#include "routing.h"

#include "clock.h"
#include "json_put.h"

enum { BODY_DEPTH = 8, ANSWER_MAX_BYTES = 4096, KEY_MAX_BYTES = 512, DEADLINE_MS = 290 };
/* An answer without all that should have been asked is asked anew sooner. */
enum { INCOMPLETE_MS = 5000 };

struct routing_body {
	struct str UniqueId, Phone, TrunkId;
	struct str LoadDialPlan; /* true, "1", "true"; absent: true */
};

static const struct json_field body_fields[] = {
	JSON_FIELD(struct routing_body, UniqueId, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct routing_body, Phone, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct routing_body, TrunkId, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct routing_body, LoadDialPlan, JSON_STRING, JSON_LAX),
	{0},
};

struct routing_state {
	struct routing_body body;
	const char *enterprise;
	struct str key; /* of the cache */
	char phone[PHONE_TEXT_BYTES];
	bool asked; /* a number that can be asked for */
	int64_t begun_us;
	struct customer_ask ask;
	struct customer_facts facts;
	struct routing_answer answer;
};

enum { ROUTING_READ, ROUTING_DECIDE };

static enum flow_status reply(struct flow *flow, struct routing_counted counted)
{
	const struct pbx_api *api = flow_context(flow);
	const struct routing_state *state = flow_state(flow);
	enum flow_status end;
	struct json_writer json;
	struct buf body;

	buf_init(&body, ANSWER_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "Name", state->answer.name);
	json_put_name(&json, "DialPlan");
	if (state->answer.plan.size > 0)
		json_put_str(&json, state->answer.plan);
	else
		json_put_null(&json);
	json_close_object(&json);
	end = http_reply_json(flow, 200, &body);
	buf_free(&body);
	counted.with_plan = state->answer.plan.size > 0;
	counted.took_us = clock_monotonic_us() - state->begun_us;
	routing_stats_count(api->stats, &counted);
	return end;
}

/* -- the question ----------------------------------------------------------------------------------- */

static bool read_body(struct flow *flow, struct error *error)
{
	struct routing_state *state = flow_state(flow);
	struct str body = http_request(flow)->body;
	const struct json_limits limits = {body.size, BODY_DEPTH};
	struct json *json = json_parse(body, limits, error);
	bool good =
		json != NULL && json_read(json, body_fields, &state->body, flow_arena(flow), error);

	json_free(&json);
	state->body.TrunkId = str_trim(state->body.TrunkId);
	return good;
}

static bool wants_plan(const struct routing_body *body)
{
	struct str word = body->LoadDialPlan;

	return word.size == 0 || str_equal_nocase(word, STR("true")) || str_equal(word, STR("1"));
}

static bool find_cached(struct flow *flow, const struct account *account)
{
	const struct pbx_api *api = flow_context(flow);
	struct routing_state *state = flow_state(flow);
	const char *key = arena_printf(flow_arena(flow), "%s|%.*s|%.*s|%d", account->number,
		STR_ARG(state->body.Phone), STR_ARG(state->body.TrunkId), wants_plan(&state->body));

	state->key = str_from(key);
	return state->key.size <= KEY_MAX_BYTES &&
	       routing_cache_get(api->cache, state->key, account->loaded_ms,
		       loop_now_ms(flow_loop(flow)), &state->answer);
}

static enum flow_status ask_customer(struct flow *flow, const struct account *account)
{
	struct routing_state *state = flow_state(flow);
	struct str trunk = state->body.TrunkId;
	const struct account_line *line = routing_line(account, trunk);
	struct routing_rule rule = routing_rule_of(account, line, trunk, flow_arena(flow));

	state->facts.complete = true;
	state->asked = (rule.names || rule.routes) &&
		       routing_phone(account, line, state->body.Phone, state->phone);
	if (!state->asked)
		return FLOW_NEXT;
	state->ask = (struct customer_ask){
		.enterprise = state->enterprise,
		.phone = state->phone,
		.history = routing_by_history(&rule),
		.crm = str_of(arena_strndup(flow_arena(flow),
				      rule.algorithm.data != NULL ? rule.algorithm.data : "",
				      rule.algorithm.size),
			rule.algorithm.size),
	};
	return await_customer(flow, &state->ask, &state->facts);
}

static enum flow_status routing_read(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct routing_state *state = flow_state(flow);
	const struct account *account;
	const char *why_not;
	struct error error;

	state->begun_us = clock_monotonic_us();
	why_not = accounts_why_not(api->accounts);
	if (why_not != NULL)
		return http_reply_detail(flow, 503, "%s", why_not);
	account = pbx_api_by_token(api, http_request_header(flow, "Token"));
	if (account == NULL)
		return http_reply_detail(flow, 401, "Invalid token");
	if (!read_body(flow, &error))
		return http_reply_detail(flow, 422, "%s", error.text);
	state->enterprise = arena_strdup(flow_arena(flow), account->number);
	flow_set_enterprise(flow, state->enterprise);
	if (find_cached(flow, account))
		return reply(flow, (struct routing_counted){.from_cache = true});
	return ask_customer(flow, account);
}

/* -- the answer ------------------------------------------------------------------------------------- */

static void remember(struct flow *flow, const struct account *account)
{
	const struct pbx_api *api = flow_context(flow);
	const struct routing_state *state = flow_state(flow);
	int64_t keep_ms = api->settings->cache_seconds * 1000;

	if (!state->facts.complete && keep_ms > INCOMPLETE_MS)
		keep_ms = INCOMPLETE_MS;
	if (keep_ms > 0 && state->key.size <= KEY_MAX_BYTES)
		routing_cache_put(api->cache, state->key, account->loaded_ms,
			loop_now_ms(flow_loop(flow)) + keep_ms, &state->answer);
}

/* The enterprise is looked up anew: it may have been read anew, or be gone, since the question. */
static enum flow_status routing_decide(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct routing_state *state = flow_state(flow);
	const struct account *account = accounts_find(api->accounts, str_from(state->enterprise));
	struct arena *arena = flow_arena(flow);
	struct str trunk = state->body.TrunkId;

	if (account == NULL)
		return reply(flow, (struct routing_counted){.failed = true});
	const struct account_line *line = routing_line(account, trunk);
	struct routing_rule rule = routing_rule_of(account, line, trunk, arena);
	state->answer.name =
		pbx_api_shown_name(routing_name(&rule, line, state->facts.name, arena), arena);
	if (state->asked && wants_plan(&state->body))
		state->answer.plan = routing_plan(account, &rule, &state->facts, trunk, arena);
	remember(flow, account);
	return reply(flow, (struct routing_counted){.failed = !state->facts.complete});
}

static const struct flow_step routing_steps[] = {
	[ROUTING_READ] = {"read", routing_read},
	[ROUTING_DECIDE] = {"decide", routing_decide},
	{NULL, NULL},
};

const struct flow_spec routing_flow = {
	.name = "routing",
	.steps = routing_steps,
	.state_bytes = sizeof(struct routing_state),
	.deadline_ms = DEADLINE_MS,
};
