/*
 * settings: media-ws' own settings.
 */
#ifndef MEDIA_WS_SETTINGS_H
#define MEDIA_WS_SETTINGS_H

#include "config.h"

struct media_ws_settings {
	const char *public_url; /* wss://host, as Twilio dials it; "": wss:// and the Host header */
	struct secret
		auth_tokens; /* of numbers whose enterprise has none; "a,b" while they change */
	const char *proof;   /* any, token, signature, both */
	bool test_streams;   /* <Parameter name="mode"> sink, echo, tone without a call */
	int64_t max_streams;
	int64_t drain_ms;	   /* calls have so long to end by themselves after SIGTERM */
	const char *speech_url;	   /* of the process `speech` */
	const char *cache_url;	   /* of integration-cache; "": nobody is looked up */
	const char *hooks_url;	   /* of hooks, for texts; "": none are sent */
	const char *allow_private; /* addresses that engines of enterprises may have, too */
};

extern const struct config_field media_ws_settings_table[];

#endif
