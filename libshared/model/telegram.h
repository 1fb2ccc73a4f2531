/*
 * telegram: the Bot API as pure functions: which request, how it looks, what an answer means.
 *
 * Source: core.telegram.org/bots/api and the error texts of tdlib/telegram-bot-api. No I/O, no
 * clock: waiting, buckets and retries are the dispatcher's.
 */
#ifndef CALLWEAVE_TELEGRAM_H
#define CALLWEAVE_TELEGRAM_H

#include "buf.h"
#include "json.h"

enum telegram_method { TELEGRAM_SEND, TELEGRAM_EDIT, TELEGRAM_DELETE, TELEGRAM_GET_ME };

struct telegram_request {
	enum telegram_method method;
	int64_t chat_id;
	int64_t message_id; /* EDIT, DELETE */
	struct str html;    /* SEND, EDIT */
	struct str
		markup; /* SEND, EDIT: reply_markup as JSON; empty: none, and an edit takes it away */
	bool silent;	/* SEND: disable_notification */
};

/* "https://api.telegram.org" + "/bot<token>/sendMessage". The result holds a secret. */
void telegram_url(
	const char *base, const char *bot_token, enum telegram_method method, struct buf *to);
void telegram_body(const struct telegram_request *request, struct buf *to); /* JSON */

enum telegram_outcome {
	TELEGRAM_DONE,	       /* also "message is not modified" */
	TELEGRAM_SLOW_DOWN,    /* 429: wait retry_after_ms */
	TELEGRAM_MOVED,	       /* the group became a supergroup: new_chat_id */
	TELEGRAM_MESSAGE_GONE, /* to edit or delete: not there any more */
	TELEGRAM_CHAT_CLOSED,  /* 403, chat not found: this subscriber is off */
	TELEGRAM_BOT_REFUSED,  /* 401, 404 on the token: the whole bot is off */
	TELEGRAM_REJECTED,     /* 400 of another kind: the request is wrong, repeating is useless */
	TELEGRAM_TRY_AGAIN,    /* 5xx, unreadable answers to an edit */
	TELEGRAM_UNCLEAR,      /* a 2xx to a send that cannot be read: may have been sent */
};

struct telegram_reply {
	enum telegram_outcome outcome;
	int64_t message_id;	/* DONE of SEND */
	int64_t retry_after_ms; /* SLOW_DOWN; at least 1000 */
	int64_t new_chat_id;	/* MOVED */
	char words[200];	/* the description, for people */
};

void telegram_read(const struct telegram_request *request, int http_status, struct str body,
	struct telegram_reply *reply);

#endif
