/*
 * pipeline_speak: sentences become sound, one request each, in order, and go to the bridge as they
 * come, while the model may still be writing the next ones.
 */
#include "pipeline.h"

#include "pipeline_audio.h"
#include "pipeline_chat.h"
#include "pipeline_requests.h"

enum {
	HEAD_MS = 6000,	  /* until a server begins to speak */
	QUICK_MS = 2000,  /* a failure that is not worth giving up for */
	WHOLE_MS = 60000, /* of one sentence */
	MAX_PCM_BYTES = 48000 * 2 * 60,
	MAX_SOUND_BYTES = 256 * 1024, /* mu-law of one piece */
	MAX_BODY_BYTES = 16 * 1024,
};

/* -- what is said ---------------------------------------------------------------------------------- */

void said_begin(struct said *said)
{
	if (said->text.max_bytes == 0)
		buf_init(&said->text, SAID_BYTES);
	buf_clear(&said->text);
	said->count = said->spoken = said->utterance = 0;
	said->closed = said->remembered = false;
}

void said_free(struct said *said)
{
	buf_free(&said->text);
}

void said_add(struct engine *engine, struct str text)
{
	struct said *said = &engine->said;
	size_t before = said->text.size;

	text = str_trim(text);
	if (text.size == 0 || said->count == SAID_PARTS ||
		before + text.size + 1 > said->text.max_bytes)
		return;
	if (before > 0)
		(void)buf_add_char(&said->text, ' ');
	text_add_spoken(&said->text, text);
	said->parts[said->count].end = said->text.size;
	said->parts[said->count++].ms = 0;
	(void)flow_queue_wake_all(&engine->more);
}

void said_close(struct engine *engine)
{
	engine->said.closed = true;
	(void)flow_queue_wake_all(&engine->more);
}

static struct str part_text(const struct said *said, unsigned part)
{
	size_t begin = part > 0 ? said->parts[part - 1].end : 0;

	return str_of(said->text.data + begin, said->parts[part].end - begin);
}

struct str said_heard(const struct said *said, int64_t played_ms)
{
	size_t heard = 0;

	for (unsigned i = 0; i < said->count && played_ms > 0; i++) {
		struct str words;

		if (i >= said->spoken && said->parts[i].ms == 0)
			break;
		words = text_heard(part_text(said, i), played_ms, said->parts[i].ms);
		heard = (said->parts[i].end - part_text(said, i).size) +
			(words.size > 0 ? (size_t)(words.data + words.size -
						   part_text(said, i).data)
					: 0);
		played_ms -= said->parts[i].ms;
	}
	return str_trim(str_of(said->text.data, heard));
}

/* -- requests -------------------------------------------------------------------------------------- */

void pipeline_call(
	struct engine *engine, struct arena *arena, const char *path, struct http_call *call)
{
	struct buf url;

	buf_init(&url, 4096);
	engine_url(&url, engine->options.url, path, false);
	*call = (struct http_call){
		.method = "POST",
		.url = arena_strndup(arena, url.data, url.size),
		.content_type = "application/json",
		.want_headers = true,
	};
	buf_free(&url);
	if (engine->authorization == NULL)
		return;
	call->headers[0][0] = "Authorization";
	call->headers[0][1] = engine->authorization;
}

bool pipeline_status(const struct http_answer *answer, struct str body, struct error *error)
{
	struct buf words;

	if (answer->reach != HTTP_ANSWERED) {
		*error = answer->error;
		return false;
	}
	if (answer->status >= 200 && answer->status < 300)
		return true;
	if (answer->status == 401 || answer->status == 403) /* servers repeat a part of the key */
		return error_set(error, ERROR_AUTH, "it refuses the key with %d", answer->status);
	buf_init(&words, 512);
	chat_error_words(body, &words);
	(void)error_set(error, ERROR_UPSTREAM, "it answers with %d: %.*s", answer->status,
		STR_ARG(buf_str(&words)));
	buf_free(&words);
	return false;
}

