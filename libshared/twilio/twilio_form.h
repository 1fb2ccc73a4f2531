/*
 * twilio_form: the fields of a request of Twilio, from its form body or its query.
 *
 * All of them, in the order in which they came, values as sent (not trimmed): new ones appear
 * without notice, and the signature covers each.
 */
#ifndef CALLWEAVE_TWILIO_FORM_H
#define CALLWEAVE_TWILIO_FORM_H

#include "arena.h"
#include "error.h"
#include "str.h"

#define TWILIO_MAX_FIELDS 256

struct twilio_field {
	struct str name, value; /* decoded */
};

struct twilio_form {
	struct twilio_field *fields;
	size_t count;
};

/* "a=1&b=2", decoded into the arena. False with words: a bad escape, a NUL byte, too many. */
bool twilio_form_read(
	struct str text, struct arena *arena, struct twilio_form *form, struct error *error);

/* The first value of that name; empty when there is none. */
struct str twilio_form_get(const struct twilio_form *form, const char *name);

#endif
