/*
 * ws_audio: see ws_audio.h. Audio: the caller's mu-law becomes PCM at the engine's rate and its PCM
 * mu-law; who it is and where is this file's business, what it says in words ws_audio_talk.c's.
 */
#include "ws_audio.h"

#include "alloc.h"
#include "mulaw.h"
#include "resample.h"

#include <stdlib.h>

enum { PIECE = 480, OUT_MAX_BYTES = 512 * 1024, CLOSE_NORMAL = 1000 };

/* -- the caller to it ---------------------------------------------------------------------------------- */

static void send_pcm(struct engine *engine, const int16_t *samples, size_t count)
{
	buf_clear(&engine->out);
	for (size_t i = 0; i < count; i++) {
		uint16_t bits = (uint16_t)samples[i];

		(void)buf_add_char(&engine->out, (char)(bits & 0xff));
		(void)buf_add_char(&engine->out, (char)(bits >> 8));
	}
	(void)ws_audio_line_send(engine->line, true, buf_str(&engine->out));
}

static void hear_piece(struct engine *engine, const uint8_t *mulaw, size_t bytes)
{
	int16_t samples[PIECE], resampled[PIECE * 6 + 2];
	size_t count = bytes;

	mulaw_decode_all(mulaw, bytes, samples);
	if (engine->to_it == NULL) {
		send_pcm(engine, samples, count);
		return;
	}
	count = resampler_run(engine->to_it, samples, bytes, resampled);
	send_pcm(engine, resampled, count);
}

static void ws_audio_hear(struct engine *engine, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	if (!engine->ready || !engine->recording)
		return;
	if (engine->mulaw) {
		(void)ws_audio_line_send(engine->line, true, str_of((const char *)mulaw, bytes));
		return;
	}
	for (size_t at = 0; at < bytes; at += PIECE)
		hear_piece(engine, mulaw + at, bytes - at < PIECE ? bytes - at : PIECE);
}

/* -- it to the caller ---------------------------------------------------------------------------------- */

static bool say_samples(struct engine *engine, const int16_t *samples, size_t count)
{
	int16_t resampled[PIECE + 2];
	uint8_t codes[PIECE + 2];

	if (engine->from_it != NULL) {
		count = resampler_run(engine->from_it, samples, count, resampled);
		samples = resampled;
	}
	mulaw_encode_all(samples, count, codes);
	return bridge_say(engine->bridge, codes, count);
}

static int16_t sample_of(unsigned char low, unsigned char high)
{
	return (int16_t)(uint16_t)(low | high << 8);
}

/* A message may end within a sample. */
static bool say_pcm(struct engine *engine, struct str pcm)
{
	const unsigned char *at = (const unsigned char *)pcm.data, *end = at + pcm.size;
	int16_t samples[PIECE];
	size_t count = 0;

	if (engine->has_odd && at < end)
		samples[count++] = sample_of(engine->odd, *at++);
	for (; end - at >= 2; at += 2) {
		samples[count++] = sample_of(at[0], at[1]);
		if (count == PIECE) {
			if (!say_samples(engine, samples, count))
				return false;
			count = 0;
		}
	}
	if (pcm.size > 0)
		engine->has_odd = at < end;
	if (engine->has_odd)
		engine->odd = *at;
	return count == 0 || say_samples(engine, samples, count);
}

void ws_audio_on_message(struct engine *engine, bool binary, struct str payload)
{
	bool said;

	if (!binary) {
		ws_audio_take_text(engine, payload);
		return;
	}
	if (payload.size == 0)
		return;
	engine->talks = true;
	engine->last_said_ms = bridge_now_ms(engine->bridge);
	said = engine->mulaw
		       ? bridge_say(engine->bridge, (const uint8_t *)payload.data, payload.size)
		       : say_pcm(engine, payload);
	if (!said)
		ws_audio_tell_error(engine, "too much audio at once: the rest is dropped");
}

/* -- where it is ----------------------------------------------------------------------------------------- */

void ws_audio_on_open(struct engine *engine)
{
	engine->ready = true;
	ws_audio_say_hello(engine);
}

void ws_audio_attach(struct engine *engine, struct ws_audio_line *line)
{
	engine->line = line;
	ws_audio_wait_no_more(engine->house, str_from(engine->call->call_sid), engine);
	ws_audio_on_open(engine);
}

static void wait_for_it(struct engine *engine)
{
	engine->since_ms = bridge_now_ms(engine->bridge);
	ws_audio_wait(engine->house, str_from(engine->call->call_sid), engine);
}

