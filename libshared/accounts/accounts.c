/*
 * accounts: see accounts.h. The copy and its ways in; accounts_load.c keeps it as the database is.
 */
#include "accounts_private.h"

#include "alloc.h"

#include <stdlib.h>

#define REFRESH_MS 300000

struct accounts *accounts_new(struct loop *loop, const struct accounts_options *options)
{
	static const char *const channels[] = {"callweave_account", NULL};
	struct accounts *accounts = alloc_zeroed(1, sizeof(*accounts));
	const struct pg_options listen = {
		.url = options->database_url,
		.application_name = options->application_name,
		.log = options->log,
	};

	accounts->loop = loop;
	accounts->log = options->log;
	accounts->pg = options->pg;
	accounts->refresh_ms = options->refresh_ms > 0 ? options->refresh_ms : REFRESH_MS;
	accounts->by_number = table_new();
	accounts->by_name = table_new();
	accounts->by_token = table_new();
	accounts->by_secret = table_new();
	accounts->zones = table_new();
	accounts->wanted = table_new();
	flow_queue_init(&accounts->wake);
	flow_queue_init(&accounts->loaded);
	accounts->listen = pg_listen_new(loop, &listen, channels);
	accounts_follow(accounts);
	return accounts;
}

void accounts_free(struct accounts **accounts)
{
	struct accounts *old = *accounts;
	size_t at = 0;
	void *value;

	if (old == NULL)
		return;
	if (old->listener != NULL)
		flow_cancel(old->listener);
	if (old->loader != NULL)
		flow_cancel(old->loader);
	pg_listen_free(&old->listen);
	while (table_next(old->by_number, &at, NULL, &value))
		held_free(value);
	for (at = 0; table_next(old->zones, &at, NULL, &value);) {
		struct clock_zone *zone = value;

		clock_zone_free(&zone);
	}
	table_free(&old->by_number);
	table_free(&old->by_name);
	table_free(&old->by_token);
	table_free(&old->by_secret);
	table_free(&old->zones);
	table_free(&old->wanted);
	free(old);
	*accounts = NULL;
}

/* -- putting and dropping ------------------------------------------------------------------------- */

/* Of two with the same name the one with the lower number is found, whatever came first. */
static void index_add(struct table *index, const char *key, struct held *held)
{
	const struct held *other;

	if (key[0] == '\0')
		return;
	other = table_get(index, str_from(key));
	if (other == NULL || strcmp(held->account.number, other->account.number) < 0)
		(void)table_put(index, str_from(key), held);
}

static void index_remove(struct table *index, const char *key, const struct held *held)
{
	if (key[0] != '\0' && table_get(index, str_from(key)) == held)
		(void)table_remove(index, str_from(key));
}

/* Tokens and secrets are unique; another enterprise may have the name of the one that goes. */
static void name_remove(struct accounts *accounts, const struct held *held)
{
	const char *name = held->account.name;
	size_t at = 0;
	void *value;

	if (name[0] == '\0' || table_get(accounts->by_name, str_from(name)) != held)
		return;
	(void)table_remove(accounts->by_name, str_from(name));
	while (table_next(accounts->by_number, &at, NULL, &value)) {
		struct held *other = value;

		if (other != held && strcmp(other->account.name, name) == 0)
			index_add(accounts->by_name, name, other);
	}
}

static void unlink_held(struct accounts *accounts, struct held *held)
{
	name_remove(accounts, held);
	index_remove(accounts->by_token, held->account.token, held);
	index_remove(accounts->by_secret, held->account.secret, held);
}

void accounts_put(struct accounts *accounts, struct held *held)
{
	struct account *account = &held->account;
	struct held *old = table_get(accounts->by_number, str_from(account->number));
	int64_t now_ms = clock_wall_ms();

	if (old != NULL && memcmp(old->digest, held->digest, sizeof(held->digest)) == 0) {
		old->account.checked_ms = now_ms;
		held_free(held);
		return;
	}
	/* Strictly later than the one before: readers compare. */
	account->loaded_ms = old != NULL && old->account.loaded_ms >= now_ms
				     ? old->account.loaded_ms + 1
				     : now_ms;
	account->checked_ms = now_ms;
	if (old != NULL)
		unlink_held(accounts, old);
	(void)table_put(accounts->by_number, str_from(account->number), held);
	index_add(accounts->by_name, account->name, held);
	index_add(accounts->by_token, account->token, held);
	index_add(accounts->by_secret, account->secret, held);
	held_free(old);
	accounts->generation++;
}