/* Nothing was heard of an answer yet, so nobody notices a second try; but the caller waits: only what
 * failed at once is tried again. */
bool pipeline_retry(const struct http_answer *answer, unsigned *tries)
{
	bool again = answer->reach != HTTP_ANSWERED
			     ? answer->error.kind == ERROR_UPSTREAM
			     : answer->status == 429 || answer->status >= 500;

	return again && answer->took_ms < QUICK_MS && (*tries)++ < 1;
}

/* -- one sentence after the other ------------------------------------------------------------------ */

enum { SPEAK_NEXT, SPEAK_BEGIN, SPEAK_HEAD, SPEAK_PIECE };

struct speaking {
	struct http_call call;
	struct http_answer answer;
	struct http_feed *feed;
	struct buf body, sound; /* request; mu-law of a piece */
	struct pipeline_audio audio;
	unsigned tries;
	bool filler; /* into engine->filler, not to the bridge */
	bool failed;
};

static enum flow_status give_up(struct flow *flow, const struct error *error)
{
	struct speaking *speaking = flow_state(flow);

	speaking->failed = true;
	return flow_fail_error(flow, error);
}

/* The sentence that is next; the flow ends when there is none any more. */
static enum flow_status speak_next(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct said *said = &engine->said;

	if (said->spoken < said->count)
		return FLOW_NEXT;
	if (said->closed)
		return FLOW_END;
	(void)flow_goto(flow, SPEAK_NEXT);
	return await_queue(flow, &engine->more);
}

static enum flow_status speak_begin(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct speaking *speaking = flow_state(flow);

	http_feed_free(&speaking->feed);
	pipeline_audio_free(&speaking->audio);
	pipeline_audio_init(&speaking->audio, (unsigned)engine->options.speech_hz);
	if (speaking->body.max_bytes == 0) {
		buf_init(&speaking->body, MAX_BODY_BYTES);
		buf_init(&speaking->sound, MAX_SOUND_BYTES);
	}
	buf_clear(&speaking->body);
	buf_clear(&speaking->sound);
	pipeline_put_speech(&speaking->body, &engine->options,
		speaking->filler ? engine->options.filler
				 : str_trim(part_text(&engine->said, engine->said.spoken)));
	pipeline_call(engine, flow_arena(flow), "/audio/speech", &speaking->call);
	speaking->call.body = buf_str(&speaking->body);
	speaking->call.timeout_ms = WHOLE_MS;
	speaking->call.head_timeout_ms = HEAD_MS;
	speaking->call.max_answer_bytes = MAX_PCM_BYTES;
	return await_http_begin(
		flow, engine->setup->outside, &speaking->call, &speaking->answer, &speaking->feed);
}

/* Text instead of sound would be noise in the caller's ear. */
static bool is_sound(const struct http_answer *answer, struct error *error)
{
	for (unsigned i = 0; i < answer->header_count; i++) {
		struct str value = answer->headers[i].value;

		if (!str_equal_nocase(answer->headers[i].name, STR("Content-Type")))
			continue;
		if (str_starts(value, STR("text/")) || str_starts(value, STR("application/json")) ||
			str_starts(value, STR("audio/mp")))
			return error_set(error, ERROR_UPSTREAM, "it sends %.*s instead of samples",
				STR_ARG(value));
	}
	return true;
}

static enum flow_status speak_head(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct speaking *speaking = flow_state(flow);
	struct error error;

	if (pipeline_status(&speaking->answer, (struct str){0}, &error) &&
		is_sound(&speaking->answer, &error))
		return await_http_piece(flow, speaking->feed, engine->options.patience_ms);
	if (pipeline_retry(&speaking->answer, &speaking->tries))
		return flow_goto(flow, SPEAK_BEGIN);
	log_warn(bridge_log(engine->bridge), "speech: %s", error.text);
	return give_up(flow, &error);
}

