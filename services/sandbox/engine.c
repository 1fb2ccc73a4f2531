/*
 * engine: see engine.h. As an outside service it owns the paths, so that faults and lists know it, and
 * refuses what none of its routes takes.
 */
#include "engine.h"

#include "alloc.h"
#include "crypto.h"
#include "json_put.h"

#include <math.h>
#include <stdlib.h>

enum { TONE_LOW_HZ = 400, TONE_STEP_HZ = 60, TONES = 24, CHARACTER_MS = 60, TONE_LEAST_MS = 300 };

void engine_forget_script(struct engine_world *world)
{
	for (unsigned i = 0; i < world->transcript_count; i++)
		free(world->transcripts[i]);
	for (unsigned i = 0; i < world->line_count; i++) {
		free(world->lines[i].text);
		free(world->lines[i].tool);
		free(world->lines[i].arguments);
	}
	world->transcript_count = world->transcript_at = 0;
	world->line_count = world->line_at = 0;
}

static void *start(struct sandbox *sandbox)
{
	struct engine_world *world = alloc_zeroed(1, sizeof(*world));

	world->sandbox = sandbox;
	return world;
}

static void reset(void *state)
{
	struct engine_world *world = state;
	struct sandbox *sandbox = world->sandbox;

	engine_end_sessions(world);
	engine_forget_script(world);
	*world = (struct engine_world){.sandbox = sandbox};
}

static void stop(void *state)
{
	engine_end_sessions(state);
	engine_forget_script(state);
	free(state);
}

static bool owns(struct str path)
{
	return str_starts(path, STR("/v1/audio/")) || str_starts(path, STR("/v1/chat/")) ||
	       str_starts(path, STR("/v1/realtime"));
}

static void read_call(void *state, struct outside_call *call)
{
	call->method = call->http_method;
	call->shown_path = call->path;
}

static void refuse(struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->status = status;
	call->retry_after_s = retry_after_s;
	engine_put_error(&call->reply, status, "", words);
}

static void act(void *state, struct outside_call *call)
{
	refuse(call, 404, 0, STR("Invalid URL"));
}

static void stats(void *state, struct buf *to)
{
	const struct engine_world *world = state;
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_int(&writer, "transcriptions", world->transcriptions);
	json_put_member_int(&writer, "chats", world->chats);
	json_put_member_int(&writer, "speeches", world->speeches);
	json_put_member_int(&writer, "sessions", world->sessions);
	json_put_member_int(&writer, "refused", world->refused);
	json_close_object(&writer);
}

const struct outside_service engine_service = {
	.name = "engine",
	.any_method = true,
	.owns = owns,
	.start = start,
	.stop = stop,
	.reset = reset,
	.read = read_call,
	.act = act,
	.refuse = refuse,
	.stats = stats,
};

struct engine_world *engine_world(struct sandbox *sandbox)
{
	return sandbox->outside[outside_find_name(STR("engine"))];
}

const char *engine_next_transcript(struct engine_world *world)
{
	return world->transcript_at < world->transcript_count
		       ? world->transcripts[world->transcript_at++]
		       : NULL;
}

const struct engine_line *engine_next_line(struct engine_world *world)
{
	return world->line_at < world->line_count ? &world->lines[world->line_at++] : NULL;
}

/* -- sound ----------------------------------------------------------------------------------------- */

int64_t engine_tone_hz(struct str text)
{
	return TONE_LOW_HZ +
	       TONE_STEP_HZ * (int64_t)(crypto_crc32c(0, text.data, text.size) % TONES);
}

int64_t engine_tone_ms(struct str text)
{
	int64_t ms = CHARACTER_MS * (int64_t)text.size;

	return ms > TONE_LEAST_MS ? ms : TONE_LEAST_MS;
}

void engine_put_tone(struct buf *to, struct str text, int64_t hz_of_samples)
{
	int64_t count = engine_tone_ms(text) * hz_of_samples / 1000;
	double step = 2 * M_PI * (double)engine_tone_hz(text) / (double)hz_of_samples;

	for (int64_t i = 0; i < count; i++) {
		int sample = (int)(8000 * sin(step * (double)i));

		(void)buf_add_char(to, (char)(sample & 0xff));
		(void)buf_add_char(to, (char)(sample >> 8 & 0xff));
	}
}

/* -- doors ----------------------------------------------------------------------------------------- */

void engine_put_error(struct buf *to, int status, const char *code, struct str words)
{
	static const struct str usual = {"The server had an error", 23};
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_name(&writer, "error");
	json_open_object(&writer);
	json_put_member_str(&writer, "message", words.size > 0 ? words : usual);
	json_put_member_str(&writer, "type",
		status == 429
			? STR("rate_limit_error")
			: (status < 500 ? STR("invalid_request_error") : STR("server_error")));
	json_put_name(&writer, "param");
	json_put_null(&writer);
	json_put_name(&writer, "code");
	if (code[0] != '\0')
		json_put_str(&writer, str_from(code));
	else
		json_put_null(&writer);
	json_close_object(&writer);
	json_close_object(&writer);
}

bool engine_knows(const struct engine_world *world, struct str authorization)
{
	struct str bearer = STR("Bearer "), key;

	if (!str_starts(authorization, bearer))
		return false;
	key = str_of(authorization.data + bearer.size, authorization.size - bearer.size);
	return key.size > 0 &&
	       (world->key[0] == '\0' || str_equal_secret(key, str_from(world->key)));
}
