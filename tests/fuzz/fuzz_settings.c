/*
 * fuzz_settings: any bytes as an enterprise's settings: refused with words, or messages that Telegram
 * takes are made by them.
 */
#include "html.h"
#include "message.h"
#include "message_template.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was checked is shown: for each state of each direction. */
static void show(const struct tenant_settings *settings, struct arena *arena)
{
	struct call call = {.id = 1,
		.external = "+375290000001",
		.line = "0001363",
		.caller = "151",
		.callee = "152",
		.talking = "151",
		.started_ms = 0,
		.ended_ms = 61000};
	const struct message_customer customer = {
		.name = "A & B", .calls = 3, .last_ms = 0, .last_extension = "150"};
	const struct tenant tenant = {.number = "0367",
		.name = "june",
		.locale = "ru",
		.country = "BY",
		.recording_base = "",
		.settings = settings};
	const struct message_view view = {.call = &call,
		.tenant = &tenant,
		.customer = &customer,
		.recording_url = "https://calls.example/1",
		.details_url = ""};

	for (unsigned i = 0; i < 2 * 5 * 4; i++) {
		struct html_text parsed;
		struct buf text;
		call.state = (enum call_state)(i % 5);
		call.direction = (enum call_direction)(i / 5 % 4);
		call.answered = i >= 20;
		buf_init(&text, MESSAGE_MAX_BYTES);
		if (message_render(&view, &text) &&
			(text.failed || !html_parse(buf_str(&text), arena, &parsed, NULL)))
			abort();
		buf_free(&text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tenant_settings settings;
	struct error error = {0};
	struct arena *arena = arena_new(ARENA_BYTES);

	if (tenant_settings_read(str_of((const char *)data, size), arena, &settings, &error))
		show(&settings, arena);
	else if (error.kind != ERROR_INPUT || error.text[0] == '\0')
		abort();
	arena_free(&arena);
	return 0;
}
