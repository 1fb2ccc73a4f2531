/*
 * redis_link: see redis_link.h.
 *
 * A dead peer is found by TCP keepalives within about ten seconds: a PING on a subscribed connection
 * would leave a callback behind in hiredis 0.14 each time.
 */
#include "redis_link.h"

#include "alloc.h"
#include "backoff.h"
#include "redis_url.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CONNECT_TIMEOUT_MS = 5000, FIRST_RETRY_MS = 100, LAST_RETRY_MS = 5000 };
enum { URL_MAX_BYTES = 64 << 10 };

struct redis_link {
	struct loop *loop;
	struct log_context log;
	struct arena *arena; /* of url */
	struct redis_url url;
	redisAsyncContext *context; /* NULL: none, a retry is set */
	struct loop_watch *watch;
	struct loop_timer *timer; /* the next try, or the end of this one */
	struct backoff backoff;
	unsigned interest;
	bool up;
	unsigned ups;
	bool told; /* the log knows that it is down */
	bool closing;
	void (*on_up)(void *owner);
	void *owner;
};

/* -- hiredis' hooks ------------------------------------------------------------------------------- */

static void want(struct redis_link *link, unsigned interest)
{
	link->interest = interest;
	if (link->watch != NULL)
		loop_watch_set(link->watch, interest);
}

static void add_read(void *owner)
{
	struct redis_link *link = owner;

	want(link, link->interest | LOOP_READ);
}

static void del_read(void *owner)
{
	struct redis_link *link = owner;

	want(link, link->interest & ~(unsigned)LOOP_READ);
}

static void add_write(void *owner)
{
	struct redis_link *link = owner;

	want(link, link->interest | LOOP_WRITE);
}

static void del_write(void *owner)
{
	struct redis_link *link = owner;

	want(link, link->interest & ~(unsigned)LOOP_WRITE);
}

/* Once a trouble, not once a try. */
static void tell_trouble(struct redis_link *link, const char *words)
{
	if (!link->told)
		log_warn(&link->log, "Redis: %s; trying again", words);
	link->told = true;
}

/* The context is about to be freed by hiredis, for whatever reason. */
static void clean_up(void *owner)
{
	struct redis_link *link = owner;

	if (!link->closing)
		tell_trouble(link, link->context->errstr[0] != '\0' ? link->context->errstr
								    : "connection lost");
	link->context = NULL;
	link->up = false;
	link->interest = 0;
	loop_watch_free(&link->watch);
	loop_timer_set(link->timer, backoff_next_ms(&link->backoff));
}

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct redis_link *link = owner;

	if ((ready & LOOP_READ) != 0 && link->context != NULL)
		redisAsyncHandleRead(link->context);
	if ((ready & LOOP_WRITE) != 0 && link->context != NULL)
		redisAsyncHandleWrite(link->context);
}

/* -- logging in ----------------------------------------------------------------------------------- */

static void on_login(redisAsyncContext *context, void *reply_pointer, void *owner)
{
	struct redis_link *link = owner;
	const redisReply *reply = reply_pointer;

	if (reply == NULL)
		return; /* the connection went away first */
	if (reply->type == REDIS_REPLY_ERROR) {
		log_error(&link->log, "Redis: refused: %s", reply->str);
		redisAsyncDisconnect(context);
		return;
	}
	loop_timer_stop(link->timer);
	link->backoff.tries = 0;
	link->up = true;
	link->ups++;
	if (link->told)
		log_info(&link->log, "Redis: connected again");
	link->told = false;
	if (link->on_up != NULL)
		link->on_up(link->owner);
}

static void on_step(redisAsyncContext *context, void *reply_pointer, void *owner)
{
	const redisReply *reply = reply_pointer;

	if (reply != NULL && reply->type == REDIS_REPLY_ERROR)
		on_login(context, reply_pointer, owner);
}

/* Queued behind the connect; the last one's answer says that the link is up. */
static void log_in(struct redis_link *link)
{
	redisAsyncContext *context = link->context;

	if (link->url.user[0] != '\0')
		redisAsyncCommand(
			context, on_step, link, "AUTH %s %s", link->url.user, link->url.password);
	else if (link->url.password[0] != '\0')
		redisAsyncCommand(context, on_step, link, "AUTH %s", link->url.password);
	redisAsyncCommand(context, on_login, link, "SELECT %d", link->url.database);
}

/* -- connecting ----------------------------------------------------------------------------------- */

static void set_keepalive(int fd)
{
	int on = 1, idle_s = 4, interval_s = 2, count = 3;
	unsigned unanswered_ms = 10000;

	/* Fails on a Unix socket, which needs none of it. */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
}

static void attach(struct redis_link *link, redisAsyncContext *context)
{
	link->context = context;
	link->interest = 0;
	link->watch = loop_watch_new(link->loop, context->c.fd, on_ready, link);
	context->ev.data = link;
	context->ev.addRead = add_read;
	context->ev.delRead = del_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = del_write;
	context->ev.cleanup = clean_up;
	set_keepalive(context->c.fd);
	add_write(link); /* hiredis sees the end of connect(2) in its write handler */
	loop_timer_set(link->timer, CONNECT_TIMEOUT_MS);
}

static void dial(struct redis_link *link)
{
	redisAsyncContext *context = link->url.path != NULL
					     ? redisAsyncConnectUnix(link->url.path)
					     : redisAsyncConnect(link->url.host, link->url.port);

	if (context == NULL)
		abort();
	if (context->err != 0) {
		tell_trouble(link, context->errstr);
		redisAsyncFree(context);
		loop_timer_set(link->timer, backoff_next_ms(&link->backoff));
		return;
	}
	attach(link, context);
	log_in(link);
}

static void on_timer(void *owner)
{
	struct redis_link *link = owner;

	if (link->context == NULL) {
		dial(link);
		return;
	}
	tell_trouble(link, "no answer to the connection");
	redisAsyncFree(link->context); /* calls clean_up */
}

struct redis_link *redis_link_new(
	struct loop *loop, const char *url, const struct log_context *log, struct error *error)
{
	struct redis_link *link = alloc_zeroed(1, sizeof(*link));

	link->loop = loop;
	link->log = *log;
	link->backoff = (struct backoff){.first_ms = FIRST_RETRY_MS, .max_ms = LAST_RETRY_MS};
	link->arena = arena_new(URL_MAX_BYTES);
	if (!redis_url_parse(url, link->arena, &link->url, error)) {
		redis_link_free(&link);
		return NULL;
	}
	link->timer = loop_timer_new(loop, on_timer, link);
	loop_timer_set(link->timer, 0);
	return link;
}

void redis_link_free(struct redis_link **link)
{
	if (*link == NULL)
		return;
	(*link)->closing = true;
	if ((*link)->context != NULL)
		redisAsyncFree((*link)->context);
	loop_timer_free(&(*link)->timer);
	arena_free(&(*link)->arena);
	free(*link);
	*link = NULL;
}

void redis_link_on_up(struct redis_link *link, void (*up)(void *owner), void *owner)
{
	link->on_up = up;
	link->owner = owner;
}

redisAsyncContext *redis_link_context(const struct redis_link *link)
{
	return link->up ? link->context : NULL;
}

bool redis_link_up(const struct redis_link *link)
{
	return link->up;
}

unsigned redis_link_count(const struct redis_link *link)
{
	return link->ups;
}
