/*
 * pbx_stream: the calls of one enterprise, one after another and many at once, as one row of
 * events in the order in which its host posts them.
 */
#ifndef PBX_STREAM_H
#define PBX_STREAM_H

#include "pbx_play.h"

struct pbx_stream_options {
	uint64_t seed;
	unsigned calls;
	int64_t start_ms;	/* of the first call; wall */
	int64_t gap_ms;		/* between the starts of calls, on average */
	int64_t restart_gap_ms; /* between restarts of the PBX, on average; 0: it stays up */
	bool keeps;		/* calls, with their events, live as long as the stream */
};

struct pbx_stream;

struct pbx_stream *pbx_stream_new(const struct pbx_stream_options *options);
void pbx_stream_free(struct pbx_stream **stream);

/* The next event; NULL after the last. Valid until the next call of this function. */
const struct pbx_event *pbx_stream_next(struct pbx_stream *stream);

/* A call whose last event has been told, each once; NULL: no other. Valid until the next call of
 * pbx_stream_next(). A call that has no events never was. */
const struct pbx_call *pbx_stream_finished(struct pbx_stream *stream);

#endif
