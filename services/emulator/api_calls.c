/*
 * api_calls: a call is ordered, by a script that waits for its end or by a page that follows it.
 * Both start the same run: what a page shows is what a script measures.
 */
#include "emulator.h"

#include "call_form.h"
#include "json_put.h"

#define MINUTE_MS 60000

/* `fill` borrows from the arena and the directory; runs_start() copies, within the same step. */
struct order_call {
	struct args args;
	struct fill fill;
	struct run *run;
};

/* -- understanding the order ------------------------------------------------------------------------- */

/* A number among the parameters, within limits; absent: `fallback`. */
static bool number(
	const struct args *args, const char *name, int64_t fallback, int64_t max, int64_t *value)
{
	*value = fallback;
	if (args_get(args, name).size == 0)
		return true;
	return args_int(args, name, value) && *value >= 0 && *value <= max;
}

static bool read_numbers(struct flow *flow, const struct args *args, struct run_order *order)
{
	const struct emulator *emulator = flow_context(flow);
	int64_t minutes;

	if (!number(args, "speed", emulator->config->speed, EMULATOR_MAX_SPEED, &order->speed) ||
		order->speed == 0) {
		http_reply_detail(flow, 422, "speed: takes 1 to %d", EMULATOR_MAX_SPEED);
		return false;
	}
	if (!number(args, "duration_minutes", -1, 120, &minutes)) {
		http_reply_detail(flow, 422, "duration_minutes: takes 0 to 120");
		return false;
	}
	/* -1 keeps the conversation as long as it was when it was captured. */
	order->talk_ms = minutes >= 0 ? minutes * MINUTE_MS : -1;
	order->manual = str_equal(args_get(args, "mode"), STR("manual"));
	return true;
}

static bool find_pattern(struct flow *flow, const struct args *args, struct run_order *order)
{
	const struct emulator *emulator = flow_context(flow);
	struct str key;
	int64_t id;

	/* Numbers and not keys, as in the old API: 1 to 11 outgoing, 12 to 41 incoming, 42 to 45
	 * internal. */
	if (!args_int(args, "call_type", &id)) {
		http_reply_detail(flow, 422, "call_type: takes 1 to 45");
		return false;
	}
	order->pattern = patterns_find(emulator->patterns, id, &key);
	if (order->pattern != NULL)
		return true;
	/* Known but never captured is another mistake than unknown: 400, as the old API had it. */
	if (key.size == 0)
		http_reply_detail(flow, 422, "call_type: takes 1 to 45");
	else
		http_reply_detail(flow, 400, "no captured sequence for pattern %.*s", STR_ARG(key));
	return false;
}

static bool find_enterprise(struct flow *flow, const struct args *args, struct run_order *order)
{
	struct str name = args_get(args, "enterprise");

	order->enterprise = emulator_find(flow, name);
	if (order->enterprise == NULL)
		return false;
	if (order->enterprise->token.size == 0) {
		http_reply_detail(flow, 400, "У предприятия %.*s нет токена", STR_ARG(name));
		return false;
	}
	return true;
}

/* False: the request is answered. */
static bool begin(struct flow *flow)
{
	struct emulator *emulator = flow_context(flow);
	struct order_call *call = flow_state(flow);
	const struct http_request *request = http_request(flow);
	struct args_source source = {
		request->query, http_request_header(flow, "Content-Type"), request->body};
	struct run_order order = {.fill = &call->fill};
	struct error error;

	if (!args_read(&call->args, &source, flow_arena(flow), &error)) {
		http_reply_detail(flow, 422, "%s", error.text);
		return false;
	}
	if (!find_pattern(flow, &call->args, &order) ||
		!find_enterprise(flow, &call->args, &order) ||
		!read_numbers(flow, &call->args, &order))
		return false;
	if (!form_read(&(struct form_order){&call->args, order.pattern, order.enterprise},
		    flow_arena(flow), &call->fill, &error)) {
		http_reply_detail(flow, 400, "%s", error.text);
		return false;
	}
	call->run = runs_start(emulator->runs, &order, &error);
	/* Busy, not wrong: the same order is fine a minute later. */
	if (call->run == NULL)
		http_reply_detail(flow, 503, "%s", error.text);
	return call->run != NULL;
}

