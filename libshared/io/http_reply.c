/*
 * http_reply: an answer is put together in one buffer and sent with one system call.
 */
#include "http_conn_private.h"

#include "clock.h"
#include "json.h"

#include <stdio.h>

enum { NO_CONTENT = 204, NOT_MODIFIED = 304 };

/* -- the head --------------------------------------------------------------------------------------- */

/* RFC 9110 section 5.6.7, made once a second. */
static struct str date(struct http_server *server)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t now_ms = loop_now_ms(server->loop);
	struct clock_civil at;
	int64_t wall_ms;

	if (now_ms < server->date_until_ms)
		return str_from(server->date);
	wall_ms = clock_wall_ms();
	at = clock_to_civil(wall_ms, NULL);
	snprintf(server->date, sizeof(server->date), "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
		days + wall_ms / 86400000 % 7 * 3, (unsigned)at.day % 100,
		months + (ptrdiff_t)(at.month - 1) * 3, (unsigned)at.year % 10000,
		(unsigned)at.hour % 100, (unsigned)at.minute % 100, (unsigned)at.second % 100);
	server->date_until_ms = now_ms + 1000 - wall_ms % 1000;
	return str_from(server->date);
}

/* vsnprintf() costs more than all the rest of a small answer. */
static void add_number(struct buf *to, size_t number)
{
	char digits[24];
	char *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_append(to, at, (size_t)(digits + sizeof(digits) - at));
}

static void add_length(struct http_conn *conn, int status, size_t length)
{
	conn->chunked = false;
	if (status == NO_CONTENT || status == NOT_MODIFIED)
		return;
	if (length != HTTP_LENGTH_UNKNOWN) {
		buf_add(&conn->out, STR("Content-Length: "));
		add_number(&conn->out, length);
		buf_add(&conn->out, STR("\r\n"));
	} else if (http_parse_is_1_0(&conn->parse)) {
		conn->close_after = true; /* the end of the connection is the end of the answer */
	} else {
		conn->chunked = true;
		buf_add(&conn->out, STR("Transfer-Encoding: chunked\r\n"));
	}
}

static void add_connection(struct http_conn *conn)
{
	if (conn->close_after)
		buf_add(&conn->out, STR("Connection: close\r\n"));
	else if (http_parse_is_1_0(&conn->parse))
		buf_add(&conn->out, STR("Connection: keep-alive\r\n"));
}

void http_answer_head(struct http_conn *conn, int status, const char *content_type, size_t length)
{
	struct buf *out = &conn->out;

	buf_add(out, STR("HTTP/1.1 "));
	add_number(out, (size_t)status);
	buf_add(out, STR(" "));
	buf_add(out, str_from(http_status_str((enum http_status)status)));
	buf_add(out, STR("\r\nDate: "));
	buf_add(out, date(conn->server));
	buf_add(out, STR("\r\nX-Content-Type-Options: nosniff\r\n"));
	if (content_type != NULL) {
		buf_add(out, STR("Content-Type: "));
		buf_add(out, str_from(content_type));
		buf_add(out, STR("\r\n"));
	}
	add_length(conn, status, length);
	if (conn->server->options.show_trace && conn->trace[0] != '\0') {
		buf_add(out, STR("X-Request-Id: "));
		buf_add(out, str_from(conn->trace));
		buf_add(out, STR("\r\n"));
	}
	if (conn->cors)
		buf_add(out, STR("Access-Control-Allow-Origin: *\r\n"));
	buf_add(out, buf_str(&conn->extra));
	add_connection(conn);
	buf_add(out, STR("\r\n"));
}

