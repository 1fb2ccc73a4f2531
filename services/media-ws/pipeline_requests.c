/*
 * pipeline_requests: see pipeline_requests.h.
 */
#include "pipeline_requests.h"

#include "engine_tools.h"
#include "json_put.h"
#include "mulaw.h"
#include "wav.h"

#include <stdlib.h>

enum { MAX_REPLY_TOKENS = 300 };

static void put_part(struct buf *to, const char *boundary, const char *name, struct str value)
{
	(void)buf_printf(to, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%.*s\r\n",
		boundary, name, STR_ARG(value));
}

/* 16-bit samples and not mu-law: all servers read those, some only those. */
static void put_wav(struct buf *to, struct str mulaw)
{
	int16_t *samples = malloc(mulaw.size * sizeof(*samples) + 1);

	if (samples == NULL)
		abort();
	mulaw_decode_all((const uint8_t *)mulaw.data, mulaw.size, samples);
	wav_put_pcm(to, samples, mulaw.size, MULAW_HZ);
	free(samples);
}

void pipeline_put_transcription(struct buf *to, const char *boundary,
	const struct engine_options *options, const char *language, struct str mulaw)
{
	put_part(to, boundary, "model", options->transcription_model);
	if (language[0] != '\0')
		put_part(to, boundary, "language", str_from(language));
	put_part(to, boundary, "response_format", STR("json"));
	(void)buf_printf(to,
		"--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"call.wav\"\r\n"
		"Content-Type: audio/wav\r\n\r\n",
		boundary);
	put_wav(to, mulaw);
	(void)buf_printf(to, "\r\n--%s--\r\n", boundary);
}

static void put_message(struct json_writer *writer, const char *role, struct str content)
{
	json_open_object(writer);
	json_put_member_str(writer, "role", str_from(role));
	json_put_member_str(writer, "content", content);
	json_close_object(writer);
}

void pipeline_put_chat(struct buf *to, const struct engine_options *options,
	const struct engine_call *call, const struct history *history)
{
	struct json_writer writer;
	struct buf instructions;

	buf_init(&instructions, 32 * 1024);
	engine_instructions(&instructions, options, call);
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "model", options->model);
	json_put_member_bool(&writer, "stream", true);
	json_put_member_int(&writer, "max_tokens", MAX_REPLY_TOKENS);
	json_put_name(&writer, "messages");
	json_open_array(&writer);
	put_message(&writer, "system", buf_str(&instructions));
	history_put(history, &writer);
	json_close_array(&writer);
	json_put_name(&writer, "tools");
	engine_tools_put(&writer, TOOLS_OF_CHAT);
	json_close_object(&writer);
	buf_free(&instructions);
}

void pipeline_put_speech(struct buf *to, const struct engine_options *options, struct str text)
{
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "model", options->speech_model);
	json_put_member_str(&writer, "voice", options->voice);
	json_put_member_str(&writer, "input", text);
	json_put_member_str(&writer, "response_format", STR("pcm"));
	json_close_object(&writer);
}
