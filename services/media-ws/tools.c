/*
 * tools: what an engine may ask for beside speaking: who the caller is, a text to him, a note for the
 * enterprise. Transfers and goodbyes are bridge_finish().
 *
 * A note becomes an event `text` of the log, channel "voice": people read it as they read texts.
 */
#include "json_put.h"
#include "media_ws.h"

enum {
	TOOL_MS = 8000,
	LOOKUP_MS = 3000,
	TEXT_MAX_BYTES = 4000,
	ANSWER_MAX_BYTES = 64 * 1024,
	ARGUMENTS_MAX_BYTES = 16 * 1024,
	ARGUMENTS_MAX_DEPTH = 8,
	TOOL_ARENA_BYTES = 512 * 1024,
};

struct asked { /* the arguments; which of them a tool reads is its own business */
	struct str phone, to, text;
};

struct tool {
	struct bridge_tool tool; /* first */
	const struct tool_kind *kind;
	struct engine_call call; /* its own copies: a tool outlives its call */
	unsigned note;
	bool too_many, well;
	struct str arguments, answer;
	struct asked asked;
	struct http_answer http;
	struct pg_batch *batch;
};

struct tool_kind {
	const char *name;
	enum flow_status (*begin)(struct flow *flow);
	enum flow_status (*end)(struct flow *flow);
};

static enum flow_status say(struct flow *flow, bool well, const char *words)
{
	struct tool *tool = flow_state(flow);

	tool->well = well;
	tool->answer = str_from(words);
	return FLOW_END;
}

/* -- by HTTP: lookup, text --------------------------------------------------------------------------- */

static enum flow_status post(struct flow *flow, const char *base, const char *path, struct str body)
{
	struct media_ws *media = flow_context(flow);
	struct tool *tool = flow_state(flow);
	struct http_call *call = arena_alloc(flow_arena(flow), sizeof(*call));
	struct str secret = service_internal_secret(media->service);

	*call = (struct http_call){
		.method = "POST",
		.url = arena_printf(flow_arena(flow), "%s%s", base, path),
		.content_type = "application/json",
		.body = body,
		.headers = {{SERVICE_SECRET_HEADER,
				    arena_strndup(flow_arena(flow), secret.data, secret.size)},
			{"X-Request-Id", tool->call.trace}},
		.timeout_ms = LOOKUP_MS,
		.max_answer_bytes = ANSWER_MAX_BYTES,
	};
	return await_http(flow, media->setup.http, call, &tool->http);
}

static enum flow_status read_answer(struct flow *flow)
{
	struct tool *tool = flow_state(flow);

	tool->well = tool->http.reach == HTTP_ANSWERED && tool->http.status < 300;
	tool->answer = tool->http.reach == HTTP_ANSWERED ? tool->http.body
							 : str_from(tool->http.error.text);
	return FLOW_END;
}

static struct buf *body_of(struct flow *flow, struct json_writer *writer)
{
	const struct tool *tool = flow_state(flow);
	struct buf *body = arena_alloc(flow_arena(flow), sizeof(*body));

	buf_init(body, ARGUMENTS_MAX_BYTES * 2);
	json_begin(writer, body);
	json_open_object(writer);
	json_put_member_str(writer, "enterprise", str_from(tool->call.enterprise));
	return body;
}

/* The buffer's bytes, in the arena from here on. */
static struct str whole(struct flow *flow, struct json_writer *writer, struct buf *body)
{
	struct str text;

	json_close_object(writer);
	text = str_of(arena_strndup(flow_arena(flow), body->data, body->size), body->size);
	buf_free(body);
	return text;
}

static enum flow_status begin_lookup(struct flow *flow)
{
	const struct media_ws *media = flow_context(flow);
	struct tool *tool = flow_state(flow);
	struct str phone =
		tool->asked.phone.size > 0 ? tool->asked.phone : str_from(tool->call.peer);
	struct json_writer writer;
	struct buf *body;

	if (phone.size == 0)
		return say(flow, false, "the caller's number is withheld");
	if (media->settings->cache_url[0] == '\0')
		return say(flow, false, "nobody is looked up here");
	body = body_of(flow, &writer);
	json_put_member_str(&writer, "phone", phone);
	return post(flow, media->settings->cache_url, "/lookup", whole(flow, &writer, body));
}

static enum flow_status begin_text(struct flow *flow)
{
	const struct media_ws *media = flow_context(flow);
	struct tool *tool = flow_state(flow);
	struct str to = tool->asked.to.size > 0 ? tool->asked.to : str_from(tool->call.peer);
	struct json_writer writer;
	struct buf *body;

	if (to.size == 0 || tool->asked.text.size == 0 || tool->asked.text.size > TEXT_MAX_BYTES)
		return say(flow, false, "a text needs a number and words");
	if (media->settings->hooks_url[0] == '\0')
		return say(flow, false, "no texts are sent here");
	body = body_of(flow, &writer);
	json_put_member_str(&writer, "to", to);
	json_put_member_str(&writer, "text", tool->asked.text);
	return post(flow, media->settings->hooks_url, "/internal/text", whole(flow, &writer, body));
}

/* -- a note for the enterprise ------------------------------------------------------------------------- */

