/*
 * engine_script: POST /_sandbox/engine/script: what is heard and said next.
 *
 * {"transcripts":["..."],"answers":[{"text":"...","tool":"transfer","arguments":{...},"think_ms":0}],
 *  "key":"...","beta":false,"whole":false,"pace_ms":0}: replaces the script of before.
 */
#include "engine.h"

#include "alloc.h"

#include <stdlib.h>

struct script_line {
	struct str text, tool;
	const struct json *arguments;
	int64_t think_ms;
};

struct script {
	struct json_strings transcripts;
	struct json_list answers;
	struct str key;
	bool beta, whole;
	int64_t pace_ms;
};

static const struct json_field line_fields[] = {
	JSON_FIELD(struct script_line, text, JSON_STRING, 0),
	JSON_FIELD(struct script_line, tool, JSON_STRING, 0),
	JSON_FIELD(struct script_line, arguments, JSON_RAW, 0),
	JSON_FIELD(struct script_line, think_ms, JSON_INT64, 0),
	{NULL},
};

static const struct json_field script_fields[] = {
	{.name = "transcripts",
		.type = JSON_STRINGS,
		.offset = offsetof(struct script, transcripts),
		.max_count = ENGINE_SCRIPT_MAX},
	{.name = "answers",
		.type = JSON_LIST,
		.offset = offsetof(struct script, answers),
		.fields = line_fields,
		.size_bytes = sizeof(struct script_line),
		.max_count = ENGINE_SCRIPT_MAX},
	JSON_FIELD(struct script, key, JSON_STRING, 0),
	JSON_FIELD(struct script, beta, JSON_BOOL, 0),
	JSON_FIELD(struct script, whole, JSON_BOOL, 0),
	JSON_FIELD(struct script, pace_ms, JSON_INT64, 0),
	{NULL},
};

static char *arguments_text(const struct json *arguments)
{
	struct buf text;
	char *copy;

	buf_init(&text, 16384);
	if (arguments == NULL)
		(void)buf_add(&text, STR("{}"));
	else if (json_kind(arguments) == JSON_TEXT) /* as it is: also what is no JSON */
		(void)buf_add(&text, json_text(arguments));
	else
		json_print(&text, arguments, false);
	copy = alloc_text(buf_str(&text));
	buf_free(&text);
	return copy;
}

static void take(struct engine_world *world, const struct script *script)
{
	const struct script_line *lines = script->answers.items;

	for (size_t i = 0; i < script->transcripts.count; i++)
		world->transcripts[world->transcript_count++] =
			alloc_text(script->transcripts.items[i]);
	for (size_t i = 0; i < script->answers.count; i++) {
		struct engine_line *line = &world->lines[world->line_count++];

		line->text = alloc_text(lines[i].text);
		line->tool = lines[i].tool.size > 0 ? alloc_text(lines[i].tool) : NULL;
		line->arguments = arguments_text(lines[i].arguments);
		line->think_ms = lines[i].think_ms;
	}
	(void)str_copy(world->key, sizeof(world->key), script->key);
	world->beta = script->beta;
	world->whole = script->whole;
	world->pace_ms = script->pace_ms;
}

static enum flow_status set_script(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct engine_world *world = engine_world(sandbox);
	struct script script = {0};
	struct error error;
	struct json *json =
		json_parse(http_request(flow)->body, (struct json_limits){65536, 8}, &error);
	bool good =
		json != NULL && json_read(json, script_fields, &script, flow_arena(flow), &error);

	if (good && (script.pace_ms < 0 || script.pace_ms > 60000))
		good = error_set(&error, ERROR_INPUT, "pace_ms: takes 0 to 60000");
	if (good) {
		engine_forget_script(world);
		take(world, &script);
	}
	json_free(&json);
	return good ? admin_say_ok(flow) : flow_fail_error(flow, &error);
}

const struct flow_spec engine_script_flow = ONE_STEP("script", set_script);
