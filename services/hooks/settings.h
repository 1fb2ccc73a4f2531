/*
 * settings: hooks' own settings.
 */
#ifndef HOOKS_SETTINGS_H
#define HOOKS_SETTINGS_H

#include "config.h"

struct hooks_settings {
	const char *
		public_base_url; /* CALLWEAVE_PUBLIC_BASE_URL: how Twilio reaches us; "" by headers */
	const char
		*trusted_proxies;   /* addresses and CIDRs whose forwarded headers count; "" none */
	const char *stream_url;	    /* wss://host of media-ws; "": the public base with wss */
	struct secret auth_tokens;  /* of numbers whose enterprise has none; "a,b" rotation */
	bool insecure_no_signature; /* development only; said loudly at the start */
	const char *twilio_url;	    /* https://api.twilio.com */
	const char *paypal_url;	    /* https://api-m.paypal.com */
	const char *tranzila_url;   /* https://direct.tranzila.com */
	const char *tranzila_api_url; /* https://api.tranzila.com: what was really paid */
	const char *baileys_url;      /* http://127.0.0.1:4001; "": there is none */
	struct secret baileys_secret; /* X-BAILEYS-SECRET both ways; "": refused */
	const char *speech_url;	      /* http://127.0.0.1:8011; "": no prompts of our own */
	const char *prompts_folder;   /* of audio that it made */
	const char *journal_folder;   /* CALLWEAVE_HOOKS_JOURNAL: later.h */
	int64_t journal_bytes;
	int64_t commits;  /* connections for what is stored before it is answered */
	bool show_phones; /* in hook_requests */
	bool payments_enabled;
	int64_t keep_requests_days, keep_turns_days, keep_messages_days;
};

extern const struct config_field hooks_settings_table[];

#endif
