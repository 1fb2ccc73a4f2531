/*
 * baileys: stands in for baileys-bridge: POST /sendMessage as there, GET /health, and messages that come in.
 *
 * The first secret that is shown is the secret from then on. POST /_sandbox/baileys/messages {"url",
 * "secret", "from", "text", "message_id", "name"} brings a message to hooks as the bridge would, and
 * answers {"status": what hooks answered}.
 */
#include "sandbox.h"
#include "small.h"

#include "alloc.h"
#include "clock.h"
#include "json_put.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct baileys {
	char secret[128];
	unsigned sent;
};

static bool owns(struct str path)
{
	return str_equal(path, STR("/sendMessage")) || str_equal(path, STR("/health"));
}

static void *start(struct sandbox *sandbox)
{
	return alloc_zeroed(1, sizeof(struct baileys));
}

static void reset(void *state)
{
	*(struct baileys *)state = (struct baileys){.sent = 0};
}

static void refuse(struct outside_call *call, int status, const char *words)
{
	struct json_writer json;

	small_begin(call, status, &json);
	json_put_member_bool(&json, "ok", false);
	json_put_member_str(&json, "error", str_from(words));
	small_end(&json);
}

static bool is_let_in(struct baileys *baileys, const struct outside_call *call)
{
	struct str given = http_request_header(call->flow, "X-BAILEYS-SECRET");

	if (baileys->secret[0] == '\0')
		(void)str_copy(baileys->secret, sizeof(baileys->secret), given);
	return given.size > 0 && str_equal(given, str_from(baileys->secret));
}

static void act(void *state, struct outside_call *call)
{
	struct baileys *baileys = state;
	struct json_writer json;
	char id[32];

	if (str_equal(call->path, STR("/health"))) {
		small_begin(call, 200, &json);
		json_put_member_bool(&json, "ok", true);
		json_put_member_bool(&json, "connected", true);
		small_end(&json);
	} else if (!is_let_in(baileys, call)) {
		refuse(call, 403, "Forbidden");
	} else if (args_get(&call->args, "to").size == 0 ||
		   args_get(&call->args, "text").size == 0) {
		refuse(call, 400, "Missing to/text");
	} else {
		snprintf(id, sizeof(id), "3EB0%012u", ++baileys->sent);
		small_begin(call, 200, &json);
		json_put_member_bool(&json, "ok", true);
		json_put_member_str(&json, "message_id", str_from(id));
		small_end(&json);
	}
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	refuse(call, status, words.size > 0 ? words.data : "Socket not connected");
}

static void stats(void *state, struct buf *to)
{
	buf_printf(to, "{\"sent\":%u}", ((const struct baileys *)state)->sent);
}

const struct outside_service baileys_service = {
	.name = "baileys",
	.owns = owns,
	.start = start,
	.stop = free,
	.reset = reset,
	.read = small_read,
	.act = act,
	.refuse = refuse_fault,
	.stats = stats,
};

/* -- messages that come in -------------------------------------------------------------------------- */

struct bring {
	struct str url, secret, from, text, message_id, name, to;
	struct http_call call;
	struct http_answer answer;
};

static const struct json_field bring_fields[] = {
	JSON_FIELD(struct bring, url, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct bring, secret, JSON_STRING, 0),
	JSON_FIELD(struct bring, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct bring, text, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct bring, message_id, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct bring, name, JSON_STRING, 0),
	JSON_FIELD(struct bring, to, JSON_STRING, 0),
	{.name = NULL},
};

static struct str bring_body(struct flow *flow, const struct bring *bring)
{
	struct json_writer json;
	struct buf body;
	struct str text;

	buf_init(&body, (size_t)256 << 10);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "from", bring->from);
	json_put_member_str(&json, "to", bring->to);
	json_put_member_str(&json, "text", bring->text);
	json_put_member_str(&json, "name", bring->name);
	json_put_member_str(&json, "provider", STR("baileys"));
	json_put_member_str(&json, "message_id", bring->message_id);
	json_put_member_int(&json, "timestamp", clock_wall_ms() / 1000);
	json_close_object(&json);
	text = str_of(arena_strndup(flow_arena(flow), body.data, body.size), body.size);
	buf_free(&body);
	return text;
}

static enum flow_status bring_send(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct bring *bring = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct error error;

	if (!admin_read_body(flow, bring_fields, bring, &error))
		return flow_fail_error(flow, &error);
	bring->call = (struct http_call){.method = "POST",
		.url = arena_strndup(arena, bring->url.data, bring->url.size),
		.content_type = "application/json",
		.body = bring_body(flow, bring),
		.headers = {{"X-BAILEYS-SECRET",
			arena_strndup(arena, bring->secret.size > 0 ? bring->secret.data : "",
				bring->secret.size)}}};
	return await_http(flow, sandbox->http, &bring->call, &bring->answer);
}

static enum flow_status bring_answer(struct flow *flow)
{
	struct bring *bring = flow_state(flow);
	struct buf reply;
	enum flow_status done;

	buf_init(&reply, 256);
	buf_printf(&reply, "{\"status\":%d}", bring->answer.status);
	done = http_reply_json(flow, 200, &reply);
	buf_free(&reply);
	return done;
}

static const struct flow_step bring_steps[] = {
	{"send", bring_send},
	{"answer", bring_answer},
	{NULL, NULL},
};

const struct flow_spec baileys_bring_flow = {
	.name = "baileys_bring",
	.steps = bring_steps,
	.state_bytes = sizeof(struct bring),
	.deadline_ms = 20000,
};
