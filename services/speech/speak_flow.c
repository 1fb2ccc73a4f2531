/*
 * speak_flow: POST /speak: a text becomes audio, sentence by sentence, so that the first is heard while
 * the others are still to be spoken. GET /voices says what there is.
 */
#include "speech.h"

#include "clock.h"
#include "json.h"
#include "json_put.h"
#include "wav.h"

#include <stdio.h>

enum {
	SPEAK_READ,
	SPEAK_PIECE,
	SPEAK_OVER,
	PIECE_MAX_BYTES = 1 << 20, /* two minutes of one sentence */
	AUDIO_MAX_BYTES = 4 << 20, /* 8 minutes: SPEECH_MAX_TEXT said slowly */
	SPEAK_DEADLINE_MS = 60000,
};

struct speak {
	bool counted, wav, begun;
	struct str rest;
	struct mouth_order order;
	char voice[MOUTH_VOICE_BYTES];
	struct resampler *resampler;
	struct buf piece; /* of the last sentence; of a file, of all of them */
	int64_t began_us;
};

struct speak_order {
	struct str text, language, voice;
	int64_t rate;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct speak_order, text, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct speak_order, language, JSON_STRING, 0),
	JSON_FIELD(struct speak_order, voice, JSON_STRING, 0),
	JSON_FIELD(struct speak_order, rate, JSON_INT64, 0),
	{0},
};

static size_t characters(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

/* The names of voices become names of files inside espeak-ng. */
static bool is_voice_name(struct str name)
{
	for (size_t i = 0; i < name.size; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+_",
			    name.data[i]) == NULL)
			return false;
	return name.size > 0 && name.size < MOUTH_VOICE_BYTES;
}

static bool choose_voice(struct speak *speak, const struct speak_order *order, struct error *error)
{
	struct str voice = order->voice;

	if (voice.size == 0)
		voice = str_from(
			mouth_voice_of(order->language.size > 0 ? order->language : STR("en")));
	if (voice.size == 0)
		return error_set(error, ERROR_INPUT,
			"language: there is no voice for \"%.*s\", but for en, fr, he and ru",
			STR_ARG(order->language));
	if (!is_voice_name(voice))
		return error_set(error, ERROR_INPUT, "voice: not a name of a voice of espeak-ng");
	(void)str_copy(speak->voice, sizeof(speak->voice), voice);
	speak->order.voice = speak->voice;
	return true;
}

static bool check_order(struct speak *speak, const struct speak_order *order,
	const struct speech *speech, struct error *error)
{
	int64_t rate = order->rate > 0 ? order->rate : speech->config->rate;

	speak->rest = str_trim(order->text);
	if (speak->rest.size == 0)
		return error_set(error, ERROR_INPUT, "text: empty");
	if (characters(speak->rest) > SPEECH_MAX_TEXT)
		return error_set(
			error, ERROR_INPUT, "text: longer than %d characters", SPEECH_MAX_TEXT);
	if (rate < MOUTH_RATE_LEAST || rate > MOUTH_RATE_MOST)
		return error_set(error, ERROR_INPUT, "rate: %d to %d words a minute",
			MOUTH_RATE_LEAST, MOUTH_RATE_MOST);
	speak->order.rate = (int)rate;
	return choose_voice(speak, order, error);
}

static enum flow_status speak_read(struct flow *flow)
{
	struct speak *speak = flow_state(flow);
	struct speech *speech = flow_context(flow);
	const struct json_limits limits = {64 * 1024, 4};
	struct speak_order order = {0};
	struct error error;

