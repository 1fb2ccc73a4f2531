/*
 * pg_listen: LISTEN on a connection of its own, notices in a bounded ring.
 *
 * The empty notice ("anything may have changed") is used for a gap: a new connection, or a ring that
 * ran over. So a reader that treats it as "load everything" can never miss a change.
 */
#include "pg_listen.h"

#include "alloc.h"
#include "pg_connect.h"

#include <stdlib.h>

enum { MAX_NOTICES = 256, MAX_CHANNELS = 8, SQL_MAX_BYTES = 1024 };

struct pg_listen {
	struct pg_connect *connect;
	struct buf sql; /* LISTEN "a"; LISTEN "b" */
	struct flow_queue readers;
	struct pg_notice *notices; /* a ring */
	unsigned first, count;
	bool listening; /* the server has confirmed */
};

/* -- the ring -------------------------------------------------------------------------------------- */

static void add_notice(struct pg_listen *listen, struct str channel, struct str payload)
{
	struct pg_notice *notice;

	if (listen->count == MAX_NOTICES) { /* melt into one that says: look at everything */
		listen->count = 0;
		payload = str_of(NULL, 0);
	}
	notice = &listen->notices[(listen->first + listen->count++) % MAX_NOTICES];
	(void)str_copy(notice->channel, sizeof(notice->channel), channel);
	(void)str_copy(notice->payload, sizeof(notice->payload), payload);
	flow_queue_wake_all(&listen->readers);
}

bool pg_listen_take(struct pg_listen *listen, struct pg_notice *notice)
{
	if (listen->count == 0)
		return false;
	*notice = listen->notices[listen->first];
	listen->first = (listen->first + 1) % MAX_NOTICES;
	listen->count--;
	return true;
}

enum flow_status await_pg_notice(struct flow *flow, struct pg_listen *listen, int64_t timeout_ms)
{
	if (listen->count > 0)
		return await_turn(flow);
	return await_queue_for(flow, &listen->readers, timeout_ms);
}

/* -- the connection -------------------------------------------------------------------------------- */

static void on_up(void *owner)
{
	struct pg_listen *listen = owner;

	if (PQsendQuery(pg_connect_handle(listen->connect), listen->sql.data) == 0)
		pg_connect_lost(listen->connect, NULL);
}

static void on_down(void *owner)
{
	struct pg_listen *listen = owner;

	listen->listening = false;
}

/* False: the connection is given up. */
static bool take_results(struct pg_listen *listen, PGconn *handle)
{
	while (!listen->listening && !PQisBusy(handle)) {
		PGresult *result = PQgetResult(handle);
		bool failed = PQresultStatus(result) == PGRES_FATAL_ERROR && result != NULL;

		PQclear(result);
		if (failed) {
			pg_connect_lost(listen->connect, "LISTEN was refused");
			return false;
		}
		if (result == NULL) {
			listen->listening = true;
			pg_connect_proved(listen->connect);
			add_notice(listen, str_of(NULL, 0), str_of(NULL, 0));
		}
	}
	return true;
}

static void take_notices(struct pg_listen *listen, PGconn *handle)
{
	PGnotify *notify;

	while ((notify = PQnotifies(handle)) != NULL) {
		add_notice(listen, str_from(notify->relname), str_from(notify->extra));
		PQfreemem(notify);
	}
}

static void on_ready(void *owner, unsigned ready)
{
	struct pg_listen *listen = owner;
	PGconn *handle = pg_connect_handle(listen->connect);

	if (PQconsumeInput(handle) == 0) {
		pg_connect_lost(listen->connect, NULL);
		return;
	}
	if (take_results(listen, handle))
		take_notices(listen, handle);
}

static const struct pg_connect_hooks hooks = {.up = on_up, .ready = on_ready, .down = on_down};

/* -- life ------------------------------------------------------------------------------------------ */

/* Channels are identifiers of ours; a name with a quote is a mistake in the program. */
static void write_sql(struct buf *sql, const char *const *channels)
{
	buf_init(sql, SQL_MAX_BYTES);
	for (int i = 0; channels[i] != NULL; i++) {
		if (i == MAX_CHANNELS || strchr(channels[i], '"') != NULL)
			abort();
		(void)buf_printf(sql, "LISTEN \"%s\";", channels[i]);
	}
	if (sql->failed || sql->size == 0)
		abort();
}

struct pg_listen *pg_listen_new(
	struct loop *loop, const struct pg_options *options, const char *const *channels)
{
	struct pg_listen *listen = alloc_zeroed(1, sizeof(*listen));

	write_sql(&listen->sql, channels);
	listen->notices = alloc_zeroed(MAX_NOTICES, sizeof(listen->notices[0]));
	flow_queue_init(&listen->readers);
	listen->connect = pg_connect_new(loop, options, &hooks, listen);
	return listen;
}

void pg_listen_free(struct pg_listen **listen)
{
	if (*listen == NULL)
		return;
	flow_queue_wake_all(&(*listen)->readers);
	pg_connect_free(&(*listen)->connect);
	buf_free(&(*listen)->sql);
	free((*listen)->notices);
	free(*listen);
	*listen = NULL;
}

bool pg_listen_ready(const struct pg_listen *listen)
{
	return listen->listening;
}
