/*
 * accounts_private: what the files of accounts share.
 */
#ifndef CALLWEAVE_ACCOUNTS_PRIVATE_H
#define CALLWEAVE_ACCOUNTS_PRIVATE_H

#include "account.h"
#include "pg_listen.h"

struct accounts {
	struct loop *loop;
	struct log_context log;
	struct pg *pg;
	struct pg_listen *listen;
	int64_t refresh_ms;

	struct table *by_number, *by_name, *by_token, *by_secret; /* -> struct held */
	struct table *zones;					  /* name -> struct clock_zone */

	struct flow *listener, *loader;
	struct table *wanted; /* numbers that are to be read; values are the accounts */
	bool all_wanted;
	struct flow_queue wake;	  /* of the loader */
	struct flow_queue loaded; /* of everybody else */
	bool ever, failing;
	unsigned begun, done; /* loads, by number: the last that began, the last that ended well */
	unsigned generation;
	struct accounts_stats stats;
	char why[160]; /* why the last load failed */
};

/* Put it in the place of the one with its number, if it differs; owns `held` from here on. */
void accounts_put(struct accounts *accounts, struct held *held);
void accounts_drop(struct accounts *accounts, struct str number);
/* Borrowed; NULL when there is no such zone, which is said once a load. */
const struct clock_zone *accounts_zone(struct accounts *accounts, const char *name);

/* accounts_load.c: for ever: notices, and what they ask for. */
void accounts_follow(struct accounts *accounts);

/* accounts_rows.c: the statements for a list of numbers, and the accounts that their rows make. */
#define ACCOUNTS_PAGE 100 /* enterprises that are read at once */
void accounts_add_queries(struct pg_batch *batch, const struct pg_params *numbers);
void accounts_take_rows(
	struct accounts *accounts, const struct pg_batch *batch, struct table *missing);

#endif
