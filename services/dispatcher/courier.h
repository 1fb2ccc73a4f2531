/*
 * courier: the flow that carries a chat's deliveries to Telegram, one at a time.
 */
#ifndef DISPATCHER_COURIER_H
#define DISPATCHER_COURIER_H

#include "http_client.h"
#include "outbox.h"
#include "telegram.h"

/* One request and what came of it. */
struct errand {
	enum errand_kind kind;
	struct telegram_request request;
	int version; /* of the call's state that it shows */
	bool final;
	struct http_answer answer;
};

/* Something waits in this chat: start its courier, or wake it. */
void couriers_kick(struct dispatcher *d, struct chat *chat);

/* outcome.c: what an answer means for the delivery, its chat and its bot. */
void outcome_apply(struct dispatcher *d, struct delivery *delivery, const struct errand *errand);

/* Nothing can be sent through that bot for now: the delivery is dead. */
void outcome_bot_off(struct dispatcher *d, struct delivery *delivery);

/* Nothing may be sent to that chat any more: the delivery is dead. */
void outcome_no_recipient(struct dispatcher *d, struct delivery *delivery, const char *words);

/* subscription.c: NULL when the chat may get a new message of that enterprise, else why not. */
const char *subscription_why_not(const struct dispatcher *d, const struct delivery *delivery);
/* Write down, and try until it is written: a chat is closed to a bot, or moved. */
void subscription_close(struct dispatcher *d, struct chat *chat, const char *words);
void subscription_move(struct dispatcher *d, struct chat *chat, int64_t to);

/* probe.c: ask getMe until it answers; then new messages of that bot go on. */
struct bot;
void bot_doubt(struct dispatcher *d, struct bot *bot);

#endif
