/*
 * settings: the bot's own settings as one table.
 *
 * A press has to be answered before Telegram forgets it (some 15 seconds), so the time for the PBX is
 * well below that.
 */
#include "settings.h"

#include <stddef.h>

#define SETTING(member, name, kind, fallback, low, high, words)                                    \
	CONFIG_FIELD(struct bot_config, member, "CALLWEAVE_BOT_" name, kind, fallback, low, high,  \
		words)

const struct config_field bot_config_fields[] = {
	SETTING(telegram_url, "TELEGRAM_URL", CONFIG_TEXT, "https://api.telegram.org", 8, 200,
		"Base URL of the Telegram Bot API"),
	SETTING(webhook_url, "WEBHOOK_URL", CONFIG_TEXT, "", 0, 200,
		"Base URL under which Telegram reaches this process; empty: it asks by getUpdates"),
	SETTING(max_polls, "MAX_POLLS", CONFIG_INT, "100", 1, 5000,
		"Bots asked for updates at the same time; with more bots they take turns"),
	SETTING(poll_seconds, "POLL_SECONDS", CONFIG_INT, "25", 1, 50,
		"How long one getUpdates may wait for something to happen, in seconds"),
	SETTING(lease_ms, "LEASE_MS", CONFIG_INT, "10000", 1000, 120000,
		"How long a bot stays with an instance that is silent, in milliseconds"),
	SETTING(send_timeout_ms, "SEND_TIMEOUT_MS", CONFIG_INT, "10000", 100, 60000,
		"How long Telegram may take to answer, in milliseconds"),
	SETTING(press_ms, "PRESS_MS", CONFIG_INT, "8000", 500, 12000,
		"How long the command of a button may take, in milliseconds; then it is too late"),
	SETTING(max_answers, "MAX_ANSWERS", CONFIG_INT, "32", 1, 1000,
		"Answers to people under way at the same time"),
	SETTING(max_commands, "MAX_COMMANDS", CONFIG_INT, "64", 1, 1000,
		"Commands to PBXs under way at the same time"),
	{.name = NULL},
};
