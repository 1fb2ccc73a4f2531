/*
 * twilio_script: a caller without a person. Its clock is the call's: a frame is 20 ms.
 */
#include "twilio_script.h"

#include "twilio_store.h"

#include <stdlib.h>

#define MOST_MS	   30000 /* that an `until` waits when nothing else is said */
#define KEY_GAP_MS 120	 /* between two keys */

void script_init(struct script *script)
{
	TAILQ_INIT(&script->steps);
	script->heard_ms = -1;
	script->key_ms = -KEY_GAP_MS;
}

static void free_step(struct script_step *step)
{
	free(step->text);
	free(step->mulaw);
	free(step);
}

void script_clear(struct script *script)
{
	struct script_step *at = TAILQ_FIRST(&script->steps), *next;

	for (; at != NULL; at = next) {
		next = TAILQ_NEXT(at, link);
		free_step(at);
	}
	TAILQ_INIT(&script->steps);
	script->count = 0;
}

/* The step that is to be played; what was over in the last frame goes. */
static struct script_step *current(struct script *script)
{
	struct script_step *step = TAILQ_FIRST(&script->steps), *next;

	if (step == NULL || step->ms >= 0)
		return step;
	next = TAILQ_NEXT(step, link);
	TAILQ_REMOVE(&script->steps, step, link);
	script->count--;
	free_step(step);
	return next;
}

bool script_is_done(const struct script *script)
{
	return TAILQ_EMPTY(&script->steps);
}

/* -- reading ----------------------------------------------------------------------------------------- */

struct step_input {
	int64_t wait_ms, ms, most_ms;
	struct str say_file, dtmf, speech, until, name;
	bool hangup;
};

static const struct json_field step_fields[] = {
	JSON_FIELD(struct step_input, wait_ms, JSON_INT64, 0),
	JSON_FIELD(struct step_input, ms, JSON_INT64, 0),
	JSON_FIELD(struct step_input, most_ms, JSON_INT64, 0),
	JSON_FIELD(struct step_input, say_file, JSON_STRING, 0),
	JSON_FIELD(struct step_input, dtmf, JSON_STRING, 0),
	JSON_FIELD(struct step_input, speech, JSON_STRING, 0),
	JSON_FIELD(struct step_input, until, JSON_STRING, 0),
	JSON_FIELD(struct step_input, name, JSON_STRING, 0),
	JSON_FIELD(struct step_input, hangup, JSON_BOOL, 0),
	{NULL},
};

static const struct {
	const char *name;
	enum script_kind kind;
} untils[] = {
	{"heard_voice", SCRIPT_VOICE},
	{"heard_silence", SCRIPT_SILENCE},
	{"verb", SCRIPT_VERB},
	{"stream", SCRIPT_STREAM},
};

static bool read_until(
	const struct step_input *input, struct script_step *step, struct error *error)
{
	for (size_t i = 0; i < sizeof(untils) / sizeof(untils[0]); i++) {
		if (!str_equal(input->until, str_from(untils[i].name)))
			continue;
		step->kind = untils[i].kind;
		step->ms = input->ms > 0 ? input->ms : 600;
		step->most_ms = input->most_ms > 0 ? input->most_ms : MOST_MS;
		step->text = alloc_text(input->name);
		return true;
	}
	return error_set(
		error, ERROR_INPUT, "until: heard_voice, heard_silence, verb and stream are known");
}

static bool read_keys(struct str keys, struct script_step *step, struct error *error)
{
	for (size_t i = 0; i < keys.size; i++) {
		if (strchr("0123456789*#ABCD", keys.data[i]) == NULL)
			return error_set(error, ERROR_INPUT, "dtmf: 0-9 * # A-D");
	}
	step->kind = SCRIPT_DTMF;
	step->text = alloc_text(keys);
	return true;
}

static bool read_file(
	const struct twilio *twilio, struct str name, struct script_step *step, struct error *error)
{
	const struct twilio_file *file = twilio_file_find(twilio, name);

	if (file == NULL)
		return error_set(
			error, ERROR_INPUT, "say_file: there is no file %.*s", STR_ARG(name));
	step->kind = SCRIPT_SAY;
	step->text = alloc_text(name);
	step->mulaw = alloc_zeroed(1, file->bytes + 1);
	memcpy(step->mulaw, file->mulaw, file->bytes);
	step->bytes = file->bytes;
	return true;
}

