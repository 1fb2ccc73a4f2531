/*
 * customers: who is behind a number: memory over Redis over PostgreSQL over the CRM.
 *
 * An answer is a copy in memory that is younger than its time and was not announced as changed; an old
 * one is read anew behind the answer. A number that is not there is fetched once, however many ask, and
 * "nobody knows it" is kept like a name. The CRM is asked in the background (customers_learn.c), and
 * what it says comes by NOTIFY. When PostgreSQL fails the last good copy serves.
 */
#ifndef INTEGRATION_CACHE_CUSTOMERS_H
#define INTEGRATION_CACHE_CUSTOMERS_H

#include "accounts.h"
#include "customer_record.h"

struct customers;
struct integration_cache;

/* Enterprise and number as one text, "0367 +375291112233". */
#define CUSTOMER_KEY_BYTES 96
struct customer_key {
	char text[CUSTOMER_KEY_BYTES];
	unsigned size;
};

/* False: that is no number that anybody has in the telephone network (an extension, "anonymous"). */
bool customer_key(const struct account *account, struct str phone, struct customer_key *key);

struct customers *customers_new(struct integration_cache *cache);
void customers_free(struct customers **customers);

/* One look-up. NULL: it is being fetched, wait with customers_pending() and then peek. What is given is
 * valid until the flow's next wait. Asks the CRM in the background when that has never been heard of
 * this customer. */
const struct customer *customers_find(
	struct customers *customers, const struct account *account, const struct customer_key *key);
/* The line of flows that wait for one of these keys; NULL: none is being fetched. */
struct flow_queue *customers_pending(
	struct customers *customers, const struct customer_key *keys, unsigned count);
/* After the wait: also a copy that is too old, when there is no better one. NULL: nobody knows. Not
 * counted as a look-up. */
const struct customer *customers_peek(
	const struct customers *customers, const struct customer_key *key);
/* A call with that number begins: have it ready, and ask the primary CRM in the background if it has not
 * told of it yet. Returns at once; no look-up is counted. */
void customers_expect(struct customers *customers, const struct account *account, struct str phone);
/* Ask the CRM now, also when it was asked lately. False: there is none to ask. Its answer wakes the
 * line of customers_watch(). */
bool customers_ask(
	struct customers *customers, const struct account *account, const struct customer_key *key);
/* The line of flows that wait for a change of that customer, after a look-up; NULL: gone. */
struct flow_queue *customers_watch(struct customers *customers, const struct customer_key *key);
/* The next look-up goes to PostgreSQL. */
void customers_forget(struct customers *customers, const struct customer_key *key);
/* All of one enterprise, or of all (empty). */
void customers_forget_all(struct customers *customers, struct str enterprise);

/* The extension of ours that is responsible for the customer: the primary CRM's user, by the
 * enterprise's own map, if there is such an extension; else empty. In the arena. */
struct str customer_responsible(
	const struct account *account, const struct customer *customer, struct arena *arena);

size_t customers_count(const struct customers *customers);

/* What came of look-ups, each counted once where it was answered or not. */
struct layer_stats {
	int64_t hits, misses, stale;
};
struct customers_stats {
	struct layer_stats memory, redis, database;
	int64_t crm_asked, crm_failed, crm_dropped;
	int64_t notices, gaps;
};
const struct customers_stats *customers_stats(const struct customers *customers);

#endif
