/*
 * directory_numbers: each enterprise's numbering rules: its own extensions, its lines, their spelling.
 *
 * A rule that is no rule (from before the database refused such) is said at each reload and passed
 * over: its line's calls come as the line sends them.
 */
#include "dispatcher.h"

/* Also extensions without a person, and those that only the settings name. */
static const char sql_extensions[] =
	"SELECT enterprise_number, phone_number FROM user_internal_phones"
	" UNION ALL SELECT number, jsonb_array_elements_text(settings -> 'extensions')"
	" FROM enterprises WHERE jsonb_typeof(settings -> 'extensions') = 'array'";
static const char sql_lines[] =
	"SELECT enterprise_number, line_id, coalesce(incoming_transform, '') FROM gsm_lines"
	" UNION ALL SELECT enterprise_number, line_name, coalesce(incoming_transform, '')"
	" FROM sip_unit";

void directory_numbers_query(struct pg_batch *batch)
{
	struct pg_params none = {0};
	pg_batch_add(batch, sql_extensions, &none);
	pg_batch_add(batch, sql_lines, &none);
}

/* One for each enterprise that has anything of its own. */
static struct number_rules *rules_of(struct directory *copy, struct str number)
{
	struct directory_tenant *tenant = table_get(copy->tenants, number);
	if (tenant == NULL)
		return NULL;
	if (tenant->numbers == NULL)
		tenant->tenant.numbers = tenant->numbers = number_rules_new();
	return tenant->numbers;
}

static void take_line(
	struct dispatcher *d, struct directory *copy, const struct pg_batch *batch, int at, int row)
{
	struct str number = pg_text(batch, at, row, 0), line = pg_text(batch, at, row, 1);
	struct number_rules *rules = rules_of(copy, number);
	struct error error;
	if (rules == NULL || number_rules_add_line(rules, line, pg_text(batch, at, row, 2), &error))
		return;
	struct log_context log = d->log;
	log.enterprise = number.data;
	log_warn(&log, "directory: line \"%.*s\": incoming_transform is not used: %s",
		STR_ARG(line), error.text);
}

void directory_numbers_take(
	struct dispatcher *d, struct directory *copy, const struct pg_batch *batch, int first)
{
	for (int row = 0; row < pg_rows(batch, first); row++) {
		struct number_rules *rules = rules_of(copy, pg_text(batch, first, row, 0));
		if (rules != NULL)
			number_rules_add_extension(rules, pg_text(batch, first, row, 1));
	}
	for (int row = 0; row < pg_rows(batch, first + 1); row++)
		take_line(d, copy, batch, first + 1, row);
}
