/*
 * http_world: a small HTTP server with bad manners, on the same loop as the client that is tested.
 *
 * The path says what it does: /echo, /close (reads the request, closes), /slow (never answers),
 * /half (a head and half a body), /big, /busy (429), /moved (302), /hang-up (answers, then closes the
 * kept-alive connection at once), /feed... (in pieces: -whole, -half, -stall), /flood (20 MB).
 */
#ifndef CALLWEAVE_TESTS_HTTP_WORLD_H
#define CALLWEAVE_TESTS_HTTP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_client.h"
#include "loop_test.h"

struct http_peer;

struct http_world {
	struct loop *loop;
	struct http_client *client;
	int listen_fd, port;
	struct loop_watch *watch;
	struct http_peer *peers; /* HTTP_WORLD_CONNECTIONS */
	unsigned accepted, requests;
	size_t paid;	      /* of the flood: what the client's side took */
	bool stop_at_request; /* leave the loop when a request came */
	char last[4096];      /* the last request */

	unsigned running;
	struct http_answer answer; /* of the call that ended last; its body is cut to 255 bytes */
	char body[256];
	char headers[512]; /* of the answer: "name=value\n" each */
};

struct http_world *http_world_new(const struct http_client_options *options);
void http_world_free(struct http_world **world);

/* Begin a call; to its path the world's address is put in front. */
struct flow *http_world_start(struct http_world *world, const struct http_call *call);

/* The same, and wait for its end. */
const struct http_answer *http_world_run(struct http_world *world, const struct http_call *call);

#endif
