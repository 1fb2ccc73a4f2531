/*
 * websocket_handshake: the words of both sides before the first frame (RFC 6455 section 4). Pure.
 */
#ifndef CALLWEAVE_WEBSOCKET_HANDSHAKE_H
#define CALLWEAVE_WEBSOCKET_HANDSHAKE_H

#include "buf.h"
#include "error.h"
#include "websocket.h"

#define WEBSOCKET_KEY_TEXT    25 /* base64 of 16 bytes, and a NUL */
#define WEBSOCKET_ACCEPT_TEXT 29 /* of 20 bytes */

void websocket_make_key(char to[WEBSOCKET_KEY_TEXT]);
bool websocket_key_is_good(struct str key);
void websocket_accept_of(struct str key, char to[WEBSOCKET_ACCEPT_TEXT]);

/* The first token of a list ("a, b") that is equal in any case, as it is spelled there. */
struct str websocket_token(struct str list, struct str wanted);

/* ws://host[:port][/path][?query]; slices of the URL. Hosts may be [IPv6]. */
struct websocket_url {
	bool secure;
	struct str host; /* without brackets */
	struct str authority;
	int port;
	struct str target; /* path and query, "" is "/" */
};
bool websocket_url_read(struct str url, struct websocket_url *to, struct error *error);

/* False with words when a header's value would break the request. */
bool websocket_write_request(struct buf *to, const struct websocket_url *url,
	const struct websocket_target *target, const char *key, struct error *error);

enum { WEBSOCKET_MAX_ANSWER_BYTES = 8 << 10 };
enum websocket_answer { WEBSOCKET_ANSWER_MORE, WEBSOCKET_ANSWER_GOOD, WEBSOCKET_ANSWER_BAD };
/* `*head_bytes`: of the whole head, what follows are frames. `protocol`: what was offered, or NULL. */
enum websocket_answer websocket_read_answer(struct str bytes, const char *key, const char *protocol,
	size_t *head_bytes, struct error *error);

#endif
