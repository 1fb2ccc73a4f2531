/*
 * pipeline_history: see pipeline_history.h.
 */
#include "pipeline_history.h"

#include "alloc.h"
#include "json_put.h"

#include <stdlib.h>

static void item_free(struct history_item *item)
{
	free(item->text);
	free(item->id);
	free(item->name);
	*item = (struct history_item){0};
}

void history_free(struct history *history)
{
	for (unsigned i = 0; i < history->count; i++)
		item_free(&history->items[i]);
	history->count = 0;
}

static void drop_front(struct history *history, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		item_free(&history->items[i]);
	history->count -= count;
	memmove(&history->items[0], &history->items[count],
		history->count * sizeof(history->items[0]));
}

static unsigned user_items(const struct history *history)
{
	unsigned count = 0;

	for (unsigned i = 0; i < history->count; i++)
		count += history->items[i].kind == HISTORY_USER ? 1 : 0;
	return count;
}

/* Whole turns go, so that no result stands without its call. */
static void drop_turn(struct history *history)
{
	unsigned end = 1;

	while (end < history->count && history->items[end].kind != HISTORY_USER)
		end++;
	drop_front(history, end);
}

static struct history_item *add(struct history *history, enum history_kind kind, struct str text)
{
	struct history_item *item;

	while (history->count > 0 &&
		(user_items(history) > HISTORY_TURNS || history->count >= HISTORY_ITEMS))
		drop_turn(history);
	item = &history->items[history->count++];
	*item = (struct history_item){.kind = kind, .text = alloc_zeroed(1, HISTORY_TEXT_BYTES)};
	(void)str_copy(item->text, HISTORY_TEXT_BYTES, text);
	return item;
}

void history_add_user(struct history *history, struct str text)
{
	struct history_item *last = history->count > 0 ? &history->items[history->count - 1] : NULL;
	size_t used;

	if (text.size == 0)
		return;
	if (last == NULL || last->kind != HISTORY_USER) {
		(void)add(history, HISTORY_USER, text);
		while (user_items(history) > HISTORY_TURNS)
			drop_turn(history);
		return;
	}
	used = strlen(last->text);
	if (used + 2 >= HISTORY_TEXT_BYTES)
		return;
	last->text[used++] = ' ';
	(void)str_copy(last->text + used, HISTORY_TEXT_BYTES - used, text);
}

void history_add_assistant(struct history *history, struct str text)
{
	if (text.size > 0)
		(void)add(history, HISTORY_ASSISTANT, text);
}

void history_add_tool(struct history *history, struct str id, struct str name, struct str arguments,
	struct str result)
{
	struct history_item *item;

	/* Room for both, or dropping the turn for the second would take the first with it. */
	while (history->count + 2 > HISTORY_ITEMS)
		drop_turn(history);
	item = add(history, HISTORY_CALL, arguments.size > 0 ? arguments : STR("{}"));
	item->id = alloc_text(id);
	item->name = alloc_text(name);
	item = add(history, HISTORY_RESULT, result);
	item->id = alloc_text(id);
}

void history_cut_last(struct history *history, struct str heard)
{
	struct history_item *item;

	for (unsigned i = history->count; i > 0; i--) {
		item = &history->items[i - 1];
		if (item->kind != HISTORY_ASSISTANT)
			continue;
		if (heard.size > 0) {
			/* `heard` may be a part of the item itself. */
			char *text = alloc_zeroed(1, HISTORY_TEXT_BYTES);

			(void)str_copy(text, HISTORY_TEXT_BYTES, heard);
			free(item->text);
			item->text = text;
			return;
		}
		item_free(item);
		history->count--;
		memmove(item, item + 1, (history->count - (i - 1)) * sizeof(*item));
		return;
	}
}

static void put_call(const struct history_item *item, struct json_writer *writer)
{
	json_put_member_str(writer, "role", STR("assistant"));
	json_put_name(writer, "content");
	json_put_null(writer);
	json_put_name(writer, "tool_calls");
	json_open_array(writer);
	json_open_object(writer);
	json_put_member_str(writer, "id", str_from(item->id));
	json_put_member_str(writer, "type", STR("function"));
	json_put_name(writer, "function");
	json_open_object(writer);
	json_put_member_str(writer, "name", str_from(item->name));
	json_put_member_str(writer, "arguments", str_from(item->text));
	json_close_object(writer);
	json_close_object(writer);
	json_close_array(writer);
}

void history_put(const struct history *history, struct json_writer *writer)
{
	static const char *const roles[] = {[HISTORY_USER] = "user",
		[HISTORY_ASSISTANT] = "assistant",
		[HISTORY_RESULT] = "tool"};

	for (unsigned i = 0; i < history->count; i++) {
		const struct history_item *item = &history->items[i];

		json_open_object(writer);
		if (item->kind == HISTORY_CALL) {
			put_call(item, writer);
		} else {
			json_put_member_str(writer, "role", str_from(roles[item->kind]));
			if (item->kind == HISTORY_RESULT)
				json_put_member_str(writer, "tool_call_id", str_from(item->id));
			json_put_member_str(writer, "content", str_from(item->text));
		}
		json_close_object(writer);
	}
}