	if (speech->speakers >= SPEECH_MAX_REQUESTS) {
		metric_add(speech->refused, 1);
		return flow_fail(
			flow, ERROR_BUSY, "%d texts are being spoken", SPEECH_MAX_REQUESTS);
	}
	speak->counted = true;
	speech->speakers++;
	struct json *json = json_parse(http_request(flow)->body, limits, &error);
	bool ok = json != NULL && json_read(json, fields, &order, flow_arena(flow), &error) &&
		  check_order(speak, &order, speech, &error);
	json_free(&json);
	if (!ok)
		return flow_fail_error(flow, &error);
	struct str accept = http_request_header(flow, "Accept");
	speak->wav = str_starts(accept, STR("audio/wav")) || str_starts(accept, STR("audio/x-wav"));
	speak->began_us = clock_monotonic_us();
	speak->resampler = resampler_new(mouth_hz(speech->mouth), 8000);
	buf_init(&speak->piece, speak->wav ? AUDIO_MAX_BYTES : PIECE_MAX_BYTES);
	return FLOW_NEXT;
}

/* Nothing is sent before the first sentence is there: what fails until then has a status of its own. */
static enum flow_status speak_piece(struct flow *flow)
{
	struct speak *speak = flow_state(flow);
	struct speech *speech = flow_context(flow);
	struct error error;

	if (speak->rest.size == 0)
		return flow_goto(flow, SPEAK_OVER);
	struct str piece = mouth_piece(&speak->rest);
	speak->order.last = speak->rest.size == 0;
	if (!speak->wav)
		buf_clear(&speak->piece);
	if (!mouth_speak(
		    speech->mouth, &speak->order, piece, speak->resampler, &speak->piece, &error))
		return flow_fail_error(flow, &error);
	(void)flow_goto(flow, SPEAK_PIECE);
	if (speak->wav)
		return await_turn(flow);
	if (!speak->begun)
		http_stream_begin(flow, "audio/basic");
	speak->begun = true;
	return await_http_stream(flow, buf_str(&speak->piece));
}

static enum flow_status speak_over(struct flow *flow)
{
	struct speak *speak = flow_state(flow);
	struct speech *speech = flow_context(flow);
	struct buf file;

	metric_observe(
		speech->speak_seconds, (double)(clock_monotonic_us() - speak->began_us) / 1e6);
	if (!speak->wav)
		return FLOW_END;
	buf_init(&file, AUDIO_MAX_BYTES + 64);
	wav_put_mulaw(&file, buf_str(&speak->piece));
	enum flow_status status = http_reply(flow, 200, "audio/wav", buf_str(&file));
	buf_free(&file);
	return status;
}

static void speak_finally(struct flow *flow)
{
	struct speak *speak = flow_state(flow);
	struct speech *speech = flow_context(flow);

	if (speak->counted)
		speech->speakers--;
	resampler_free(&speak->resampler);
	buf_free(&speak->piece);
}

static const struct flow_step speak_steps[] = {
	[SPEAK_READ] = {"read", speak_read},
	[SPEAK_PIECE] = {"piece", speak_piece},
	[SPEAK_OVER] = {"over", speak_over},
	{NULL, NULL},
};

const struct flow_spec speak_flow = {
	.name = "speak",
	.steps = speak_steps,
	.finally = speak_finally,
	.state_bytes = sizeof(struct speak),
	.deadline_ms = SPEAK_DEADLINE_MS,
};

static enum flow_status voices_show(struct flow *flow)
{
	static const char *const languages[] = {"en", "fr", "he", "ru"};
	struct json_writer writer;
	struct buf answer;

	buf_init(&answer, 1024);
	json_begin(&writer, &answer);
	json_open_object(&writer);
	json_put_name(&writer, "speaks");
	json_open_object(&writer);
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		json_put_member_str(
			&writer, languages[i], str_from(mouth_voice_of(str_from(languages[i]))));
	json_close_object(&writer);
	json_put_name(&writer, "hears");
	json_open_array(&writer);
	json_put_str(&writer, STR("en"));
	json_close_array(&writer);
	json_close_object(&writer);
	enum flow_status status = http_reply_json(flow, 200, &answer);
	buf_free(&answer);
	return status;
}

static const struct flow_step voices_steps[] = {{"show", voices_show}, {NULL, NULL}};

const struct flow_spec voices_flow = {
	.name = "voices",
	.steps = voices_steps,
	.deadline_ms = 5000,
};
