/*
 * api_result: what came of a call: the messages in the chat of the enterprise's owner, asked of the
 * sandbox. Only in development: in production no sandbox is configured, and the page says so.
 */
#include "emulator.h"

#include "json_put.h"
#include "uri.h"

#include <inttypes.h>

/* The page asks every 400 ms and simply asks again. */
#define ASK_TIMEOUT_MS	 5000
#define MAX_ANSWER_BYTES (8u << 20)

struct result {
	int64_t chat_id;
	struct http_call call;
	struct http_answer answer;
};

static enum flow_status ask_sandbox(struct flow *flow)
{
	const struct emulator *emulator = flow_context(flow);
	const struct directory_enterprise *enterprise = emulator_enterprise(flow);
	struct result *result = flow_state(flow);
	struct str since = {0};
	int64_t since_ms = 0;

	if (enterprise == NULL)
		return FLOW_END;
	/* 200 and not 404: the page is to show a hint, not an error. */
	if (emulator->config->sandbox_url[0] == 0 || enterprise->chat_id == 0)
		return http_reply(flow, 200, "application/json", STR("{\"available\":false}"));
	if (uri_query_value(http_request(flow)->query, "since_ms", flow_arena(flow), &since) &&
		!str_to_int64(since, &since_ms))
		return http_reply_detail(flow, 422, "since_ms: not a number");
	/* Copied: the directory may be reloaded while the sandbox is asked. */
	result->chat_id = enterprise->chat_id;
	result->call = (struct http_call){
		.method = "GET",
		.url = arena_printf(flow_arena(flow),
			"%s/_sandbox/telegram/messages?chat_id=%" PRId64 "&since_ms=%" PRId64,
			emulator->config->sandbox_url, result->chat_id, since_ms),
		.timeout_ms = ASK_TIMEOUT_MS,
		.max_answer_bytes = MAX_ANSWER_BYTES,
	};
	return await_http(flow, emulator->http, &result->call, &result->answer);
}

static enum flow_status show_result(struct flow *flow)
{
	struct result *result = flow_state(flow);
	struct json_writer writer;
	enum flow_status status;
	struct buf json;

	if (result->answer.reach != HTTP_ANSWERED || result->answer.status != 200)
		return http_reply_detail(flow, 502, "the sandbox does not answer");
	/* The sandbox's JSON is passed on as it is, unread: both are ours and run in development
	 * only. */
	buf_init(&json, MAX_ANSWER_BYTES + 1024);
	json_begin(&writer, &json);
	json_open_object(&writer);
	json_put_member_bool(&writer, "available", true);
	json_put_member_int(&writer, "chat_id", result->chat_id);
	json_put_member_raw(&writer, "messages", result->answer.body);
	json_close_object(&writer);
	status = http_reply_json(flow, 200, &json);
	buf_free(&json);
	return status;
}

static const struct flow_step result_steps[] = {
	{"ask_sandbox", ask_sandbox},
	{"show_result", show_result},
	{NULL, NULL},
};

const struct flow_spec api_result_flow = {
	.name = "result",
	.steps = result_steps,
	.state_bytes = sizeof(struct result),
	.arena_max_bytes = 16u << 20,
	.deadline_ms = 2LL * ASK_TIMEOUT_MS,
};
