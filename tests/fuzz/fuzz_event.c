/*
 * fuzz_event: any bytes as the body of any event: read or refused, never more.
 *
 * The first byte chooses the kind of event, the rest is the body.
 */
#include "call_event.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 24, BODY_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct call_event *event)
{
	if (event->extensions.count > CALL_EVENT_MAX_EXTENSIONS)
		abort();
	for (size_t i = 0; i < event->extensions.count; i++) {
		if (event->extensions.items[i].size == 0)
			abort();
	}
	if (!str_is_utf8(event->phone) || !str_is_utf8(event->caller_id_num))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_limits limits = {BODY_BYTES, CALL_EVENT_JSON_DEPTH};
	enum call_event_type type;
	struct call_event event;
	struct error error = {0};
	struct arena *arena;
	struct json *json;

	if (size == 0)
		return 0;
	type = (enum call_event_type)(data[0] % EVENT_TYPES);
	json = json_parse(str_of((const char *)data + 1, size - 1), limits, &error);
	if (json == NULL)
		return 0;
	arena = arena_new(ARENA_BYTES);
	if (call_event_read(type, json, NULL, arena, &event, &error))
		check(&event);
	else if (error.kind != ERROR_INPUT || error.text[0] == '\0')
		abort();
	arena_free(&arena);
	json_free(&json);
	return 0;
}
