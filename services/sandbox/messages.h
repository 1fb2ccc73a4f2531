/*
 * messages: what stands in the chats, and how it came to be.
 *
 * Every version of a message is kept, so that tests and people can see what was shown when. The
 * store is bounded: the oldest messages go first, and a message keeps its first version and the
 * latest of the rest.
 */
#ifndef SANDBOX_MESSAGES_H
#define SANDBOX_MESSAGES_H

#include "buf.h"

struct messages;

#define MESSAGES_MAX	      50000
#define MESSAGES_MAX_BYTES    (256u << 20)
#define MESSAGES_MAX_VERSIONS 40

enum message_op { MESSAGE_SEND, MESSAGE_EDIT, MESSAGE_DELETE };

/* What a message says. Empty parts have size 0. */
struct message_text {
	struct str source;   /* as it was sent */
	struct str plain;    /* without markup */
	struct str entities; /* JSON array of MessageEntity, or empty */
	struct str markup;   /* JSON of the keyboard, or empty */
};

struct message_version {
	enum message_op op;
	int64_t at_ms;
	struct message_text text; /* owned */
};

struct message {
	int64_t chat_id, bot_id, message_id;
	int64_t user_id;  /* who wrote it to the bot; 0: the bot did */
	int64_t reply_to; /* 0: none */
	bool silent;
	bool deleted;
	int64_t number;	  /* of messages of all chats, by age */
	int64_t revision; /* of its last change; grows over the whole store */
	struct message_version *versions;
	size_t count;
	struct message *older, *newer;	/* by when it was sent */
	struct message *before, *after; /* by when it changed last */
};

struct messages *messages_new(size_t max_bytes); /* MESSAGES_MAX_BYTES, but in tests */
void messages_free(struct messages **messages);
void messages_clear(struct messages *messages); /* revisions go on growing */

/* A private chat is one per (bot, user); a group (negative id) is one for all bots. */
struct message *messages_find(
	const struct messages *messages, int64_t bot_id, int64_t chat_id, int64_t message_id);

/* Texts are copied. The message stays the store's. */
struct message *messages_send(struct messages *messages, const struct message *head,
	const struct message_text *text, int64_t at_ms);
void messages_edit(struct messages *messages, struct message *message,
	const struct message_text *text, int64_t at_ms);
void messages_delete(struct messages *messages, struct message *message, int64_t at_ms);

/* The text that people see (or saw, before it was deleted). */
const struct message_text *message_current(const struct message *message);
int64_t message_sent_ms(const struct message *message);
int64_t message_edited_ms(const struct message *message); /* 0: never */

const struct message *messages_oldest(const struct messages *messages);	      /* go on by ->newer */
const struct message *messages_last_changed(const struct messages *messages); /* by ->before */
int64_t messages_revision(const struct messages *messages);
int64_t messages_cleared_revision(const struct messages *messages); /* of the last clear; 0: none */
size_t messages_count(const struct messages *messages);

/* Append a message as JSON. */
void message_write(const struct message *message, bool with_history, struct buf *to);

#endif
