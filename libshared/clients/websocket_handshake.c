/*
 * websocket_handshake: see websocket_handshake.h.
 *
 * A server's answer is held to the letter: whoever answers otherwise is no WebSocket server, and what
 * follows would be read as frames of who knows what.
 */
#include "websocket_handshake.h"

#include "crypto.h"

#include <stdio.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */

enum { KEY_BYTES = 16, URL_MAX_BYTES = 2048, WS_PORT = 80, WSS_PORT = 443 };

/* -- keys and tokens ------------------------------------------------------------------------------ */

void websocket_make_key(char to[WEBSOCKET_KEY_TEXT])
{
	unsigned char bytes[KEY_BYTES];

	crypto_random(bytes, sizeof(bytes));
	crypto_base64(bytes, sizeof(bytes), to);
}

bool websocket_key_is_good(struct str key)
{
	unsigned char bytes[KEY_BYTES];
	size_t size = 0;

	return crypto_base64_read(key, bytes, sizeof(bytes), &size) && size == KEY_BYTES;
}

void websocket_accept_of(struct str key, char to[WEBSOCKET_ACCEPT_TEXT])
{
	unsigned char digest[CRYPTO_SHA1_BYTES];
	char text[WEBSOCKET_KEY_TEXT + sizeof(GUID)];
	int size = snprintf(text, sizeof(text), "%.*s" GUID, STR_ARG(key));

	crypto_sha1(str_of(text, (size_t)size), digest);
	crypto_base64(digest, sizeof(digest), to);
}

struct str websocket_token(struct str list, struct str wanted)
{
	while (list.data != NULL) {
		struct str token = str_trim(str_cut(&list, ','));

		if (token.size > 0 && str_equal_nocase(token, wanted))
			return token;
	}
	return str_of(NULL, 0);
}

/* -- URLs ----------------------------------------------------------------------------------------- */

static bool cut_scheme(struct str *url, bool *secure)
{
	struct str wss = STR("wss://"), ws = STR("ws://");

	*secure = url->size > wss.size && str_equal_nocase(str_of(url->data, wss.size), wss);
	if (!*secure && (url->size <= ws.size || !str_equal_nocase(str_of(url->data, ws.size), ws)))
		return false;
	*url = str_of(url->data + (*secure ? wss.size : ws.size),
		url->size - (*secure ? wss.size : ws.size));
	return true;
}

static bool read_port(struct str text, int otherwise, int *port)
{
	int64_t number = otherwise;

	if (text.data != NULL && (!str_is_digits(text) || !str_to_int64(text, &number)))
		return false;
	*port = (int)number;
	return number > 0 && number <= 65535;
}

static bool read_authority(struct websocket_url *to)
{
	struct str rest = to->authority;

	if (memchr(rest.data, '@', rest.size) != NULL) /* a password in a URL gets into logs */
		return false;
	if (rest.size > 0 && rest.data[0] == '[') {
		rest = str_of(rest.data + 1, rest.size - 1);
		to->host = str_cut(&rest, ']');
		if (rest.data == NULL || (rest.size > 0 && rest.data[0] != ':'))
			return false;
		rest = rest.size > 0 ? str_of(rest.data + 1, rest.size - 1) : str_of(NULL, 0);
	} else {
		to->host = str_cut(&rest, ':');
	}
	return to->host.size > 0 && read_port(rest, to->secure ? WSS_PORT : WS_PORT, &to->port);
}

static bool is_printable(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return false;
	}
	return true;
}

bool websocket_url_read(struct str url, struct websocket_url *to, struct error *error)
{
	size_t size = 0;

	*to = (struct websocket_url){.port = 0};
	if (url.size > URL_MAX_BYTES || !is_printable(url) || !cut_scheme(&url, &to->secure))
		return error_set(error, ERROR_INPUT, "url: not a ws:// or wss:// address");
	while (size < url.size && url.data[size] != '/' && url.data[size] != '?' &&
		url.data[size] != '#')
		size++;
	to->authority = str_of(url.data, size);
	to->target = str_of(url.data + size, url.size - size);
	if (memchr(to->target.data, '#', to->target.size) != NULL)
		return error_set(error, ERROR_INPUT, "url: a WebSocket has no #fragment");
	if (!read_authority(to))
		return error_set(error, ERROR_INPUT, "url: its host or port is none");
	return true;
}

/* -- the client's request ------------------------------------------------------------------------- */

static bool breaks(const char *text)
{
	return strpbrk(text, "\r\n") != NULL;
}

static bool write_headers(
	struct buf *to, const struct websocket_target *target, struct error *error)
{
	for (unsigned i = 0; i < WEBSOCKET_MAX_HEADERS && target->headers[i][0] != NULL; i++) {
		const char *name = target->headers[i][0], *value = target->headers[i][1];

		if (breaks(name) || value == NULL || breaks(value))
			return error_set(error, ERROR_INPUT, "header %u holds a line break", i + 1);
		(void)buf_printf(to, "%s: %s\r\n", name, value);
	}
	return true;
}