void accounts_drop(struct accounts *accounts, struct str number)
{
	struct held *old = table_remove(accounts->by_number, number);

	if (old == NULL)
		return;
	unlink_held(accounts, old);
	held_free(old);
	accounts->generation++;
}

/* Zones are files: read once for all enterprises. */
const struct clock_zone *accounts_zone(struct accounts *accounts, const char *name)
{
	struct clock_zone *zone = table_get(accounts->zones, str_from(name));

	if (zone != NULL)
		return zone;
	zone = clock_zone_new(name);
	if (zone == NULL)
		log_warn(&accounts->log, "accounts: time zone \"%s\" is not known: UTC is used",
			name);
	else
		(void)table_put(accounts->zones, str_from(name), zone);
	return zone;
}

/* -- how it stands -------------------------------------------------------------------------------- */

const char *accounts_why_not(const struct accounts *accounts)
{
	if (accounts->ever)
		return NULL;
	if (!pg_ready(accounts->pg))
		return pg_last_error(accounts->pg);
	return accounts->why[0] != '\0' ? accounts->why : "enterprises are being read";
}

bool accounts_fresh(const struct accounts *accounts)
{
	return accounts->ever && !accounts->failing && pg_ready(accounts->pg) &&
	       pg_listen_ready(accounts->listen);
}

size_t accounts_count(const struct accounts *accounts)
{
	return table_count(accounts->by_number);
}

unsigned accounts_want(struct accounts *accounts, struct str number)
{
	if (number.size == 0 || table_count(accounts->wanted) >= ACCOUNTS_PAGE)
		accounts->all_wanted = true;
	else
		(void)table_put(accounts->wanted, number, accounts);
	(void)flow_queue_wake_all(&accounts->wake);
	return accounts->begun + 1;
}

bool accounts_done(const struct accounts *accounts, unsigned ticket)
{
	return (int)(accounts->done - ticket) >= 0;
}

struct flow_queue *accounts_loaded(struct accounts *accounts)
{
	return &accounts->loaded;
}

unsigned accounts_generation(const struct accounts *accounts)
{
	return accounts->generation;
}

struct accounts_stats accounts_stats(const struct accounts *accounts)
{
	return accounts->stats;
}

/* -- finding -------------------------------------------------------------------------------------- */

const struct account *accounts_find(const struct accounts *accounts, struct str number)
{
	return table_get(accounts->by_number, number);
}

const struct account *accounts_find_any(const struct accounts *accounts, struct str key)
{
	const struct table *const indexes[] = {
		accounts->by_number, accounts->by_name, accounts->by_token, accounts->by_secret};

	for (unsigned i = 0; key.size > 0 && i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		const struct account *found = table_get(indexes[i], key);

		if (found != NULL)
			return found;
	}
	return NULL;
}

const struct account *accounts_find_config(
	const struct accounts *accounts, struct str code, struct str member, struct str value)
{
	char name[64];
	size_t at = 0;
	void *value_at;

	if (value.size == 0 || !str_copy(name, sizeof(name), member))
		return NULL;
	while (table_next(accounts->by_number, &at, NULL, &value_at)) {
		const struct account *account = value_at;
		const struct account_integration *found = account_integration(account, code);

		if (found != NULL &&
			str_equal_secret(json_text(json_member(found->config, name)), value))
			return account;
	}
	return NULL;
}

const struct account_integration *account_integration(
	const struct account *account, struct str code)
{
	for (unsigned i = 0; i < account->integration_count; i++) {
		if (str_equal(str_from(account->integrations[i].code), code))
			return &account->integrations[i];
	}
	return NULL;
}

const struct account *accounts_next(const struct accounts *accounts, size_t *at)
{
	void *value;

	return table_next(accounts->by_number, at, NULL, &value) ? value : NULL;
}
