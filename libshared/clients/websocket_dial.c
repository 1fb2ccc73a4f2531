/*
 * websocket_dial: the client's side until it is open: name, connection, TLS, handshake.
 *
 * One deadline for all of it. The addresses of a name are tried one after the other. Words name the
 * phase and never the URL, which may hold a key.
 */
#include "address.h"
#include "alloc.h"
#include "resolve.h"
#include "websocket_handshake.h"
#include "websocket_private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 10000, REQUEST_MAX_BYTES = 16 << 10, READ_BYTES = 2048 };

struct websocket_dial {
	char *host;
	char *protocol;			 /* NULL: none was offered */
	struct tls_context *tls_context; /* NULL: ws:// */
	bool deny_private;
	const struct address_list *allowed;
	const char *phase; /* "connecting" and so on, for words */

	struct resolve *resolve;
	struct addrinfo *found, *next; /* `next`: to be tried */
	bool connected;
	char key[WEBSOCKET_KEY_TEXT];
	struct buf request; /* what is left of it to be sent */
	struct buf answer;
	char failure[96]; /* of the last address */
};

void websocket_dial_free(struct websocket_dial **dial)
{
	struct websocket_dial *gone = *dial;

	*dial = NULL;
	if (gone == NULL)
		return;
	resolve_cancel(&gone->resolve);
	if (gone->found != NULL)
		resolve_free(gone->found);
	buf_free(&gone->request);
	buf_free(&gone->answer);
	free(gone->host);
	free(gone->protocol);
	free(gone);
}

static void fail(struct websocket *websocket, const char *words)
{
	struct error text; /* bounded, cut between characters */

	(void)error_set(&text, ERROR_UPSTREAM, "%s: %s", websocket->dial->phase, words);
	websocket_end(websocket, WEBSOCKET_ABNORMAL, text.text);
}

void websocket_dial_late(struct websocket *websocket)
{
	fail(websocket, "took too long");
}

/* -- the handshake -------------------------------------------------------------------------------- */

static void want(struct websocket *websocket)
{
	bool writes = !websocket->dial->connected || websocket->dial->request.size > 0 ||
		      (websocket->tls != NULL && tls_wants_write(websocket->tls));
	bool shakes = websocket->tls != NULL && !tls_is_open(websocket->tls) &&
		      !tls_wants_write(websocket->tls);

	/* While TLS shakes hands it is not the request that is waited for. */
	loop_watch_set(websocket->watch,
		(unsigned)LOOP_READ | (writes && !shakes ? (unsigned)LOOP_WRITE : 0u));
}

/* False: it has failed, which was told. */
static bool send_request(struct websocket *websocket)
{
	struct buf *request = &websocket->dial->request;

	while (request->size > 0) {
		ssize_t sent =
			link_send(websocket->fd, websocket->tls, request->data, request->size);

		if (sent >= 0) {
			buf_consume(request, (size_t)sent);
			websocket->dial->phase = "WebSocket handshake";
		} else if (errno == EAGAIN) {
			return true;
		} else if (errno != EINTR) {
			fail(websocket, link_words(websocket->tls, errno));
			return false;
		}
	}
	return true;
}

static void become_open(struct websocket *websocket, size_t head_bytes)
{
	struct buf *answer = &websocket->dial->answer;
	struct buf *rest = NULL;

	buf_consume(answer, head_bytes);
	if (answer->size > 0) {
		rest = alloc_zeroed(1, sizeof(*rest));
		*rest = *answer;
		buf_init(answer, 0);
	}
	websocket_dial_free(&websocket->dial);
	websocket_begin(websocket, rest);
	websocket->more = websocket->tls != NULL; /* it may hold what the kernel will not tell of */
	if (websocket->more)
		loop_defer(websocket->loop, &websocket->writer);
	if (websocket->options.handler->open != NULL)
		websocket->options.handler->open(websocket->options.context);
}

/* False: there is nothing more to read now, or no dial any more. */
static bool read_answer(struct websocket *websocket)
{
	struct websocket_dial *dial = websocket->dial;
	char *to = buf_reserve(&dial->answer, READ_BYTES);
	ssize_t got = to != NULL ? link_recv(websocket->fd, websocket->tls, to, READ_BYTES) : 0;
	struct error error = {.kind = ERROR_NONE};
	size_t head_bytes = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		fail(websocket,
			got == 0 ? "the connection was closed" : link_words(websocket->tls, errno));
		return false;
	}
	buf_grew(&dial->answer, (size_t)got);
	switch (websocket_read_answer(
		buf_str(&dial->answer), dial->key, dial->protocol, &head_bytes, &error)) {
	case WEBSOCKET_ANSWER_MORE:
		return true;
	case WEBSOCKET_ANSWER_BAD:
		fail(websocket, error.text);
		return false;
	default:
		become_open(websocket, head_bytes);
		return false;
	}
}