bool websocket_write_request(struct buf *to, const struct websocket_url *url,
	const struct websocket_target *target, const char *key, struct error *error)
{
	bool bare = url->target.size == 0 || url->target.data[0] == '?';

	(void)buf_printf(to,
		"GET %s%.*s HTTP/1.1\r\nHost: %.*s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
		bare ? "/" : "", STR_ARG(url->target), STR_ARG(url->authority), key);
	if (target->protocol != NULL && breaks(target->protocol))
		return error_set(error, ERROR_INPUT, "protocol: holds a line break");
	if (target->protocol != NULL)
		(void)buf_printf(to, "Sec-WebSocket-Protocol: %s\r\n", target->protocol);
	if (!write_headers(to, target, error))
		return false;
	(void)buf_add(to, STR("\r\n"));
	return !to->failed || error_set(error, ERROR_INPUT, "its headers are too long");
}

/* -- the server's answer -------------------------------------------------------------------------- */

struct answer {
	bool upgrade, connection, extensions;
	unsigned accepts, protocols;
	struct str accept, protocol;
};

static void note_header(struct answer *answer, struct str name, struct str value)
{
	if (str_equal_nocase(name, STR("Upgrade"))) {
		answer->upgrade = str_equal_nocase(value, STR("websocket"));
	} else if (str_equal_nocase(name, STR("Connection"))) {
		answer->connection =
			answer->connection || websocket_token(value, STR("upgrade")).size > 0;
	} else if (str_equal_nocase(name, STR("Sec-WebSocket-Extensions"))) {
		answer->extensions = true;
	} else if (str_equal_nocase(name, STR("Sec-WebSocket-Accept"))) {
		answer->accepts++;
		answer->accept = value;
	} else if (str_equal_nocase(name, STR("Sec-WebSocket-Protocol"))) {
		answer->protocols++;
		answer->protocol = value;
	}
}

static bool read_headers(struct str head, struct answer *answer, struct error *error)
{
	while (head.size > 0) {
		struct str line = str_cut(&head, '\n');
		struct str name;

		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (line.size == 0)
			continue;
		name = str_cut(&line, ':');
		if (line.data == NULL || name.size == 0 || name.data[0] == ' ' ||
			name.data[0] == '\t')
			return error_set(error, ERROR_UPSTREAM, "its answer is not HTTP");
		note_header(answer, name, str_trim(line));
	}
	return true;
}

static bool check_answer(
	const struct answer *answer, const char *key, const char *protocol, struct error *error)
{
	char accept[WEBSOCKET_ACCEPT_TEXT];

	websocket_accept_of(str_from(key), accept);
	if (!answer->upgrade || !answer->connection)
		return error_set(error, ERROR_UPSTREAM, "its 101 does not upgrade to websocket");
	if (answer->accepts != 1 || !str_equal(answer->accept, str_from(accept)))
		return error_set(error, ERROR_UPSTREAM, "its Sec-WebSocket-Accept is wrong");
	if (answer->extensions)
		return error_set(error, ERROR_UPSTREAM, "it chose an extension, none was offered");
	if (answer->protocols == 0)
		return true;
	if (answer->protocols > 1 || protocol == NULL ||
		!str_equal(answer->protocol, str_from(protocol)))
		return error_set(error, ERROR_UPSTREAM, "it chose a protocol, it was not offered");
	return true;
}

/* Other answers are no secret, but their bodies may hold some: the status alone is told. */
static bool check_status(struct str line, struct error *error)
{
	if (str_starts(line, STR("HTTP/1.1 101")) && (line.size == 12 || line.data[12] == ' '))
		return true;
	if (line.size >= 12 && str_starts(line, STR("HTTP/1.")) &&
		str_is_digits(str_of(line.data + 9, 3)))
		return error_set(
			error, ERROR_UPSTREAM, "it answered %.3s instead of 101", line.data + 9);
	return error_set(error, ERROR_UPSTREAM, "its answer is not HTTP");
}

enum websocket_answer websocket_read_answer(struct str bytes, const char *key, const char *protocol,
	size_t *head_bytes, struct error *error)
{
	const char *end = bytes.size > 0 ? memmem(bytes.data, bytes.size, "\r\n\r\n", 4) : NULL;
	struct answer answer = {.upgrade = false};
	struct str head, line;

	if (end == NULL && bytes.size < WEBSOCKET_MAX_ANSWER_BYTES)
		return WEBSOCKET_ANSWER_MORE;
	if (end == NULL) {
		(void)error_set(error, ERROR_UPSTREAM, "its answer is too long");
		return WEBSOCKET_ANSWER_BAD;
	}
	*head_bytes = (size_t)(end - bytes.data) + 4;
	head = str_of(bytes.data, *head_bytes - 2);
	line = str_trim(str_cut(&head, '\n'));
	if (!check_status(line, error) || !read_headers(head, &answer, error) ||
		!check_answer(&answer, key, protocol, error))
		return WEBSOCKET_ANSWER_BAD;
	return WEBSOCKET_ANSWER_GOOD;
}
