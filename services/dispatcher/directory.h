/*
 * directory: enterprises with their people, lines and chats, as a copy in memory.
 *
 * Read whole from PostgreSQL whenever something changed (NOTIFY callweave_config); the last good
 * copy serves while that fails. Pointers into it are valid until the next reload: use them within
 * one step.
 */
#ifndef DISPATCHER_DIRECTORY_H
#define DISPATCHER_DIRECTORY_H

#include "flow.h"
#include "tenant.h"

struct dispatcher;

struct directory_tenant {
	struct tenant tenant;  /* first */
	const char *bot_token; /* "": none */
	int64_t owner_chat;    /* 0: none, or refused */
	bool active;
	struct table *managers, *lines;
};

struct directory_bot {
	int64_t *chats;
	unsigned count, capacity;
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

/* The chats to tell, each once: `to` has room for `capacity`; returns how many. */
unsigned directory_recipients(const struct directory *directory,
	const struct directory_tenant *tenant, int64_t *to, unsigned capacity);

/* Ask for a reload now; await directory->loaded. */
void directory_want(struct dispatcher *d);

/* Put a new copy in the place of the old one, which is freed. */
void directory_replace(struct directory *directory, const struct directory *copy);

/* directory_load.c */
extern const struct flow_spec directory_flow;	     /* reloads when something wants it */
extern const struct flow_spec directory_listen_flow; /* wants it when the database says so */

#endif
