/*
 * updates: a list for each bot, a list of presses, a table of members.
 */
#include "updates.h"

#include "alloc.h"
#include "json_put.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The real server begins anywhere; a client that takes 0 for "nothing yet" shall not be spared. */
#define FIRST_UPDATE 730000000
#define FIRST_PRESS  4382000000000

struct updates {
	struct table *listeners, *members;
	struct press *first, **last; /* oldest first */
	size_t presses;
	int64_t last_press;
};

struct updates *updates_new(void)
{
	struct updates *updates = alloc_zeroed(1, sizeof(*updates));

	updates->listeners = table_new();
	updates->members = table_new();
	updates->last = &updates->first;
	updates->last_press = FIRST_PRESS;
	return updates;
}

/* -- updates ---------------------------------------------------------------------------------------- */

static void drop_first(struct listener *listener)
{
	struct update *update = listener->first;

	listener->first = update->next;
	if (listener->first == NULL)
		listener->last = &listener->first;
	listener->count--;
	free(update->json);
	free(update);
}

static void listener_free(struct listener *listener)
{
	while (listener->first != NULL)
		drop_first(listener);
	free(listener->webhook);
	free(listener->secret);
	free(listener->trouble);
	free(listener);
}

struct listener *updates_of(struct updates *updates, int64_t bot_id)
{
	struct listener *listener;
	char key[24];

	snprintf(key, sizeof(key), "%" PRId64, bot_id);
	listener = table_get(updates->listeners, str_from(key));
	if (listener != NULL)
		return listener;
	listener = alloc_zeroed(1, sizeof(*listener));
	listener->bot_id = bot_id;
	listener->last_id = FIRST_UPDATE;
	listener->last = &listener->first;
	table_put(updates->listeners, str_from(key), listener);
	return listener;
}

int64_t updates_add(struct listener *listener, struct str member)
{
	struct update *update = alloc_zeroed(1, sizeof(*update));
	struct buf json;

	update->id = ++listener->last_id;
	buf_init(&json, member.size + 64);
	buf_printf(&json, "{\"update_id\":%" PRId64 ",%.*s}", update->id, STR_ARG(member));
	update->json = alloc_text(buf_str(&json));
	buf_free(&json);
	*listener->last = update;
	listener->last = &update->next;
	if (++listener->count > UPDATES_MAX)
		drop_first(listener);
	return update->id;
}

void updates_confirm(struct listener *listener, int64_t offset)
{
	if (offset < 0) {
		while (listener->count > (size_t)-offset)
			drop_first(listener);
		return;
	}
	while (listener->first != NULL && listener->first->id < offset)
		drop_first(listener);
}

static void replace(char **text, struct str with)
{
	free(*text);
	*text = with.size > 0 ? alloc_text(with) : NULL;
}

void listener_set_webhook(struct listener *listener, struct str url, struct str secret)
{
	replace(&listener->webhook, url);
	replace(&listener->secret, secret);
	replace(&listener->trouble, (struct str){0});
}

void listener_set_trouble(struct listener *listener, const char *words)
{
	replace(&listener->trouble, str_from(words));
}

bool updates_next_sender(struct updates *updates, struct flow **sender)
{
	size_t at = 0;
	void *value;

	while (table_next(updates->listeners, &at, NULL, &value)) {
		const struct listener *listener = value;
		*sender = listener->sender;
		if (*sender != NULL)
			return true;
	}
	return false;
}

/* -- presses ---------------------------------------------------------------------------------------- */

static void drop_oldest_press(struct updates *updates)
{
	struct press *press = updates->first;

	updates->first = press->next;
	if (updates->first == NULL)
		updates->last = &updates->first;
	updates->presses--;
	free(press->data);
	free(press->text);
	free(press);
}

struct press *updates_press(struct updates *updates, const struct press *like, struct str data)
{
	struct press *press = alloc_zeroed(1, sizeof(*press));

	*press = *like;
	press->number = ++updates->last_press;
	press->data = alloc_text(data);
	*updates->last = press;
	updates->last = &press->next;
	if (++updates->presses > UPDATES_PRESSES)
		drop_oldest_press(updates);
	return press;
}

struct press *updates_find_press(struct updates *updates, int64_t number)
{
	for (struct press *at = updates->first; at != NULL; at = at->next) {
		if (at->number == number)
			return at;
	}
	return NULL;
}

static void write_press(const struct press *press, struct json_writer *writer)
{
	char id[24];

	snprintf(id, sizeof(id), "%" PRId64, press->number);
	json_open_object(writer);
	json_put_member_str(writer, "callback_query_id", str_from(id));
	json_put_member_int(writer, "bot_id", press->bot_id);
	json_put_member_int(writer, "chat_id", press->chat_id);
	json_put_member_int(writer, "message_id", press->message_id);
	json_put_member_int(writer, "user_id", press->user_id);
	json_put_member_str(writer, "data", str_from(press->data));
	json_put_member_int(writer, "at_ms", press->at_ms);
	json_put_member_int(writer, "answered_ms", press->answered_ms);
	json_put_name(writer, "text");
	if (press->text != NULL)
		json_put_str(writer, str_from(press->text));
	else
		json_put_null(writer);
	json_put_member_bool(writer, "alert", press->alert);
	json_close_object(writer);
}

void updates_write_presses(const struct updates *updates, int64_t number, struct buf *to)
{
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_array(&writer);
	for (const struct press *at = updates->first; at != NULL; at = at->next) {
		if (number == 0 || at->number == number)
			write_press(at, &writer);
	}
	json_close_array(&writer);
}

/* -- members ---------------------------------------------------------------------------------------- */

/* #chatmember: what a person can be in a chat. */
static const char *const statuses[] = {
	"creator", "administrator", "member", "restricted", "left", "kicked"};

static void member_key(int64_t chat_id, int64_t user_id, char key[64])
{
	snprintf(key, 64, "%" PRId64 ":%" PRId64, chat_id, user_id);
}

const char *updates_member(const struct updates *updates, int64_t chat_id, int64_t user_id)
{
	char key[64];
	const char *status;

	member_key(chat_id, user_id, key);
	status = table_get(updates->members, str_from(key));
	return status != NULL ? status : "member";
}

bool updates_set_member(
	struct updates *updates, int64_t chat_id, int64_t user_id, struct str status)
{
	char key[64];

	member_key(chat_id, user_id, key);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (!str_equal(status, str_from(statuses[i])))
			continue;
		if (table_count(updates->members) >= UPDATES_MEMBERS)
			return false;
		free(table_put(updates->members, str_from(key), alloc_text(status)));
		return true;
	}
	return false;
}

void updates_free(struct updates **updates)
{
	size_t at = 0;
	void *value;

	while ((*updates)->first != NULL)
		drop_oldest_press(*updates);
	while (table_next((*updates)->listeners, &at, NULL, &value))
		listener_free(value);
	for (at = 0; table_next((*updates)->members, &at, NULL, &value);)
		free(value);
	table_free(&(*updates)->listeners);
	table_free(&(*updates)->members);
	free(*updates);
	*updates = NULL;
}
