/*
 * http_exchange: from a request to its flow, and what the flow may ask of it.
 */
#include "http_conn_private.h"

#include "clock.h"
#include "crypto.h"
#include "flow_private.h"

/* Kept free behind a request, so that a client that goes away meanwhile is noticed by reading. */
enum { SPARE_BYTES = 64, ECHO_MAX_BYTES = 1024 };

/* -- trace ------------------------------------------------------------------------------------------ */

static bool is_hex(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return text.size > 0;
}

/* W3C trace context: version-trace-parent-flags, "00-<32>-<16>-<2>", all lower-case hex. */
static struct str trace_of_parent(struct str header)
{
	struct str rest = header;
	struct str version = str_cut(&rest, '-');
	struct str trace = str_cut(&rest, '-');
	struct str parent = str_cut(&rest, '-');
	struct str flags = str_cut(&rest, '-');

	if (version.size != 2 || trace.size != 32 || parent.size != 16 || flags.size != 2 ||
		!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags))
		return str_of(NULL, 0);
	if (str_equal(version, STR("ff")) || (str_equal(version, STR("00")) && rest.data != NULL) ||
		str_equal(trace, STR("00000000000000000000000000000000")))
		return str_of(NULL, 0);
	return trace;
}

static struct str trace_of_id(struct str header)
{
	if (header.size == 0 || header.size >= HTTP_TRACE_BYTES)
		return str_of(NULL, 0);
	for (size_t i = 0; i < header.size; i++) {
		char c = header.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    c == '.' || c == '_' || c == '-'))
			return str_of(NULL, 0);
	}
	return header;
}

/* Random enough not to meet another process's, and as cheap as counting. */
static void make_trace(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	uint64_t words[2] = {server->trace_prefix, server->trace_count++};

	crypto_hex(words, sizeof(words), conn->trace);
}

static void find_trace(struct http_conn *conn)
{
	struct str trace = trace_of_parent(http_parse_header(&conn->parse, "traceparent"));

	if (trace.size == 0)
		trace = trace_of_id(http_parse_header(&conn->parse, "X-Request-Id"));
	if (trace.size == 0)
		make_trace(conn);
	else
		str_copy(conn->trace, sizeof(conn->trace), trace);
}

/* -- beginning -------------------------------------------------------------------------------------- */

/* "/path?query", or a proxy's "http://host/path?query". */
void http_split_target(struct str target, struct http_request *request)
{
	struct str rest = target;
	const char *slash;

	if (rest.size > 0 && rest.data[0] != '/' &&
		(slash = memmem(rest.data, rest.size, "://", 3))) {
		rest.size -= (size_t)(slash + 3 - rest.data);
		rest.data = slash + 3;
		slash = memchr(rest.data, '/', rest.size);
		rest = slash != NULL ? str_of(slash, rest.size - (size_t)(slash - rest.data))
				     : STR("/");
	}
	rest = str_cut(&rest, '#');
	request->path = str_cut(&rest, '?');
	request->query = rest;
}

static void fill_request(struct http_conn *conn)
{
	struct http_parse *parse = &conn->parse;

	buf_reserve(&parse->in, SPARE_BYTES); /* before anything points into it */
	conn->request = (struct http_request){
		.method = http_parse_method(parse),
		.body = http_parse_str(parse, parse->body),
		.body_fd = parse->spool_fd,
		.body_bytes = parse->spooled_bytes,
		.peer = conn->peer,
		.trace = conn->trace,
	};
	http_split_target(http_parse_str(parse, parse->target), &conn->request);
	conn->routed = conn->server->options.loose_slashes
			       ? http_plain_path(conn->request.path, conn->plain_path)
			       : conn->request.path;
	find_trace(conn);
}

static void reset(struct http_conn *conn)
{
	conn->route = NULL;
	buf_clear(&conn->extra);
	conn->extra_count = 0;
	conn->started_us = clock_monotonic_us();
	conn->replied = false;
	conn->note = NULL;
	conn->close_after = !conn->parse.keep_alive || conn->server->draining;
	conn->cors = false;
	conn->head_only = false;
	conn->streaming = false;
	conn->chunked = false;
}

