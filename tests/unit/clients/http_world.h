/*
 * http_world: a small HTTP server with bad manners, on the same loop as the client that is tested.
 *
 * The path says what it does: /echo, /close (reads the request, closes), /slow (never answers),
 * /half (a head and half a body), /big, /busy (429), /moved (302), /hang-up (answers, then closes the
 * kept-alive connection at once).
 */
#ifndef CALLWEAVE_TESTS_HTTP_WORLD_H
#define CALLWEAVE_TESTS_HTTP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "http_client.h"
#include "loop_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HTTP_WORLD_CONNECTIONS = 64 };

struct http_peer {
	struct http_world *world;
	int fd; /* 0: free */
	struct loop_watch *watch;
	struct buf in;
};

struct http_world {
	struct loop *loop;
	struct http_client *client;
	int listen_fd, port;
	struct loop_watch *watch;
	struct http_peer peers[HTTP_WORLD_CONNECTIONS];
	unsigned accepted, requests;
	bool stop_at_request; /* leave the loop when a request came */
	char last[4096];      /* the last request */

	unsigned running;
	struct http_answer answer; /* of the call that ended last; its body is cut to 255 bytes */
	char body[256];
};

static inline void http_peer_close(struct http_peer *peer)
{
	if (peer->fd == 0)
		return;
	loop_watch_free(&peer->watch);
	(void)close(peer->fd);
	buf_free(&peer->in);
	peer->fd = 0;
}

static inline void http_peer_say(struct http_peer *peer, const char *text)
{
	assert_int_equal(send(peer->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline bool http_peer_asked(const struct http_peer *peer, const char *path)
{
	const char *at = strchr(peer->in.data, ' ');

	return strncmp(at + 1, path, strlen(path)) == 0;
}

static inline void http_peer_echo(struct http_peer *peer, const char *body)
{
	char answer[2048];

	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	http_peer_say(peer, answer);
}

static inline void http_peer_answer(struct http_peer *peer, const char *body)
{
	if (http_peer_asked(peer, "/close")) {
		http_peer_close(peer);
	} else if (http_peer_asked(peer, "/half")) {
		http_peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
		http_peer_close(peer);
	} else if (http_peer_asked(peer, "/big")) {
		http_peer_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "14\r\n01234567890123456789\r\n0\r\n\r\n");
	} else if (http_peer_asked(peer, "/busy")) {
		http_peer_say(peer, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
				    "Content-Length: 4\r\n\r\nwait");
	} else if (http_peer_asked(peer, "/moved")) {
		http_peer_say(peer, "HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
				    "Content-Length: 0\r\n\r\n");
	} else if (http_peer_asked(peer, "/hang-up")) {
		http_peer_echo(peer, "bye");
		http_peer_close(peer);
	} else if (!http_peer_asked(peer, "/slow")) {
		http_peer_echo(peer, body);
	}
}

/* The body, when the whole request is there. */
static inline const char *http_peer_body(const struct http_peer *peer)
{
	const char *end = strstr(peer->in.data, "\r\n\r\n");
	const char *length = strstr(peer->in.data, "Content-Length: ");
	long bytes = length != NULL ? strtol(length + strlen("Content-Length: "), NULL, 10) : 0;

	return end != NULL && strlen(end + 4) >= (size_t)bytes ? end + 4 : NULL;
}

static inline void http_peer_ready(void *owner, int fd, unsigned ready)
{
	struct http_peer *peer = owner;
	struct http_world *world = peer->world;
	char piece[4096];
	ssize_t got = recv(fd, piece, sizeof(piece), 0);
	const char *body;

	if (got <= 0) {
		http_peer_close(peer);
		return;
	}
	assert_true(buf_append(&peer->in, piece, (size_t)got));
	body = http_peer_body(peer);
	if (body == NULL)
		return;
	world->requests++;
	(void)snprintf(world->last, sizeof(world->last), "%s", peer->in.data);
	http_peer_answer(peer, body);
	if (peer->fd != 0)
		buf_clear(&peer->in);
	if (world->stop_at_request)
		loop_stop(world->loop);
}

static inline void http_world_accept(void *owner, int fd, unsigned ready)
{
	struct http_world *world = owner;

	for (int i = 0; i < HTTP_WORLD_CONNECTIONS; i++) {
		struct http_peer *peer = &world->peers[i];

		if (peer->fd != 0)
			continue;
		peer->world = world;
		peer->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		assert_true(peer->fd > 0);
		buf_init(&peer->in, 1 << 20);
		peer->watch = loop_watch_new(world->loop, peer->fd, http_peer_ready, peer);
		loop_watch_set(peer->watch, LOOP_READ);
		world->accepted++;
		return;
	}
	fail_msg("too many connections");
}

static inline void http_world_listen(struct http_world *world)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	world->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world->listen_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(world->listen_fd, 64), 0);
	assert_int_equal(getsockname(world->listen_fd, (struct sockaddr *)&address, &size), 0);
	world->port = ntohs(address.sin_port);
	world->watch = loop_watch_new(world->loop, world->listen_fd, http_world_accept, world);
	loop_watch_set(world->watch, LOOP_READ);
}

/* -- one call as one flow -------------------------------------------------------------------- */

struct http_world_state {
	struct http_call call;
	struct http_answer answer;
};

static inline enum flow_status http_world_send(struct flow *flow)
{
	struct http_world *world = flow_context(flow);
	struct http_world_state *state = flow_state(flow);

	return await_http(flow, world->client, &state->call, &state->answer);
}

static inline void http_world_done(struct flow *flow)
{
	struct http_world *world = flow_context(flow);
	struct http_world_state *state = flow_state(flow);

	world->answer = state->answer;
	(void)str_copy(world->body, sizeof(world->body), state->answer.body);
	world->answer.body = str_from(world->body);
	if (--world->running == 0)
		loop_stop(world->loop);
}

static const struct flow_step http_world_steps[] = {{"send", http_world_send}, {NULL, NULL}};
static const struct flow_spec http_world_flow = {
	.name = "call",
	.steps = http_world_steps,
	.finally = http_world_done,
	.state_bytes = sizeof(struct http_world_state),
};

/* Begin a call; to its path the world's address is put in front. */
static inline struct flow *http_world_start(struct http_world *world, const struct http_call *call)
{
	struct flow *flow = flow_start(world->loop, &http_world_flow, world, NULL);
	struct http_world_state *state = flow_state(flow);

	state->call = *call;
	if (call->url[0] == '/')
		state->call.url = arena_printf(
			flow_arena(flow), "http://127.0.0.1:%d%s", world->port, call->url);
	world->running++;
	return flow;
}

static inline const struct http_answer *http_world_run(
	struct http_world *world, const struct http_call *call)
{
	(void)http_world_start(world, call);
	loop_test_run(world->loop);
	return &world->answer;
}

#endif
