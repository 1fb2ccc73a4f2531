/*
 * sender_send: one message on its way. Private to sender_send.c and sender_record.c.
 */
#ifndef HOOKS_SENDER_SEND_H
#define HOOKS_SENDER_SEND_H

#include "sender.h"

struct send_state {
	struct sender *sender;
	struct text_message message;
	const struct text_provider *provider;
	struct text_access access;
	struct json *media, *template;
	struct http_call call;
	struct http_answer answer;
	struct text_result result;
	struct pg_array candidates;
	struct pg_batch *batch;
};

/* Put what is to be written down into state->batch. */
void sender_record(struct flow *flow, struct send_state *state);

#endif
