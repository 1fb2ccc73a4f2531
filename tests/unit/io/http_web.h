/*
 * http_web: a server on a loop of its own, for the tests of http_server.
 *
 * Nothing sleeps: the loop runs until a client has what the test waits for (http_fixture.h), or
 * until a guard of some seconds says that it never will.
 */
#ifndef CALLWEAVE_TESTS_HTTP_WEB_H
#define CALLWEAVE_TESTS_HTTP_WEB_H

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
