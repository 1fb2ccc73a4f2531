/*
 * engine_options: what an enterprise says about an engine that lives elsewhere
 * (integrations_config.voice.<engine>), and what is said where it says nothing.
 */
#ifndef MEDIA_WS_ENGINE_OPTIONS_H
#define MEDIA_WS_ENGINE_OPTIONS_H

#include "engine.h"

struct engine_options {
	struct str url;	  /* required; with or without /v1 */
	struct str model; /* that thinks */
	struct str realtime_model;
	struct str transcription_model;
	struct str speech_model, voice;
	struct str instructions;
	struct str greeting;	 /* "" in the configuration: the caller speaks first */
	struct str filler;	 /* when an answer takes long; pipeline */
	struct str reprompt;	 /* when the caller says nothing; pipeline */
	struct str goodbye;	 /* before we hang up a silent call; pipeline */
	struct str handing_over; /* before a transfer, when the model said nothing */
	int64_t silence_ms;	 /* until the caller is asked again; 8 s */
	int64_t filler_ms;	 /* until the filler is said; 2.5 s */
	int64_t patience_ms;	 /* for a server that pauses in the middle of an answer; 5 s */
	int64_t speech_hz;	 /* of response_format pcm; 24000 */
};

/* Texts are slices of call->config or constants. False with words: no url, or not one of ours. */
bool engine_options_read(const struct engine_call *call, struct arena *arena,
	struct engine_options *options, struct error *error);

/* base + "/v1" + path, whatever slashes and /v1 the base ends in; with `websocket` its scheme becomes
 * ws or wss. */
void engine_url(struct buf *to, struct str base, const char *path, bool websocket);

/* The whole of what a model is told first: instructions, language, how one speaks on a telephone. */
void engine_instructions(
	struct buf *to, const struct engine_options *options, const struct engine_call *call);

#endif
