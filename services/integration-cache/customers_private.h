/*
 * customers_private: what the files of customers share.
 */
#ifndef INTEGRATION_CACHE_CUSTOMERS_PRIVATE_H
#define INTEGRATION_CACHE_CUSTOMERS_PRIVATE_H

#include "cache.h"
#include "crypto.h"
#include "customers.h"
#include "keyset.h"
#include "pg_listen.h"

#define CUSTOMERS_BATCH	 100 /* fetched at once */
#define CUSTOMERS_RECENT 4096

struct entry {
	struct entry *newer, *older; /* by the last look-up */
	struct entry *next_wanted;
	struct flow_queue waiting;
	struct customer customer;
	char *texts; /* of customer; NULL: it was never read */
	int64_t read_ms;
	int64_t asked_ms;    /* when the CRM was asked for it; 0: never */
	unsigned generation; /* of customers when it was read */
	bool wanted, fetching;
	bool changed;	 /* announced as changed since it was read, or while it is being read */
	bool past_redis; /* the next fetch does not look there */
	unsigned key_size;
	char key[]; /* "0367 +375..." */
};

/* A number that a CRM is to be asked for. */
struct question {
	char enterprise[56], phone[24], code[24];
};
#define MAX_QUESTIONS 1024

/* An enterprise all of whose customers are in memory: who is not there is nobody. */
struct whole {
	bool loading, complete;
	unsigned generation; /* of customers when it was read */
	int64_t read_ms;     /* 0: never */
};

struct customers {
	struct integration_cache *cache;
	struct keyset *entries;
	struct table *wholes; /* number -> struct whole */
	struct entry *newest, *oldest;
	struct entry *first_wanted, *last_wanted;
	struct flow_queue wake; /* of the fetcher */
	struct flow *fetcher, *listener, *learner, *warmer;
	struct pg_listen *listen;
	unsigned generation; /* grows after a gap in the notices */
	/* Copies in Redis begin with this; another one makes them void. "": not known. */
	char redis_generation[CRYPTO_UUID_TEXT];
	bool redis_trusted; /* no announcement was missed since the generation was made */
	unsigned redis_connection;
	int64_t recent[CUSTOMERS_RECENT]; /* when a key that falls there was last announced */
	int64_t failed_ms;		  /* when PostgreSQL last failed; 0: never */
	struct question *questions;	  /* a ring */
	unsigned first_question, question_count;
	struct flow_queue asked; /* of the learner */
	struct customers_stats stats;
	struct customers_meters {
		struct metric *memory_hits, *memory_misses, *redis_hits, *redis_misses;
		struct metric *database_hits, *database_misses, *crm_asked, *kept;
	} meters;
};

#define CUSTOMERS_REDIS_GENERATION "callweave:customers:generation"
#define CUSTOMERS_REDIS_PREFIX	   "callweave:customer:"

struct entry *customers_get(const struct customers *customers, struct str key);
void customers_want(struct customers *customers, struct entry *entry);
/* Put what was read; `json` "null" is nobody. False: it is no record, said in the log. */
bool customers_fill(struct customers *customers, struct entry *entry, struct str json);

/* The moment of the last announcement of such a key. */
int64_t *customers_recent(struct customers *customers, struct str key);
/* After a gap: make the copies in Redis void. False: they cannot be trusted now. */
bool customers_void_redis(struct customers *customers);

/* An entry for the key, made where there is none: `used` now, or only in case. */
struct entry *customers_make(struct customers *customers, struct str key, bool used);
/* The enterprise of a key, if all its customers are in memory or are being read; NULL. */
struct whole *customers_whole(const struct customers *customers, struct str key);
bool customers_whole_holds(const struct customers *customers, const struct whole *whole);
void customers_warm_start(struct customers *customers); /* customers_warm.c */
void customers_warm_free(struct customers *customers);

void customers_meters_start(struct customers *customers); /* customers_meters.c */
void customers_fetch_start(struct customers *customers);  /* customers_fetch.c */
void customers_listen_start(struct customers *customers); /* customers_listen.c */
void customers_learn_start(struct customers *customers);  /* customers_learn.c */

/* Ask the enterprise's primary CRM about the number, if it does not know it yet and was not asked
 * lately. */
void customers_learn(
	struct customers *customers, const struct account *account, struct entry *entry);

#endif
