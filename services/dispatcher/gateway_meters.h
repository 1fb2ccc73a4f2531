/*
 * gateway_meters: what the gateway counts, for /metrics.
 */
#ifndef DISPATCHER_GATEWAY_METERS_H
#define DISPATCHER_GATEWAY_METERS_H

#include "metrics.h"

enum gateway_result {
	GATEWAY_DONE,	   /* taken */
	GATEWAY_DUPLICATE, /* it had been taken before */
	GATEWAY_TRY_AGAIN,
	GATEWAY_REFUSED,
	GATEWAY_RESULTS
};

struct gateway_meters {
	struct metric *attempts[GATEWAY_RESULTS];
	struct metric *latency_seconds, *waiting, *depth, *oldest, *dead;
};

#endif
