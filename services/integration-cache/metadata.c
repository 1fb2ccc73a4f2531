/*
 * metadata: lines and managers of enterprises, and the rules by which lines spell their callers.
 */
#include "answer.h"
#include "people.h"
#include "reload.h"

/* -- one line, one manager ------------------------------------------------------------------------ */

static void put_own(struct json_writer *json, const char *name, const char *text)
{
	json_put_name(json, name);
	if (text[0] != '\0')
		json_put_str(json, str_from(text));
	else
		json_put_null(json);
}

static void put_line(struct json_writer *json, const struct account_line *line)
{
	json_open_object(json);
	put_own(json, "name", line->name);
	put_own(json, "prefix", line->prefix);
	if (line->gsm) {
		put_own(json, "internal_id", line->internal_id);
		put_own(json, "phone", line->phone);
		put_own(json, "goip_name", "");
		put_own(json, "goip_ip", "");
		put_own(json, "shop_name", line->shop);
	} else {
		put_own(json, "provider_id", "");
		json_put_member_str(json, "type", STR("SIP"));
	}
	put_own(json, "in_schema", line->in_schema);
	put_own(json, "out_schema", line->out_schema);
	json_put_member_str(json, "operator", str_from(line_operator(line)));
	json_close_object(json);
}

static enum flow_status answer_line(struct flow *flow, const struct account *account, struct str id)
{
	const struct account_line *line = table_get(account->lines, id);
	struct answer answer;

	if (line == NULL)
		return http_reply_detail(flow, 404, "Line %.*s not found for enterprise %s",
			STR_ARG(id), account->number);
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	json_put_member_str(&answer.json, "line_id", str_from(line->id));
	json_put_member_str(&answer.json, "name", str_from(line->name));
	json_put_member_str(&answer.json, "operator", str_from(line_operator(line)));
	json_put_member_bool(&answer.json, "exists", true);
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status answer_manager(
	struct flow *flow, const struct account *account, struct str extension)
{
	const struct account_manager *manager = table_get(account->managers, extension);
	struct answer answer;

	if (manager == NULL)
		return http_reply_detail(flow, 404, "Manager %.*s not found for enterprise %s",
			STR_ARG(extension), account->number);
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	json_put_member_str(&answer.json, "internal_phone", str_from(manager->extension));
	people_put_manager(&answer.json, manager, flow_arena(flow));
	json_put_member_bool(&answer.json, "exists", true);
	return answer_send_object(flow, 200, &answer);
}

/* -- all of them ---------------------------------------------------------------------------------- */

static enum flow_status answer_lines(struct flow *flow, const struct account *account)
{
	struct answer answer;
	size_t at = 0;
	void *value;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	json_put_member_int(&answer.json, "lines_count", (int64_t)table_count(account->lines));
	json_put_name(&answer.json, "lines");
	json_open_object(&answer.json);
	while (table_next(account->lines, &at, NULL, &value)) {
		const struct account_line *line = value;

		json_put_name(&answer.json, line->id);
		put_line(&answer.json, line);
	}
	json_close_object(&answer.json);
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status answer_managers(struct flow *flow, const struct account *account)
{
	struct answer answer;
	size_t at = 0;
	void *value;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	json_put_member_int(
		&answer.json, "managers_count", (int64_t)table_count(account->managers));
	json_put_name(&answer.json, "managers");
	json_open_object(&answer.json);
	while (table_next(account->managers, &at, NULL, &value)) {
		const struct account_manager *manager = value;

		json_put_name(&answer.json, manager->extension);
		json_open_object(&answer.json);
		people_put_manager(&answer.json, manager, flow_arena(flow));
		put_own(&answer.json, "last_name", manager->last_name);
		put_own(&answer.json, "first_name", manager->first_name);
		put_own(&answer.json, "patronymic", manager->patronymic);
		json_close_object(&answer.json);
	}
	json_close_object(&answer.json);
	return answer_send_object(flow, 200, &answer);
}

/* -- GET /metadata/{ent}/... ---------------------------------------------------------------------- */

static bool is(struct str text, const char *word)
{
	return str_equal(text, str_from(word));
}

static enum flow_status answer_part(
	struct flow *flow, const struct account *account, const struct path_parts *path)
{
	struct str what = path->items[1];

