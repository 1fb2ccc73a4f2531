/*
 * messages: see messages.h. A table by (chat, id) and two lists through the messages: by age, for
 * dropping the oldest; by last change, for telling a page what is new.
 */
#include "messages.h"

#include "alloc.h"
#include "json_put.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Each message is in the table and in both lists, always, and nowhere else: drop() takes it out
 * of all three. */
struct messages {
	struct table *by_key;
	struct message *oldest, *newest;
	struct message *first_changed, *last_changed;
	int64_t revision, cleared_revision, last_number;
	size_t bytes, max_bytes; /* of all versions of all messages */
};

#define KEY_BYTES 80

/* Ids of private chats count per bot, those of groups per group: as on the real server two bots
 * may send a user message 7 each, but a group has one message 7. */
static struct str key_of(int64_t bot_id, int64_t chat_id, int64_t message_id, char to[KEY_BYTES])
{
	int size = snprintf(to, KEY_BYTES, "%" PRId64 ":%" PRId64 "/%" PRId64,
		chat_id < 0 ? 0 : bot_id, chat_id, message_id);

	return str_of(to, (size_t)size);
}

static struct str own(struct str text)
{
	return str_of(text.size > 0 ? alloc_text(text) : NULL, text.size);
}

static void disown(struct str *text)
{
	/* own() made it, so it is ours to free. */
	union {
		const char *read;
		void *memory;
	} owned = {text->data};

	free(owned.memory);
	*text = (struct str){0};
}

/* What a version costs, near enough: the allocator's own share is not counted. */
static size_t text_bytes(const struct message_text *text)
{
	return sizeof(struct message_version) + text->source.size + text->plain.size +
	       text->entities.size + text->markup.size;
}

static void free_version(struct messages *messages, struct message_version *version)
{
	messages->bytes -= text_bytes(&version->text);
	disown(&version->text.source);
	disown(&version->text.plain);
	disown(&version->text.entities);
	disown(&version->text.markup);
}

static void unlink_changed(struct messages *messages, struct message *message)
{
	*(message->before != NULL ? &message->before->after : &messages->first_changed) =
		message->after;
	*(message->after != NULL ? &message->after->before : &messages->last_changed) =
		message->before;
}

static void link_changed(struct messages *messages, struct message *message)
{
	message->revision = ++messages->revision;
	message->before = messages->last_changed;
	message->after = NULL;
	*(message->before != NULL ? &message->before->after : &messages->first_changed) = message;
	messages->last_changed = message;
}

/* `link` is what leads to it from its older neighbour, or the list's own beginning. */
static void drop(struct messages *messages, struct message **link)
{
	struct message *message = *link;
	char key[KEY_BYTES];

	*link = message->newer;
	*(message->newer != NULL ? &message->newer->older : &messages->newest) = message->older;
	table_remove(messages->by_key,
		key_of(message->bot_id, message->chat_id, message->message_id, key));
	unlink_changed(messages, message);
	for (size_t i = 0; i < message->count; i++)
		free_version(messages, &message->versions[i]);
	free(message->versions);
	free(message);
}

/* Room for what came last, at the cost of what is oldest. The message that just changed stays even
 * when it is the oldest: the answer to the bot is still to be written from it. */
static void keep_bounds(struct messages *messages, const struct message *changed)
{
	while (table_count(messages->by_key) > MESSAGES_MAX ||
		messages->bytes > messages->max_bytes) {
		struct message **victim = &messages->oldest;

		if (*victim == changed)
			victim = &messages->oldest->newer;
		if (*victim == NULL)
			return;
		drop(messages, victim);
	}
}

/* The second oldest: how a message began is what people ask for first. */
static void forget_a_version(struct messages *messages, struct message *message)
{
	free_version(messages, &message->versions[1]);
	message->count--;
	memmove(&message->versions[1], &message->versions[2],
		(message->count - 1) * sizeof(message->versions[0]));
}

static void add_version(struct messages *messages, struct message *message, enum message_op op,
	const struct message_text *text, int64_t at_ms)
{
	struct message_version version = {.op = op,
		.at_ms = at_ms,
		.text = {own(text->source), own(text->plain), own(text->entities),
			own(text->markup)}};

	/* After the copies above: the new text may be a part of the version that goes, as when
	 * only the keyboard changes. */
	if (message->count == MESSAGES_MAX_VERSIONS)
		forget_a_version(messages, message);
	message->versions = alloc_resize(
		message->versions, (message->count + 1) * sizeof(message->versions[0]));
	message->versions[message->count++] = version;
	messages->bytes += text_bytes(&version.text);
}

struct messages *messages_new(size_t max_bytes)
{
	struct messages *messages = alloc_zeroed(1, sizeof(*messages));

	messages->max_bytes = max_bytes;
	messages->by_key = table_new();
	return messages;
}