static const char note_sql[] =
	"SELECT call_event_add($1, $2, 'text', jsonb_build_object('UniqueId', $2::text,"
	" 'Phone', $3::text, 'CallType', 0, 'Trunk', $4::text, 'Channel', 'voice', 'Text', "
	"$5::text), $6)";

static enum flow_status begin_message(struct flow *flow)
{
	struct media_ws *media = flow_context(flow);
	struct tool *tool = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct pg_params *params = arena_alloc(arena, sizeof(*params));

	if (tool->asked.text.size == 0 || tool->asked.text.size > TEXT_MAX_BYTES)
		return say(flow, false, "a message needs words");
	if (tool->call.enterprise[0] == '\0')
		return say(flow, false, "nobody takes messages of a self-test");
	pg_put_text(params, tool->call.enterprise);
	pg_put_text(params, arena_printf(arena, "%s:m%u", tool->call.call_sid, tool->note));
	pg_put_text(params, tool->call.peer);
	pg_put_text(params, tool->call.our_number);
	pg_put_str(params, arena, tool->asked.text);
	pg_put_text(params, tool->call.trace);
	return await_pg_query(flow, media->pg, &tool->batch, note_sql, params);
}

static enum flow_status end_message(struct flow *flow)
{
	struct media_ws *media = flow_context(flow);
	struct tool *tool = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(tool->batch, &error)) {
		log_error(flow_log(flow), "a caller's message is not stored: %s", error.text);
		return say(flow, false, "the message could not be stored");
	}
	(void)redis_publish(media->redis, "callweave:events", str_from(tool->call.enterprise));
	return say(flow, true, "{\"stored\":true}");
}

/* -- every tool ---------------------------------------------------------------------------------------- */

static const struct tool_kind kinds[] = {
	{"lookup", begin_lookup, read_answer},
	{"text", begin_text, read_answer},
	{"message", begin_message, end_message},
};

static const struct tool_kind *find_kind(const char *name)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_equal(str_from(name), str_from(kinds[i].name)))
			return &kinds[i];
	}
	return NULL;
}

static const struct json_field asked_fields[] = {
	JSON_FIELD(struct asked, phone, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct asked, to, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct asked, text, JSON_STRING, JSON_LAX),
	{0},
};

static bool read_arguments(struct flow *flow, struct error *error)
{
	struct tool *tool = flow_state(flow);
	struct json_limits limits = {ARGUMENTS_MAX_BYTES, ARGUMENTS_MAX_DEPTH};
	struct json *document;
	bool well;

	if (tool->arguments.size == 0)
		return true;
	document = json_parse(tool->arguments, limits, error);
	well = document != NULL &&
	       json_read(document, asked_fields, &tool->asked, flow_arena(flow), error);
	json_free(&document);
	return well;
}

static enum flow_status begin(struct flow *flow)
{
	struct tool *tool = flow_state(flow);
	struct error error;

	if (tool->too_many)
		return say(flow, false, "too many tools at once");
	if (tool->kind == NULL)
		return say(flow, false, "no such tool");
	if (!read_arguments(flow, &error))
		return say(flow, false, arena_strdup(flow_arena(flow), error.text));
	return tool->kind->begin(flow);
}

static enum flow_status end(struct flow *flow)
{
	struct tool *tool = flow_state(flow);

	return tool->kind->end(flow);
}

static void tool_over(struct flow *flow)
{
	struct tool *tool = flow_state(flow);
	const struct error *error = flow_error(flow);

	if (error != NULL && error->kind == ERROR_INTERNAL) { /* the process ends */
		bridge_tool_forget(&tool->tool);
		return;
	}
	if (error != NULL)
		(void)say(flow, false, "it took too long");
	bridge_tool_over(&tool->tool, tool->well, tool->answer);
}

static const struct flow_step steps[] = {{"begin", begin}, {"end", end}, {NULL, NULL}};

static const struct flow_spec tool_flow = {
	.name = "tool",
	.steps = steps,
	.finally = tool_over,
	.state_bytes = sizeof(struct tool),
	.arena_max_bytes = TOOL_ARENA_BYTES,
	.deadline_ms = TOOL_MS,
};

static void copy_call(struct engine_call *to, const struct engine_call *call, struct arena *arena)
{
	to->call_sid = arena_strdup(arena, call->call_sid);
	to->enterprise = arena_strdup(arena, call->enterprise);
	to->our_number = arena_strdup(arena, call->our_number);
	to->peer = arena_strdup(arena, call->peer);
	to->trace = arena_strdup(arena, call->trace);
}

struct bridge_tool *tool_start(
	struct bridge *bridge, const char *name, const char *id, struct str arguments)
{
	struct leg *leg = leg_of(bridge);
	struct flow *flow = flow_start(leg->media->loop, &tool_flow, leg->media, &bridge->log);
	struct arena *arena = flow_arena(flow);
	struct tool *tool = flow_state(flow);

	tool->kind = find_kind(name);
	tool->too_many = bridge->tool_count >= BRIDGE_TOOLS;
	tool->note = ++leg->notes;
	tool->tool.id = arena_strdup(arena, id);
	if (arguments.size <= ARGUMENTS_MAX_BYTES)
		tool->arguments = str_of(
			arena_strndup(arena, arguments.data, arguments.size), arguments.size);
	copy_call(&tool->call, bridge->call, arena);
	return &tool->tool;
}
