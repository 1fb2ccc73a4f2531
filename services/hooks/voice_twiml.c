/*
 * voice_twiml: the parts of which answers to a call are made. Every URL is absolute (P14).
 */
#include "prompts.h"
#include "stream_token.h"
#include "uri.h"
#include "voice.h"

#include "clock.h"

enum { URL_BYTES = 4096, DIAL_SECONDS = 25, MESSAGE_SECONDS = 120, MESSAGE_SILENCE_SECONDS = 5 };

/* Twilio's own voices, where we have no audio of ours. Its basic ones know no Hebrew (13512). */
static const struct {
	const char *language, *voice;
} voices[MENU_LANGUAGES] = {
	[MENU_FR] = {"fr-FR", ""},
	[MENU_HE] = {"he-IL", "Google.he-IL-Wavenet-A"},
	[MENU_RU] = {"ru-RU", ""},
	[MENU_EN] = {"en-US", ""},
};

/* -- URLs ----------------------------------------------------------------------------------------------- */

static struct str url_of(struct flow *flow, const char *path)
{
	struct buf url;
	struct str copy;

	buf_init(&url, URL_BYTES);
	hook_url(flow, path, &url);
	copy = str_of(arena_strndup(flow_arena(flow), url.data, url.size), url.size);
	buf_free(&url);
	return copy;
}

static struct str menu_url(
	struct flow *flow, const struct voice *voice, struct str path, int64_t try)
{
	struct buf encoded;
	const char *tail;

	buf_init(&encoded, URL_BYTES); /* '#' and '*' are keys, too */
	uri_encode(&encoded, path);
	tail = arena_printf(flow_arena(flow), "/webhook/menu?lang=%s&path=%.*s&try=%lld",
		menu_language_name(voice->language), STR_ARG(buf_str(&encoded)), (long long)try);
	buf_free(&encoded);
	return url_of(flow, tail);
}

static struct str dial_url(
	struct flow *flow, const struct voice *voice, const char *path, const char *to)
{
	struct buf encoded;
	const char *tail;

	buf_init(&encoded, URL_BYTES);
	uri_encode(&encoded, str_from(to));
	buf_add(&encoded, STR("&our="));
	uri_encode(&encoded, str_from(voice->our));
	tail = arena_printf(flow_arena(flow), "%s?lang=%s&to=%.*s", path,
		menu_language_name(voice->language), STR_ARG(buf_str(&encoded)));
	buf_free(&encoded);
	return url_of(flow, tail);
}

/* A stream's callback names neither of its numbers: its URL, which is signed, says whose it is. */
static struct str stream_url(struct flow *flow, const struct voice *voice, const char *path)
{
	struct buf our;
	const char *tail;

	buf_init(&our, URL_BYTES);
	uri_encode(&our, str_from(voice->our));
	tail = arena_printf(flow_arena(flow), "%s?lang=%s&our=%.*s", path,
		menu_language_name(voice->language), STR_ARG(buf_str(&our)));
	buf_free(&our);
	return url_of(flow, tail);
}

static struct str language_url(struct flow *flow, const struct voice *voice, const char *path)
{
	return url_of(flow, arena_printf(flow_arena(flow), "%s?lang=%s", path,
				    menu_language_name(voice->language)));
}

/* -- the document ------------------------------------------------------------------------------------------ */

void voice_answer(struct flow *flow, struct voice *voice)
{
	buf_clear(&voice->xml);
	voice_look(flow, voice);
	twiml_begin(&voice->twiml, &voice->xml);
}

enum flow_status voice_send(struct flow *flow, struct voice *voice)
{
	twiml_end(&voice->twiml);
	if (voice->store.batch != NULL)
		world_wake(flow_context(flow));
	return hook_reply_twiml(flow, &voice->xml);
}

static void say_text(struct flow *flow, struct voice *voice, struct str text)
{
	const struct hooks *hooks = flow_context(flow);
	const char *language = menu_language_name(voice->language);
	char name[PROMPT_NAME_BYTES];

	if (text.size == 0)
		return;
	if (hook_prompt_name(hooks, language, text, name)) {
		twiml_open(&voice->twiml, "Play");
		twiml_text(&voice->twiml,
			url_of(flow, arena_printf(flow_arena(flow), "/static/tts/%s", name)));
	} else {
		twiml_open(&voice->twiml, "Say");
		twiml_attribute(&voice->twiml, "voice", str_from(voices[voice->language].voice));
		twiml_attribute(
			&voice->twiml, "language", str_from(voices[voice->language].language));
		twiml_text(&voice->twiml, text);
	}
	twiml_close(&voice->twiml);
}

void voice_say(struct flow *flow, struct voice *voice, const struct menu_text *text)
{
	say_text(flow, voice, menu_text_in(text, voice->language));
}

void voice_phrase(struct flow *flow, struct voice *voice, enum menu_phrase phrase)
{
	if (voice->menu != NULL)
		voice_say(flow, voice, menu_phrase(voice->menu, phrase));
	else
		voice_say(flow, voice, menu_default_phrase(phrase));
}

void voice_put_hangup(struct voice *voice)
{
	twiml_open(&voice->twiml, "Hangup");
	twiml_close(&voice->twiml);
}

void voice_put_goodbye(struct flow *flow, struct voice *voice)
{
	voice_phrase(flow, voice, MENU_PHRASE_GOODBYE);
	voice_put_hangup(voice);
}

/* -- menus -------------------------------------------------------------------------------------------------- */

