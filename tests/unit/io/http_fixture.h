/*
 * http_fixture: a server and its clients on one loop, for the tests of http_server.
 *
 * Clients are real sockets. Nothing sleeps: the loop runs until a client has what the test waits for,
 * or until a guard of some seconds says that it never will.
 */
#ifndef CALLWEAVE_TESTS_HTTP_FIXTURE_H
#define CALLWEAVE_TESTS_HTTP_FIXTURE_H

#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUARD_MS = 10000, GOT_MAX_BYTES = 64 << 20 };

struct web {
	struct loop *loop;
	struct http_server *server;
	struct metrics *metrics;
	struct log *log;
	char log_path[64];
	struct flow_queue gate; /* flows of /wait stand here */
	unsigned finals;	/* how many flows of /wait ended */
	char last_error[256];	/* how the last of them did */
	struct loop_task ticker;
	unsigned turns_left;
};

struct client {
	struct web *web;
	int fd;
	struct loop_watch *watch;
	struct buf got;
	bool closed;
	/* what web_wait() waits for; the loop stops then */
	const char *want_text;
	size_t want_bytes;
	bool want_end;
};

static inline bool client_has(const struct client *client, struct str text)
{
	return client->got.size > 0 &&
	       memmem(client->got.data, client->got.size, text.data, text.size) != NULL;
}

static inline bool client_is_content(const struct client *client)
{
	if (client->want_text != NULL && client_has(client, str_from(client->want_text)))
		return true;
	if (client->want_bytes > 0 && client->got.size >= client->want_bytes)
		return true;
	return client->closed;
}

static inline void client_on_ready(void *owner, int fd, unsigned ready)
{
	struct client *client = owner;
	char *to = buf_reserve(&client->got, 65536);
	ssize_t got = recv(fd, to, 65536, MSG_DONTWAIT);

	if (got > 0) {
		buf_grew(&client->got, (size_t)got);
	} else if (got == 0 || errno != EAGAIN) {
		client->closed = true;
		loop_watch_set(client->watch, 0);
	}
	if (client_is_content(client))
		loop_stop(client->web->loop);
}

static inline struct client *client_open(struct web *web)
{
	struct client *client = calloc(1, sizeof(*client));
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons((uint16_t)http_server_port(web->server));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->web = web;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	buf_init(&client->got, GOT_MAX_BYTES);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	client->watch = loop_watch_new(web->loop, client->fd, client_on_ready, client);
	loop_watch_set(client->watch, LOOP_READ);
	return client;
}

static inline void client_close(struct client *client)
{
	loop_watch_free(&client->watch);
	if (client->fd >= 0)
		close(client->fd);
	buf_free(&client->got);
	free(client);
}

static inline void client_send(struct client *client, struct str bytes)
{
	ssize_t sent = send(client->fd, bytes.data, bytes.size, MSG_NOSIGNAL);

	assert_int_equal(sent, bytes.size);
}

static inline void web_on_guard(void *owner)
{
	fail_msg("the loop waited for %d ms in vain", GUARD_MS);
}

static inline void web_run(struct web *web)
{
	struct loop_timer *guard = loop_timer_new(web->loop, web_on_guard, NULL);

	loop_timer_set(guard, GUARD_MS);
	loop_run(web->loop);
	loop_timer_free(&guard);
}

static inline void client_await_text(struct client *client, const char *text)
{
	client->want_text = text;
	while (!client_is_content(client)) /* another client's luck stops the loop, too */
		web_run(client->web);
	client->want_text = NULL;
	if (!client_has(client, str_from(text)))
		fail_msg("wanted \"%s\", got \"%.*s\"", text, STR_ARG(buf_str(&client->got)));
}

static inline void client_await_bytes(struct client *client, size_t size)
{
	client->want_bytes = size;
	while (!client_is_content(client))
		web_run(client->web);
	client->want_bytes = 0;
	assert_true(client->got.size >= size);
}

static inline void client_await_end(struct client *client)
{
	while (!client->closed)
		web_run(client->web);
}

static inline void web_tick(void *owner)
{
	struct web *web = owner;

	if (web->turns_left-- > 0)
		loop_defer(web->loop, &web->ticker);
	else
		loop_stop(web->loop);
}

/* A few turns without waiting: what was sent over the loopback is there by then. */
static inline void web_turns(struct web *web, unsigned turns)
{
	web->turns_left = turns;
	loop_defer(web->loop, &web->ticker);
	web_run(web);
}

/* What came, without the one line that is never the same. */
static inline char *client_text(struct client *client)
{
	static char text[65536];
	char *date, *end;

	assert_true(client->got.size < sizeof(text));
	memcpy(text, client->got.size > 0 ? client->got.data : "", client->got.size);
	text[client->got.size] = '\0';
	while ((date = strstr(text, "Date: ")) != NULL) {
		end = strstr(date, "\r\n");
		assert_non_null(end);
		memmove(date, end + 2, strlen(end + 2) + 1);
	}
	return text;
}

static inline struct str web_log_text(struct web *web, struct arena *arena)
{
	FILE *file = fopen(web->log_path, "r");
	char *text = arena_alloc(arena, 65536);
	size_t size = fread(text, 1, 65535, file);

	fclose(file);
	return str_of(text, size);
}

static inline struct web *web_new(struct http_server_options options)
{
	struct web *web = calloc(1, sizeof(*web));
	struct error error = {0};

	snprintf(web->log_path, sizeof(web->log_path), "/tmp/callweave-http-XXXXXX");
	close(mkstemp(web->log_path));
	web->loop = loop_new();
	web->metrics = metrics_new();
	web->log = log_new(&(struct log_options){.service = "test", .path = web->log_path}, &error);
	web->ticker = (struct loop_task){.run = web_tick, .owner = web};
	flow_queue_init(&web->gate);
	options.context = web;
	options.metrics = web->metrics;
	options.log.log = web->log;
	web->server = http_server_new(web->loop, &options, &error);
	if (web->server == NULL)
		fail_msg("%s", error.text);
	return web;
}

static inline void web_free(struct web *web)
{
	http_server_free(&web->server);
	flow_cancel_all(web->loop);
	loop_free(&web->loop);
	metrics_free(&web->metrics);
	log_free(&web->log);
	unlink(web->log_path);
	free(web);
}

#endif
