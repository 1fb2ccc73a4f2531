/*
 * ws_audio_line: sockets of customers' engines, and the calls that wait for one.
 *
 * An engine whose call is over is told so and its socket is closed in good order, which takes a moment
 * longer than the call: so a line lives on its own.
 */
#include "alloc.h"
#include "table.h"
#include "ws_audio.h"

#include <stdlib.h>

enum { MAX_MESSAGE_BYTES = 512 * 1024, MAX_OUTPUT_BYTES = 512 * 1024 };

struct ws_audio_line {
	struct ws_audio_house *house;
	struct engine *engine; /* NULL: its call is over */
	struct websocket *socket;
	struct ws_audio_line *next, **link;
};

struct ws_audio_house {
	struct table *waiting; /* call_sid -> struct engine */
	struct ws_audio_line *lines;
};

struct ws_audio_house *ws_audio_house_new(void)
{
	struct ws_audio_house *house = alloc_zeroed(1, sizeof(*house));

	house->waiting = table_new();
	return house;
}

static void line_free(struct ws_audio_line *line)
{
	*line->link = line->next;
	if (line->next != NULL)
		line->next->link = line->link;
	websocket_free(&line->socket);
	free(line);
}

void ws_audio_house_free(struct ws_audio_house **house)
{
	for (struct ws_audio_line *line = (*house)->lines, *next; line != NULL; line = next) {
		next = line->next;
		websocket_free(&line->socket);
		free(line);
	}
	table_free(&(*house)->waiting);
	free(*house);
	*house = NULL;
}

struct engine *ws_audio_waiting(const struct ws_audio_house *house, struct str call_sid)
{
	return table_get(house->waiting, call_sid);
}

void ws_audio_wait(struct ws_audio_house *house, struct str call_sid, struct engine *engine)
{
	(void)table_put(house->waiting, call_sid, engine);
}

void ws_audio_wait_no_more(
	struct ws_audio_house *house, struct str call_sid, const struct engine *engine)
{
	if (table_get(house->waiting, call_sid) == engine)
		(void)table_remove(house->waiting, call_sid);
}

/* -- a line ---------------------------------------------------------------------------------------- */

struct ws_audio_line *ws_audio_line_new(struct ws_audio_house *house, struct engine *engine)
{
	struct ws_audio_line *line = alloc_zeroed(1, sizeof(*line));

	line->house = house;
	line->engine = engine;
	line->next = house->lines;
	line->link = &house->lines;
	if (line->next != NULL)
		line->next->link = &line->next;
	house->lines = line;
	return line;
}

static void on_open(void *context)
{
	struct ws_audio_line *line = context;

	if (line->engine != NULL)
		ws_audio_on_open(line->engine);
}

static void on_message(void *context, bool binary, struct str payload)
{
	struct ws_audio_line *line = context;

	if (line->engine != NULL)
		ws_audio_on_message(line->engine, binary, payload);
}

static void on_closed(void *context, int code, const char *words)
{
	struct ws_audio_line *line = context;
	struct engine *engine = line->engine;

	line->engine = NULL;
	if (engine != NULL)
		ws_audio_on_closed(engine, code, words != NULL ? words : "");
	line_free(line);
}

struct websocket_options ws_audio_line_options(struct ws_audio_line *line)
{
	static const struct websocket_handler handler = {
		.open = on_open,
		.message = on_message,
		.closed = on_closed,
	};

	return (struct websocket_options){
		.handler = &handler,
		.context = line,
		.max_message_bytes = MAX_MESSAGE_BYTES,
		.max_output_bytes = MAX_OUTPUT_BYTES,
		.log = *bridge_log(line->engine->bridge),
	};
}

void ws_audio_line_set(struct ws_audio_line *line, struct websocket *socket)
{
	line->socket = socket;
}

void ws_audio_line_drop(struct ws_audio_line *line)
{
	line_free(line);
}

bool ws_audio_line_send(struct ws_audio_line *line, bool binary, struct str payload)
{
	return websocket_send(line->socket, binary, payload);
}

void ws_audio_line_leave(struct ws_audio_line *line, int code, const char *words)
{
	line->engine = NULL;
	websocket_close(line->socket, code, words);
}
