/*
 * engine_options: see engine_options.h.
 */
#include "engine_options.h"

struct phrases {
	const char *language, *name;
	const char *greeting, *filler, *reprompt, *goodbye, *handing_over;
};

/* The first is for any language that has none of its own. */
static const struct phrases all_phrases[] = {
	{"en", "English", "Hello, how can I help you?", "One moment, please.",
		"Are you still there?", "I cannot hear you. Goodbye.",
		"I am putting you through to a colleague."},
	{"fr", "French", "Bonjour, comment puis-je vous aider ?", "Un instant, s'il vous plaît.",
		"Vous êtes toujours là ?", "Je ne vous entends pas. Au revoir.",
		"Je vous passe un collègue."},
	{"ru", "Russian", "Здравствуйте, чем могу помочь?", "Одну минуту, пожалуйста.",
		"Вы ещё на линии?", "Я вас не слышу. До свидания.", "Соединяю вас с сотрудником."},
	{"he", "Hebrew", "שלום, איך אפשר לעזור?", "רגע אחד, בבקשה.", "אתם עדיין על הקו?",
		"אני לא שומע אתכם. להתראות.", "אני מעביר אתכם לנציג."},
};

static const struct phrases *phrases_of(const char *language)
{
	for (size_t i = 0; i < sizeof(all_phrases) / sizeof(all_phrases[0]); i++) {
		if (strcmp(all_phrases[i].language, language) == 0)
			return &all_phrases[i];
	}
	return &all_phrases[0];
}

static const struct json_field option_fields[] = {
	JSON_FIELD(struct engine_options, url, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct engine_options, model, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, realtime_model, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, transcription_model, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, speech_model, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, voice, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, instructions, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, greeting, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, filler, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, reprompt, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, goodbye, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, handing_over, JSON_STRING, 0),
	JSON_FIELD(struct engine_options, silence_ms, JSON_INT64, 0),
	JSON_FIELD(struct engine_options, filler_ms, JSON_INT64, 0),
	JSON_FIELD(struct engine_options, patience_ms, JSON_INT64, 0),
	JSON_FIELD(struct engine_options, speech_hz, JSON_INT64, 0),
	{NULL},
};

static bool url_is_ours(struct str url)
{
	static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (str_starts(url, str_from(schemes[i])) && url.size > strlen(schemes[i]))
			return true;
	}
	return false;
}

static bool check(const struct engine_options *options, struct error *error)
{
	if (!url_is_ours(options->url))
		return error_set(error, ERROR_INPUT, "url: not http, https, ws or wss");
	if (options->instructions.size > 16000)
		return error_set(error, ERROR_INPUT, "instructions: longer than 16000 bytes");
	if (options->silence_ms < 500 || options->silence_ms > 120000)
		return error_set(error, ERROR_INPUT, "silence_ms: takes 500 to 120000");
	if (options->filler_ms < 100 || options->filler_ms > 60000)
		return error_set(error, ERROR_INPUT, "filler_ms: takes 100 to 60000");
	if (options->patience_ms < 200 || options->patience_ms > 60000)
		return error_set(error, ERROR_INPUT, "patience_ms: takes 200 to 60000");
	if (options->speech_hz < 8000 || options->speech_hz > 48000)
		return error_set(error, ERROR_INPUT, "speech_hz: takes 8000 to 48000");
	return true;
}

bool engine_options_read(const struct engine_call *call, struct arena *arena,
	struct engine_options *options, struct error *error)
{
	const struct phrases *phrases = phrases_of(call->language);

	*options = (struct engine_options){
		.model = STR("gpt-4o-mini"),
		.realtime_model = STR("gpt-realtime"),
		.transcription_model = STR("whisper-1"),
		.speech_model = STR("gpt-4o-mini-tts"),
		.voice = STR("alloy"),
		.greeting = str_from(phrases->greeting),
		.filler = str_from(phrases->filler),
		.reprompt = str_from(phrases->reprompt),
		.goodbye = str_from(phrases->goodbye),
		.handing_over = str_from(phrases->handing_over),
		.silence_ms = 8000,
		.filler_ms = 2500,
		.patience_ms = 5000,
		.speech_hz = 24000,
	};
	if (call->config == NULL)
		return error_set(error, ERROR_MISSING, "this engine is not configured");
	return json_read(call->config, option_fields, options, arena, error) &&
	       check(options, error);
}

static struct str without_end(struct str text, struct str end)
{
	return str_ends(text, end) ? str_of(text.data, text.size - end.size) : text;
}

void engine_url(struct buf *to, struct str base, const char *path, bool websocket)
{
	while (str_ends(base, STR("/")))
		base.size--;
	base = without_end(base, STR("/realtime"));
	base = without_end(base, STR("/v1"));
	while (str_ends(base, STR("/")))
		base.size--;
	if (websocket && str_starts(base, STR("http")))
		(void)buf_printf(to, "ws%.*s", (int)(base.size - 4), base.data + 4);
	else if (!websocket && str_starts(base, STR("ws")))
		(void)buf_printf(to, "http%.*s", (int)(base.size - 2), base.data + 2);
	else
		(void)buf_add(to, base);
	(void)buf_printf(to, "/v1%s", path);
}

void engine_instructions(
	struct buf *to, const struct engine_options *options, const struct engine_call *call)
{
	if (options->instructions.size > 0)
		(void)buf_printf(to, "%.*s\n\n", STR_ARG(options->instructions));
	else
		(void)buf_printf(to, "You answer the telephone of a company. Find out what the "
				     "caller wants and help, or take a message.\n\n");
	(void)buf_printf(to,
		"You are heard on a telephone, not read: one or two short sentences, no lists, no "
		"markup, no emoji. Speak %s unless the caller speaks another language. When the "
		"caller asks for a person, or you cannot help, use the tool transfer.",
		phrases_of(call->language)->name);
}
