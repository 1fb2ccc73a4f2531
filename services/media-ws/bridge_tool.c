/*
 * bridge_tool: the list of tools that an engine waits for. What they do is in tools.c.
 *
 * A tool outlives its call: a text that was asked for is sent although the caller has hung up; only the
 * answer has nobody to go to then.
 */
#include "bridge_private.h"

void bridge_tool(struct bridge *bridge, const char *tool, const char *id, struct str arguments,
	bridge_tool_done_fn *done)
{
	struct bridge_tool *begun;

	if (bridge->state != BRIDGE_OPEN)
		return;
	begun = bridge->world->tool(bridge, tool, id, arguments);
	begun->bridge = bridge;
	begun->done = done;
	begun->next = bridge->tools;
	begun->link = &bridge->tools;
	if (begun->next != NULL)
		begun->next->link = &begun->next;
	bridge->tools = begun;
	bridge->tool_count++;
}

void bridge_tool_forget(struct bridge_tool *tool)
{
	if (tool->bridge == NULL)
		return;
	*tool->link = tool->next;
	if (tool->next != NULL)
		tool->next->link = tool->link;
	tool->bridge->tool_count--;
	tool->bridge = NULL;
}

void bridge_forget_tools(struct bridge *bridge)
{
	while (bridge->tools != NULL)
		bridge_tool_forget(bridge->tools);
}

void bridge_tool_over(struct bridge_tool *tool, bool well, struct str answer)
{
	struct bridge *bridge = tool->bridge;

	if (bridge == NULL)
		return;
	bridge_tool_forget(tool);
	if (bridge->state == BRIDGE_OPEN)
		tool->done(bridge->engine, tool->id, well, answer);
	bridge_tell_cuts(bridge);
}