static bool read_step(const struct twilio *twilio, const struct step_input *input,
	struct script_step *step, struct error *error)
{
	step->begun_ms = -1;
	if (input->say_file.size > 0)
		return read_file(twilio, input->say_file, step, error);
	if (input->dtmf.size > 0)
		return read_keys(input->dtmf, step, error);
	if (input->until.size > 0)
		return read_until(input, step, error);
	if (input->speech.size > 0) {
		step->kind = SCRIPT_SPEECH;
		step->text = alloc_text(input->speech);
	} else if (input->hangup) {
		step->kind = SCRIPT_HANGUP;
	} else if (input->wait_ms > 0) {
		step->kind = SCRIPT_WAIT;
		step->ms = input->wait_ms;
	} else {
		return error_set(error, ERROR_INPUT,
			"a step is wait_ms, say_file, dtmf, speech, until or hangup");
	}
	return true;
}

static bool add_one(struct script *script, const struct twilio *twilio, const struct json *json,
	struct error *error)
{
	struct arena *arena = arena_new(1u << 20);
	struct script_step *step = alloc_zeroed(1, sizeof(*step));
	struct step_input input = {0};
	bool good;

	TAILQ_INSERT_TAIL(&script->steps, step, link);
	script->count++;
	good = json_read(json, step_fields, &input, arena, error) &&
	       read_step(twilio, &input, step, error);
	arena_free(&arena);
	return good;
}

/* Read apart first: of a script with a mistake in it nothing is played. */
bool script_add(struct script *script, const struct twilio *twilio, const struct json *steps,
	struct error *error)
{
	struct script added = {0};
	bool good = true;

	script_init(&added);
	for (const struct json *at = json_first(steps); at != NULL && good; at = json_next(at))
		good = add_one(&added, twilio, at, error);
	if (good && script->count + added.count > SCRIPT_MAX)
		good = error_set(error, ERROR_INPUT, "script: %d steps are the most", SCRIPT_MAX);
	if (!good) {
		script_clear(&added);
		return false;
	}
	TAILQ_CONCAT(&script->steps, &added.steps, link);
	script->count += added.count;
	return true;
}

/* -- playing ------------------------------------------------------------------------------------------ */

static bool has_come(
	const struct script *script, const struct script_step *step, const struct script_view *view)
{
	switch (step->kind) {
	case SCRIPT_WAIT:
		return view->now_ms - step->begun_ms >= step->ms;
	case SCRIPT_VOICE:
		return view->hears_voice;
	case SCRIPT_SILENCE: /* of what is heard since this step began */
		return script->heard_ms >= step->begun_ms &&
		       view->now_ms - script->heard_ms >= step->ms;
	case SCRIPT_VERB:
		return view->verb != NULL && strcmp(view->verb, step->text) == 0;
	case SCRIPT_STREAM:
		return view->stream_open;
	default:
		return true;
	}
}

static bool press(struct script *script, struct script_step *step, const struct script_view *view,
	struct script_act *act)
{
	if (view->now_ms - script->key_ms < KEY_GAP_MS)
		return false;
	script->key_ms = view->now_ms;
	act->key = step->text[step->done++];
	return step->text[step->done] == '\0';
}

static bool say(struct script_step *step, uint8_t *frame, struct script_act *act)
{
	size_t bytes = step->bytes - step->done;

	if (bytes > FRAME_BYTES)
		bytes = FRAME_BYTES;
	memcpy(frame, step->mulaw + step->done, bytes);
	step->done += bytes;
	act->says = true;
	return step->done >= step->bytes;
}

/* True: the step is over. */
static bool play(struct script *script, struct script_step *step, const struct script_view *view,
	uint8_t *frame, struct script_act *act)
{
	switch (step->kind) {
	case SCRIPT_SAY:
		return say(step, frame, act);
	case SCRIPT_DTMF:
		return press(script, step, view, act);
	case SCRIPT_SPEECH:
		act->speech = step->text;
		return true;
	case SCRIPT_HANGUP:
		act->hangup = true;
		return true;
	default:
		break;
	}
	if (has_come(script, step, view))
		return true;
	if (step->most_ms > 0 && view->now_ms - step->begun_ms >= step->most_ms)
		act->gave_up = step->text;
	return act->gave_up != NULL;
}

/* One step a frame; the next begins with the next frame. A speech's text lives as long as its step,
 * which therefore stays for one frame more. */
void script_frame(struct script *script, const struct script_view *view, uint8_t *frame,
	struct script_act *act)
{
	struct script_step *step;

	*act = (struct script_act){0};
	audio_silence(frame, FRAME_BYTES);
	if (view->hears_voice)
		script->heard_ms = view->now_ms;
	step = current(script);
	if (step == NULL)
		return;
	if (step->begun_ms < 0)
		step->begun_ms = view->now_ms;
	if (play(script, step, view, frame, act))
		step->ms = -1;
}
