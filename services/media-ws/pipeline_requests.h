/*
 * pipeline_requests: the bodies of the three requests of a turn, as OpenAI-compatible servers take
 * them. Pure.
 */
#ifndef MEDIA_WS_PIPELINE_REQUESTS_H
#define MEDIA_WS_PIPELINE_REQUESTS_H

#include "engine_options.h"
#include "pipeline_history.h"

/* multipart/form-data; `mulaw` goes as a WAVE file. The boundary must not occur in it: a random one. */
void pipeline_put_transcription(struct buf *to, const char *boundary,
	const struct engine_options *options, const char *language, struct str mulaw);

void pipeline_put_chat(struct buf *to, const struct engine_options *options,
	const struct engine_call *call, const struct history *history);

void pipeline_put_speech(struct buf *to, const struct engine_options *options, struct str text);

#endif
