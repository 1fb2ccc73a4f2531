/*
 * message_template: what a message looks like in each state, as text with {placeholders}.
 *
 * An enterprise may have its own text for any of them (settings, telegram.templates). A line whose
 * placeholders are all empty is left out; "{name?text}" is the text when the placeholder is not
 * empty. Which there are, and what they show: docs/protocol/telegram-messages.md.
 */
#ifndef CALLWEAVE_MESSAGE_TEMPLATE_H
#define CALLWEAVE_MESSAGE_TEMPLATE_H

#include "error.h"
#include "str.h"

enum message_template {
	TEMPLATE_GREETING,
	TEMPLATE_RINGING_INCOMING,
	TEMPLATE_RINGING_OUTGOING,
	TEMPLATE_TALKING_INCOMING,
	TEMPLATE_TALKING_OUTGOING,
	TEMPLATE_TALKING_INTERNAL,
	TEMPLATE_ANSWERED_INCOMING,
	TEMPLATE_ANSWERED_OUTGOING,
	TEMPLATE_ANSWERED_INTERNAL,
	TEMPLATE_ANSWERED_UNKNOWN,
	TEMPLATE_MISSED_INCOMING,
	TEMPLATE_MISSED_OUTGOING,
	TEMPLATE_MISSED_INTERNAL,
	TEMPLATE_MISSED_UNKNOWN,
	TEMPLATE_LOST_INCOMING, /* its end never came, and nobody is known to have answered */
	TEMPLATE_LOST_OUTGOING,
	MESSAGE_TEMPLATES
};

#define MESSAGE_TEMPLATE_MAX_BYTES 1000

const char *message_template_name(enum message_template which); /* "ringing_incoming" */
bool message_template_from(struct str name, enum message_template *which);

/* Can messages be made from it? False with the line and what is wrong there. */
bool message_template_check(struct str text, struct error *error);

#endif
