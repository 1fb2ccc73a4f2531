/*
 * gateway_view: GET /dispatch/channels: which CRMs are told, which are not and why. For people and
 * scripts; with the internal secret, since reasons quote what CRMs say.
 */
#include "cache.h"
#include "gateway_parts.h"
#include "json_put.h"

enum { MAX_ROWS = 1000, DEADLINE_MS = 10000 };
#define ANSWER_BYTES ((size_t)2 << 20)

static const char sql_channels[] =
	"SELECT c.enterprise_number, c.crm, CASE WHEN c.locked THEN 'locked'"
	" WHEN c.open_until > now() THEN 'open' ELSE 'closed' END, c.reason, c.failures,"
	" coalesce(c.owner, ''), (SELECT count(*) FROM crm_deliveries d"
	" WHERE d.enterprise_number = c.enterprise_number AND d.crm = c.crm"
	" AND d.state IN ('queued', 'sending', 'failed')),"
	" (SELECT count(*) FROM crm_deliveries d WHERE d.enterprise_number = c.enterprise_number"
	" AND d.crm = c.crm AND d.state = 'dead')"
	" FROM crm_channels c ORDER BY c.locked DESC, c.open_until DESC NULLS LAST, 1, 2 LIMIT $1";

struct view {
	struct pg_batch *batch;
};

static enum flow_status view_ask(struct flow *flow)
{
	struct integration_cache *cache = flow_context(flow);
	struct view *view = flow_state(flow);
	struct pg_params params = {0};
	struct str secret = cache->gateway->secret;

	if (secret.size == 0 ||
		!str_equal_secret(http_request_header(flow, SERVICE_SECRET_HEADER), secret))
		return http_reply_detail(flow, 401, "not allowed");
	pg_put_int(&params, flow_arena(flow), MAX_ROWS);
	return await_pg_query(flow, cache->gateway->keep_pg, &view->batch, sql_channels, &params);
}

static void put_row(struct json_writer *writer, const struct pg_batch *batch, int row)
{
	json_open_object(writer);
	json_put_member_str(writer, "enterprise", pg_text(batch, 0, row, 0));
	json_put_member_str(writer, "crm", pg_text(batch, 0, row, 1));
	json_put_member_str(writer, "state", pg_text(batch, 0, row, 2));
	json_put_member_str(writer, "reason", pg_text(batch, 0, row, 3));
	json_put_member_int(writer, "failures", pg_int(batch, 0, row, 4));
	json_put_member_str(writer, "owner", pg_text(batch, 0, row, 5));
	json_put_member_int(writer, "waiting", pg_int(batch, 0, row, 6));
	json_put_member_int(writer, "dead", pg_int(batch, 0, row, 7));
	json_close_object(writer);
}

static enum flow_status view_answer(struct flow *flow)
{
	const struct view *view = flow_state(flow);
	struct json_writer writer;
	enum flow_status status;
	struct error error;
	struct buf json;

	if (!pg_batch_ok(view->batch, &error))
		return flow_fail_error(flow, &error);
	buf_init(&json, ANSWER_BYTES);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_name(&writer, "channels");
	json_open_array(&writer);
	for (int row = 0; row < pg_rows(view->batch, 0); row++)
		put_row(&writer, view->batch, row);
	json_close_array(&writer);
	json_close_object(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static const struct flow_step view_steps[] = {
	{"ask", view_ask},
	{"answer", view_answer},
	{NULL, NULL},
};

const struct flow_spec gateway_channels_flow = {
	.name = "channels",
	.steps = view_steps,
	.state_bytes = sizeof(struct view),
	.arena_max_bytes = (size_t)8 << 20,
	.deadline_ms = DEADLINE_MS,
};