static void pass_on(struct engine *engine, struct speaking *speaking)
{
	struct said *said = &engine->said;
	struct str sound = buf_str(&speaking->sound);

	if (sound.size == 0)
		return;
	if (speaking->filler) {
		(void)buf_add(&engine->filler, sound);
	} else {
		pipeline_audible(engine);
		/* A full queue is two minutes of speech: nobody listens to the rest. */
		if (bridge_say(engine->bridge, (const uint8_t *)sound.data, sound.size))
			said->parts[said->spoken].ms += (int64_t)sound.size / MULAW_BYTES_MS;
	}
	buf_clear(&speaking->sound);
}

static enum flow_status speak_over(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct speaking *speaking = flow_state(flow);
	struct error error = speaking->answer.error;

	if (speaking->answer.reach != HTTP_ANSWERED)
		return give_up(flow, &error);
	if (!pipeline_audio_end(&speaking->audio, &speaking->sound, &error))
		return give_up(flow, &error);
	pass_on(engine, speaking);
	speaking->tries = 0;
	if (speaking->filler)
		return FLOW_END;
	engine->said.spoken++;
	return flow_goto(flow, SPEAK_NEXT);
}

static enum flow_status speak_piece(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct speaking *speaking = flow_state(flow);
	struct error error;

	if (http_feed_over(speaking->feed))
		return speak_over(flow);
	if (!pipeline_audio_take(
		    &speaking->audio, http_feed_piece(speaking->feed), &speaking->sound, &error))
		return give_up(flow, &error);
	pass_on(engine, speaking);
	(void)flow_goto(flow, SPEAK_PIECE);
	return await_http_piece(flow, speaking->feed, engine->options.patience_ms);
}

static void speaking_free(struct speaking *speaking)
{
	http_feed_free(&speaking->feed);
	pipeline_audio_free(&speaking->audio);
	buf_free(&speaking->body);
	buf_free(&speaking->sound);
}

static void speak_done(struct flow *flow)
{
	struct engine *engine = flow_context(flow);
	struct speaking *speaking = flow_state(flow);

	if (speaking->failed)
		pipeline_failed(engine, "speech", flow_error(flow));
	speaking_free(speaking);
}

static const struct flow_step speak_steps[] = {
	[SPEAK_NEXT] = {"next", speak_next},
	[SPEAK_BEGIN] = {"begin", speak_begin},
	[SPEAK_HEAD] = {"head", speak_head},
	[SPEAK_PIECE] = {"piece", speak_piece},
	{NULL, NULL},
};

const struct flow_spec pipeline_speak_flow = {
	.name = "speak",
	.steps = speak_steps,
	.finally = speak_done,
	.state_bytes = sizeof(struct speaking),
	.deadline_ms = FLOW_FOREVER, /* each request has one */
};

/* -- the filler ------------------------------------------------------------------------------------ */

static enum flow_status filler_start(struct flow *flow)
{
	struct speaking *speaking = flow_state(flow);

	speaking->filler = true;
	return FLOW_NEXT;
}

/* Without it a long thought is silent, which is no reason to end the call. */
static void filler_done(struct flow *flow)
{
	struct engine *engine = flow_context(flow);

	engine->preparing = NULL;
	speaking_free(flow_state(flow));
}

static const struct flow_step filler_steps[] = {
	[SPEAK_NEXT] = {"start", filler_start},
	[SPEAK_BEGIN] = {"begin", speak_begin},
	[SPEAK_HEAD] = {"head", speak_head},
	[SPEAK_PIECE] = {"piece", speak_piece},
	{NULL, NULL},
};

const struct flow_spec pipeline_filler_flow = {
	.name = "filler",
	.steps = filler_steps,
	.finally = filler_done,
	.state_bytes = sizeof(struct speaking),
	.deadline_ms = 30000,
};
