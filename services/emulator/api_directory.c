/*
 * api_directory: what the form needs to know: enterprises, their lines and managers, patterns. The
 * shapes are the old tester's, since scripts read them; tokens are never among them.
 */
#include "emulator.h"

#include "json_put.h"
#include "uri.h"

/* The directory itself is bounded (directory.c); this only has to be larger than all of it. */
#define MAX_ANSWER_BYTES (64u << 20)

static enum flow_status reply(struct flow *flow, struct buf *json)
{
	enum flow_status status = http_reply_json(flow, 200, json);

	buf_free(json);
	return status;
}

const struct directory_enterprise *emulator_find(struct flow *flow, struct str number)
{
	const struct emulator *emulator = flow_context(flow);
	const struct directory_enterprise *enterprise = directory_find(emulator->directory, number);

	/* "Not found" would be a guess while PostgreSQL has not been read yet. */
	if (enterprise == NULL && !directory_known(emulator->directory))
		http_reply_detail(flow, 503, "База данных недоступна");
	else if (enterprise == NULL)
		http_reply_detail(flow, 404, "Предприятие %.*s не найдено", STR_ARG(number));
	return enterprise;
}

const struct directory_enterprise *emulator_enterprise(struct flow *flow)
{
	struct str number = {0};

	uri_query_value(http_request(flow)->query, "enterprise", flow_arena(flow), &number);
	return emulator_find(flow, number);
}

static enum flow_status list_enterprises(struct flow *flow)
{
	const struct emulator *emulator = flow_context(flow);
	struct json_writer writer;
	struct buf json;

	buf_init(&json, MAX_ANSWER_BYTES);
	json_begin(&writer, &json);
	json_open_array(&writer);
	for (size_t i = 0; i < directory_count(emulator->directory); i++) {
		const struct directory_enterprise *at = directory_at(emulator->directory, i);
		json_open_object(&writer);
		json_put_member_str(&writer, "number", at->number);
		json_put_member_str(&writer, "name", at->name);
		/* That it has one, never which. */
		json_put_member_bool(&writer, "has_token", at->token.size > 0);
		json_close_object(&writer);
	}
	json_close_array(&writer);
	return reply(flow, &json);
}

static enum flow_status list_lines(struct flow *flow)
{
	const struct directory_enterprise *enterprise = emulator_enterprise(flow);
	struct json_writer writer;
	struct buf json;

	if (enterprise == NULL)
		return FLOW_END;
	buf_init(&json, MAX_ANSWER_BYTES);
	json_begin(&writer, &json);
	json_open_object(&writer);
	for (size_t i = 0; i < enterprise->line_count; i++) {
		const struct directory_line *line = &enterprise->lines[i];
		json_put_name(
			&writer, arena_strndup(flow_arena(flow), line->id.data, line->id.size));
		json_open_object(&writer);
		json_put_member_str(&writer, "name", line->name);
		json_put_member_str(&writer, "phone", line->phone);
		json_put_member_str(&writer, "operator", line->carrier);
		json_close_object(&writer);
	}
	json_close_object(&writer);
	return reply(flow, &json);
}

/* `name` is for a select box, with the extension; `clean_name` for code. */
static void write_manager(const struct directory_manager *manager, struct json_writer *writer)
{
	struct buf name;

	buf_init(&name, 4096);
	if (manager->name.size > 0)
		buf_printf(
			&name, "%.*s (%.*s)", STR_ARG(manager->name), STR_ARG(manager->extension));
	else
		buf_add(&name, manager->extension);
	json_open_object(writer);
	json_put_member_str(writer, "name", buf_str(&name));
	json_put_member_str(writer, "clean_name", manager->name);
	json_put_member_str(writer, "personal_phone", manager->personal_phone);
	json_put_member_str(writer, "follow_me_number", manager->follow_me_number);
	json_put_member_bool(writer, "follow_me_enabled", manager->follow_me_enabled);
	json_close_object(writer);
	buf_free(&name);
}

static enum flow_status list_managers(struct flow *flow)
{
	const struct directory_enterprise *enterprise = emulator_enterprise(flow);
	struct json_writer writer;
	struct buf json;

	if (enterprise == NULL)
		return FLOW_END;
	buf_init(&json, MAX_ANSWER_BYTES);
	json_begin(&writer, &json);
	json_open_object(&writer);
	for (size_t i = 0; i < enterprise->manager_count; i++) {
		const struct directory_manager *manager = &enterprise->managers[i];
		json_put_name(&writer, arena_strndup(flow_arena(flow), manager->extension.data,
					       manager->extension.size));
		write_manager(manager, &writer);
	}
	json_close_object(&writer);
	return reply(flow, &json);
}

static enum flow_status list_patterns(struct flow *flow)
{
	const struct emulator *emulator = flow_context(flow);
	struct buf json;

	buf_init(&json, MAX_ANSWER_BYTES);
	patterns_write(emulator->patterns, &json);
	return reply(flow, &json);
}

static enum flow_status health(struct flow *flow)
{
	const struct directory *directory =
		((const struct emulator *)flow_context(flow))->directory;
	const char *why_not = directory_why_not(directory);
	struct json_writer writer;
	struct buf json;

	buf_init(&json, 4096);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_str(&writer, "status", why_not == NULL ? STR("healthy") : STR("unhealthy"));
	json_put_member_int(&writer, "enterprises_loaded", (int64_t)directory_count(directory));
	json_put_member_int(&writer, "total_managers", (int64_t)directory_manager_count(directory));
	json_put_member_int(&writer, "total_lines", (int64_t)directory_line_count(directory));
	json_put_member_bool(&writer, "database_connected", why_not == NULL);
	json_close_object(&writer);
	return reply(flow, &json);
}

const struct flow_spec api_enterprises_flow = ONE_STEP("enterprises", list_enterprises);
const struct flow_spec api_lines_flow = ONE_STEP("lines", list_lines);
const struct flow_spec api_managers_flow = ONE_STEP("managers", list_managers);
const struct flow_spec api_patterns_flow = ONE_STEP("patterns", list_patterns);
const struct flow_spec api_health_flow = ONE_STEP("health", health);
