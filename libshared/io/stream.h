/*
 * stream: bytes over one TCP connection that we make, for clients of simple protocols.
 *
 * Both directions are bounded. Deadlines are the waiting flow's. One flow at a time waits. No TLS:
 * for protocols that have none (Asterisk's manager interface).
 */
#ifndef CALLWEAVE_STREAM_H
#define CALLWEAVE_STREAM_H

#include "buf.h"
#include "flow.h"

struct stream;

struct stream_options {
	const char *address; /* numeric: resolving a name would block the loop */
	int port;
	size_t max_input_bytes;	 /* that were not consumed yet; 0: 64 KiB */
	size_t max_output_bytes; /* that the peer has not taken yet; 0: 64 KiB */
};

/* Begin to connect. NULL with words when there is nothing to connect to. */
struct stream *stream_open(
	struct loop *loop, const struct stream_options *options, struct error *error);
/* What was not sent yet is lost. In a flow's `finally`. NULL inside is allowed. */
void stream_close(struct stream **stream);

/* To be sent as soon as it can be. False when the connection is lost or too much waits. */
bool stream_send(struct stream *stream, struct str bytes, struct error *error);

/* Go on when something came since the last wait, or the connection is lost: then at once. */
enum flow_status await_stream(struct flow *flow, struct stream *stream);

struct str stream_input(const struct stream *stream); /* until the next wait or consume */
void stream_consume(struct stream *stream, size_t size_bytes);

bool stream_connected(const struct stream *stream); /* it was, at some time */
/* True: no more input will come; `error` says why. What came before can still be read. */
bool stream_lost(const struct stream *stream, struct error *error);

#endif
