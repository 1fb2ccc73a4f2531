/*
 * config_file: a file of NAME=value lines; and small files as text, for secrets that a setting names.
 */
#ifndef CALLWEAVE_CONFIG_FILE_H
#define CALLWEAVE_CONFIG_FILE_H

#include "arena.h"
#include "error.h"
#include "table.h"

enum { CONFIG_FILE_MAX_BYTES = 64 * 1024 };

/* The whole file, ended by NUL, in the arena. NULL with words on failure or when it is too long. */
const char *config_file_read(const char *path, struct arena *arena, struct error *error);

/* Put the lines of `text` into `values` (name -> const char * in the arena). Errors name the
 * line. */
bool config_file_parse(
	struct str text, struct table *values, struct arena *arena, struct error *error);

#endif
