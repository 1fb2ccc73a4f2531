/*
 * meters: what media-ws counts. Nothing of a frame is ever logged: that is what these are for.
 */
#ifndef MEDIA_WS_METERS_H
#define MEDIA_WS_METERS_H

#include "metrics.h"

/* Why a stream was not taken, or was closed for what its peer sent. */
enum refusal {
	REFUSED_UPSTREAM,  /* PostgreSQL does not answer */
	REFUSED_TOKEN,	   /* and no right signature */
	REFUSED_SIGNATURE, /* and it was asked for */
	REFUSED_UNKNOWN,   /* call, engine */
	REFUSED_NO_START,
	REFUSED_BINARY,
	REFUSED_JSON,
	REFUSED_STREAM, /* a message of another one */
	REFUSED_ORDER,
	REFUSALS
};
const char *refusal_name(enum refusal refusal);

struct meters {
	struct metric *streams;	      /* open now */
	struct metric *streams_total; /* that an engine got */
	struct metric *refused[REFUSALS];
	struct metric *ends[4]; /* by enum engine_end */
	struct metric *lost;	/* sockets that ended without a stop */
	struct metric *frames_in, *frames_out;
	struct metric *gap_seconds; /* of silence put where media was missing */
	struct metric *clears, *marks_lost, *marks_old;
	struct metric *unstored; /* outcomes and turns that PostgreSQL did not take */
};

void meters_init(struct meters *meters, struct metrics *metrics);

#endif
