/*
 * settings: the table of media-ws' own settings; those of every service are the skeleton's.
 *
 * Which engine answers whom stands in hook_numbers, an enterprise's own engines in its
 * integrations_config, member "voice".
 */
#include "settings.h"

#define FIELD(member, name, kind, fallback, low, high, help)                                       \
	CONFIG_FIELD(struct media_ws_settings, member, "CALLWEAVE_MEDIA_WS_" name, kind, fallback, \
		low, high, help)

const struct config_field media_ws_settings_table[] = {
	FIELD(public_url, "PUBLIC_URL", CONFIG_TEXT, "", 0, 200,
		"wss://host under which Twilio reaches media-ws, as hooks names it in TwiML: it is "
		"signed; empty: wss:// and the Host header"),
	FIELD(auth_tokens, "AUTH_TOKENS", CONFIG_SECRET, "", 0, 400,
		"Twilio's auth tokens of numbers whose enterprise has none of its own; several "
		"apart by commas while they change"),
	FIELD(proof, "PROOF", CONFIG_TEXT, "any", 3, 9,
		"What a stream must show: any (a right signature of Twilio's or the one-time token "
		"of hooks), token, signature or both"),
	FIELD(test_streams, "TEST_STREAMS", CONFIG_BOOL, "false", 0, 0,
		"Streams with <Parameter name=\"mode\"> sink, echo or tone are taken without a "
		"call and without a proof: for self-tests and benchmarks"),
	FIELD(max_streams, "MAX_STREAMS", CONFIG_INT, "3000", 1, 100000,
		"Streams at the same time; more are refused (503)"),
	FIELD(drain_ms, "DRAIN_MS", CONFIG_INT, "15000", 0, 3600000,
		"How long calls may go on after SIGTERM, in milliseconds; then their callers are "
		"asked to leave a message"),
	FIELD(speech_url, "SPEECH_URL", CONFIG_TEXT, "http://127.0.0.1:8011", 0, 200,
		"Base URL of speech, which hears and speaks for the builtin engine"),
	FIELD(cache_url, "CACHE_URL", CONFIG_TEXT, "http://127.0.0.1:8020", 0, 200,
		"Base URL of integration-cache, which knows customers; empty: nobody is looked up"),
	FIELD(hooks_url, "HOOKS_URL", CONFIG_TEXT, "http://127.0.0.1:8010", 0, 200,
		"Base URL of hooks, which sends texts; empty: engines cannot send any"),
	FIELD(allow_private, "ALLOW_PRIVATE", CONFIG_TEXT, "", 0, 500,
		"Private addresses and CIDR ranges at which engines of enterprises may be; others "
		"must be public"),
	{.name = NULL},
};
