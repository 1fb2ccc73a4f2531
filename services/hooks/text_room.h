/*
 * text_room: what the files of texts and chats share among themselves.
 */
#ifndef HOOKS_TEXT_ROOM_H
#define HOOKS_TEXT_ROOM_H

#include "api_key.h"
#include "hooks.h"
#include "text_came.h"
#include "texts.h"

enum { TEXT_DEADLINE_MS = 14000 }; /* Twilio waits for 15 s */
#define TEXT_ARENA_BYTES ((size_t)8 << 20)

/* Webhooks. */
extern const struct flow_spec text_sms_flow, text_chat_flow, text_status_flow, text_bridge_flow;
/* The API: sending, and what was said. */
extern const struct flow_spec text_send_sms_flow, text_send_chat_flow, text_send_internal_flow;
extern const struct flow_spec text_list_sms_flow, text_list_chat_flow, text_conversations_flow,
	text_conversation_flow, text_threads_flow, text_thread_flow, text_opt_outs_flow,
	text_opt_out_flow, text_chat_status_flow;

#endif
