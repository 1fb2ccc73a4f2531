/*
 * settings: the table of hooks' own settings; those of every service are the skeleton's.
 *
 * An enterprise's own account at Twilio stands in enterprises.integrations_config, member "twilio".
 */
#include "settings.h"

#define FIELD(member, name, kind, fallback, low, high, help)                                       \
	CONFIG_FIELD(                                                                              \
		struct hooks_settings, member, "CALLWEAVE_" name, kind, fallback, low, high, help)

const struct config_field hooks_settings_table[] = {
	FIELD(public_base_url, "PUBLIC_BASE_URL", CONFIG_TEXT, "", 0, 200,
		"Base URL under which Twilio and others reach hooks, as it is configured there; "
		"empty: by the headers of a trusted proxy, else by Host"),
	FIELD(trusted_proxies, "HOOKS_TRUSTED_PROXIES", CONFIG_TEXT, "", 0, 500,
		"Addresses and CIDR ranges whose X-Forwarded-Proto and -Host count; empty: "
		"nobody's"),
	FIELD(stream_url, "HOOKS_STREAM_URL", CONFIG_TEXT, "", 0, 200,
		"wss://host of media-ws for callers' audio; empty: the public base"),
	FIELD(auth_tokens, "HOOKS_AUTH_TOKENS", CONFIG_SECRET, "", 0, 400,
		"Twilio's auth tokens of numbers whose enterprise has none of its own; several "
		"apart by commas while they change"),
	FIELD(insecure_no_signature, "HOOKS_INSECURE_NO_SIGNATURE", CONFIG_BOOL, "false", 0, 0,
		"Take webhooks without a right signature: for development only"),
	FIELD(twilio_url, "HOOKS_TWILIO_URL", CONFIG_TEXT, "https://api.twilio.com", 8, 200,
		"Base URL of Twilio's REST API"),
	FIELD(paypal_url, "HOOKS_PAYPAL_URL", CONFIG_TEXT, "https://api-m.paypal.com", 8, 200,
		"Base URL of PayPal's API"),
	FIELD(tranzila_url, "HOOKS_TRANZILA_URL", CONFIG_TEXT, "https://direct.tranzila.com", 8,
		200, "Base URL of Tranzila's payment pages"),
	FIELD(tranzila_api_url, "HOOKS_TRANZILA_API_URL", CONFIG_TEXT, "https://api.tranzila.com",
		8, 200, "Base URL of Tranzila's API, which is asked what was really paid"),
	FIELD(baileys_url, "HOOKS_BAILEYS_URL", CONFIG_TEXT, "", 0, 200,
		"Base URL of baileys-bridge; empty: there is none"),
	FIELD(baileys_secret, "HOOKS_BAILEYS_SECRET", CONFIG_SECRET, "", 0, 200,
		"X-BAILEYS-SECRET, both ways; empty: baileys-bridge is refused"),
	FIELD(speech_url, "HOOKS_SPEECH_URL", CONFIG_TEXT, "", 0, 200,
		"Base URL of speech, which makes the prompts of menus; empty: Twilio's own "
		"voices read them"),
	FIELD(prompts_folder, "HOOKS_PROMPTS", CONFIG_TEXT, "hooks-prompts", 1, 300,
		"Folder of the prompts that speech made"),
	FIELD(journal_folder, "HOOKS_JOURNAL", CONFIG_TEXT, "hooks-journal", 1, 300,
		"Folder of the journal, for what comes while PostgreSQL is away"),
	FIELD(journal_bytes, "HOOKS_JOURNAL_BYTES", CONFIG_INT, "268435456", 1048576,
		INT64_C(1) << 40, "How large the journal may become, in bytes"),
	FIELD(commits, "HOOKS_COMMITS", CONFIG_INT, "4", 1, 32,
		"Connections to PostgreSQL for what is stored before it is answered"),
	FIELD(payments_enabled, "HOOKS_PAYMENTS_ENABLED", CONFIG_BOOL, "false", 0, 0,
		"Payments of enterprises that have them switched on"),
	FIELD(show_phones, "HOOKS_SHOW_PHONES", CONFIG_BOOL, "false", 0, 0,
		"Keep phone numbers in requests (hook_requests) unmasked"),
	FIELD(keep_requests_days, "HOOKS_KEEP_REQUESTS_DAYS", CONFIG_INT, "14", 1, 3650,
		"How long requests and their answers are kept (hook_requests), in days"),
	FIELD(keep_turns_days, "HOOKS_KEEP_TURNS_DAYS", CONFIG_INT, "90", 1, 3650,
		"How long what was said to voice agents is kept (call_turns), in days"),
	FIELD(keep_messages_days, "HOOKS_KEEP_MESSAGES_DAYS", CONFIG_INT, "1095", 1, 36500,
		"How long texts and chats are kept (messages), in days"),
	{.name = NULL},
};
