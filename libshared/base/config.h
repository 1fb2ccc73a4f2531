/*
 * config: a service's settings as one table.
 *
 * Order: environment, then file (NAME=value lines, # comments), then default. For TEXT and SECRET
 * NAME_FILE gives the path of a file whose content is the value; white space around it is cut off.
 *
 * A misspelt name is an error, in the environment and in the file. One environment file may serve
 * the whole suite, so a CALLWEAVE_* name counts as misspelt only when no table knows it and it
 * begins with the words that all names of one of the tables share: CALLWEAVE_INGEST_ for the
 * table CALLWEAVE_INGEST_PORT, CALLWEAVE_INGEST_HOST. So keep a service's own settings in a
 * table of their own. In the file every unknown name that does not begin with CALLWEAVE_ is an
 * error, too. Values are checked against their limits; errors name the setting.
 */
#ifndef CALLWEAVE_CONFIG_H
#define CALLWEAVE_CONFIG_H

#include "arena.h"
#include "buf.h"
#include "error.h"

enum config_type {
	CONFIG_TEXT,   /* const char * */
	CONFIG_SECRET, /* struct secret */
	CONFIG_INT,    /* int64_t */
	CONFIG_BOOL,   /* bool: true false 1 0 yes no on off */
};

/* A type of its own so that no printf can show it by accident; printed as ***. */
struct secret {
	const char *value; /* never NULL after config_load; may be "" */
};

struct config_field {
	const char *name; /* NULL ends the table */
	enum config_type type;
	size_t offset;
	const char *fallback; /* default as text; NULL: required */
	int64_t min, max;     /* INT: limits; TEXT: min length, max length (0: 1000) */
	const char *help;     /* one line, with the unit */
};

#define CONFIG_FIELD(owner, member, setting, kind, fallback_text, low, high, words)                \
	{                                                                                          \
		.name = (setting), .type = (kind), .offset = offsetof(owner, member),              \
		.fallback = (fallback_text), .min = (low), .max = (high), .help = (words)          \
	}

/* Fill `to` from the environment, the file at `path` (NULL: none) and the defaults, walking the
 * tables in `tables` (ended by NULL) with the structs in `targets` beside them. Strings live in
 * the arena. */
bool config_load(const struct config_field *const *tables, void *const *targets, const char *path,
	struct arena *arena, struct error *error);

/* NAME=value lines with help as comments and secrets as ***. */
void config_print(struct buf *to, const struct config_field *const *tables, void *const *targets);

#endif
