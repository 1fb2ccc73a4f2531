/*
 * fill: an event's body from its template: placeholders become values. Pure.
 *
 * "{external}" anywhere in a string becomes the value. An item of an array that is nothing but a
 * placeholder becomes all of its values ("{group}"), and no item of an array comes twice.
 */
#ifndef EMULATOR_FILL_H
#define EMULATOR_FILL_H

#include "json.h"

#define FILL_MAX_NAMES	64
#define FILL_MAX_VALUES 8

struct fill {
	struct {
		struct str name;
		struct str values[FILL_MAX_VALUES];
		size_t count;
	} names[FILL_MAX_NAMES];
	size_t count;
};

/* Strings are borrowed. Adding a value to a name that has FILL_MAX_VALUES, or a 65th name, is
 * refused. */
bool fill_add(struct fill *fill, struct str name, struct str value);
bool fill_set(struct fill *fill, struct str name, struct str value); /* replaces all of them */

/* The first value; empty when there is none. */
struct str fill_get(const struct fill *fill, struct str name);
bool fill_uses(const struct fill *fill, struct str value); /* some name has it */

/* Append the filled body. A placeholder without a value is an error. */
bool fill_write(
	const struct fill *fill, const struct json *body, struct buf *to, struct error *error);

#endif
