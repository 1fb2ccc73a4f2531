/*
 * dialogue_tool: media-ws --check-dialogue FILE, for people who write dialogues.
 */
#ifndef MEDIA_WS_DIALOGUE_TOOL_H
#define MEDIA_WS_DIALOGUE_TOOL_H

/* "-": standard input. Says what is wrong; the exit code: 0 it can be spoken, 1 it cannot. */
int dialogue_tool(const char *path);

#endif