/* -- ending ----------------------------------------------------------------------------------------- */

/* What went wrong inside is for the log alone. */
static void answer_failure(struct http_conn *conn, struct flow *flow)
{
	const struct error *error = flow_error(flow);

	if (error == NULL || error->kind == ERROR_INTERNAL) {
		log_error(flow_log(flow), "%s %.*s: %s", conn->request.method.data,
			STR_ARG(conn->request.path),
			error != NULL ? error->text : "ended without an answer");
		http_answer_detail(conn, 500, STR("internal error"));
		return;
	}
	if (error->kind == ERROR_BUSY)
		http_answer_header(conn, STR("Retry-After"), STR("1"));
	http_answer_detail(conn, error_http_status(error->kind), str_from(error->text));
}

static void on_flow_ended(struct flow *flow)
{
	struct http_conn *conn = flow_origin(flow);

	if (conn->streaming)
		http_stream_end(conn);
	else if (!conn->replied && conn->fd >= 0)
		answer_failure(conn, flow);
	conn->flow = NULL;
	http_conn_settle(conn);
}

static void start_flow(struct http_conn *conn, const struct http_match *match)
{
	struct log_context log = conn->server->options.log;

	conn->route = match->route;
	conn->request.tail = match->tail;
	conn->flow = flow_start(conn->server->loop, match->route->flow, match->context, &log);
	flow_set_trace(conn->flow, conn->trace);
	flow_set_origin(conn->flow, conn, on_flow_ended);
}

/* -- answers without a flow ------------------------------------------------------------------------- */

static void answer_methods(struct http_conn *conn, const char *header)
{
	struct buf methods;

	buf_init(&methods, HTTP_EXTRA_MAX_BYTES);
	http_routes_methods(conn->server->routes, conn->routed, &methods);
	http_answer_header(conn, str_from(header), buf_str(&methods));
	buf_free(&methods);
}

/* A browser asks before it sends: whatever it names, it may. */
static void answer_preflight(struct http_conn *conn)
{
	struct str wanted = http_parse_header(&conn->parse, "Access-Control-Request-Headers");
	bool echo = wanted.size > 0 && wanted.size <= ECHO_MAX_BYTES;

	answer_methods(conn, "Access-Control-Allow-Methods");
	http_answer_header(conn, STR("Access-Control-Allow-Headers"), echo ? wanted : STR("*"));
	http_answer_header(conn, STR("Access-Control-Max-Age"), STR("86400"));
	http_answer(conn, 204, NULL, str_of(NULL, 0));
}

static void answer_no_route(struct http_conn *conn, bool path_known)
{
	if (!path_known) {
		http_answer_detail(conn, 404, STR("Not Found"));
		return;
	}
	answer_methods(conn, "Allow");
	http_answer_detail(conn, 405, STR("Method Not Allowed"));
}

void http_exchange_begin(struct http_conn *conn)
{
	struct http_match match;

	reset(conn);
	fill_request(conn);
	http_routes_find(conn->server->routes, conn->request.method, conn->routed, &match);
	conn->cors = match.cors;
	conn->head_only = str_equal(conn->request.method, STR("HEAD"));
	if (match.route != NULL)
		start_flow(conn, &match);
	else if (match.cors && str_equal(conn->request.method, STR("OPTIONS")))
		answer_preflight(conn);
	else
		answer_no_route(conn, match.path_known);
}

/* -- inside the flow -------------------------------------------------------------------------------- */

/* A request's children may ask and answer for it. */
struct http_conn *http_exchange_of(const struct flow *flow)
{
	while (flow->origin == NULL && flow->parent != NULL)
		flow = flow->parent;
	return flow->origin;
}

const struct http_request *http_request(struct flow *flow)
{
	return &http_exchange_of(flow)->request;
}

void http_note(struct flow *flow, void *note)
{
	http_exchange_of(flow)->note = note;
}

struct str http_request_header(struct flow *flow, const char *name)
{
	return http_parse_header(&http_exchange_of(flow)->parse, name);
}

bool http_request_header_next(
	struct flow *flow, const char *name, unsigned *place, struct str *value)
{
	return http_parse_header_next(&http_exchange_of(flow)->parse, name, place, value);
}
