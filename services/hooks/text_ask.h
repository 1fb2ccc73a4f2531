/*
 * text_ask: a request to send a text: what it asks for, and the document of text_out(). Private to
 * text_send.c and text_ask.c.
 */
#ifndef HOOKS_TEXT_ASK_H
#define HOOKS_TEXT_ASK_H

#include "api_key.h"
#include "args.h"
#include "sender.h"

/* The state of the flow. */
struct text_ask {
	struct api_key key;
	const char *channel;
	bool internal;
	struct args args;
	const char *provider;
	struct pg_batch *batch;
	int64_t message, thread, until_ms;
	bool watching, stored;
	struct sender_wait wait;
};

/* The JSON of what is to be stored, in the flow's arena; sets provider and key.enterprise. False with
 * words: ERROR_INPUT is 400 for who asked. */
bool text_ask_read(
	struct flow *flow, struct text_ask *state, const char **json, struct error *error);

#endif
