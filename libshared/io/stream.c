/*
 * stream: see stream.h.
 */
#include "stream.h"

#include "alloc.h"
#include "numeric_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEFAULT_BYTES = 64 * 1024, READ_BYTES = 4096, READS_A_TURN = 8 };

struct stream {
	struct loop *loop;
	int fd; /* -1: lost */
	struct loop_watch *watch;
	struct buf in, out;
	struct flow_op op; /* op.flow is set while a flow waits */
	bool connected;
	bool news; /* something happened since the last wait */
	struct error error;
};

static void tell(struct stream *stream)
{
	stream->news = true;
	if (stream->op.flow != NULL)
		flow_wake(&stream->op);
}

static void close_socket(struct stream *stream)
{
	if (stream->fd < 0)
		return;
	loop_watch_free(&stream->watch);
	(void)close(stream->fd);
	stream->fd = -1;
}

static void lose(struct stream *stream, const char *words)
{
	if (stream->fd < 0)
		return;
	close_socket(stream);
	(void)error_set(&stream->error, ERROR_UPSTREAM, "%s", words);
	tell(stream);
}

/* Full input is not read on: what the peer sends then waits in its own socket. */
static void update_interest(struct stream *stream)
{
	bool room = stream->connected && stream->in.size < stream->in.max_bytes;
	bool sends = !stream->connected || stream->out.size > 0;

	if (stream->fd >= 0)
		loop_watch_set(stream->watch,
			(room ? (unsigned)LOOP_READ : 0u) | (sends ? (unsigned)LOOP_WRITE : 0u));
}

/* -- the socket is ready -------------------------------------------------------------------------- */

static bool finish_connect(struct stream *stream)
{
	int code = 0;
	socklen_t size = sizeof(code);

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
		code = errno;
	if (code != 0) {
		lose(stream, strerror(code));
		return false;
	}
	stream->connected = true;
	tell(stream);
	return true;
}

static void send_some(struct stream *stream)
{
	while (stream->fd >= 0 && stream->out.size > 0) {
		ssize_t sent = send(stream->fd, stream->out.data, stream->out.size, MSG_NOSIGNAL);

		if (sent >= 0)
			buf_consume(&stream->out, (size_t)sent);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			lose(stream, strerror(errno));
	}
}

/* False: nothing more can be read now. */
static bool read_once(struct stream *stream)
{
	size_t room = stream->in.max_bytes - stream->in.size;
	size_t want = room < READ_BYTES ? room : READ_BYTES;
	char *to = want > 0 ? buf_reserve(&stream->in, want) : NULL;
	ssize_t got;

	if (to == NULL)
		return false;
	got = recv(stream->fd, to, want, 0);
	if (got > 0) {
		buf_grew(&stream->in, (size_t)got);
		tell(stream);
	} else if (got == 0) {
		lose(stream, "the connection was closed");
	} else if (errno != EAGAIN && errno != EINTR) {
		lose(stream, strerror(errno));
	}
	return got > 0 && stream->fd >= 0;
}

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct stream *stream = owner;

	if (!stream->connected && !finish_connect(stream))
		return;
	if ((ready & LOOP_READ) != 0) {
		for (int i = 0; i < READS_A_TURN && read_once(stream); i++)
			;
	}
	send_some(stream);
	update_interest(stream);
}

/* -- for its owner -------------------------------------------------------------------------------- */

static bool begin(struct stream *stream, const struct addrinfo *address, struct error *error)
{
	int on = 1;

	stream->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (stream->fd < 0)
		return error_set(error, ERROR_INTERNAL, "no socket: %s", strerror(errno));
	(void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(stream->fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS)
		return error_set(error, ERROR_UPSTREAM, "%s", strerror(errno));
	stream->watch = loop_watch_new(stream->loop, stream->fd, on_ready, stream);
	update_interest(stream);
	return true;
}

struct stream *stream_open(
	struct loop *loop, const struct stream_options *options, struct error *error)
{
	struct addrinfo *address = numeric_address(options->address, options->port, error);
	struct stream *stream;
	bool begun;

	if (address == NULL)
		return NULL;
	stream = alloc_zeroed(1, sizeof(*stream));
	stream->loop = loop;
	buf_init(&stream->in,
		options->max_input_bytes > 0 ? options->max_input_bytes : DEFAULT_BYTES);
	buf_init(&stream->out,
		options->max_output_bytes > 0 ? options->max_output_bytes : DEFAULT_BYTES);
	begun = begin(stream, address, error);
	freeaddrinfo(address);
	if (!begun)
		stream_close(&stream);
	return stream;
}

void stream_close(struct stream **stream)
{
	if (*stream == NULL)
		return;
	close_socket(*stream);
	buf_free(&(*stream)->in);
	buf_free(&(*stream)->out);
	free(*stream);
	*stream = NULL;
}

bool stream_send(struct stream *stream, struct str bytes, struct error *error)
{
	if (stream->fd < 0) {
		(void)stream_lost(stream, error);
		return false;
	}
	if (!buf_add(&stream->out, bytes))
		return error_set(error, ERROR_UPSTREAM, "it does not take what is sent");
	if (stream->connected)
		send_some(stream);
	update_interest(stream);
	return stream->fd >= 0 || !stream_lost(stream, error);
}

static void forget_wait(struct flow_op *op)
{
	op->flow = NULL;
}

enum flow_status await_stream(struct flow *flow, struct stream *stream)
{
	bool news = stream->news || stream->fd < 0;

	stream->news = false;
	if (news)
		return FLOW_NEXT;
	stream->op.cancel = forget_wait;
	return flow_wait(flow, &stream->op);
}

struct str stream_input(const struct stream *stream)
{
	return buf_str(&stream->in);
}

void stream_consume(struct stream *stream, size_t size_bytes)
{
	buf_consume(&stream->in, size_bytes);
	update_interest(stream);
}

bool stream_connected(const struct stream *stream)
{
	return stream->connected;
}

bool stream_lost(const struct stream *stream, struct error *error)
{
	if (stream->fd >= 0)
		return false;
	if (error != NULL)
		*error = stream->error;
	return true;
}
