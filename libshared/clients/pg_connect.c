/*
 * pg_connect: see pg_connect.h. Three states: waiting to try (DOWN), trying, up.
 *
 * One timer serves both waits: the pause between tries and the limit of one try.
 */
#include "pg_connect.h"

#include "alloc.h"
#include "backoff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_RETRY_MS = 100, MAX_RETRY_MS = 5000, REMIND_EVERY_TRIES = 12 };
enum { DEFAULT_STATEMENT_TIMEOUT_MS = 10000, DEFAULT_CONNECT_TIMEOUT_MS = 5000 };

struct pg_connect {
	struct loop *loop;
	struct pg_options options;
	const struct pg_connect_hooks *hooks;
	void *owner;
	char *session;	 /* the startup packet's "options" */
	bool hide_words; /* libpq might quote a part of the password */

	enum { DOWN, TRYING, UP } state;
	PGconn *handle;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct backoff backoff;
	unsigned generation;
	char error[256];
};

/* -- words that may be shown ----------------------------------------------------------------- */

/* A password with a raw '/', '@' or '?' makes libpq take a part of it for a host or port name,
 * and it would then be quoted in the error. */
static bool has_stray_separator(const char *url)
{
	const char *begin = strstr(url, "://"), *end = strrchr(url, '@');

	if (begin == NULL || end == NULL || end < begin + 3)
		return false;
	begin += 3;
	return strcspn(begin, "/?#@") < (size_t)(end - begin);
}

static void set_error(struct pg_connect *connect, const char *words)
{
	if (connect->hide_words)
		words = "no connection; percent-encode special characters of the URL's password";
	(void)str_copy(connect->error, sizeof(connect->error), str_trim(str_from(words)));
	for (char *c = connect->error; *c != '\0'; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
}

/* -- trying ---------------------------------------------------------------------------------- */

static void close_handle(struct pg_connect *connect)
{
	loop_watch_free(&connect->watch);
	PQfinish(connect->handle);
	connect->handle = NULL;
}

/* The one way down: a try that failed, or a connection that was lost. */
static void retry_later(struct pg_connect *connect, const char *words)
{
	bool was_up = connect->state == UP;
	char before[sizeof(connect->error)];
	unsigned tries = connect->backoff.tries;
	int64_t delay_ms = backoff_next_ms(&connect->backoff);
	bool is_news = was_up || tries % REMIND_EVERY_TRIES == 0;

	memcpy(before, connect->error, sizeof(before));
	set_error(connect, words);
	connect->state = DOWN;
	if (was_up)
		connect->hooks->down(connect->owner);
	close_handle(connect);
	log_line(&connect->options.log,
		is_news || strcmp(before, connect->error) != 0 ? LOG_WARN : LOG_DEBUG,
		"PostgreSQL: %s; next try in %" PRId64 " ms", connect->error, delay_ms);
	loop_timer_set(connect->timer, delay_ms);
}

static void became_up(struct pg_connect *connect)
{
	loop_timer_stop(connect->timer);
	connect->state = UP;
	connect->generation++;
	connect->error[0] = '\0';
	log_info(&connect->options.log, "PostgreSQL: connected (connection %u)",
		connect->generation);
	connect->hooks->up(connect->owner);
}

static void on_ready(void *owner, int fd, unsigned ready);

/* libpq may close its socket and open another under the same number between two polls, so the
 * watch is made anew each time. */
static void poll_again(struct pg_connect *connect)
{
	PostgresPollingStatusType status;

	loop_watch_free(&connect->watch);
	status = PQconnectPoll(connect->handle);
	if (status == PGRES_POLLING_FAILED) {
		retry_later(connect, PQerrorMessage(connect->handle));
		return;
	}
	connect->watch =
		loop_watch_new(connect->loop, PQsocket(connect->handle), on_ready, connect);
	loop_watch_set(connect->watch, status == PGRES_POLLING_WRITING ? LOOP_WRITE : LOOP_READ);
	if (status == PGRES_POLLING_OK)
		became_up(connect);
}

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct pg_connect *connect = owner;

	if (connect->state == UP)
		connect->hooks->ready(connect->owner, ready);
	else
		poll_again(connect);
}

static void on_notice(void *owner, const PGresult *result)
{
	const struct pg_connect *connect = owner;
	const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	log_debug(&connect->options.log, "PostgreSQL says: %s", words != NULL ? words : "");
}

