/*
 * admin: the contract for tests under /_sandbox/: requests, faults, statistics, reset.
 */
#include "sandbox.h"

#include "json_put.h"
#include "listing.h"
#include "uri.h"

/* An empty value is an absent one: a form sends its empty fields, too. */
bool admin_query_int(struct flow *flow, const char *name, int64_t fallback, int64_t *value)
{
	struct str text;

	*value = fallback;
	if (!uri_query_value(http_request(flow)->query, name, flow_arena(flow), &text) ||
		text.size == 0 || str_to_int64(text, value))
		return true;
	http_reply_detail(flow, 422, "%s: not a number", name);
	return false;
}

struct requests_listing {
	struct requests_query query;
	struct listing listing;
};

enum { REQUESTS_BEGIN, REQUESTS_PIECE, REQUESTS_MORE };

static enum flow_status requests_begin(struct flow *flow)
{
	struct requests_query *query = &((struct requests_listing *)flow_state(flow))->query;

	uri_query_value(http_request(flow)->query, "service", flow_arena(flow), &query->service);
	if (!admin_query_int(flow, "since_id", 0, &query->since_id) ||
		!admin_query_int(flow, "limit", REQUESTS_MAX, &query->limit))
		return FLOW_END;
	return FLOW_NEXT;
}

static enum flow_status requests_piece(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct requests_listing *state = flow_state(flow);
	struct buf piece;
	bool is_last;

	/* The store may change between two pieces; requests_write() therefore goes by ids, not
	 * by places. */
	buf_init(&piece, LISTING_MAX_BYTES);
	is_last = requests_write(sandbox->requests, &state->query, LISTING_PIECE_BYTES, &piece);
	return listing_send(flow, &state->listing, &piece, is_last);
}

static enum flow_status requests_more(struct flow *flow)
{
	struct requests_listing *state = flow_state(flow);

	return listing_more(flow, &state->listing, REQUESTS_PIECE);
}

static const struct flow_step requests_steps[] = {
	[REQUESTS_BEGIN] = {"begin", requests_begin},
	[REQUESTS_PIECE] = {"piece", requests_piece},
	[REQUESTS_MORE] = {"more", requests_more},
	{NULL, NULL},
};

const struct flow_spec admin_requests_flow = {
	.name = "requests",
	.steps = requests_steps,
	.state_bytes = sizeof(struct requests_listing),
	.deadline_ms = 60000,
};

static enum flow_status list_faults(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	enum flow_status status;
	struct buf json;

	/* A thousand faults of at most a kilobyte each: bodies are not listed. */
	buf_init(&json, 4u << 20);
	faults_write(sandbox->faults, &json);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static enum flow_status add_fault(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	enum flow_status status;
	struct error error;
	struct buf json;
	int64_t id;

	if (!faults_add(sandbox->faults, http_request(flow)->body, &id, &error))
		return flow_fail_error(flow, &error);
	buf_init(&json, 64);
	buf_printf(&json, "{\"id\":%lld}", (long long)id);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

bool admin_read_body(
	struct flow *flow, const struct json_field *fields, void *to, struct error *error)
{
	struct json *json =
		json_parse(http_request(flow)->body, (struct json_limits){65536, 8}, error);
	bool good = json != NULL && json_read(json, fields, to, flow_arena(flow), error);

	json_free(&json);
	return good;
}

enum flow_status admin_say_ok(struct flow *flow)
{
	return http_reply(flow, 200, "application/json", STR("{\"ok\":true}"));
}

static enum flow_status clear_faults(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);

	faults_clear(sandbox->faults);
	return admin_say_ok(flow);
}

static enum flow_status reset(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);

	/* Faults first: nothing that follows may still meet one. */
	faults_clear(sandbox->faults);
	requests_clear(sandbox->requests);
	for (int i = 0; outside_services[i] != NULL; i++)
		outside_services[i]->reset(sandbox->outside[i]);
	/* Requests that a fault holds up belong to the test before: they are dropped, see exchange.c. */
	sandbox->resets++;
	flow_queue_wake_all(&sandbox->delayed);
	flow_queue_wake_all(&sandbox->held);
	flow_queue_wake_all(&sandbox->changed);
	return admin_say_ok(flow);
}

/* For tests that count: one look after a load instead of a list of all requests. */
static enum flow_status show_stats(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct json_writer writer;
	enum flow_status status;
	struct buf json, part;

	buf_init(&json, 16u << 20);
	buf_init(&part, 16u << 20);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_int(&writer, "requests", requests_total(sandbox->requests));
	json_put_member_int(&writer, "faults_fired", faults_fired(sandbox->faults));
	for (int i = 0; outside_services[i] != NULL; i++) {
		buf_clear(&part);
		outside_services[i]->stats(sandbox->outside[i], &part);
		json_put_member_raw(&writer, outside_services[i]->name, buf_str(&part));
	}
	json_close_object(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	buf_free(&part);
	return status;
}

const struct flow_spec admin_faults_flow = ONE_STEP("faults", list_faults);
const struct flow_spec admin_add_fault_flow = {
	.name = "add_fault",
	.steps = (const struct flow_step[]){{"add_fault", add_fault}, {NULL, NULL}},
	/* The body that the fault shall answer with is copied while it is read. */
	.arena_max_bytes = 8u << 20,
	.deadline_ms = 10000,
};
const struct flow_spec admin_clear_faults_flow = ONE_STEP("clear_faults", clear_faults);
const struct flow_spec admin_reset_flow = ONE_STEP("reset", reset);
const struct flow_spec admin_stats_flow = ONE_STEP("stats", show_stats);
