/*
 * settings: the tool that shows, checks and saves what an enterprise chose (tenant_settings.h).
 *
 * A program that does one thing and ends; its one statement runs as a flow like everybody's.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "arena.h"
#include "error.h"
#include "str.h"

#define SETTINGS_WAIT_MS 10000 /* for PostgreSQL: a person waits */

/* Both ask the database at `url`. ERROR_MISSING: no such enterprise. Texts live in the arena. */
bool settings_load(const char *url, const char *enterprise, struct arena *arena, struct str *json,
	struct error *error);
bool settings_save(const char *url, const char *enterprise, struct str json, struct error *error);

#endif
