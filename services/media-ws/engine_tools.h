/*
 * engine_tools: what a model may do beside speaking, as both of OpenAI's wires describe it.
 */
#ifndef MEDIA_WS_ENGINE_TOOLS_H
#define MEDIA_WS_ENGINE_TOOLS_H

#include "bridge.h"

enum engine_tool {
	TOOL_UNKNOWN,
	TOOL_TRANSFER, /* ends the dialogue: engine_tool_outcome() */
	TOOL_HANG_UP,  /* the same */
	TOOL_MESSAGE,  /* these take time: engine_tool_run() */
	TOOL_LOOKUP,
	TOOL_TEXT
};

enum engine_tool_wire { TOOLS_OF_CHAT, TOOLS_OF_REALTIME }; /* inside "function", or flat */

/* The array of `tools`. */
void engine_tools_put(struct json_writer *writer, enum engine_tool_wire wire);

enum engine_tool engine_tool_find(struct str name);

/* Where a call goes after `transfer` or `hang_up`; texts in the arena. False: it is another tool. */
bool engine_tool_outcome(enum engine_tool tool, struct str arguments, struct arena *arena,
	struct engine_outcome *outcome);

/* The others. `done` follows. False with words for the model: arguments that are no JSON object. */
bool engine_tool_run(struct bridge *bridge, enum engine_tool tool, const char *id,
	struct str arguments, bridge_tool_done_fn *done);

#endif
