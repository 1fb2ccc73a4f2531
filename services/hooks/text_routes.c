/*
 * text_routes: all paths of texts and chats. docs/protocol/texts.md is the wire.
 */
#include "text_room.h"

/* Webhooks go on when who asked has gone: the message counts, not the connection. */
const struct http_route text_routes[] = {
	{"POST", "/webhook/sms", &text_sms_flow, ROUTE_DETACHED},
	{"GET", "/webhook/sms", &text_sms_flow, ROUTE_DETACHED},
	{"POST", "/webhook/whatsapp/twilio", &text_chat_flow, ROUTE_DETACHED},
	{"POST", "/webhook/whatsapp/baileys", &text_bridge_flow, ROUTE_DETACHED},
	{"POST", "/webhook/message_status", &text_status_flow, ROUTE_DETACHED},
	{"POST", "/api/sms/send", &text_send_sms_flow, 0},
	{"GET", "/api/sms/messages", &text_list_sms_flow, 0},
	{"POST", "/api/whatsapp/send", &text_send_chat_flow, 0},
	{"GET", "/api/whatsapp/status", &text_chat_status_flow, 0},
	{"GET", "/api/whatsapp/messages", &text_list_chat_flow, 0},
	{"GET", "/api/whatsapp/list", &text_list_chat_flow, 0},
	{"GET", "/api/whatsapp/conversations", &text_conversations_flow, 0},
	{"GET", "/api/whatsapp/conversation/*", &text_conversation_flow, 0},
	{"GET", "/api/threads", &text_threads_flow, 0},
	{"GET", "/api/threads/*", &text_thread_flow, 0},
	{"GET", "/api/opt-outs", &text_opt_outs_flow, 0},
	{"POST", "/api/opt-outs", &text_opt_out_flow, 0},
	{"POST", "/internal/text", &text_send_internal_flow, 0},
	{NULL},
};
