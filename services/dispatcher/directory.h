/*
 * directory: enterprises with their people, lines and chats, as a copy in memory.
 *
 * Read whole from PostgreSQL whenever something changed (NOTIFY callweave_config); the last good
 * copy serves while that fails. Pointers into it are valid until the next reload: use them within
 * one step.
 */
#ifndef DISPATCHER_DIRECTORY_H
#define DISPATCHER_DIRECTORY_H

#include "call.h"
#include "flow.h"
#include "tenant.h"

struct dispatcher;
struct pg_batch;

#define DIRECTORY_OWNER_CHATS 2

struct directory_tenant {
	struct tenant tenant;			    /* first */
	const char *bot_token;			    /* "": none */
	int64_t owner_chats[DIRECTORY_OWNER_CHATS]; /* 0: none, or refused */
	bool active;
	bool has_crm;			 /* at least one integration is switched on */
	struct tenant_settings settings; /* tenant.settings points here */
	struct table *managers, *lines;
	struct number_rules *numbers; /* tenant.numbers is this; NULL: the bare rules */
	struct table *users; /* chat id -> directory_user: users.telegram_tg_id; may be NULL */
};

/* A person behind a chat: own extensions first, then the mobile, digits only. */
struct directory_user {
	const char **phones;
	unsigned count, capacity;
	const char *follow_me; /* a number that rings his phones in turn; "" */
};

struct directory_chat {
	int64_t id;
	bool only_mine; /* only calls in which a phone of the chat's user takes part */
};

struct directory_bot {
	struct directory_chat *chats;
	unsigned count, capacity;
	struct table *by_chat; /* chat id -> directory_chat, once they are all read */
};

/* Whom to tell. */
struct directory_recipient {
	int64_t chat_id;
	bool owner, only_mine;
	const struct directory_user *user; /* NULL: not known, or the owner's chat */
};

struct directory {
	struct arena *arena;   /* of the present copy */
	struct table *tenants; /* number -> directory_tenant */
	struct table *bots;    /* token -> directory_bot */
	struct table *zones;   /* name -> clock_zone; kept over reloads */
	unsigned loads;
	bool wanted;
	struct flow_queue wake, loaded;
	struct tenant stranger; /* for events of an enterprise that is gone */
};

void directory_init(struct directory *directory);
void directory_free(struct directory *directory);

const struct directory_tenant *directory_find(const struct directory *directory, struct str number);

/* Can anything be told of its calls? NULL: no. */
bool directory_has_bot(const struct directory_tenant *tenant);

/* The chats to tell, each once: `to` has room for `capacity`; returns how many. */
unsigned directory_recipients(const struct directory *directory,
	const struct directory_tenant *tenant, struct directory_recipient *to, unsigned capacity);

/* Who reads a chat that is perhaps no recipient any more. */
struct directory_recipient directory_reader(const struct directory_tenant *tenant, int64_t chat_id);

/* Is this chat a recipient? */
bool directory_tells(
	const struct directory *directory, const struct directory_tenant *tenant, int64_t chat_id);

/* Does a phone of that person take part in the call: did it ring, talk, call, or get it passed on? */
bool directory_takes_part(const struct directory_user *user, const struct call *call);

/* Ask for a reload now; await directory->loaded. */
void directory_want(struct dispatcher *d);

/* Put a new copy in the place of the old one, which is freed. */
void directory_replace(struct directory *directory, const struct directory *copy);

/* directory_load.c */
extern const struct flow_spec directory_flow; /* reloads when something wants it */

/* directory_numbers.c: two statements for each reload, and what they gave; `first` is the place of the
 * first one in the batch. */
void directory_numbers_query(struct pg_batch *batch);
void directory_numbers_take(
	struct dispatcher *d, struct directory *copy, const struct pg_batch *batch, int first);

#endif
