/*
 * refold_tenants: see refold_tenants.h.
 */
#include "refold_tenants.h"

#include "tenant_settings.h"

enum { ROWS_TENANTS, ROWS_EXTENSIONS, ROWS_LINES };

static const char sql_tenants[] = "SELECT number, zone, country, settings::text FROM enterprises "
				  "WHERE $1::text IS NULL OR number = $1";
static const char sql_extensions[] =
	"SELECT enterprise_number, phone_number FROM user_internal_phones"
	" WHERE $1::text IS NULL OR enterprise_number = $1";
static const char sql_lines[] = "SELECT * FROM (SELECT enterprise_number, line_id, "
				"coalesce(incoming_transform, '') FROM gsm_lines"
				" UNION ALL SELECT enterprise_number, line_name, "
				"coalesce(incoming_transform, '') FROM sip_unit) AS l"
				" WHERE $1::text IS NULL OR enterprise_number = $1";

/* What is borrowed by the refold, and owned here. */
struct owned_tenant {
	struct refold_tenant tenant; /* first */
	struct clock_zone *zone;
	struct number_rules *numbers;
};

void refold_tenants_query(struct pg_batch *batch, struct arena *arena, const char *enterprise)
{
	struct pg_params params = {0};

	pg_put_text(&params, enterprise);
	pg_batch_add(batch, sql_tenants, &params);
	pg_batch_add(batch, sql_extensions, &params);
	pg_batch_add(batch, sql_lines, &params);
}

/* Settings that cannot be read are the defaults, as the dispatcher takes them. */
static void take_settings(struct owned_tenant *owned, struct str json, struct arena *arena)
{
	struct tenant_settings settings;
	struct error error;

	(void)tenant_settings_read(json, arena, &settings, &error);
	owned->tenant.fallback_extension = settings.fallback_extension;
	for (size_t i = 0; i < settings.extensions.count; i++)
		number_rules_add_extension(owned->numbers, settings.extensions.items[i]);
}

static struct owned_tenant *tenant_at(
	const struct table *tenants, const struct pg_batch *batch, int rows, int row)
{
	return table_get(tenants, pg_text(batch, rows, row, 0));
}

struct table *refold_tenants_take(const struct pg_batch *batch, struct arena *arena)
{
	struct table *tenants = table_new();
	struct owned_tenant *owned;
	struct error error;

	for (int row = 0; row < pg_rows(batch, ROWS_TENANTS); row++) {
		struct str country = pg_text(batch, ROWS_TENANTS, row, 2);

		owned = arena_alloc(arena, sizeof(*owned));
		owned->zone = clock_zone_new(pg_text(batch, ROWS_TENANTS, row, 1).data);
		owned->numbers = number_rules_new();
		owned->tenant = (struct refold_tenant){
			.country = arena_strndup(arena, country.data, country.size),
			.zone = owned->zone,
			.numbers = owned->numbers};
		take_settings(owned, pg_text(batch, ROWS_TENANTS, row, 3), arena);
		table_put(tenants, pg_text(batch, ROWS_TENANTS, row, 0), owned);
	}
	for (int row = 0; row < pg_rows(batch, ROWS_EXTENSIONS); row++) {
		owned = tenant_at(tenants, batch, ROWS_EXTENSIONS, row);
		if (owned != NULL)
			number_rules_add_extension(
				owned->numbers, pg_text(batch, ROWS_EXTENSIONS, row, 1));
	}
	for (int row = 0; row < pg_rows(batch, ROWS_LINES); row++) {
		owned = tenant_at(tenants, batch, ROWS_LINES, row);
		if (owned != NULL)
			(void)number_rules_add_line(owned->numbers,
				pg_text(batch, ROWS_LINES, row, 1),
				pg_text(batch, ROWS_LINES, row, 2), &error);
	}
	return tenants;
}

void refold_tenants_free(struct table **tenants)
{
	size_t at = 0;
	void *value;

	if (*tenants == NULL)
		return;
	while (table_next(*tenants, &at, NULL, &value)) {
		struct owned_tenant *owned = value;

		clock_zone_free(&owned->zone);
		number_rules_free(&owned->numbers);
	}
	table_free(tenants);
}