/* A line break in a value would let whoever chose the value write headers of his own. */
void http_answer_header(struct http_conn *conn, struct str name, struct str value)
{
	bool broken = value.size > 0 && (memchr(value.data, '\r', value.size) != NULL ||
						memchr(value.data, '\n', value.size) != NULL);
	size_t size = name.size + value.size + sizeof(": \r\n");

	if (broken || conn->extra_count == HTTP_EXTRA_HEADERS_MAX ||
		size > HTTP_EXTRA_MAX_BYTES - conn->extra.size) {
		log_error(&conn->server->options.log, "answer header %.*s left out: %s",
			STR_ARG(name), broken ? "it holds a line break" : "too many or too long");
		return;
	}
	conn->extra_count++;
	buf_add(&conn->extra, name);
	buf_add(&conn->extra, STR(": "));
	buf_add(&conn->extra, value);
	buf_add(&conn->extra, STR("\r\n"));
}

/* -- whole answers ---------------------------------------------------------------------------------- */

static void count(struct http_conn *conn, int status)
{
	struct http_server *server = conn->server;

	if (status >= 200 && status < 600)
		metric_add(server->answered[status / 100], 1);
	if (conn->started_us != 0 && server->seconds != NULL)
		metric_observe(
			server->seconds, (double)(clock_monotonic_us() - conn->started_us) / 1e6);
}

static void show(struct http_conn *conn, int status, struct str answer)
{
	const struct http_server_options *options = &conn->server->options;
	int64_t took_us = conn->started_us != 0 ? clock_monotonic_us() - conn->started_us : 0;
	struct http_seen seen = {&conn->request, status, answer, took_us, conn->note};

	if (options->seen != NULL)
		options->seen(options->context, &seen);
}

void http_answer(struct http_conn *conn, int status, const char *content_type, struct str body)
{
	if (conn->replied)
		return;
	conn->replied = true;
	count(conn, status);
	show(conn, status, body);
	if (conn->fd < 0)
		return;
	http_answer_head(conn, status, content_type, body.size);
	if (!conn->head_only && status != NO_CONTENT && status != NOT_MODIFIED)
		buf_add(&conn->out, body);
	if (conn->out.failed) {
		log_error(&conn->server->options.log, "answer of %zu bytes is too long", body.size);
		buf_clear(&conn->out);
		conn->replied = false;
		http_answer_detail(conn, 500, STR("internal error"));
		return;
	}
	http_conn_flush(conn);
}

void http_answer_detail(struct http_conn *conn, int status, struct str detail)
{
	struct buf json;

	buf_init(&json, HTTP_EXTRA_MAX_BYTES);
	buf_add(&json, STR("{\"detail\":"));
	json_add_string(&json, detail);
	buf_add(&json, STR("}"));
	http_answer(conn, status, "application/json", buf_str(&json));
	buf_free(&json);
}

/* -- for flows -------------------------------------------------------------------------------------- */

static struct http_conn *to_answer(struct flow *flow)
{
	struct http_conn *conn = http_exchange_of(flow);

	if (conn->replied)
		log_error(flow_log(flow), "a second answer to one request");
	return conn;
}

enum flow_status http_reply(
	struct flow *flow, int status, const char *content_type, struct str body)
{
	http_answer(to_answer(flow), status, content_type, body);
	return FLOW_END;
}

enum flow_status http_reply_json(struct flow *flow, int status, const struct buf *json)
{
	if (!json->failed)
		return http_reply(flow, status, "application/json", buf_str(json));
	log_error(flow_log(flow), "answer is longer than its buffer of %zu bytes", json->max_bytes);
	http_answer_detail(to_answer(flow), 500, STR("internal error"));
	return FLOW_END;
}

enum flow_status http_reply_detail(struct flow *flow, int status, const char *format, ...)
{
	struct error
		detail; /* one line, bounded, cut between characters: what a detail should be */
	char text[sizeof(detail.text)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	error_set(&detail, ERROR_INPUT, "%s", text);
	http_answer_detail(to_answer(flow), status, str_from(detail.text));
	return FLOW_END;
}

void http_reply_header(struct flow *flow, const char *name, const char *value)
{
	http_answer_header(http_exchange_of(flow), str_from(name), str_from(value));
}

enum flow_status http_drop(struct flow *flow)
{
	struct http_conn *conn = to_answer(flow);

	conn->replied = true;
	http_conn_lose(conn);
	return FLOW_END;
}
