/*
 * accounts_rows: what is read of an enterprise, and how rows become an account.
 *
 * Also all columns' texts are hashed as they come: an account that did not change stays the one that
 * it is, so that nobody throws away what he made of it.
 */
#include "accounts_private.h"

enum { ROWS_ENTERPRISES, ROWS_MANAGERS, ROWS_LINES, ROWS_GROUPS };

/* A configuration larger than this is no configuration. */
#define MAX_CONFIG "262144"

static const char sql_enterprises[] =
	"SELECT number, name, coalesce(name2, ''), coalesce(secret, ''), country, locale, zone,"
	" coalesce(host, ''), coalesce(ip, ''), active,"
	" CASE WHEN octet_length(settings::text) <= " MAX_CONFIG " THEN settings ELSE '{}' END,"
	" CASE WHEN octet_length(integrations_config::text) <= " MAX_CONFIG
	" THEN integrations_config END"
	" FROM enterprises WHERE number = ANY ($1::text[])";
static const char sql_managers[] =
	"SELECT p.enterprise_number, p.phone_number, coalesce(u.last_name, ''),"
	" coalesce(u.first_name, ''), coalesce(u.patronymic, ''), coalesce(u.personal_phone, ''),"
	" coalesce(u.id, 0), p.id, coalesce(u.follow_me_number, 0),"
	" coalesce(u.follow_me_enabled, false)"
	" FROM user_internal_phones p LEFT JOIN users u ON u.id = p.user_id"
	" AND u.enterprise_number = p.enterprise_number"
	" WHERE p.enterprise_number = ANY ($1::text[]) ORDER BY p.enterprise_number, p.id";
static const char sql_lines[] =
	"SELECT enterprise_number, line_name AS line, false AS gsm, '', '', coalesce(info, ''),"
	" coalesce(prefix, ''), coalesce(in_schema, ''), coalesce(out_schema, ''), '', id,"
	" coalesce(incoming_transform, '')"
	" FROM sip_unit WHERE enterprise_number = ANY ($1::text[])"
	" UNION ALL SELECT enterprise_number, line_id, true, coalesce(internal_id, ''),"
	" coalesce(phone_number, ''), coalesce(line_name, ''), coalesce(prefix, ''),"
	" coalesce(in_schema, ''), coalesce(out_schema, ''), coalesce(shop, ''), id,"
	" coalesce(incoming_transform, '')"
	" FROM gsm_lines WHERE enterprise_number = ANY ($1::text[]) ORDER BY 1, 3, 11";

void accounts_add_queries(struct pg_batch *batch, const struct pg_params *numbers)
{
	pg_batch_add(batch, sql_enterprises, numbers);
	pg_batch_add(batch, sql_managers, numbers);
	pg_batch_add(batch, sql_lines, numbers);
}

/* -- one enterprise ------------------------------------------------------------------------------- */

static const char *own(struct held *held, const struct pg_batch *batch, int row, int column)
{
	return held_text(held, pg_text(batch, ROWS_ENTERPRISES, row, column));
}

static void say(struct accounts *accounts, const struct held *held, const char *what,
	const struct error *error)
{
	struct log_context log = accounts->log;

	log.enterprise = held->account.number;
	log_warn(
		&log, "accounts: %s of enterprise %s: %s", what, held->account.number, error->text);
}

static void read_documents(
	struct accounts *accounts, struct held *held, const struct pg_batch *batch, int row)
{
	struct error error;

	if (!held_read_settings(held, pg_text(batch, ROWS_ENTERPRISES, row, 10), &error))
		say(accounts, held, "settings", &error);
	if (pg_is_null(batch, ROWS_ENTERPRISES, row, 11)) {
		(void)error_set(&error, ERROR_INPUT, "larger than " MAX_CONFIG " bytes: not used");
		say(accounts, held, "integrations", &error);
	} else if (!held_read_config(held, pg_text(batch, ROWS_ENTERPRISES, row, 11), &error)) {
		say(accounts, held, "integrations", &error);
	}
}

static struct held *held_of_row(struct accounts *accounts, const struct pg_batch *batch, int row)
{
	struct held *held = held_new(pg_text(batch, ROWS_ENTERPRISES, row, 0));
	struct account *account = &held->account;

	account->name = own(held, batch, row, 1);
	account->token = own(held, batch, row, 2);
	account->secret = own(held, batch, row, 3);
	account->country = own(held, batch, row, 4);
	account->locale = own(held, batch, row, 5);
	account->zone_name = own(held, batch, row, 6);
	account->zone = accounts_zone(accounts, account->zone_name);
	account->host = own(held, batch, row, 7);
	account->ip = own(held, batch, row, 8);
	account->active = pg_bool(batch, ROWS_ENTERPRISES, row, 9);
	read_documents(accounts, held, batch, row);
	return held;
}