	if (path->count == 3 && is(what, "line"))
		return answer_line(flow, account, path->items[2]);
	if (path->count == 3 && is(what, "manager"))
		return answer_manager(flow, account, path->items[2]);
	if (is(what, "lines"))
		return answer_lines(flow, account);
	return answer_managers(flow, account);
}

/* What an enterprise that is not there lacks, in the words for its parts. */
static enum flow_status answer_stranger(struct flow *flow, const struct path_parts *path)
{
	struct str what = path->items[1], enterprise = path->items[0];

	if (path->count == 3)
		return http_reply_detail(flow, 404, "%s %.*s not found for enterprise %.*s",
			is(what, "line") ? "Line" : "Manager", STR_ARG(path->items[2]),
			STR_ARG(enterprise));
	return http_reply_detail(
		flow, 404, "No %.*s found for enterprise %.*s", STR_ARG(what), STR_ARG(enterprise));
}

static bool is_known_path(const struct path_parts *path)
{
	struct str what = path->items[1];

	return (path->count == 2 && (is(what, "lines") || is(what, "managers"))) ||
	       (path->count == 3 && (is(what, "line") || is(what, "manager")));
}

static enum flow_status metadata_answer(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	bool none;

	if (!is_known_path(&path))
		return answer_no_such_path(flow);
	if (accounts_why_not(cache->accounts) != NULL)
		return http_reply_detail(flow, 503, "Metadata cache not initialized");
	*(account != NULL ? &cache->stats.metadata_hits : &cache->stats.metadata_misses) += 1;
	none = account == NULL ||
	       (is(path.items[1], "lines") && table_count(account->lines) == 0) ||
	       (is(path.items[1], "managers") && table_count(account->managers) == 0);
	return none ? answer_stranger(flow, &path) : answer_part(flow, account, &path);
}

/* -- GET /metadata/stats -------------------------------------------------------------------------- */

static void put_numbers(struct json_writer *json, const struct integration_cache *cache, bool times)
{
	const struct account *account;
	size_t at = 0;

	while ((account = accounts_next(cache->accounts, &at)) != NULL) {
		if (times)
			answer_put_time(json, account->number, account->checked_ms);
		else
			json_put_str(json, str_from(account->number));
	}
}

static enum flow_status metadata_stats_answer(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct account *account;
	int64_t lines = 0, managers = 0;
	struct answer answer;
	size_t at = 0;

	while ((account = accounts_next(cache->accounts, &at)) != NULL) {
		lines += (int64_t)table_count(account->lines);
		managers += (int64_t)table_count(account->managers);
	}
	answer_begin_object(&answer);
	json_put_member_int(&answer.json, "enterprises", (int64_t)accounts_count(cache->accounts));
	json_put_member_int(&answer.json, "total_lines", lines);
	json_put_member_int(&answer.json, "total_managers", managers);
	json_put_name(&answer.json, "last_updates");
	json_open_object(&answer.json);
	put_numbers(&answer.json, cache, true);
	json_close_object(&answer.json);
	json_put_name(&answer.json, "memory_enterprises");
	json_open_array(&answer.json);
	put_numbers(&answer.json, cache, false);
	json_close_array(&answer.json);
	return answer_send_object(flow, 200, &answer);
}

/* -- POST: read anew ------------------------------------------------------------------------------ */

/* .../{ent}/refresh */
static enum flow_status renew_read(struct flow *flow)
{
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);

	if (path.count != 2 || !is(path.items[1], "refresh"))
		return answer_no_such_path(flow);
	return await_reload(flow, account != NULL ? str_from(account->number) : path.items[0]);
}

static enum flow_status renew_answer(struct flow *flow)
{
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	struct answer answer;

