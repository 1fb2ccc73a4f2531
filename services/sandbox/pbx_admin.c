/*
 * pbx_admin: what tests declare of PBXs, and ask of what these were told.
 */
#include "pbx.h"
#include "sandbox.h"

#include "json.h"
#include "uri.h"

struct pbx_input {
	struct str number, secret, reason;
};

static const struct json_field pbx_fields[] = {
	JSON_FIELD(struct pbx_input, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pbx_input, secret, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct pbx_input, reason, JSON_STRING, 0),
	{NULL},
};

static void *state_of(struct sandbox *sandbox)
{
	return sandbox->outside[outside_find_name(STR("pbx"))];
}

static enum flow_status declare_pbx(struct flow *flow)
{
	struct pbx_input input = {0};
	struct error error;

	if (!admin_read_body(flow, pbx_fields, &input, &error))
		return flow_fail_error(flow, &error);
	pbx_declare(state_of(flow_context(flow)), input.number, input.secret, input.reason);
	return admin_say_ok(flow);
}

static enum flow_status list_commands(struct flow *flow)
{
	struct str number = {0};
	enum flow_status status;
	struct buf json;

	(void)uri_query_value(http_request(flow)->query, "number", flow_arena(flow), &number);
	buf_init(&json, 16u << 20);
	pbx_write_commands(state_of(flow_context(flow)), number, &json);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

const struct flow_spec pbx_declare_flow = ONE_STEP("declare_pbx", declare_pbx);
const struct flow_spec pbx_commands_flow = ONE_STEP("list_commands", list_commands);
