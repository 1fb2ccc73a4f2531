/*
 * telegram: the Bot API. What the sandbox's own pages need of it; the rest is in telegram.c.
 */
#ifndef SANDBOX_TELEGRAM_H
#define SANDBOX_TELEGRAM_H

#include "messages.h"
#include "outside.h"
#include "peers.h"
#include "updates.h"

extern const struct outside_service telegram_service;

struct telegram {
	struct messages *messages;
	struct peers *peers;
	struct updates *updates;
	struct rate_limits limits;
};

/* One call of a method: who calls, and where the answer goes. */
struct telegram_call {
	struct telegram *telegram;
	struct outside_call *outside;
	const struct args *args;
	struct bot *bot;
	struct chat *chat; /* after telegram_find_chat() */
};

/* telegram_methods.c: NULL when there is no such method. */
typedef void telegram_method_fn(struct telegram_call *call);
telegram_method_fn *telegram_method(struct str name);

/* telegram_updates.c: the methods by which a bot listens. */
telegram_method_fn *telegram_listening_method(struct str name);
int64_t telegram_hold_ms(struct telegram *telegram, struct outside_call *outside, int64_t bot_id);

/* telegram_methods.c: the chat that a call names, if it is open to bots; else the call is answered. */
bool telegram_find_chat(struct telegram_call *call);

/* telegram_text.c */
bool telegram_read_text(
	struct telegram_call *call, bool is_edit, struct message_text *text, struct error *error);
bool telegram_read_markup(struct telegram_call *call, struct str *markup, struct error *error);

/* telegram_reply.c: exactly one of these answers a call. */
void telegram_reply_raw(struct telegram_call *call, const char *result_json);
void telegram_reply_message(struct telegram_call *call, const struct message *message);
void telegram_reply_me(struct telegram_call *call);
void telegram_reply_chat(struct telegram_call *call);
/* The same shapes inside others. */
struct json_writer;
void telegram_put_chat(struct json_writer *writer, int64_t chat_id);
void telegram_put_user(struct json_writer *writer, int64_t user_id);
void telegram_put_message(struct json_writer *writer, const struct message *message);
/* `words` with its prefix: "Bad Request: chat not found". Returns false, for `return`. */
bool telegram_fail(struct telegram_call *call, int code, const char *words);
bool telegram_fail_migrated(struct telegram_call *call, int64_t to_chat_id);
void telegram_write_error(struct outside_call *outside, int code, struct str words,
	int64_t retry_after_s, int64_t migrate_to);

#endif