/* Who comes to us may come again: a restart of the customer's program must not end the call. */
void ws_audio_on_closed(struct engine *engine, int code, const char *words)
{
	engine->line = NULL;
	engine->ready = false;
	if (engine->comes)
		wait_for_it(engine);
	else
		bridge_failed(
			engine->bridge, "the engine's connection ended: %d %.80s", code, words);
}

static void ws_audio_tick(struct engine *engine)
{
	int64_t now = bridge_now_ms(engine->bridge);

	if (engine->talks && now - engine->last_said_ms > WS_AUDIO_PAUSE_MS) {
		(void)bridge_say_end(engine->bridge);
		engine->talks = false;
	}
	if (engine->comes && engine->line == NULL && now - engine->since_ms > WS_AUDIO_COMES_MS)
		bridge_failed(engine->bridge, "no engine came to this call");
}

static bool dial(struct engine *engine, const struct engine_setup *setup, struct str url,
	struct error *error)
{
	char *target_url = alloc_text(url), *bearer = NULL;
	struct websocket_target target = {.url = target_url,
		.timeout_ms = WS_AUDIO_DIAL_MS,
		.deny_private = true,
		.allowed = setup->allowed};
	struct ws_audio_line *line = ws_audio_line_new(engine->house, engine);
	struct websocket_options options = ws_audio_line_options(line);
	struct websocket *socket;
	struct buf words;

	buf_init(&words, 4096);
	if (engine->call->key[0] != '\0' && buf_printf(&words, "Bearer %s", engine->call->key)) {
		bearer = words.data;
		target.headers[0][0] = "Authorization";
		target.headers[0][1] = bearer;
	}
	socket = websocket_connect(setup->loop, &target, &options, error);
	buf_free(&words);
	free(target_url);
	if (socket == NULL) {
		ws_audio_line_drop(line);
		return false;
	}
	ws_audio_line_set(line, socket);
	engine->line = line;
	return true;
}

/* -- life ------------------------------------------------------------------------------------------------ */

static bool read_codec(struct engine *engine, const struct json *config, struct error *error)
{
	struct str codec = json_text(json_member(config, "codec"));
	const struct json *rate = json_member(config, "rate");
	double hz = rate != NULL ? json_number(rate) : 16000;

	engine->mulaw = str_equal(codec, STR("mulaw"));
	if (codec.size > 0 && !engine->mulaw && !str_equal(codec, STR("pcm_s16le")))
		return error_set(error, ERROR_INPUT, "ws-audio: codec: pcm_s16le or mulaw");
	if (hz != 8000 && hz != 16000 && hz != 24000 && hz != 48000)
		return error_set(error, ERROR_INPUT, "ws-audio: rate: 8000, 16000, 24000 or 48000");
	engine->rate = engine->mulaw ? MULAW_HZ : (unsigned)hz;
	if (engine->rate != MULAW_HZ) {
		engine->to_it = resampler_new(MULAW_HZ, engine->rate);
		engine->from_it = resampler_new(engine->rate, MULAW_HZ);
	}
	return true;
}

static void ws_audio_close(struct engine *engine)
{
	ws_audio_wait_no_more(engine->house, str_from(engine->call->call_sid), engine);
	if (engine->line != NULL) {
		ws_audio_tell_end(engine);
		ws_audio_line_leave(engine->line, CLOSE_NORMAL, "the call is over");
	}
	ws_audio_forget_history(engine);
	resampler_free(&engine->to_it);
	resampler_free(&engine->from_it);
	buf_free(&engine->out);
	free(engine);
}

static struct engine *ws_audio_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	struct engine *engine = alloc_zeroed(1, sizeof(*engine));
	struct str url = json_text(json_member(call->config, "url"));

	engine->bridge = bridge;
	engine->house = setup->ws_audio;
	engine->call = call;
	engine->recording = true;
	engine->comes = url.size == 0;
	buf_init(&engine->out, OUT_MAX_BYTES);
	if (!read_codec(engine, call->config, error) ||
		(!engine->comes && !dial(engine, setup, url, error))) {
		ws_audio_close(engine);
		return NULL;
	}
	if (engine->comes)
		wait_for_it(engine);
	return engine;
}

const struct engine_driver ws_audio_engine = {
	.name = "ws-audio",
	.open = ws_audio_open,
	.hear = ws_audio_hear,
	.digit = ws_audio_tell_digit,
	.played = ws_audio_tell_played,
	.close = ws_audio_close,
	.tick = ws_audio_tick,
};
