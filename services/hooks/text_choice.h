/*
 * text_choice: by whom a text is sent, where an enterprise has the choice.
 *
 * integrations_config.whatsapp: {"priority": "baileys,twilio", "twilio": true, "baileys": true,
 * "baileys_number": "+972..."}. Without a "priority" the bridge comes first, as in WA_PROVIDER_PRIORITY.
 */
#ifndef HOOKS_TEXT_CHOICE_H
#define HOOKS_TEXT_CHOICE_H

#include "hooks.h"

struct text_choice {
	const char *provider, *other; /* "twilio" "baileys"; other: "" none */
	struct str
		bridge_number; /* our number at the bridge; empty: not said. Until the next wait */
};

/* `asked`: "twilio", "baileys"; "auto" and "" leave it to the enterprise. False with words. */
bool text_choose(const struct hooks *hooks, const struct account *account, const char *channel,
	struct str asked, struct text_choice *choice, struct error *error);

/* Whose phone the bridge has: the enterprise that says so, by number where there are several. NULL. */
const struct account *text_bridge_account(const struct hooks *hooks, struct str our_number);
/* The number that the bridge's phone has, by that enterprise's configuration; empty. */
struct str text_bridge_number(const struct account *account);
/* Whose words and language chats of it have: a number of WhatsApp, else any of the enterprise; NULL. */
const struct hook_number *text_chat_number(const struct hooks *hooks, const char *enterprise);

#endif