void messages_clear(struct messages *messages)
{
	while (messages->oldest != NULL)
		drop(messages, &messages->oldest);
	/* Revisions never go back, so that a page that waits for a higher one sees the clear as
	 * news. */
	messages->cleared_revision = ++messages->revision;
}

void messages_free(struct messages **messages)
{
	if (*messages == NULL)
		return;
	messages_clear(*messages);
	table_free(&(*messages)->by_key);
	free(*messages);
	*messages = NULL;
}

struct message *messages_find(
	const struct messages *messages, int64_t bot_id, int64_t chat_id, int64_t message_id)
{
	char key[KEY_BYTES];

	return table_get(messages->by_key, key_of(bot_id, chat_id, message_id, key));
}

struct message *messages_send(struct messages *messages, const struct message *head,
	const struct message_text *text, int64_t at_ms)
{
	struct message *message = alloc_zeroed(1, sizeof(*message));
	char key[KEY_BYTES];

	*message = *head;
	message->number = ++messages->last_number;
	table_put(messages->by_key,
		key_of(message->bot_id, message->chat_id, message->message_id, key), message);
	message->older = messages->newest;
	message->newer = NULL;
	*(message->older != NULL ? &message->older->newer : &messages->oldest) = message;
	messages->newest = message;
	add_version(messages, message, MESSAGE_SEND, text, at_ms);
	link_changed(messages, message);
	keep_bounds(messages, message);
	return message;
}

void messages_edit(struct messages *messages, struct message *message,
	const struct message_text *text, int64_t at_ms)
{
	add_version(messages, message, MESSAGE_EDIT, text, at_ms);
	unlink_changed(messages, message);
	link_changed(messages, message);
	keep_bounds(messages, message);
}

void messages_delete(struct messages *messages, struct message *message, int64_t at_ms)
{
	/* A version without text: the history shows the deletion, message_current() what stood
	 * there before. */
	static const struct message_text nothing;

	add_version(messages, message, MESSAGE_DELETE, &nothing, at_ms);
	message->deleted = true;
	unlink_changed(messages, message);
	link_changed(messages, message);
}

const struct message_text *message_current(const struct message *message)
{
	return &message->versions[message->count - 1 - message->deleted].text;
}

int64_t message_sent_ms(const struct message *message)
{
	return message->versions[0].at_ms;
}

int64_t message_edited_ms(const struct message *message)
{
	size_t last = message->count - 1 - message->deleted;

	return last > 0 ? message->versions[last].at_ms : 0;
}

const struct message *messages_oldest(const struct messages *messages)
{
	return messages->oldest;
}

const struct message *messages_last_changed(const struct messages *messages)
{
	return messages->last_changed;
}

int64_t messages_revision(const struct messages *messages)
{
	return messages->revision;
}

int64_t messages_cleared_revision(const struct messages *messages)
{
	return messages->cleared_revision;
}

size_t messages_count(const struct messages *messages)
{
	return table_count(messages->by_key);
}

/* Both forms of the text: `text` is what a test sent, `plain` what a person saw. */
static void write_history(const struct message *message, struct json_writer *writer)
{
	static const char *const ops[] = {
		[MESSAGE_SEND] = "send", [MESSAGE_EDIT] = "edit", [MESSAGE_DELETE] = "delete"};

	json_put_name(writer, "history");
	json_open_array(writer);
	for (size_t i = 0; i < message->count; i++) {
		const struct message_version *version = &message->versions[i];
		json_open_object(writer);
		json_put_member_str(writer, "op", str_from(ops[version->op]));
		json_put_member_str(writer, "text", version->text.source);
		json_put_member_str(writer, "plain", version->text.plain);
		json_put_member_int(writer, "at_ms", version->at_ms);
		json_close_object(writer);
	}
	json_close_array(writer);
}

void message_write(const struct message *message, bool with_history, struct buf *to)
{
	const struct message_text *text = message_current(message);
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_int(&writer, "chat_id", message->chat_id);
	json_put_member_int(&writer, "bot_id", message->bot_id);
	json_put_member_int(&writer, "message_id", message->message_id);
	json_put_member_int(&writer, "user_id", message->user_id);
	json_put_member_str(&writer, "text", text->source);
	json_put_member_str(&writer, "plain", text->plain);
	json_put_member_raw(
		&writer, "entities", text->entities.size > 0 ? text->entities : STR("[]"));
	json_put_member_raw(
		&writer, "reply_markup", text->markup.size > 0 ? text->markup : STR("null"));
	json_put_member_bool(&writer, "deleted", message->deleted);
	json_put_member_bool(&writer, "silent", message->silent);
	json_put_member_int(&writer, "reply_to", message->reply_to);
	json_put_member_int(&writer, "sent_at_ms", message_sent_ms(message));
	json_put_member_int(&writer, "edited_at_ms", message_edited_ms(message));
	json_put_member_int(&writer, "revision", message->revision);
	json_put_member_int(&writer, "versions", (int64_t)message->count);
	if (with_history)
		write_history(message, &writer);
	json_close_object(&writer);
}