/* -- its people and lines ------------------------------------------------------------------------- */

static void take_manager(struct held *held, const struct pg_batch *batch, int row)
{
	const struct account_manager manager = {
		.extension = pg_text(batch, ROWS_MANAGERS, row, 1).data,
		.last_name = pg_text(batch, ROWS_MANAGERS, row, 2).data,
		.first_name = pg_text(batch, ROWS_MANAGERS, row, 3).data,
		.patronymic = pg_text(batch, ROWS_MANAGERS, row, 4).data,
		.personal_phone = pg_text(batch, ROWS_MANAGERS, row, 5).data,
		.user_id = pg_int(batch, ROWS_MANAGERS, row, 6),
		.phone_id = pg_int(batch, ROWS_MANAGERS, row, 7),
		.follow_me_number = pg_int(batch, ROWS_MANAGERS, row, 8),
		.follow_me = pg_bool(batch, ROWS_MANAGERS, row, 9),
	};

	held_add_manager(held, &manager);
}

static void take_line(
	struct accounts *accounts, struct held *held, const struct pg_batch *batch, int row)
{
	const struct account_line line = {
		.id = pg_text(batch, ROWS_LINES, row, 1).data,
		.gsm = pg_bool(batch, ROWS_LINES, row, 2),
		.internal_id = pg_text(batch, ROWS_LINES, row, 3).data,
		.phone = pg_text(batch, ROWS_LINES, row, 4).data,
		.name = pg_text(batch, ROWS_LINES, row, 5).data,
		.prefix = pg_text(batch, ROWS_LINES, row, 6).data,
		.in_schema = pg_text(batch, ROWS_LINES, row, 7).data,
		.out_schema = pg_text(batch, ROWS_LINES, row, 8).data,
		.shop = pg_text(batch, ROWS_LINES, row, 9).data,
		.transform = pg_text(batch, ROWS_LINES, row, 11).data,
	};
	struct error error;

	if (!held_add_line(held, &line, &error))
		say(accounts, held, "a line's incoming_transform", &error);
}

/* -- all of a page -------------------------------------------------------------------------------- */

struct making {
	struct held *held;
	struct crypto_hash *hash;
};

static void hash_row(struct crypto_hash *hash, const struct pg_batch *batch, int rows, int row)
{
	static const int columns[ROWS_GROUPS] = {
		[ROWS_ENTERPRISES] = 12, [ROWS_MANAGERS] = 10, [ROWS_LINES] = 12};

	for (int column = 0; column < columns[rows]; column++) {
		struct str text = pg_text(batch, rows, row, column);

		crypto_hash_add(hash, text);
		crypto_hash_add(hash, STR("\1")); /* so that "a","b" is not "ab","" */
	}
}

static void take_group(
	struct accounts *accounts, const struct pg_batch *batch, struct table *makings, int rows)
{
	for (int row = 0; row < pg_rows(batch, rows); row++) {
		struct making *making = table_get(makings, pg_text(batch, rows, row, 0));

		if (making == NULL)
			continue;
		hash_row(making->hash, batch, rows, row);
		if (rows == ROWS_MANAGERS)
			take_manager(making->held, batch, row);
		else
			take_line(accounts, making->held, batch, row);
	}
}

void accounts_take_rows(
	struct accounts *accounts, const struct pg_batch *batch, struct table *missing)
{
	struct making makings[ACCOUNTS_PAGE];
	struct table *by_number = table_new();
	int count = pg_rows(batch, ROWS_ENTERPRISES);

	if (count > ACCOUNTS_PAGE)
		count = ACCOUNTS_PAGE;
	for (int row = 0; row < count; row++) {
		struct str number = pg_text(batch, ROWS_ENTERPRISES, row, 0);

		makings[row] =
			(struct making){held_of_row(accounts, batch, row), crypto_hash_new()};
		hash_row(makings[row].hash, batch, ROWS_ENTERPRISES, row);
		(void)table_put(by_number, number, &makings[row]);
		(void)table_remove(missing, number);
	}
	take_group(accounts, batch, by_number, ROWS_MANAGERS);
	take_group(accounts, batch, by_number, ROWS_LINES);
	table_free(&by_number);
	for (int i = 0; i < count; i++) {
		held_add_named_extensions(makings[i].held);
		crypto_hash_end(&makings[i].hash, makings[i].held->digest);
		accounts_put(accounts, makings[i].held);
	}
}
