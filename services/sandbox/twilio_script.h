/*
 * twilio_script: what the one at the other end of a call does: speaks files, waits, presses keys.
 *
 * A list of steps, done one after the other in the call's own time; more may be added while it runs.
 */
#ifndef SANDBOX_TWILIO_SCRIPT_H
#define SANDBOX_TWILIO_SCRIPT_H

#include "json.h"
#include "twilio_audio.h"

#include <sys/queue.h>

struct twilio;

enum script_kind {
	SCRIPT_WAIT,	/* ms */
	SCRIPT_SAY,	/* audio */
	SCRIPT_DTMF,	/* text: one key after the other */
	SCRIPT_SPEECH,	/* text: what Twilio's own recognition of <Gather> shall hear */
	SCRIPT_VOICE,	/* until something is heard */
	SCRIPT_SILENCE, /* until nothing was heard for ms, after something was */
	SCRIPT_VERB,	/* until that verb runs */
	SCRIPT_STREAM,	/* until the stream is open */
	SCRIPT_HANGUP,
};

struct script_step {
	TAILQ_ENTRY(script_step) link;
	enum script_kind kind;
	int64_t ms, most_ms;
	char *text;
	uint8_t *mulaw;
	size_t bytes, done;
	int64_t begun_ms; /* of the call's time; -1: not yet */
};

#define SCRIPT_MAX 200

struct script {
	TAILQ_HEAD(script_steps, script_step) steps;
	unsigned count;
	int64_t key_ms;	  /* when the last key was pressed */
	int64_t heard_ms; /* when something was heard for the last time */
};

/* What the script looks at, each frame. */
struct script_view {
	int64_t now_ms;
	bool hears_voice, stream_open;
	const char *verb; /* NULL: none runs */
};

/* What it does in this frame. */
struct script_act {
	char key;	    /* 0: none */
	const char *speech; /* valid until the next frame */
	bool hangup, says;
	const char *gave_up; /* an `until` whose most_ms have passed: its name */
};

void script_init(struct script *script);
void script_clear(struct script *script);
/* [{"wait_ms":100}, {"say_file":"hello"}, ...]; files are `twilio`'s. False with words, nothing added. */
bool script_add(struct script *script, const struct twilio *twilio, const struct json *steps,
	struct error *error);
/* One frame: fills `frame` with what is said, silence else. */
void script_frame(struct script *script, const struct script_view *view, uint8_t *frame,
	struct script_act *act);
bool script_is_done(const struct script *script);

#endif