	if (reload_failed(flow))
		return http_reply_detail(
			flow, 500, "Metadata not refreshed: the database does not answer");
	if (account == NULL)
		return http_reply_detail(flow, 404, "Enterprise not found");
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "message",
		str_from(arena_printf(flow_arena(flow), "Metadata refreshed for enterprise %s",
			account->number)));
	json_put_member_str(&answer.json, "enterprise_number", str_from(account->number));
	answer_put_time(&answer.json, "timestamp", clock_wall_ms());
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status renew_all_read(struct flow *flow)
{
	return await_reload(flow, str_of(NULL, 0));
}

static enum flow_status renew_all_answer(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct answer answer;

	if (reload_failed(flow))
		return http_reply_detail(
			flow, 500, "Metadata not refreshed: the database does not answer");
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "message", STR("All metadata refreshed"));
	json_put_member_int(
		&answer.json, "loaded_enterprises", (int64_t)accounts_count(cache->accounts));
	answer_put_time(&answer.json, "timestamp", clock_wall_ms());
	return answer_send_object(flow, 200, &answer);
}

/* -- transforms ----------------------------------------------------------------------------------- */

static enum flow_status transforms_answer(struct flow *flow)
{
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	struct answer answer;
	size_t at = 0;
	void *value;

	if (path.count != 1)
		return answer_no_such_path(flow);
	answer_begin_object(&answer);
	json_put_name(&answer.json, "map");
	json_open_object(&answer.json);
	while (account != NULL && table_next(account->lines, &at, NULL, &value)) {
		const struct account_line *line = value;

		if (line->transform[0] == '\0')
			continue;
		json_put_member_str(&answer.json,
			arena_printf(
				flow_arena(flow), "%s:%s", line->gsm ? "gsm" : "sip", line->id),
			str_from(line->transform));
	}
	json_close_object(&answer.json);
	return answer_send_object(flow, 200, &answer);
}

static enum flow_status transforms_read(struct flow *flow)
{
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);

	if (path.count != 1)
		return answer_no_such_path(flow);
	return await_reload(flow, account != NULL ? str_from(account->number) : path.items[0]);
}

static enum flow_status transforms_size(struct flow *flow)
{
	struct path_parts path = answer_path(flow);
	const struct account *account = answer_account(flow, path.items[0]);
	struct answer answer;
	int64_t size = 0;
	size_t at = 0;
	void *value;

	while (account != NULL && table_next(account->lines, &at, NULL, &value)) {
		const struct account_line *line = value;

		size += line->transform[0] != '\0';
	}
	answer_begin_object(&answer);
	json_put_member_int(&answer.json, "size", size);
	return answer_send_object(flow, 200, &answer);
}

/* -- the routes ----------------------------------------------------------------------------------- */

static const struct flow_step metadata_steps[] = {{"answer", metadata_answer}, {NULL, NULL}};
const struct flow_spec metadata_flow = {
	.name = "metadata", .steps = metadata_steps, .deadline_ms = 10000};

static const struct flow_step metadata_stats_steps[] = {
	{"answer", metadata_stats_answer}, {NULL, NULL}};
const struct flow_spec metadata_stats_flow = {
	.name = "metadata-stats", .steps = metadata_stats_steps, .deadline_ms = 10000};

static const struct flow_step renew_steps[] = {
	{"read", renew_read}, {"answer", renew_answer}, {NULL, NULL}};
const struct flow_spec metadata_refresh_flow = {
	.name = "metadata-refresh", .steps = renew_steps, .deadline_ms = 10000};

static const struct flow_step renew_all_steps[] = {
	{"read", renew_all_read}, {"answer", renew_all_answer}, {NULL, NULL}};
const struct flow_spec metadata_refresh_all_flow = {
	.name = "metadata-refresh-all", .steps = renew_all_steps, .deadline_ms = 40000};

static const struct flow_step transforms_steps[] = {{"answer", transforms_answer}, {NULL, NULL}};
const struct flow_spec transforms_flow = {
	.name = "transforms", .steps = transforms_steps, .deadline_ms = 10000};

static const struct flow_step transforms_reload_steps[] = {
	{"read", transforms_read}, {"size", transforms_size}, {NULL, NULL}};
const struct flow_spec transforms_reload_flow = {
	.name = "transforms-reload", .steps = transforms_reload_steps, .deadline_ms = 10000};
