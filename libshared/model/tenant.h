/*
 * tenant: what is known of an enterprise, as plain data for the pure parts.
 */
#ifndef CALLWEAVE_TENANT_H
#define CALLWEAVE_TENANT_H

#include "clock.h"
#include "number_rules.h"
#include "table.h"
#include "tenant_settings.h"

struct tenant_manager {
	const char *last_name, *first_name, *patronymic; /* never NULL */
};

struct tenant_line {
	const char *name; /* never NULL; "" when it has none */
};

struct tenant {
	const char *number; /* "0367" */
	const char *name;
	const char *locale;  /* "ru" or "en" */
	const char *country; /* "BY" */
	const struct clock_zone *zone;
	const struct table *managers;	    /* extension -> struct tenant_manager; may be NULL */
	const struct table *lines;	    /* line id -> struct tenant_line; may be NULL */
	const struct number_rules *numbers; /* own extensions, lines; NULL: the bare rules */
	const char *recording_base;	    /* "https://.../recordings/file/"; "": no link */
	const struct tenant_settings *settings; /* NULL: the defaults */
};

/* "Фамилия Имя Отчество" into `to`; "" when nothing is known or the name is a mere "Доб.152". */
void tenant_manager_name(
	const struct tenant *tenant, const char *extension, char *to, size_t capacity);
/* "Фамилия" alone; "" when it is not known. */
void tenant_manager_surname(
	const struct tenant *tenant, const char *extension, char *to, size_t capacity);
/* Internal by its looks, or one of the enterprise's own extensions of any length. */
bool tenant_is_extension(const struct tenant *tenant, const char *number);
/* What answers in place of a person (number_is_machine()); an enterprise may give it another name, as a
 * manager's. The genitive is Russian's, for "переведен от". */
const char *tenant_machine_name(const struct tenant *tenant, const char *extension, bool genitive);

/* The line's name, else "" . */
const char *tenant_line_name(const struct tenant *tenant, const char *line);

#endif
