/*
 * telegram_update: the other direction of the Bot API: what people do, and what a bot says of itself.
 *
 * Pure, as telegram.h: how requests look, what an update means. Shapes: core.telegram.org/bots/api,
 * #update, #callbackquery, #chatmemberupdated, #setwebhook, #answercallbackquery.
 */
#ifndef CALLWEAVE_TELEGRAM_UPDATE_H
#define CALLWEAVE_TELEGRAM_UPDATE_H

#include "buf.h"
#include "json.h"

/* "https://api.telegram.org" + "/bot<token>/" + method. The result holds a secret. */
void telegram_method_url(
	const char *base, const char *bot_token, const char *method, struct buf *to);

enum update_kind {
	UPDATE_OTHER,	/* nothing that we act upon */
	UPDATE_COMMAND, /* "/start CODE" */
	UPDATE_TEXT,	/* any other text of a private chat */
	UPDATE_PRESS,	/* of a button below a message */
	UPDATE_LEFT,	/* the bot was blocked, or thrown out of a group */
};

/* Strings live in the arena that it was read into. */
struct telegram_update {
	int64_t id;
	enum update_kind kind;
	int64_t chat_id;     /* 0: a press below a message of inline mode */
	int64_t account_id;  /* who did it; 0: a group speaks through an anonymous administrator */
	bool anonymous;	     /* of such an administrator of this very chat */
	struct str command;  /* COMMAND: "start", lower case, without the bot's name */
	struct str bot_name; /* COMMAND: behind the @; empty when none was given */
	struct str argument; /* COMMAND: the rest, trimmed */
	struct str callback_id; /* PRESS */
	struct str data;	/* PRESS */
};

struct telegram_updates {
	struct telegram_update *items;
	size_t count;
};

#define TELEGRAM_UPDATES_AT_ONCE 25
/* The longest answer to getUpdates: each update is far below a megabyte, this many are below it. */
#define TELEGRAM_UPDATES_MAX_BYTES ((size_t)4 << 20)

/* The body of a 2xx to getUpdates. An update of a shape that we do not know is UPDATE_OTHER; false only
 * when the answer itself is not one. */
bool telegram_updates_read(struct str body, struct arena *arena, struct telegram_updates *updates,
	struct error *error);

/* One update as a webhook brings it. */
bool telegram_update_read(
	struct str body, struct arena *arena, struct telegram_update *update, struct error *error);

/* Bodies, appended as JSON. `offset` 0: from the oldest that is not confirmed. */
void telegram_get_updates_body(int64_t offset, int limit, int timeout_s, struct buf *to);
/* One connection at a time, so that updates come in order. */
void telegram_set_webhook_body(const char *url, const char *secret, struct buf *to);
/* `text` is plain, cut after 200 characters (the API's limit); `alert`: a window instead of a notice. */
void telegram_answer_press_body(
	struct str callback_id, struct str text, bool alert, struct buf *to);

struct telegram_command {
	const char *name, *summary;
};
/* `language`: "ru", or "" for everybody else. The list ends with a NULL name. */
void telegram_commands_body(
	const struct telegram_command *commands, const char *language, struct buf *to);

/* "result" of getMe: the bot's name without @. */
bool telegram_me_read(struct str body, struct arena *arena, struct str *username);
/* "result" of getWebhookInfo: where updates go, "" nowhere; why the last delivery failed, or "". */
bool telegram_webhook_read(
	struct str body, struct arena *arena, struct str *url, struct str *trouble);
/* "result" of getChatMember: does this person run the chat? */
bool telegram_member_read(struct str body, struct arena *arena, bool *is_admin);

#endif
