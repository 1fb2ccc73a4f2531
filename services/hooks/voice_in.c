/*
 * voice_in: a call comes in, by whatever of the paths its number is configured with.
 *
 * Stored before it is answered; answered by what is in memory, so also while PostgreSQL is away: then an
 * agent, who would have to read it there, is replaced by the menu.
 */
#include "clock.h"
#include "repeats.h"
#include "texts.h"
#include "voice.h"

/* -- where it goes ------------------------------------------------------------------------------------- */

struct way {
	enum voice_state state;
	const char *talker; /* whom it rings at; "" nobody */
	bool closed;
	bool information; /* closed, and only that is said */
};

static bool is_open(struct flow *flow, const struct voice *voice)
{
	const struct hooks *hooks = flow_context(flow);
	const struct account *account =
		accounts_find(hooks->accounts, str_from(voice->caller.enterprise));

	return menu_open(voice->menu, clock_wall_ms(), account != NULL ? account->zone : NULL);
}

static struct way way_to_operator(struct flow *flow, const struct voice *voice)
{
	const char *operator= voice_operator(flow, voice, STR(""));

	if (operator== NULL)
		return (struct way){VOICE_VOICEMAIL, "", false, false};
	return (struct way){VOICE_OPERATOR, operator, false, false};
}

static struct way way_of_closed(struct flow *flow, const struct voice *voice)
{
	struct way way = {VOICE_VOICEMAIL, "", true, false};

	switch (menu_closed_does(voice->menu)) {
	case MENU_AGENT:
		way.state = VOICE_STREAM;
		way.talker = "agent";
		break;
	case MENU_OPERATOR:
		way = way_to_operator(flow, voice);
		way.closed = true;
		break;
	case MENU_INFO:
		way.state = VOICE_MENU;
		way.information = true;
		break;
	default:
		break;
	}
	return way;
}

static struct way find_way(struct flow *flow, const struct voice *voice)
{
	const char *kind = voice->number->voice;

	if (strcmp(kind, "agent") == 0)
		return (struct way){VOICE_STREAM, "agent", false, false};
	if (strcmp(kind, "voicemail") == 0)
		return (struct way){VOICE_VOICEMAIL, "", false, false};
	if (!is_open(flow, voice))
		return way_of_closed(flow, voice);
	if (strcmp(kind, "operator") == 0)
		return way_to_operator(flow, voice);
	return (struct way){VOICE_MENU, "", false, false};
}

static void put_way(struct flow *flow, struct voice *voice, const struct way *way, bool token)
{
	if (way->closed)
		voice_phrase(flow, voice, MENU_PHRASE_CLOSED);
	if (way->information)
		voice_put_goodbye(flow, voice);
	else if (way->state == VOICE_STREAM)
		voice_put_stream(flow, voice, token);
	else if (way->state == VOICE_OPERATOR)
		voice_put_dial(flow, voice, way->talker);
	else if (way->state == VOICE_VOICEMAIL)
		voice_put_record(flow, voice, MENU_PHRASE_VOICEMAIL);
	else
		voice_put_menu(flow, voice, STR(""), 1);
}

/* -- the story ------------------------------------------------------------------------------------------- */

struct voice_in {
	struct voice voice;
	struct way way;
};

/* Twilio asks its fallback URL, which may be this one, about any step that failed. What failed later in a
 * call than its beginning must not begin it anew: a message can be left. */
static bool is_fallback_of_later(const struct voice *voice)
{
	struct str url = voice_field(voice, "ErrorUrl");

	if (voice_field(voice, "ErrorCode").size == 0 || url.size == 0)
		return false;
	url = str_cut(&url, '?');
	while (str_ends(url, STR("/")))
		url.size--;
	return !str_ends(url, STR("/incoming_call")) && !str_ends(url, STR("/webhook")) &&
	       !str_ends(url, STR("/webhook.php"));
}

static enum flow_status answer_nobodys(struct flow *flow, struct voice *voice)
{
	struct str to = voice_field(voice, "To");

	log_warn(flow_log(flow), "a call for %.*s: not one of hook_numbers", STR_ARG(to));
	voice_answer(flow, voice);
	twiml_open(&voice->twiml, "Say");
	twiml_attribute(&voice->twiml, "language", STR("en-US"));
	twiml_text(&voice->twiml, STR("This number is not in service."));
	twiml_close(&voice->twiml);
	voice_put_hangup(voice);
	return voice_send(flow, voice);
}