/* What stands before "dbname" may be overridden by the URL, what stands behind it may not. */
static PGconn *start_handle(const struct pg_connect *connect)
{
	const char *const pairs[][2] = {
		{"application_name", connect->options.application_name},
		{"target_session_attrs", "read-write"}, /* not a standby after a failover */
		{"gssencmode", "disable"},
		{"keepalives_idle", "5"},
		{"keepalives_interval", "2"},
		{"keepalives_count", "2"},
		{"tcp_user_timeout", "10000"},
		{"dbname", connect->options.url},
		{"client_encoding", "UTF8"},
		{"options", connect->session},
	};
	enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };
	const char *names[PAIRS + 1] = {NULL}, *values[PAIRS + 1] = {NULL};

	for (int i = 0; i < PAIRS; i++) {
		names[i] = pairs[i][0];
		values[i] = pairs[i][1];
	}
	return PQconnectStartParams(names, values, 1);
}

static void try_now(struct pg_connect *connect)
{
	connect->handle = start_handle(connect);
	if (connect->handle == NULL)
		abort(); /* no memory */
	connect->state = TRYING;
	loop_timer_set(connect->timer, connect->options.connect_timeout_ms);
	if (PQstatus(connect->handle) == CONNECTION_BAD) {
		retry_later(connect, PQerrorMessage(connect->handle));
		return;
	}
	PQsetNoticeReceiver(connect->handle, on_notice, connect);
	connect->watch =
		loop_watch_new(connect->loop, PQsocket(connect->handle), on_ready, connect);
	loop_watch_set(connect->watch, LOOP_WRITE);
}

static void on_timer(void *owner)
{
	struct pg_connect *connect = owner;

	if (connect->state == DOWN)
		try_now(connect);
	else
		retry_later(connect, "the server did not answer in time");
}

/* -- for the owners -------------------------------------------------------------------------- */

/* The session's settings. Also the server shall notice a client that is gone. */
static char *session_options(const char *from_url, int64_t statement_timeout_ms)
{
	struct buf text;

	buf_init(&text, 4096);
	(void)buf_printf(&text,
		"%s -c statement_timeout=%" PRId64 " -c TimeZone=UTC -c DateStyle=ISO"
		" -c idle_in_transaction_session_timeout=60000"
		" -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
		from_url, statement_timeout_ms);
	return text.data; /* malloc()ed by buf */
}

/* Options that the URL itself gives are kept, in front of ours. False: no URL at all. */
static bool read_url(struct pg_connect *connect)
{
	PQconninfoOption *parsed = PQconninfoParse(connect->options.url, NULL), *at;
	const char *options = "";

	if (parsed == NULL)
		return false;
	for (at = parsed; at->keyword != NULL; at++)
		if (strcmp(at->keyword, "options") == 0 && at->val != NULL)
			options = at->val;
	connect->session = session_options(options, connect->options.statement_timeout_ms);
	PQconninfoFree(parsed);
	return connect->session != NULL;
}

struct pg_connect *pg_connect_new(struct loop *loop, const struct pg_options *options,
	const struct pg_connect_hooks *hooks, void *owner)
{
	struct pg_connect *connect = alloc_zeroed(1, sizeof(*connect));

	connect->loop = loop;
	connect->options = *options;
	if (connect->options.statement_timeout_ms == 0)
		connect->options.statement_timeout_ms = DEFAULT_STATEMENT_TIMEOUT_MS;
	if (connect->options.connect_timeout_ms == 0)
		connect->options.connect_timeout_ms = DEFAULT_CONNECT_TIMEOUT_MS;
	connect->hooks = hooks;
	connect->owner = owner;
	connect->backoff = (struct backoff){.first_ms = FIRST_RETRY_MS, .max_ms = MAX_RETRY_MS};
	connect->hide_words = has_stray_separator(options->url);
	connect->timer = loop_timer_new(loop, on_timer, connect);
	(void)str_copy(connect->error, sizeof(connect->error), STR("not connected yet"));
	if (read_url(connect))
		loop_timer_set(connect->timer, 0);
	else
		set_error(connect, "the database URL cannot be understood");
	return connect;
}

void pg_connect_free(struct pg_connect **connect)
{
	if (*connect == NULL)
		return;
	close_handle(*connect);
	loop_timer_free(&(*connect)->timer);
	free((*connect)->session);
	free(*connect);
	*connect = NULL;
}

PGconn *pg_connect_handle(const struct pg_connect *connect)
{
	return connect->state == UP ? connect->handle : NULL;
}

void pg_connect_watch(struct pg_connect *connect, unsigned interest)
{
	loop_watch_set(connect->watch, interest);
}

const char *pg_connect_error(const struct pg_connect *connect)
{
	return connect->error;
}

unsigned pg_connect_generation(const struct pg_connect *connect)
{
	return connect->generation;
}

void pg_connect_lost(struct pg_connect *connect, const char *words)
{
	if (connect->state == UP)
		retry_later(connect, words != NULL ? words : PQerrorMessage(connect->handle));
}

void pg_connect_proved(struct pg_connect *connect)
{
	connect->backoff.tries = 0;
}