/* -- POST /api/test-call: answered when the call is over -------------------------------------------- */

enum { TEST_BEGIN, TEST_WAIT };

static enum flow_status test_begin(struct flow *flow)
{
	struct order_call *call = flow_state(flow);

	if (!begin(flow))
		return FLOW_END;
	/* From here on the run cannot be forgotten under this flow; let_go() gives it back
	 * however the flow ends. */
	call->run->watchers++;
	return FLOW_NEXT;
}

/* A list of texts, one an event that failed; successful events are not in it. */
static void write_errors(const struct run *run, struct json_writer *writer)
{
	json_put_name(writer, "errors");
	json_open_array(writer);
	for (size_t i = 0; i < run->count; i++) {
		struct buf text;
		if (run->steps[i].error == NULL)
			continue;
		buf_init(&text, 1024);
		buf_printf(&text, "%.*s: %s", STR_ARG(run->steps[i].event), run->steps[i].error);
		json_put_str(writer, buf_str(&text));
		buf_free(&text);
	}
	json_close_array(writer);
}

static void write_result(const struct run *run, struct buf *json)
{
	struct json_writer writer;

	json_begin(&writer, json);
	json_open_object(&writer);
	/* The words of `message` are the same either way: scripts of the old API look at
	 * `success`. */
	json_put_member_bool(&writer, "success", run->state == RUN_DONE && run->failed == 0);
	json_put_member_str(&writer, "message", STR("Тестовый звонок завершен"));
	json_put_name(&writer, "details");
	json_open_object(&writer);
	json_put_member_str(&writer, "unique_id", run_unique_id(run));
	json_put_member_int(&writer, "events_sent", run->sent);
	json_put_member_int(&writer, "events_failed", run->failed);
	write_errors(run, &writer);
	json_close_object(&writer);
	json_close_object(&writer);
}

static enum flow_status test_wait(struct flow *flow)
{
	struct order_call *call = flow_state(flow);
	enum flow_status status;
	struct buf json;

	if (call->run->state == RUN_PLAYING) {
		/* Comes back to this step after each event of the run, until it is over. */
		flow_goto(flow, TEST_WAIT);
		return await_queue(flow, &call->run->changed);
	}
	buf_init(&json, 1 << 20);
	write_result(call->run, &json);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static void let_go(struct flow *flow)
{
	struct order_call *call = flow_state(flow);

	if (call->run != NULL)
		call->run->watchers--;
}

static const struct flow_step test_call_steps[] = {
	[TEST_BEGIN] = {"begin", test_begin},
	[TEST_WAIT] = {"wait", test_wait},
	{NULL, NULL},
};

const struct flow_spec api_test_call_flow = {
	.name = "test_call",
	.steps = test_call_steps,
	.finally = let_go,
	.state_bytes = sizeof(struct order_call),
	/* As long as a run may take: the old API answers when the call is over. */
	.deadline_ms = 4LL * 3600 * 1000,
};

/* -- POST /api/runs: answered at once ------------------------------------------------------------------ */

static enum flow_status start_run(struct flow *flow)
{
	struct order_call *call = flow_state(flow);
	enum flow_status status;
	struct buf json;

	if (!begin(flow))
		return FLOW_END;
	buf_init(&json, 1 << 20);
	run_write(call->run, 0, &json);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static const struct flow_step start_run_steps[] = {{"start_run", start_run}, {NULL, NULL}};

const struct flow_spec api_start_run_flow = {
	.name = "start_run",
	.steps = start_run_steps,
	.state_bytes = sizeof(struct order_call),
	.deadline_ms = 10000,
};
