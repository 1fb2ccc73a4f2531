/*
 * tenants: whose token is it? All enterprises in memory, by every name that proves them.
 *
 * A table is built once and replaced as a whole. It is also kept in a small file, so that a start
 * without PostgreSQL still knows to whom events belong.
 */
#ifndef INGEST_TENANTS_H
#define INGEST_TENANTS_H

#include "clock.h"
#include "error.h"
#include "json.h"
#include "str.h"

struct enterprise {
	struct str number;
	struct str name2, secret; /* the tokens; empty: none */
	struct str zone_name;
	const struct clock_zone *zone; /* of the table; UTC when the name is unknown */
	int64_t shard;
	bool active;
	bool debug_log;
};

struct tenants;

/* From `count` rows, which are copied. The caller owns it. */
struct tenants *tenants_new(const struct enterprise *rows, size_t count);
void tenants_free(struct tenants **tenants);
size_t tenants_count(const struct tenants *tenants);
struct json_list tenants_rows(const struct tenants *tenants); /* of struct enterprise */

/* By name2, else secret, else number. NULL when unknown; look at `active`. */
const struct enterprise *tenants_by_token(const struct tenants *tenants, struct str token);
const struct enterprise *tenants_by_number(const struct tenants *tenants, struct str number);

/* The file holds secrets: mode 0600, replaced by rename. */
bool tenants_save(const struct tenants *tenants, const char *path, struct error *error);
/* NULL when there is none, or it cannot be read. */
struct tenants *tenants_load(const char *path, struct error *error);

#endif
