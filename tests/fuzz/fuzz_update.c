/*
 * fuzz_update: no bytes in an answer or a webhook may do harm; what is read can be written down.
 */
#include "telegram_update.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct telegram_update *update)
{
	/* Else nobody could be answered, or the wrong one. */
	if (update->kind == UPDATE_PRESS && update->callback_id.size == 0)
		abort();
	if (update->kind == UPDATE_COMMAND &&
		(update->command.size == 0 || update->command.size > 32))
		abort();
	if (update->kind == UPDATE_TEXT && update->chat_id <= 0)
		abort();
	if (!str_is_utf8(update->argument) || !str_is_utf8(update->data))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body = str_of((const char *)data, size);
	struct arena *arena = arena_new((size_t)64 << 20);
	struct telegram_updates updates;
	struct telegram_update update;
	struct str text, more;
	bool flag;
	if (telegram_updates_read(body, arena, &updates, NULL)) {
		for (size_t i = 0; i < updates.count; i++)
			check(&updates.items[i]);
	}
	if (telegram_update_read(body, arena, &update, NULL))
		check(&update);
	(void)telegram_me_read(body, arena, &text);
	(void)telegram_webhook_read(body, arena, &text, &more);
	(void)telegram_member_read(body, arena, &flag);
	arena_free(&arena);
	return 0;
}
