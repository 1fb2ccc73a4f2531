/*
 * roster: all bots of the suite, those of this instance, and when each of these is to be asked next.
 *
 * Read from PostgreSQL by lease.c. A bot stays in memory while something of it is under way.
 */
#ifndef BOT_ROSTER_H
#define BOT_ROSTER_H

#include "flow.h"
#include "table.h"

struct bots;
struct pg_batch;

struct bot {
	char *token;	  /* owned */
	char *number;	  /* owned; the first enterprise that has it */
	char *username;	  /* owned; "": not known yet */
	char *introduced; /* owned; what Telegram was told of it */
	char *trouble;	  /* owned; why it does not listen; "": it does */
	int64_t next_update;
	bool mine;	   /* of this instance, says the database */
	bool gone;	   /* from the roster: freed when nothing is under way */
	struct flow *poll; /* what is under way; NULL: nothing */
	bool asking;	   /* a long poll that may be cut short */
	int limit;	   /* updates to ask for at once */
	unsigned failures; /* in a row */
	int64_t rest_ms;   /* between two polls without updates */
	int64_t due_ms;	   /* by the loop's clock */
	size_t place;	   /* in the heap, from 1; 0: not there */
	unsigned seen;	   /* the load that named it last */
};

struct roster {
	struct table *by_token, *by_number;
	struct bot **heap; /* due bots of ours that are idle, a binary heap by due_ms, from 1 */
	size_t heap_count, heap_capacity;
	size_t mine;
	unsigned loads;
	struct flow_queue wake; /* pollers without work */
};

void roster_init(struct roster *roster);
void roster_free(struct roster *roster);

/* The rows of lease.c's query take the place of what was known. */
void roster_load(struct bots *b, const struct pg_batch *batch);

/* The bot that is due, taken out of the heap; else NULL and how long to wait. */
struct bot *roster_pick(struct bots *b, int64_t *wait_ms);
/* Nothing of it is under way any more: it is due after `after_ms`. */
void roster_put_back(struct bots *b, struct bot *bot, int64_t after_ms);

/* By the enterprise in a webhook's path; NULL: nobody's. */
struct bot *roster_of_number(const struct roster *roster, struct str number);

/* More bots than connections: nobody waits long for updates then. */
bool roster_is_crowded(const struct bots *b);
/* Polls that wait for updates are cut short: at a drain, or because others want their turn. */
void roster_cut_polls(struct roster *roster);
void roster_set_text(char **text, struct str to);

#endif