/* -- the connection ------------------------------------------------------------------------------- */

static bool may_reach(const struct websocket_dial *dial, const struct addrinfo *to)
{
	struct address address;

	if (!dial->deny_private)
		return true;
	return address_from_socket(to->ai_addr, to->ai_addrlen, &address) &&
	       (address_is_public(&address) ||
		       (dial->allowed != NULL && address_list_has(dial->allowed, &address)));
}

static void note_failure(struct websocket_dial *dial, const char *words)
{
	(void)str_copy(dial->failure, sizeof(dial->failure), str_from(words));
}

/* False: this address is none; why is noted. */
static bool begin_connect(struct websocket *websocket, const struct addrinfo *to)
{
	int on = 1;

	if (!may_reach(websocket->dial, to)) {
		note_failure(websocket->dial, "its address is not public");
		return false;
	}
	websocket->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (websocket->fd >= 0) {
		(void)setsockopt(websocket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (connect(websocket->fd, to->ai_addr, to->ai_addrlen) == 0 ||
			errno == EINPROGRESS) {
			websocket_watch(websocket);
			want(websocket);
			return true;
		}
	}
	note_failure(websocket->dial, strerror(errno));
	websocket_drop_socket(websocket);
	return false;
}

static void try_next(struct websocket *websocket)
{
	struct websocket_dial *dial = websocket->dial;

	while (dial->next != NULL) {
		const struct addrinfo *to = dial->next;

		dial->next = to->ai_next;
		if (begin_connect(websocket, to))
			return;
	}
	fail(websocket, dial->failure);
}

/* False: not this address. */
static bool finish_connect(struct websocket *websocket)
{
	struct websocket_dial *dial = websocket->dial;
	int code = 0;
	socklen_t size = sizeof(code);

	if (getsockopt(websocket->fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
		code = errno;
	if (code != 0) {
		note_failure(dial, strerror(code));
		websocket_drop_socket(websocket);
		try_next(websocket);
		return false;
	}
	dial->connected = true;
	dial->phase = "WebSocket handshake";
	if (dial->tls_context == NULL)
		return true;
	dial->phase = "TLS handshake";
	websocket->tls = tls_new(dial->tls_context, websocket->fd, dial->host);
	return true;
}

void websocket_dial_ready(struct websocket *websocket)
{
	if (!websocket->dial->connected && !finish_connect(websocket))
		return;
	if (!send_request(websocket))
		return;
	while (read_answer(websocket))
		continue;
	if (!websocket->freed && websocket->dial != NULL)
		want(websocket);
}

static void on_resolved(void *owner, struct addrinfo *found, const char *words)
{
	struct websocket *websocket = owner;

	websocket_enter(websocket);
	websocket->dial->resolve = NULL;
	websocket->dial->found = found;
	websocket->dial->next = found;
	if (found == NULL) {
		fail(websocket, words);
	} else {
		websocket->dial->phase = "connecting";
		try_next(websocket);
	}
	websocket_leave(websocket);
}

/* -- beginning ------------------------------------------------------------------------------------ */

static bool prepare(struct websocket_dial *dial, struct loop *loop, const struct websocket_url *url,
	const struct websocket_target *target, struct error *error)
{
	buf_init(&dial->request, REQUEST_MAX_BYTES);
	buf_init(&dial->answer, WEBSOCKET_MAX_ANSWER_BYTES + READ_BYTES);
	dial->phase = "looking the name up";
	dial->host = alloc_text(url->host);
	dial->protocol = target->protocol != NULL ? alloc_text(str_from(target->protocol)) : NULL;
	dial->deny_private = target->deny_private;
	dial->allowed = target->allowed;
	websocket_make_key(dial->key);
	if (url->secure) {
		dial->tls_context = tls_client_of(loop, target->ca_file, error);
		if (dial->tls_context == NULL)
			return false;
	}
	return websocket_write_request(&dial->request, url, target, dial->key, error);
}

struct websocket *websocket_connect(struct loop *loop, const struct websocket_target *target,
	const struct websocket_options *options, struct error *error)
{
	struct websocket_url url;
	struct websocket_dial *dial;
	struct websocket *websocket;

	if (!websocket_url_read(str_from(target->url), &url, error))
		return NULL;
	dial = alloc_zeroed(1, sizeof(*dial));
	if (!prepare(dial, loop, &url, target, error)) {
		websocket_dial_free(&dial);
		return NULL;
	}
	websocket = websocket_new(loop, options, false);
	websocket->dial = dial;
	websocket_set_deadline(
		websocket, target->timeout_ms != 0 ? target->timeout_ms : TIMEOUT_MS);
	dial->resolve = resolve_start(loop, dial->host, url.port, on_resolved, websocket);
	return websocket;
}
