/*
 * http_fixture: clients of the server under test: real sockets on the same loop.
 */
#ifndef CALLWEAVE_TESTS_HTTP_FIXTURE_H
#define CALLWEAVE_TESTS_HTTP_FIXTURE_H

#include "http_web.h"

struct client {
	struct web *web;
	int fd;
	struct loop_watch *watch;
	struct buf got;
	bool closed;
	bool reset; /* and not in good order */
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
		client->reset = got < 0;
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

#endif
