/*
 * engine: who answers a caller. One file and one line in engines.def each; all else is the bridge's.
 *
 * Calls come from the loop and must return at once: recognising, thinking and speaking are other
 * processes' work. Audio is mu-law, 8 kHz.
 */
#ifndef MEDIA_WS_ENGINE_H
#define MEDIA_WS_ENGINE_H

#include "http_client.h"
#include "json.h"
#include "str.h"

#include <stddef.h>
#include <stdint.h>

struct bridge;
struct engine; /* each driver's own */

/* Whose call it is. Texts live as long as the engine. */
struct engine_call {
	const char *call_sid, *enterprise, *our_number, *peer; /* peer: "" withheld */
	const char *language;				       /* fr he ru en */
	const char *trace;
	const struct json *dialogue; /* voice_dialogues.dialogue; NULL: none */
	const struct json
		*config; /* integrations_config.<engine>: url, model, voice, instructions; NULL */
	const char *key; /* the engine's API key; "" none. Never logged */
};

struct engine_setup { /* of the process */
	struct loop *loop;
	struct http_client *http; /* for our own processes */
	struct http_client
		*outside; /* for URLs that tenants chose: public addresses and `allowed` */
	const struct address_list *allowed; /* CALLWEAVE_MEDIA_WS_ALLOW_PRIVATE; never NULL */
	const char *speech_url;		    /* of the process `speech` */
	struct ws_audio_house *ws_audio;    /* ws_audio.h: calls that wait for their engine */
	struct prompts *prompts; /* prompts.h: what it has spoken before; NULL: nothing is kept */
};

struct engine_turn {
	unsigned turn; /* 1, 2, ... */
	struct str user_text, reply_text;
	int64_t heard_ms, recognise_ms, think_ms, speak_ms, total_ms, played_ms; /* -1: not known */
	bool interrupted;
	struct str error;
};

enum engine_end { ENGINE_HANGUP, ENGINE_TRANSFER, ENGINE_MESSAGE, ENGINE_MENU };

struct engine_outcome {
	enum engine_end end;
	struct str to;	   /* TRANSFER: E.164, an extension, or "" = the number's operator */
	struct str reason; /* for logs and call_turns */
};

/* Called by the bridge alone, and never inside one of its functions: hear, digit, played, tick and
 * close come later, from the loop. */
struct engine_driver {
	const char *name; /* as in hook_numbers.engine */
	/* NULL with words: the bridge falls back to a recording. It may speak at once (greeting). */
	struct engine *(*open)(struct bridge *bridge, const struct engine_setup *setup,
		const struct engine_call *call, struct error *error);
	/* What the caller says, frame by frame, gaps filled with silence: `at_ms` is media time. */
	void (*hear)(struct engine *engine, const uint8_t *mulaw, size_t bytes, int64_t at_ms);
	void (*digit)(struct engine *engine, char digit); /* may be NULL */
	/* An utterance of ours has been played to its end (`whole`), or was cut short by a hush. */
	void (*played)(struct engine *engine, unsigned utterance, bool whole, int64_t played_ms);
	void (*close)(struct engine *engine); /* frees it; whatever it waits for is let go */
	void (*tick)(struct engine
			*engine); /* every 20 ms, for timers by bridge_now_ms(); may be NULL */
	unsigned flags;
};
enum {
	ENGINE_RAW = 1,	   /* self-tests: frames as they came, gaps are not filled */
	ENGINE_SILENT = 2, /* it may say nothing at all: BRIDGE_THINK_MS does not count */
};

extern const struct engine_driver *const engine_drivers[]; /* ends with NULL */
const struct engine_driver *engine_driver_find(struct str name);

#endif
