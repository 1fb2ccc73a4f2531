/*
 * gateway_settings: the part of the program's settings that is about deliveries.
 */
#ifndef INTEGRATION_CACHE_GATEWAY_SETTINGS_H
#define INTEGRATION_CACHE_GATEWAY_SETTINGS_H

#include <stdint.h>

struct gateway_settings {
	const char *name; /* of this instance; "": host and port */
	int64_t at_once;  /* attempts beside each channel's own one */
	int64_t lease_ms;
	int64_t attempt_ms; /* an adapter's answer must be there by then */
	int64_t journal_days, done_days, call_days;
};

#endif
