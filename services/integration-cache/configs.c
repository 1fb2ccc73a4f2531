/*
 * configs: which CRMs an enterprise has, and how they are set up. Keys are shown to our own processes
 * only: to everybody else they are "***".
 */
#include "configs.h"
#include "answer.h"
#include "reload.h"
#include "uri.h"

/* -- which ---------------------------------------------------------------------------------------- */

static void put_enabled(struct json_writer *json, const struct account *account)
{
	json_put_name(json, "integrations");
	json_open_object(json);
	for (unsigned i = 0; i < account->integration_count; i++)
		json_put_member_bool(
			json, account->integrations[i].code, account->integrations[i].enabled);
	json_close_object(json);
}

void configs_put_entry(struct json_writer *json, const struct integration_cache *cache,
	const struct account *account)
{
	int64_t ttl_ms = cache->settings->ttl_seconds * 1000;

	json_open_object(json);
	put_enabled(json, account);
	answer_put_seconds(json, "created_at", account->checked_ms);
	answer_put_seconds(json, "expires_at", account->checked_ms + ttl_ms);
	answer_put_seconds(json, "age_seconds", clock_wall_ms() - account->checked_ms);
	json_close_object(json);
}

static enum flow_status integrations_answer(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	struct answer answer;

	if (path.count != 1)
		return answer_no_such_path(flow);
	*(account != NULL ? &cache->stats.status_hits : &cache->stats.status_misses) += 1;
	if (account == NULL)
		return http_reply_detail(flow, 404, "Enterprise not found");
	answer_begin(&answer);
	configs_put_entry(&answer.json, cache, account);
	return answer_send(flow, 200, &answer);
}

/* -- how ------------------------------------------------------------------------------------------ */

static void put_config(
	struct flow *flow, struct json_writer *json, const struct account_integration *integration)
{
	struct buf text;

	buf_init(&text, ANSWER_MAX_BYTES);
	if (answer_is_internal(flow))
		json_print(&text, integration->config, false);
	else
		config_mask(str_from(integration->code), integration->config, &text);
	json_put_raw(json, buf_str(&text));
	buf_free(&text);
}

static enum flow_status answer_all_configs(struct flow *flow, const struct account *account)
{
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	json_put_name(&answer.json, "integrations");
	json_open_object(&answer.json);
	for (unsigned i = 0; i < account->integration_count; i++) {
		json_put_name(&answer.json, account->integrations[i].code);
		put_config(flow, &answer.json, &account->integrations[i]);
	}
	json_close_object(&answer.json);
	json_put_member_str(&answer.json, "source", STR("cache"));
	answer_put_time(&answer.json, "cached_at", account->checked_ms);
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status answer_config(
	struct flow *flow, const struct account *account, struct str code)
{
	const struct account_integration *integration = account_integration(account, code);
	struct answer answer;

	if (integration == NULL)
		return http_reply_detail(flow, 404,
			"Integration '%.*s' not configured for enterprise %s", STR_ARG(code),
			account->number);
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	json_put_member_str(&answer.json, "integration_type", code);
	json_put_name(&answer.json, "config");
	put_config(flow, &answer.json, integration);
	json_put_member_str(&answer.json, "source", STR("cache"));
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status config_answer(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	bool found = account != NULL && account->integration_count > 0;

	if (path.count != 1 && path.count != 2)
		return answer_no_such_path(flow);
	*(found ? &cache->stats.config_hits : &cache->stats.config_misses) += 1;
	if (!found)
		return http_reply_detail(flow, 404,
			"No integration configurations found for enterprise %.*s",
			STR_ARG(path.items[0]));
	return path.count == 1 ? answer_all_configs(flow, account)
			       : answer_config(flow, account, path.items[1]);
}

/* -- putting -------------------------------------------------------------------------------------- */

struct put {
	struct str number, code, config; /* of whom, what, as text */
	struct pg_batch *batch;
};

static const char sql_put[] = "SELECT integration_put($1, $2, $3::jsonb)";

static enum flow_status put_refused(struct flow *flow, int status, const char *words)
{
	return http_reply_detail(flow, status, "Configuration update failed: %s", words);
}

/* True when it may be stored; else it was answered. */
static bool put_read(struct flow *flow, struct put *put, enum flow_status *refused)
{
	struct path_parts path = answer_path(flow);
	const struct account *account =
		path.count == 2
			? accounts_find_any(
				  ((struct integration_cache *)flow_context(flow))->accounts,
				  path.items[0])
			: NULL;
	struct error error;

	if (!answer_is_internal(flow)) {
		*refused = put_refused(flow, 401, "the internal secret is missing or wrong");
		return false;
	}
	if (account == NULL) {
		*refused = put_refused(flow, 404, "no such enterprise");
		return false;
	}
	put->number = str_from(arena_strdup(flow_arena(flow), account->number));
	put->code = path.items[1];
	put->config = http_request(flow)->body;
	if (config_check(put->code, put->config, &error))
		return true;
	*refused = answer_invalid(flow, "body", NULL, error.text);
	return false;
}

static enum flow_status put_store(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct put *put = flow_state(flow);
	struct pg_params params = {0};
	enum flow_status refused;

	if (!put_read(flow, put, &refused))
		return refused;
	pg_put_str(&params, flow_arena(flow), put->number);
	pg_put_str(&params, flow_arena(flow), put->code);
	pg_put_str(&params, flow_arena(flow), put->config);
	return await_pg_query(flow, cache->pg, &put->batch, sql_put, &params);
}

static enum flow_status put_stored(struct flow *flow)
{
	struct put *put = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(put->batch, &error))
		return put_refused(flow, error_http_status(error.kind), error.text);
	if (!pg_bool(put->batch, 0, 0, 0))
		return put_refused(flow, 404, "no such enterprise");
	return await_reload(flow, put->number);
}

/* Stored it is, also when this instance cannot show it yet. */
static enum flow_status put_answer(struct flow *flow)
{
	const struct put *put = flow_state(flow);
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "status", STR("success"));
	json_put_member_str(&answer.json, "message",
		str_from(arena_printf(
			flow_arena(flow), "%.*s configuration updated", STR_ARG(put->code))));
	json_put_member_str(&answer.json, "enterprise_number", put->number);
	return answer_send_object(flow, 200, &answer);
}

/* -- the routes ----------------------------------------------------------------------------------- */

static const struct flow_step integrations_steps[] = {
	{"answer", integrations_answer},
	{NULL, NULL},
};
const struct flow_spec integrations_flow = {
	.name = "integrations", .steps = integrations_steps, .deadline_ms = 10000};

static const struct flow_step config_steps[] = {
	{"answer", config_answer},
	{NULL, NULL},
};
const struct flow_spec config_flow = {
	.name = "config", .steps = config_steps, .deadline_ms = 10000};

static const struct flow_step put_steps[] = {
	{"store", put_store},
	{"stored", put_stored},
	{"answer", put_answer},
	{NULL, NULL},
};
const struct flow_spec config_put_flow = {
	.name = "config-put",
	.steps = put_steps,
	.state_bytes = sizeof(struct put),
	.arena_max_bytes = (size_t)4 << 20,
	.deadline_ms = 15000,
};
