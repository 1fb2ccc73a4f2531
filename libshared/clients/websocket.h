/*
 * websocket: one WebSocket (RFC 6455), of either side. The only user of wslay.
 *
 * It calls back: a media bridge is a state machine with two of these as its legs, the one place where
 * services hold callbacks. Violations are answered with the right close code (1002, 1003, 1007, 1009)
 * and end it. No extensions. Pings are answered; ours find out dead peers. All is bounded: a message,
 * what was not sent yet, the time for a handshake, a close, silence.
 */
#ifndef CALLWEAVE_WEBSOCKET_H
#define CALLWEAVE_WEBSOCKET_H

#include "address.h"
#include "buf.h"
#include "flow.h"
#include "http_server.h"

struct websocket;

/* Never called inside websocket_accept/connect/send/close, always from the loop. After `closed` no
 * more comes, and the owner frees it (also inside `closed`). */
struct websocket_handler {
	void (*open)(
		void *context); /* of websocket_connect(): the handshake is done. May be NULL */
	void (*message)(
		void *context, bool binary, struct str payload); /* whole; valid inside only */
	/* The peer has taken all of it: more may be sent. May be NULL. */
	void (*drained)(void *context);
	/* Once: `code` of the peer's close frame (1005: it had none), 1006 when there was no such frame;
	 * `words` for logs: its reason, or what went wrong. */
	void (*closed)(void *context, int code, const char *words);
};

struct websocket_options {
	const struct websocket_handler *handler;
	void *context;
	size_t max_message_bytes; /* longer: 1009; 0: 64 KiB */
	size_t max_output_bytes;  /* that the peer has not taken: sends fail; 0: 256 KiB */
	int64_t ping_ms;	  /* after so much silence we ping; 0: 20 s */
	int64_t idle_ms;	  /* nothing at all for so long: 1006; 0: 60 s */
	struct log_context log;
};

/* -- taking one: inside the flow of a GET whose route has ROUTE_UPGRADE --------------------------- */

/* Answer 101 and take the connection from the HTTP server; the flow then ends (FLOW_END) and what
 * follows is the handler's. `protocol`: one that we speak, or NULL; it is chosen only if it was offered
 * (websocket_offered). NULL with words when the request is no handshake; it has been answered then:
 * 400, or 426 with Sec-WebSocket-Version; return flow_fail_error(). */
struct websocket *websocket_accept(struct flow *flow, const struct websocket_options *options,
	const char *protocol, struct error *error);
/* That name among Sec-WebSocket-Protocol, in the spelling of the offer; empty: not offered. */
struct str websocket_offered(struct flow *flow, const char *protocol);

/* -- making one ------------------------------------------------------------------------------------ */

#define WEBSOCKET_MAX_HEADERS 6

struct websocket_target {
	const char *url;			       /* ws:// or wss://; never logged */
	const char *headers[WEBSOCKET_MAX_HEADERS][2]; /* name, value; NULL name ends */
	const char *protocol;			       /* offered; NULL: none */
	const char *ca_file; /* NULL: the system's; certificates are always checked */
	int64_t timeout_ms;  /* until it is open; 0: 10 s */
	/* As of struct http_client_options: for a URL that a tenant chose. */
	bool deny_private;
	const struct address_list *allowed;
};
/* NULL with words when the URL is none. Everything else is told by `closed`. Names are resolved
 * without blocking the loop. */
struct websocket *websocket_connect(struct loop *loop, const struct websocket_target *target,
	const struct websocket_options *options, struct error *error);

/* -- either ---------------------------------------------------------------------------------------- */

/* A whole message. Gathered and written at the end of the loop's turn. False: closed, or the peer does
 * not take it (nothing of it was sent). */
bool websocket_send(struct websocket *websocket, bool binary, struct str payload);
size_t websocket_unsent_bytes(const struct websocket *websocket);
/* Begin to close; `closed` follows, after 5 s at the latest. */
void websocket_close(struct websocket *websocket, int code, const char *reason);
/* At once, without `closed`. NULL inside is allowed. */
void websocket_free(struct websocket **websocket);

#endif
