/*
 * engine_tools: see engine_tools.h. The table is all that is told of a tool.
 */
#include "engine_tools.h"

#include "json_put.h"

struct tool_row {
	enum engine_tool tool;
	const char *name, *description;
	const char *bridge_name; /* of bridge_tool(); NULL: ends the dialogue */
	struct {
		const char *name, *description;
		bool required;
	} parameters[3]; /* all are texts */
};

static const struct tool_row tools[] = {
	{TOOL_TRANSFER, "transfer",
		"Put the caller through to a person. Say so first, in the same answer.", NULL,
		{{"to", "Extension or number in E.164; leave out for the operator", false},
			{"reason", "What the caller wants, in a few words", false}}},
	{TOOL_HANG_UP, "hang_up",
		"End the call. Say goodbye first, in the same answer; it is played to its end.",
		NULL, {{"reason", "Why, in a few words", false}}},
	{TOOL_MESSAGE, "take_message", "Leave a message of the caller for the company.", "message",
		{{"text", "The message, with all that was said", true},
			{"name", "Who leaves it", false}}},
	{TOOL_LOOKUP, "lookup_customer", "Who is calling? Name and notes of the caller's number.",
		"lookup", {{NULL}}},
	{TOOL_TEXT, "send_text", "Send a text message (SMS) to the caller's number.", "text",
		{{"text", "The text", true}}},
};
enum { TOOLS = sizeof(tools) / sizeof(tools[0]), PARAMETERS = 3, MAX_ARGUMENTS_BYTES = 8192 };

static void put_parameters(struct json_writer *writer, const struct tool_row *row)
{
	json_put_name(writer, "parameters");
	json_open_object(writer);
	json_put_member_str(writer, "type", STR("object"));
	json_put_name(writer, "properties");
	json_open_object(writer);
	for (unsigned i = 0; i < PARAMETERS && row->parameters[i].name != NULL; i++) {
		json_put_name(writer, row->parameters[i].name);
		json_open_object(writer);
		json_put_member_str(writer, "type", STR("string"));
		json_put_member_str(
			writer, "description", str_from(row->parameters[i].description));
		json_close_object(writer);
	}
	json_close_object(writer);
	json_put_name(writer, "required");
	json_open_array(writer);
	for (unsigned i = 0; i < PARAMETERS && row->parameters[i].name != NULL; i++) {
		if (row->parameters[i].required)
			json_put_str(writer, str_from(row->parameters[i].name));
	}
	json_close_array(writer);
	json_close_object(writer);
}

void engine_tools_put(struct json_writer *writer, enum engine_tool_wire wire)
{
	json_open_array(writer);
	for (unsigned i = 0; i < TOOLS; i++) {
		json_open_object(writer);
		json_put_member_str(writer, "type", STR("function"));
		if (wire == TOOLS_OF_CHAT) {
			json_put_name(writer, "function");
			json_open_object(writer);
		}
		json_put_member_str(writer, "name", str_from(tools[i].name));
		json_put_member_str(writer, "description", str_from(tools[i].description));
		put_parameters(writer, &tools[i]);
		if (wire == TOOLS_OF_CHAT)
			json_close_object(writer);
		json_close_object(writer);
	}
	json_close_array(writer);
}

enum engine_tool engine_tool_find(struct str name)
{
	for (unsigned i = 0; i < TOOLS; i++) {
		if (str_equal(name, str_from(tools[i].name)))
			return tools[i].tool;
	}
	return TOOL_UNKNOWN;
}

static struct json *read_arguments(struct str arguments)
{
	struct json *json = json_parse(arguments.size > 0 ? arguments : STR("{}"),
		(struct json_limits){MAX_ARGUMENTS_BYTES, 4}, NULL);

	if (json != NULL && json_kind(json) != JSON_OBJECT)
		json_free(&json);
	return json;
}

static struct str text_of(const struct json *json, const char *name, struct arena *arena)
{
	struct str text = str_trim(json_text(json_member(json, name)));

	return str_of(arena_strndup(arena, text.size > 0 ? text.data : "", text.size), text.size);
}

/* A model's nonsense among the arguments does not keep a caller from a person: they then count as
 * none. */
bool engine_tool_outcome(enum engine_tool tool, struct str arguments, struct arena *arena,
	struct engine_outcome *outcome)
{
	struct json *json;

	if (tool != TOOL_TRANSFER && tool != TOOL_HANG_UP)
		return false;
	json = read_arguments(arguments);
	*outcome = (struct engine_outcome){
		.end = tool == TOOL_TRANSFER ? ENGINE_TRANSFER : ENGINE_HANGUP,
		.to = json != NULL ? text_of(json, "to", arena) : STR(""),
		.reason = json != NULL ? text_of(json, "reason", arena) : STR(""),
	};
	json_free(&json);
	return true;
}

bool engine_tool_run(struct bridge *bridge, enum engine_tool tool, const char *id,
	struct str arguments, bridge_tool_done_fn *done)
{
	struct json *json = read_arguments(arguments);
	bool good = json != NULL;

	json_free(&json);
	for (unsigned i = 0; good && i < TOOLS; i++) {
		if (tools[i].tool != tool || tools[i].bridge_name == NULL)
			continue;
		bridge_tool(bridge, tools[i].bridge_name, id,
			arguments.size > 0 ? arguments : STR("{}"), done);
		return true;
	}
	return false;
}
