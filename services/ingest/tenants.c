/*
 * tenants: the table of enterprises, built once and then only read.
 */
#include "tenants.h"

#include "alloc.h"
#include "arena.h"
#include "table.h"

#include <stdlib.h>

enum { TENANTS_MAX_BYTES = 256 * 1024 * 1024 };

struct tenants {
	struct arena *arena;
	struct enterprise *rows;
	size_t count;
	struct table *by_name2, *by_secret, *by_number;
	struct table *zones; /* name -> struct clock_zone */
};

static struct str copy(struct tenants *tenants, struct str text)
{
	return str_of(arena_strndup(tenants->arena, text.data != NULL ? text.data : "", text.size),
		text.size);
}

/* Thousands of enterprises live in a few zones: each is loaded once. */
static const struct clock_zone *zone_of(struct tenants *tenants, struct str name)
{
	struct clock_zone *zone = table_get(tenants->zones, name);

	if (zone != NULL || name.size == 0)
		return zone;
	zone = clock_zone_new(name.data);
	if (zone != NULL)
		table_put(tenants->zones, name, zone);
	return zone;
}

/* Three tables, not one: a token of one enterprise may be the number of another. */
static void index_row(struct tenants *tenants, struct enterprise *row)
{
	table_put(tenants->by_number, row->number, row);
	if (row->name2.size > 0)
		table_put(tenants->by_name2, row->name2, row);
	if (row->secret.size > 0)
		table_put(tenants->by_secret, row->secret, row);
}

struct tenants *tenants_new(const struct enterprise *rows, size_t count)
{
	struct tenants *tenants = alloc_zeroed(1, sizeof(*tenants));

	/* Texts and rows in one piece: a new table replaces the old as a whole. */
	tenants->arena = arena_new(TENANTS_MAX_BYTES);
	tenants->rows = arena_array(tenants->arena, count > 0 ? count : 1, sizeof(*rows));
	tenants->count = count;
	tenants->by_name2 = table_new();
	tenants->by_secret = table_new();
	tenants->by_number = table_new();
	tenants->zones = table_new();
	for (size_t i = 0; i < count; i++) {
		struct enterprise *row = &tenants->rows[i];

		*row = rows[i];
		row->number = copy(tenants, rows[i].number);
		row->name2 = copy(tenants, rows[i].name2);
		row->secret = copy(tenants, rows[i].secret);
		row->zone_name = copy(tenants, rows[i].zone_name);
		row->zone = zone_of(tenants, row->zone_name);
		index_row(tenants, row);
	}
	return tenants;
}

void tenants_free(struct tenants **tenants)
{
	struct tenants *old = *tenants;
	size_t at = 0;
	void *value;

	if (old == NULL)
		return;
	while (table_next(old->zones, &at, NULL, &value)) {
		struct clock_zone *zone = value;

		clock_zone_free(&zone);
	}
	table_free(&old->zones);
	table_free(&old->by_number);
	table_free(&old->by_secret);
	table_free(&old->by_name2);
	arena_free(&old->arena);
	free(old);
	*tenants = NULL;
}

size_t tenants_count(const struct tenants *tenants)
{
	return tenants->count;
}

const struct enterprise *tenants_by_token(const struct tenants *tenants, struct str token)
{
	const struct enterprise *found = table_get(tenants->by_name2, token);

	if (found == NULL)
		found = table_get(tenants->by_secret, token);
	if (found == NULL)
		found = table_get(tenants->by_number, token);
	return found;
}

const struct enterprise *tenants_by_number(const struct tenants *tenants, struct str number)
{
	return table_get(tenants->by_number, number);
}

struct json_list tenants_rows(const struct tenants *tenants)
{
	return (struct json_list){tenants->rows, tenants->count};
}
