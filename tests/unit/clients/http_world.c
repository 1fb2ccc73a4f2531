/*
 * http_world: see http_world.h.
 */
#include "http_world.h"

#include "buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HTTP_WORLD_CONNECTIONS = 64 };

struct http_peer {
	struct http_world *world;
	int fd; /* 0: free */
	struct loop_watch *watch;
	struct buf in;
	size_t owed, paid; /* of /flood: bytes of its answer */
};

static void http_peer_close(struct http_peer *peer)
{
	if (peer->fd == 0)
		return;
	loop_watch_free(&peer->watch);
	(void)close(peer->fd);
	buf_free(&peer->in);
	peer->fd = 0;
}

static void http_peer_say(struct http_peer *peer, const char *text)
{
	assert_int_equal(send(peer->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool http_peer_asked(const struct http_peer *peer, const char *path)
{
	const char *at = strchr(peer->in.data, ' ');

	return strncmp(at + 1, path, strlen(path)) == 0;
}

static void http_peer_echo(struct http_peer *peer, const char *body)
{
	char answer[2048];

	(void)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	http_peer_say(peer, answer);
}

/* Answers in pieces: chunks, and pieces of chunks, that ends in the middle, that stalls. */
static void http_peer_feed(struct http_peer *peer)
{
	http_peer_say(peer, "HTTP/1.1 103 Early Hints\r\nX-Not: this\r\n\r\nHTTP/1.1 200 OK\r\n"
			    "X-One: 1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\none");
	http_peer_say(peer, " tw\r\n1\r\no\r\n");
	if (http_peer_asked(peer, "/feed-whole"))
		http_peer_say(peer, "6\r\n three\r\n0\r\n\r\n");
	if (http_peer_asked(peer, "/feed-half"))
		http_peer_close(peer);
}

/* As much as the client takes: letters a to z, again and again. */
static void http_peer_pay(struct http_peer *peer)
{
	char piece[26 * 100];

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (char)('a' + i % 26);
	while (peer->paid < peer->owed) {
		size_t from = peer->paid % 26, left = peer->owed - peer->paid;
		size_t size = sizeof(piece) - from < left ? sizeof(piece) - from : left;
		ssize_t sent = send(peer->fd, piece + from, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0)
			break;
		peer->paid += (size_t)sent;
	}
	peer->world->paid = peer->paid;
	loop_watch_set(peer->watch, LOOP_READ | (peer->paid < peer->owed ? LOOP_WRITE : 0u));
}

static void http_peer_flood(struct http_peer *peer)
{
	int small = 64 * 1024;

	(void)setsockopt(peer->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	http_peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n");
	peer->owed = 20000000;
	peer->paid = 0;
	http_peer_pay(peer);
}

static void http_peer_answer(struct http_peer *peer, const char *body)
{
	if (http_peer_asked(peer, "/feed")) {
		http_peer_feed(peer);
	} else if (http_peer_asked(peer, "/flood")) {
		http_peer_flood(peer);
	} else if (http_peer_asked(peer, "/close")) {
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
static const char *http_peer_body(const struct http_peer *peer)
{
	const char *end = strstr(peer->in.data, "\r\n\r\n");
	const char *length = strstr(peer->in.data, "Content-Length: ");
	long bytes = length != NULL ? strtol(length + strlen("Content-Length: "), NULL, 10) : 0;

	return end != NULL && strlen(end + 4) >= (size_t)bytes ? end + 4 : NULL;
}

static void http_peer_ready(void *owner, int fd, unsigned ready)
{
	struct http_peer *peer = owner;
	struct http_world *world = peer->world;
	char piece[4096];
	const char *body;
	ssize_t got;

	if ((ready & LOOP_WRITE) != 0)
		http_peer_pay(peer);
	if ((ready & LOOP_READ) == 0)
		return;
	got = recv(fd, piece, sizeof(piece), 0);
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

static void http_world_accept(void *owner, int fd, unsigned ready)
{
	struct http_world *world = owner;

	for (int i = 0; i < HTTP_WORLD_CONNECTIONS; i++) {
		struct http_peer *peer = &world->peers[i];

		if (peer->fd != 0)
			continue;
		peer->world = world;
		peer->owed = peer->paid = 0;
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

static void http_world_listen(struct http_world *world)
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

static enum flow_status http_world_send(struct flow *flow)
{
	struct http_world *world = flow_context(flow);
	struct http_world_state *state = flow_state(flow);

	return await_http(flow, world->client, &state->call, &state->answer);
}

static void http_world_done(struct flow *flow)
{
	struct http_world *world = flow_context(flow);
	struct http_world_state *state = flow_state(flow);

	world->answer = state->answer;
	(void)str_copy(world->body, sizeof(world->body), state->answer.body);
	world->answer.body = str_from(world->body);
	world->headers[0] = '\0';
	for (unsigned i = 0; i < state->answer.header_count; i++) {
		size_t used = strlen(world->headers);

		(void)snprintf(world->headers + used, sizeof(world->headers) - used, "%.*s=%.*s\n",
			STR_ARG(state->answer.headers[i].name),
			STR_ARG(state->answer.headers[i].value));
	}
	world->answer.headers = NULL; /* they go with the flow */
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

struct flow *http_world_start(struct http_world *world, const struct http_call *call)
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

const struct http_answer *http_world_run(struct http_world *world, const struct http_call *call)
{
	(void)http_world_start(world, call);
	loop_test_run(world->loop);
	return &world->answer;
}

/* -- set-up ---------------------------------------------------------------------------------- */

struct http_world *http_world_new(const struct http_client_options *options)
{
	struct http_world *world = calloc(1, sizeof(*world));

	world->loop = loop_new();
	world->client = http_client_new(world->loop, options);
	world->peers = calloc(HTTP_WORLD_CONNECTIONS, sizeof(world->peers[0]));
	http_world_listen(world);
	return world;
}

void http_world_free(struct http_world **world)
{
	http_client_free(&(*world)->client);
	for (int i = 0; i < HTTP_WORLD_CONNECTIONS; i++)
		http_peer_close(&(*world)->peers[i]);
	loop_watch_free(&(*world)->watch);
	(void)close((*world)->listen_fd);
	loop_free(&(*world)->loop);
	free((*world)->peers);
	free(*world);
	*world = NULL;
}
