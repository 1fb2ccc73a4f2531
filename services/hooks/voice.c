/*
 * voice: who calls whom, for every voice webhook.
 */
#include "voice.h"

#include "phone.h"
#include "uri.h"

/* What Twilio puts for a caller who withholds his number
 * (help.twilio.com "Why am I getting calls from these strange numbers"). */
static const char *const hidden_callers[] = {
	"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253", NULL};

static const char *peer_of(struct flow *flow, struct str from, const struct account *account)
{
	char number[PHONE_TEXT_BYTES];

	for (int i = 0; hidden_callers[i] != NULL; i++) {
		if (str_equal(from, str_from(hidden_callers[i])))
			return "";
	}
	if (phone_is_hidden(from) ||
		!phone_e164(from, account != NULL ? account->country : "", number))
		return "";
	return arena_strdup(flow_arena(flow), number);
}

struct str voice_query(struct flow *flow, const char *name)
{
	struct str value;

	if (!uri_query_value(http_request(flow)->query, name, flow_arena(flow), &value))
		return STR("");
	return value;
}

struct str voice_field(const struct voice *voice, const char *name)
{
	return twilio_form_get(&voice->caller.form, name);
}

void voice_look(struct flow *flow, struct voice *voice)
{
	const struct hooks *hooks = flow_context(flow);

	voice->number = hook_number_find(hooks, str_from(voice->our));
	voice->menu = voice->number != NULL ? hook_number_menu(hooks, voice->number) : NULL;
}

static void find_language(struct flow *flow, struct voice *voice)
{
	voice->language = MENU_EN;
	if (voice->number != NULL)
		(void)menu_language_from(str_from(voice->number->language), &voice->language);
	(void)menu_language_from(voice_query(flow, "lang"), &voice->language);
}

/* Of a leg that we dialled, CallSid is its own and ParentCallSid the call's. */
static const char *call_sid(struct flow *flow, const struct voice *voice)
{
	struct str sid = voice_field(voice, "ParentCallSid");

	if (sid.size == 0)
		sid = voice_field(voice, "CallSid");
	return arena_strndup(flow_arena(flow), sid.data, sid.size);
}

bool voice_begin(struct flow *flow, struct voice *voice, enum flow_status *status)
{
	struct error error;

	buf_init(&voice->xml, TWIML_MAX_BYTES);
	if (!hook_caller_read(flow, &voice->caller, &error)) {
		*status = hook_refuse(flow, &error);
		return false;
	}
	voice->sid = call_sid(flow, voice);
	if (voice->sid[0] == '\0' || strlen(voice->sid) > 64) {
		*status = http_reply_detail(flow, 400, "CallSid: missing");
		return false;
	}
	voice->trace = http_request(flow)->trace;
	voice->our = voice->engine = voice->dialogue = "";
	voice->peer = peer_of(flow, voice_field(voice, "From"), voice->caller.account);
	if (voice->caller.number != NULL)
		voice->our = arena_strdup(flow_arena(flow), voice->caller.number->number);
	voice_look(flow, voice);
	find_language(flow, voice);
	return true;
}

void voice_finally(struct flow *flow)
{
	struct voice *voice = flow_state(flow);

	buf_free(&voice->xml);
}

#define VOICE_POST(path, flow)                                                                     \
	{                                                                                          \
		"POST", (path), &(flow), ROUTE_DETACHED                                            \
	}

const struct http_route voice_routes[] = {
	VOICE_POST("/webhook/incoming_call", voice_in_flow),
	{"GET", "/webhook/incoming_call", &voice_in_flow, ROUTE_DETACHED},
	{"GET", "/webhook/incoming_call_preview", &voice_preview_flow, 0},
	VOICE_POST("/webhook", voice_any_flow),
	{"GET", "/webhook", &voice_any_flow, ROUTE_DETACHED},
	VOICE_POST("/webhook.php", voice_any_flow),
	{"GET", "/webhook.php", &voice_any_flow, ROUTE_DETACHED},
	VOICE_POST("/webhook/menu", voice_menu_flow),
	VOICE_POST("/webhook/stream_ended", voice_stream_ended_flow),
	VOICE_POST("/webhook/dial_ended", voice_dial_ended_flow),
	VOICE_POST("/webhook/handle_recording", voice_recording_flow),
	VOICE_POST("/webhook/stream_status", voice_stream_status_flow),
	VOICE_POST("/webhook/dial_status", voice_dial_status_flow),
	VOICE_POST("/webhook/call_status", voice_call_status_flow),
	{NULL},
};
