/*
 * ami_peer: a PBX's manager interface that plays a script, on the test's own loop.
 *
 * Each action that arrives is answered by the next line of the script; "@" in it stands for the
 * ActionID of that action. What arrived is kept, so that tests see what crossed the wire.
 */
#ifndef CALLWEAVE_TESTS_AMI_PEER_H
#define CALLWEAVE_TESTS_AMI_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "loop_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define AMI_PEER_LINES 8

struct ami_peer {
	struct loop *loop;
	int listen_fd, fd, port; /* fd -1: nobody connected */
	struct loop_watch *listening, *watch;
	const char *banner; /* sent at once; NULL: silence */
	const char *script[AMI_PEER_LINES];
	unsigned line;
	bool close_after_script;
	size_t piece; /* answers leave in pieces of so many bytes; 0: whole */
	struct buf heard, rest;
};

static inline void ami_peer_hang_up(struct ami_peer *peer)
{
	if (peer->fd < 0)
		return;
	loop_watch_free(&peer->watch);
	(void)close(peer->fd);
	peer->fd = -1;
}

static inline void ami_peer_say(struct ami_peer *peer, const char *text, struct str action)
{
	for (; *text != '\0'; text++) {
		struct str piece = *text == '@' ? action : str_of(text, 1);

		for (size_t at = 0; at < piece.size;) {
			size_t size = peer->piece > 0 && peer->piece < piece.size - at
					      ? peer->piece
					      : piece.size - at;
			(void)send(peer->fd, piece.data + at, size, MSG_NOSIGNAL);
			at += size;
		}
	}
}

static inline struct str ami_peer_action(struct str block)
{
	const char *at = memmem(block.data, block.size, "ActionID: ", 10);
	struct str rest = {0};

	if (at == NULL)
		return rest;
	rest = str_of(at + 10, block.size - (size_t)(at + 10 - block.data));
	return str_trim(str_cut(&rest, '\n'));
}

static inline void ami_peer_answer(struct ami_peer *peer, struct str block)
{
	const char *text = peer->line < AMI_PEER_LINES ? peer->script[peer->line++] : NULL;

	if (text != NULL)
		ami_peer_say(peer, text, ami_peer_action(block));
	if (peer->close_after_script && peer->script[peer->line] == NULL)
		ami_peer_hang_up(peer);
}

static inline void ami_peer_read(void *owner, int fd, unsigned ready)
{
	struct ami_peer *peer = owner;
	char piece[4096];
	ssize_t got = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

	if (got <= 0) {
		ami_peer_hang_up(peer);
		return;
	}
	(void)buf_append(&peer->heard, piece, (size_t)got);
	(void)buf_append(&peer->rest, piece, (size_t)got);
	while (peer->fd >= 0) {
		const char *end = memmem(peer->rest.data, peer->rest.size, "\r\n\r\n", 4);

		if (end == NULL)
			return;
		ami_peer_answer(peer, str_of(peer->rest.data, (size_t)(end + 4 - peer->rest.data)));
		buf_consume(&peer->rest, (size_t)(end + 4 - peer->rest.data));
	}
}

static inline void ami_peer_accept(void *owner, int fd, unsigned ready)
{
	struct ami_peer *peer = owner;

	peer->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(peer->fd >= 0);
	peer->watch = loop_watch_new(peer->loop, peer->fd, ami_peer_read, peer);
	loop_watch_set(peer->watch, LOOP_READ);
	if (peer->banner != NULL)
		ami_peer_say(peer, peer->banner, (struct str){0});
	if (peer->close_after_script && peer->script[0] == NULL)
		ami_peer_hang_up(peer);
}

static inline void ami_peer_open(struct ami_peer *peer, struct loop *loop)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	peer->loop = loop;
	peer->fd = -1;
	peer->banner = "Asterisk Call Manager/5.0.2\r\n";
	buf_init(&peer->heard, 1 << 20);
	buf_init(&peer->rest, 1 << 20);
	peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->listen_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(peer->listen_fd, 4), 0);
	assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&address, &size), 0);
	peer->port = ntohs(address.sin_port);
	peer->listening = loop_watch_new(loop, peer->listen_fd, ami_peer_accept, peer);
	loop_watch_set(peer->listening, LOOP_READ);
}

static inline void ami_peer_close(struct ami_peer *peer)
{
	ami_peer_hang_up(peer);
	loop_watch_free(&peer->listening);
	(void)close(peer->listen_fd);
	buf_free(&peer->heard);
	buf_free(&peer->rest);
}

#endif
