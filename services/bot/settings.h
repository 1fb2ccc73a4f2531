/*
 * settings: the bot's own settings. What all services share is the skeleton's.
 */
#ifndef BOT_SETTINGS_H
#define BOT_SETTINGS_H

#include "config.h"

struct bot_config {
	const char *telegram_url;
	const char *webhook_url; /* "": getUpdates */
	int64_t max_polls;
	int64_t poll_seconds;
	int64_t lease_ms;
	int64_t send_timeout_ms;
	int64_t press_ms;
	int64_t max_answers;
	int64_t max_commands;
};

extern const struct config_field bot_config_fields[];

#endif