/* Whose call it is is part of it: a CallSid alone proves nothing. */
static struct str repeat_key(struct flow *flow, const struct voice *voice)
{
	return str_from(arena_printf(
		flow_arena(flow), "%s %s %s", voice->caller.enterprise, voice->our, voice->sid));
}

static enum flow_status voice_in_store(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct voice_in *in = flow_state(flow);
	struct voice *voice = &in->voice;
	enum flow_status status;
	struct str before;

	if (!voice_begin(flow, voice, &status))
		return status;
	if (voice->number == NULL)
		return answer_nobodys(flow, voice);
	if (is_fallback_of_later(voice)) {
		in->way = (struct way){VOICE_VOICEMAIL, "", false, false};
		log_warn(flow_log(flow), "Twilio could not go on (%.*s): a message is taken",
			STR_ARG(voice_field(voice, "ErrorCode")));
		return await_voice_move(flow, voice, VOICE_VOICEMAIL, "");
	}
	before = repeats_find(hooks->repeats, repeat_key(flow, voice), loop_now_ms(hooks->loop));
	if (before.size > 0) {
		buf_add(&voice->xml, before);
		return hook_reply_twiml(flow, &voice->xml);
	}
	in->way = find_way(flow, voice);
	return await_voice_start(flow, voice, in->way.state, in->way.talker);
}

static enum flow_status voice_in_answer(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct voice_in *in = flow_state(flow);
	struct voice *voice = &in->voice;

	if (!voice->store.stored)
		log_error(flow_log(flow), "a call is answered that is stored nowhere: %s",
			voice->store.error.text);
	if (in->way.state == VOICE_STREAM && voice->store.batch == NULL)
		in->way = (struct way){VOICE_MENU, "", false, false};
	voice_answer(flow, voice);
	if (voice->number == NULL || is_fallback_of_later(voice)) /* it may be gone just now */
		voice_put_record(flow, voice, MENU_PHRASE_FAILED);
	else
		put_way(flow, voice, &in->way, true);
	twiml_end(&voice->twiml);
	if (!voice->xml.failed && !is_fallback_of_later(voice))
		repeats_keep(hooks->repeats, repeat_key(flow, voice), buf_str(&voice->xml),
			loop_now_ms(hooks->loop));
	return voice_send(flow, voice);
}

static const struct flow_step voice_in_steps[] = {
	{"store", voice_in_store},
	{"answer", voice_in_answer},
	{NULL, NULL},
};

const struct flow_spec voice_in_flow = {
	.name = "voice-in",
	.steps = voice_in_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct voice_in),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};

/* -- what it would hear ----------------------------------------------------------------------------------- */

static const struct hook_number *preview_number(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	size_t first = 0;
	struct str to = voice_query(flow, "To");

	return to.size > 0 ? hook_number_find(hooks, to) : hook_numbers_next(hooks, &first);
}

/* For operators: it names numbers and has no token, so no stream can be opened with it. */
static enum flow_status voice_preview_show(struct flow *flow)
{
	struct voice_in *in = flow_state(flow);
	struct voice *voice = &in->voice;
	const struct hook_number *number = preview_number(flow);

	buf_init(&voice->xml, TWIML_MAX_BYTES);
	if (!hook_is_operator(flow))
		return http_reply_detail(flow, 403, "Forbidden");
	if (number == NULL)
		return http_reply_detail(flow, 404, "no such number");
	voice->our = arena_strdup(flow_arena(flow), number->number);
	voice->caller.enterprise = arena_strdup(flow_arena(flow), number->enterprise);
	voice->sid = arena_printf(
		flow_arena(flow), "CA_PREVIEW_%lld", (long long)(clock_wall_ms() / 1000));
	voice->language = MENU_EN;
	(void)menu_language_from(str_from(number->language), &voice->language);
	voice_answer(flow, voice);
	in->way = find_way(flow, voice);
	put_way(flow, voice, &in->way, false);
	return voice_send(flow, voice);
}

static const struct flow_step voice_preview_steps[] = {
	{"show", voice_preview_show},
	{NULL, NULL},
};

const struct flow_spec voice_preview_flow = {
	.name = "voice-preview",
	.steps = voice_preview_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct voice_in),
	.arena_max_bytes = VOICE_ARENA_BYTES,
	.deadline_ms = VOICE_DEADLINE_MS,
};