/* No key in time is the next verb: the menu again, as the next try. */
void voice_put_menu(struct flow *flow, struct voice *voice, struct str path, int64_t try)
{
	const struct menu_node *node = menu_at(voice->menu, path);
	struct twiml *twiml = &voice->twiml;

	if (node == NULL || try > menu_tries(voice->menu)) {
		voice_put_goodbye(flow, voice);
		return;
	}
	twiml_open(twiml, "Gather");
	twiml_attribute(twiml, "action", menu_url(flow, voice, path, try));
	twiml_attribute(twiml, "method", STR("POST"));
	twiml_number(twiml, "numDigits", 1);
	twiml_number(twiml, "timeout", menu_wait_seconds(voice->menu));
	voice_say(flow, voice, &node->prompt);
	twiml_close(twiml);
	twiml_open(twiml, "Redirect");
	twiml_attribute(twiml, "method", STR("POST"));
	twiml_text(twiml, menu_url(flow, voice, path, try + 1));
	twiml_close(twiml);
}

/* -- the stream ------------------------------------------------------------------------------------------------ */

static void put_parameter(struct twiml *twiml, const char *name, struct str value)
{
	if (value.size == 0)
		return;
	twiml_open(twiml, "Parameter");
	twiml_attribute(twiml, "name", str_from(name));
	twiml_attribute(twiml, "value", value);
	twiml_close(twiml);
}

static void put_token(struct flow *flow, struct voice *voice)
{
	const struct hooks *hooks = flow_context(flow);
	char token[STREAM_TOKEN_BYTES];

	stream_token_make(service_internal_secret(hooks->service), str_from(voice->sid),
		clock_wall_ms() + STREAM_TOKEN_VALID_MS, token);
	put_parameter(&voice->twiml, "token", str_from(token));
}

void voice_put_stream(struct flow *flow, struct voice *voice, bool token)
{
	struct twiml *twiml = &voice->twiml;
	struct buf url;

	buf_init(&url, URL_BYTES);
	hook_stream_url(flow, &url);
	twiml_open(twiml, "Connect");
	twiml_attribute(twiml, "action", language_url(flow, voice, "/webhook/stream_ended"));
	twiml_attribute(twiml, "method", STR("POST"));
	twiml_open(twiml, "Stream");
	twiml_attribute(twiml, "url", buf_str(&url));
	twiml_attribute(twiml, "statusCallback", stream_url(flow, voice, "/webhook/stream_status"));
	put_parameter(twiml, "call_sid", str_from(voice->sid));
	if (token)
		put_token(flow, voice);
	twiml_close(twiml);
	twiml_close(twiml);
	buf_free(&url);
}

/* -- people ------------------------------------------------------------------------------------------------------ */

static const char *number_of_extension(
	struct flow *flow, const struct voice *voice, struct str extension)
{
	const struct hooks *hooks = flow_context(flow);
	const struct account *account =
		accounts_find(hooks->accounts, str_from(voice->caller.enterprise));
	const struct account_manager *manager =
		account != NULL ? table_get(account->managers, extension) : NULL;
	char number[PHONE_TEXT_BYTES];

	if (manager == NULL || manager->personal_phone == NULL ||
		!phone_e164(str_from(manager->personal_phone), account->country, number))
		return NULL;
	return arena_strdup(flow_arena(flow), number);
}

const char *voice_operator(struct flow *flow, const struct voice *voice, struct str to)
{
	const char *own = voice->number != NULL ? voice->number->operator: "";
	const char *found = NULL;
	char number[PHONE_TEXT_BYTES];

	to = str_trim(to);
	if (str_starts(to, STR("+")) && phone_e164(to, "", number))
		return arena_strdup(flow_arena(flow), number);
	if (to.size > 0)
		found = number_of_extension(flow, voice, to);
	if (found == NULL && own[0] != '\0')
		found = arena_strdup(flow_arena(flow), own);
	return found;
}

void voice_put_dial(struct flow *flow, struct voice *voice, const char *to)
{
	struct twiml *twiml = &voice->twiml;

	voice_phrase(flow, voice, MENU_PHRASE_HOLD);
	twiml_open(twiml, "Dial");
	twiml_attribute(twiml, "action", dial_url(flow, voice, "/webhook/dial_ended", to));
	twiml_attribute(twiml, "method", STR("POST"));
	twiml_number(twiml, "timeout", DIAL_SECONDS);
	twiml_open(twiml, "Number");
	twiml_attribute(twiml, "statusCallbackEvent", STR("answered"));
	twiml_attribute(twiml, "statusCallback", dial_url(flow, voice, "/webhook/dial_status", to));
	twiml_text(twiml, str_from(to));
	twiml_close(twiml);
	twiml_close(twiml);
}

/* What follows is heard only when nothing was recorded. */
void voice_put_record(struct flow *flow, struct voice *voice, enum menu_phrase before)
{
	struct twiml *twiml = &voice->twiml;
	struct str url = language_url(flow, voice, "/webhook/handle_recording");

	voice_phrase(flow, voice, before);
	twiml_open(twiml, "Record");
	twiml_attribute(twiml, "action", url);
	twiml_attribute(twiml, "method", STR("POST"));
	twiml_number(twiml, "timeout", MESSAGE_SILENCE_SECONDS);
	twiml_attribute(twiml, "finishOnKey", STR("#"));
	twiml_number(twiml, "maxLength", MESSAGE_SECONDS);
	twiml_attribute(twiml, "playBeep", STR("true"));
	twiml_attribute(twiml, "recordingStatusCallback", url);
	twiml_close(twiml);
	voice_put_goodbye(flow, voice);
}
