/*
 * twilio_schema: which verbs, attributes and children TwiML has; what is not in it is warning 12200.
 */
#ifndef SANDBOX_TWILIO_SCHEMA_H
#define SANDBOX_TWILIO_SCHEMA_H

#include "twilio_xml.h"

#define SCHEMA_MAX_FAULTS 8

struct schema_faults {
	const char *words[SCHEMA_MAX_FAULTS]; /* in the arena */
	unsigned count;
};

enum schema_kind { SCHEMA_VOICE, SCHEMA_TEXT };

/* Twilio warns of what it does not know, leaves it out and goes on. */
void schema_check(const struct xml_node *root, enum schema_kind kind, struct arena *arena,
	struct schema_faults *faults);
/* May this element stand there? (The faulty ones are not executed.) */
bool schema_knows(const struct xml_node *node, enum schema_kind kind);

#endif
