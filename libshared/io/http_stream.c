/*
 * http_stream: an answer of unknown length, piece by piece; a piece waits until the one before it
 * was taken.
 */
#include "http_conn_private.h"

void http_stream_begin(struct flow *flow, const char *content_type)
{
	struct http_conn *conn = http_exchange_of(flow);

	if (conn->replied) {
		log_error(flow_log(flow), "a second answer to one request");
		return;
	}
	conn->replied = true;
	conn->streaming = true;
	metric_add(conn->server->answered[2], 1);
	if (conn->fd < 0)
		return;
	http_answer_head(conn, 200, content_type, HTTP_LENGTH_UNKNOWN);
	http_conn_flush(conn);
}

static void add_piece(struct http_conn *conn, struct str piece)
{
	if (conn->head_only || piece.size == 0) /* an empty chunk would be the end */
		return;
	if (conn->chunked)
		buf_printf(&conn->out, "%zx\r\n", piece.size);
	buf_add(&conn->out, piece);
	if (conn->chunked)
		buf_add(&conn->out, STR("\r\n"));
}

static void stop_waiting(struct flow_op *op)
{
	struct http_conn *conn =
		(struct http_conn *)((char *)op - offsetof(struct http_conn, stream_op));

	conn->stream_waits = false;
}

/* Even when all was taken at once another flow gets its turn: a stream may have no end. */
enum flow_status await_http_stream(struct flow *flow, struct str piece)
{
	struct http_conn *conn = http_exchange_of(flow);

	if (!conn->streaming)
		return flow_fail(
			flow, ERROR_INTERNAL, "await_http_stream before http_stream_begin");
	add_piece(conn, piece);
	if (conn->out.failed) {
		conn->close_after = true;
		return flow_fail(
			flow, ERROR_INTERNAL, "stream piece of %zu bytes is too long", piece.size);
	}
	http_conn_flush(conn);
	if (conn->fd < 0 || conn->out.size == 0)
		return await_turn(flow);
	conn->stream_waits = true;
	conn->stream_op = (struct flow_op){.cancel = stop_waiting};
	return flow_wait(flow, &conn->stream_op);
}

void http_stream_taken(struct http_conn *conn)
{
	if (!conn->stream_waits)
		return;
	conn->stream_waits = false;
	flow_wake(&conn->stream_op);
}

/* A stream that broke off must not look complete: then the last chunk is left out. */
void http_stream_end(struct http_conn *conn)
{
	conn->streaming = false;
	if (conn->fd < 0)
		return;
	if (flow_error(conn->flow) != NULL && !conn->server->draining)
		conn->close_after = true;
	else if (conn->chunked && !conn->head_only)
		buf_add(&conn->out, STR("0\r\n\r\n"));
	http_conn_flush(conn);
}
