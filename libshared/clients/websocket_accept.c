/*
 * websocket_accept: the server's side of the handshake (RFC 6455 section 4.2).
 *
 * Twilio offers no sub-protocol, no Origin, no extension: none of them is asked for. A sub-protocol is
 * echoed only when it was offered, in the spelling of the offer; strict clients refuse anything else.
 */
#include "http_upgrade.h"
#include "websocket_handshake.h"
#include "websocket_private.h"

enum { PROTOCOL_MAX_BYTES = 128 };

/* Among all headers of that name. */
static struct str find_token(struct flow *flow, const char *header, struct str wanted)
{
	unsigned place = 0;
	struct str list, found = str_of(NULL, 0);

	while (found.size == 0 && http_request_header_next(flow, header, &place, &list))
		found = websocket_token(list, wanted);
	return found;
}

struct str websocket_offered(struct flow *flow, const char *protocol)
{
	return find_token(flow, "Sec-WebSocket-Protocol", str_from(protocol));
}

static bool refuse(struct flow *flow, int status, struct error *error, const char *words)
{
	(void)http_reply_detail(flow, status, "%s", words);
	return error_set(error, ERROR_INPUT, "%s", words);
}

static bool check(struct flow *flow, struct error *error)
{
	if (!str_equal(http_request(flow)->method, STR("GET")))
		return refuse(flow, 400, error, "a WebSocket begins with GET");
	if (find_token(flow, "Upgrade", STR("websocket")).size == 0 ||
		find_token(flow, "Connection", STR("upgrade")).size == 0) {
		http_reply_header(flow, "Upgrade", "websocket");
		return refuse(flow, 426, error, "this address speaks WebSocket only");
	}
	if (!str_equal(http_request_header(flow, "Sec-WebSocket-Version"), STR("13"))) {
		http_reply_header(flow, "Sec-WebSocket-Version", "13");
		return refuse(flow, 426, error, "Sec-WebSocket-Version: only 13 is spoken");
	}
	if (!websocket_key_is_good(http_request_header(flow, "Sec-WebSocket-Key")))
		return refuse(flow, 400, error, "Sec-WebSocket-Key: not 16 bytes in base64");
	return true;
}

/* False with words; then the request has been answered, or its client has gone. */
static bool upgrade(
	struct flow *flow, const char *protocol, struct http_upgraded *taken, struct error *error)
{
	char accept[WEBSOCKET_ACCEPT_TEXT], spelled[PROTOCOL_MAX_BYTES];
	struct str offered = protocol != NULL ? websocket_offered(flow, protocol) : str_of(NULL, 0);
	bool echo = offered.size > 0 && str_copy(spelled, sizeof(spelled), offered);
	const char *const headers[][2] = {
		{"Connection", "Upgrade"},
		{"Upgrade", "websocket"},
		{"Sec-WebSocket-Accept", accept},
		{echo ? "Sec-WebSocket-Protocol" : NULL, spelled},
		{NULL, NULL},
	};

	websocket_accept_of(http_request_header(flow, "Sec-WebSocket-Key"), accept);
	return http_upgrade(flow, headers, taken, error);
}

struct websocket *websocket_accept(struct flow *flow, const struct websocket_options *options,
	const char *protocol, struct error *error)
{
	struct http_upgraded taken;
	struct websocket *websocket;

	if (!check(flow, error) || !upgrade(flow, protocol, &taken, error))
		return NULL;
	websocket = websocket_new(flow_loop(flow), options, true);
	websocket->fd = taken.fd;
	websocket->tls = taken.tls;
	websocket->server = http_server_of(flow);
	websocket_begin(websocket, taken.rest);
	return websocket;
}
