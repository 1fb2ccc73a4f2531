/*
 * accounts: enterprises with their people, lines and integrations, as a copy in memory.
 *
 * For 8020, the CRM adapters and pbx-api. Follows the database by NOTIFY within a second, one
 * enterprise at a time; after a lost connection everything is read anew; while PostgreSQL fails the
 * last good copy serves. Pointers are valid until the flow's next wait.
 */
#ifndef CALLWEAVE_ACCOUNTS_H
#define CALLWEAVE_ACCOUNTS_H

#include "clock.h"
#include "json.h"
#include "number_rules.h"
#include "pg.h"
#include "table.h"

struct accounts;

struct account_manager {
	const char *extension, *last_name, *first_name, *patronymic, *personal_phone;
	int64_t user_id;  /* of users; 0: nobody's */
	int64_t phone_id; /* of user_internal_phones */
	int64_t follow_me_number;
	bool follow_me;
};

struct account_line {
	const char *id; /* gsm_lines.line_id or sip_unit.line_name */
	bool gsm;
	const char *internal_id, *phone, *name, *prefix, *in_schema, *out_schema, *shop;
	const char *transform; /* "+375{9}"; "" */
};

struct account_integration {
	const char *code; /* the key of integrations_config: "retailcrm"; "smart" is one, too */
	bool enabled;
	const struct json *config; /* an object, also where it was stored as a string */
};

struct account {
	const char *number, *name, *token, *secret; /* "" when it has none */
	const char *country, *locale, *zone_name, *host, *ip;
	const struct clock_zone *zone;
	bool active;
	const char *primary;	  /* smart.primary, else the only enabled CRM, else "" */
	const struct json *smart; /* integrations_config.smart; NULL */
	const struct json *settings;
	struct account_integration *integrations;
	unsigned integration_count;
	struct table *managers; /* extension -> account_manager */
	struct table *lines;	/* id -> account_line */
	const struct number_rules *numbers;
	int64_t loaded_ms;  /* wall: when this version was first read; grows when it changes */
	int64_t checked_ms; /* wall: when it was last found to be so */
};

struct accounts_options {
	struct pg *pg;		  /* for reading; borrowed */
	const char *database_url; /* for its own LISTEN connection */
	const char *application_name;
	struct log_context log;
	int64_t refresh_ms; /* everything is read anew also without a notice; 0: 5 min */
};

struct accounts *accounts_new(struct loop *loop, const struct accounts_options *options);
void accounts_free(struct accounts **accounts);

/* NULL, or why nothing can be served yet ("PostgreSQL does not answer"). */
const char *accounts_why_not(const struct accounts *accounts);
/* False: the copy is the last good one, since the database fails. */
bool accounts_fresh(const struct accounts *accounts);

const struct account *accounts_find(const struct accounts *accounts, struct str number);
/* By number, name, token or secret, in this order ("june" works). */
const struct account *accounts_find_any(const struct accounts *accounts, struct str key);
/* By an exact text member of one integration's config: webhooks. `code` "ms". */
const struct account *accounts_find_config(
	const struct accounts *accounts, struct str code, struct str member, struct str value);
const struct account_integration *account_integration(
	const struct account *account, struct str code);

size_t accounts_count(const struct accounts *accounts);
/* Walk: `size_t at = 0; while ((account = accounts_next(accounts, &at)) != NULL)`. */
const struct account *accounts_next(const struct accounts *accounts, size_t *at);

/* Read one enterprise (or all: empty) now. Its ticket: wait for accounts_loaded() until it is done. */
unsigned accounts_want(struct accounts *accounts, struct str number);
/* A load that began after that ticket was given has ended well. */
bool accounts_done(const struct accounts *accounts, unsigned ticket);
/* Woken after each load: for waits, and for layers that keep something made of it. */
struct flow_queue *accounts_loaded(struct accounts *accounts);
/* Grows with each load that changed something; of one account: its loaded_ms. */
unsigned accounts_generation(const struct accounts *accounts);

struct accounts_stats {
	int64_t loads, failed_loads, notices;
	int64_t last_load_ms; /* wall; 0: never */
};
struct accounts_stats accounts_stats(const struct accounts *accounts);

#endif
