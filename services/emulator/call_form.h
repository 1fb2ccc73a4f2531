/*
 * call_form: from what a person (or a script) filled in to the values of a pattern's placeholders.
 *
 * A form may name only the few fields of the old API (external_phone, internal_phone, line_id): the
 * other parts of the call are then played by other managers and lines of the enterprise. Pure.
 */
#ifndef EMULATOR_CALL_FORM_H
#define EMULATOR_CALL_FORM_H

#include "args.h"
#include "directory.h"
#include "fill.h"
#include "patterns.h"

struct form_order {
	const struct args *args;
	const struct pattern *pattern;
	const struct directory_enterprise *enterprise;
};

/* Errors are the old API's: "Внешний номер обязателен" and so on. Strings live in the arena. */
bool form_read(const struct form_order *order, struct arena *arena, struct fill *fill,
	struct error *error);

#endif
