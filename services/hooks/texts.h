/*
 * texts: texts and chats that come in, for the webhooks that take voice and texts alike.
 *
 * `/webhook` reads the caller, sees a MessageSid, and has two steps in its table:
 *	return await_text_in(flow, &state->caller, &state->text);
 *	return text_in_reply(flow, &state->text);
 */
#ifndef HOOKS_TEXTS_H
#define HOOKS_TEXTS_H

#include "hooks.h"
#include "later.h"

struct text_in {
	struct later_store store;
	struct str reply; /* the keyword's answer, for TwiML; empty: none */
	struct str sid;
	bool twiml; /* answers go out in TwiML; else by the outbox, and the webhook is answered by 204 */
};

/* Stored (message, thread, opt-out, event of the one world) before it goes on. The caller's texts are
 * copied: its pointers need not outlive the wait. */
enum flow_status await_text_in(
	struct flow *flow, const struct hook_caller *caller, struct text_in *text);
/* 200 TwiML or 204; 503 when neither PostgreSQL nor the journal has it. */
enum flow_status text_in_reply(struct flow *flow, struct text_in *text);

#endif
