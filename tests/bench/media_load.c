/*
 * media_load: many Media Streams at once, as Twilio sends them: 20 ms frames, each stream at a time of
 * its own within them. Counts what comes back and how late. For media_bench, which builds it.
 *
 *   media_load PORT PATH STREAMS SECONDS    says "ready", waits for a line, runs, prints one line of JSON
 *
 * Each frame carries its number in its audio. Latency counts from the moment at which a frame was due,
 * so that a load that comes late itself does not flatter the server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	FRAME_US = 20000,
	FRAME_BYTES = 160,
	BASE64_BYTES = 216,
	WARM_FRAMES = 50, /* a second that is not counted */
	IN_BYTES = 16384,
	BUCKETS = 40000, /* of 25 us */
	BUCKET_US = 25,
	REST_US = 500000, /* what is still under way at the end */
};

struct stream {
	int fd;
	char sid[35];
	uint32_t sent, received;
	size_t in_size;
	char in[1200]; /* an incomplete frame */
};

struct load {
	int epoll;
	struct stream *streams;
	unsigned count;
	uint32_t frames; /* of each stream, with the warm ones */
	int64_t began_us;
	uint64_t sent, received, wrong;
	uint64_t late[BUCKETS];
	int64_t latest_us;
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static int64_t due_us(const struct load *load, unsigned stream, uint32_t frame)
{
	return load->began_us + (int64_t)frame * FRAME_US +
	       (int64_t)stream * FRAME_US / (int64_t)load->count;
}

/* -- frames ----------------------------------------------------------------------------------------- */

/* The number in six digits of base64, then the rest of an audio that looks like some. */
static void put_audio(char *to, uint32_t number)
{
	for (int i = 5; i >= 0; i--, number >>= 6)
		to[i] = alphabet[number & 63];
	memset(to + 6, '/', BASE64_BYTES - 8);
	memcpy(to + BASE64_BYTES - 2, "==", 2);
	to[BASE64_BYTES - 3] = 'w';
}

static uint32_t audio_number(const char *from)
{
	uint32_t number = 0;

	for (int i = 0; i < 6; i++) {
		const char *place = strchr(alphabet, from[i]);

		number = number << 6 | (place != NULL ? (uint32_t)(place - alphabet) : 0);
	}
	return number;
}

/* A masked text frame. */
static size_t wrap(unsigned char *to, const char *text, size_t size)
{
	static const unsigned char key[4] = {0x3a, 0x91, 0x5e, 0xc7};
	size_t head = size < 126 ? 2 : 4;

	to[0] = 0x81;
	to[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
	if (head == 4) {
		to[2] = (unsigned char)(size >> 8);
		to[3] = (unsigned char)size;
	}
	memcpy(to + head, key, 4);
	for (size_t i = 0; i < size; i++)
		to[head + 4 + i] = (unsigned char)text[i] ^ key[i & 3];
	return head + 4 + size;
}

static void send_text(struct stream *stream, const char *text, size_t size)
{
	unsigned char frame[1200];
	size_t whole = wrap(frame, text, size);

	if (send(stream->fd, frame, whole, MSG_NOSIGNAL) != (ssize_t)whole)
		die("send");
}

static void send_media(struct load *load, struct stream *stream)
{
	char text[1024], audio[BASE64_BYTES];
	uint32_t number = stream->sent++;
	int size;

	put_audio(audio, number);
	size = snprintf(text, sizeof(text),
		"{\"event\":\"media\",\"sequenceNumber\":\"%u\",\"media\":{\"track\":\"inbound\","
		"\"chunk\":\"%u\",\"timestamp\":\"%u\",\"payload\":\"%.*s\"},\"streamSid\":\"%s\"}",
		number + 2, number + 1, number * 20, BASE64_BYTES, audio, stream->sid);
	send_text(stream, text, (size_t)size);
	load->sent += number >= WARM_FRAMES;
}

/* -- what comes back -------------------------------------------------------------------------------- */

static void note(struct load *load, struct stream *stream, uint32_t number)
{
	int64_t late_us = now_us() - due_us(load, (unsigned)(stream - load->streams), number);
	int64_t bucket = late_us / BUCKET_US;

	if (number != stream->received++)
		load->wrong++;
	if (number < WARM_FRAMES)
		return;
	load->received++;
	load->late[bucket < 0 ? 0 : bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	if (late_us > load->latest_us)
		load->latest_us = late_us;
}

static void take(struct load *load, struct stream *stream, const char *payload, size_t size)
{
	static const char mark[] = "\"payload\":\"";
	const char *at = memmem(payload, size, mark, sizeof(mark) - 1);

	if (at != NULL && at + sizeof(mark) + BASE64_BYTES <= payload + size)
		note(load, stream, audio_number(at + sizeof(mark) - 1));
}

/* How many bytes were whole frames. */
static size_t take_frames(struct load *load, struct stream *stream, const char *in, size_t size)
{
	size_t done = 0;

	while (size - done >= 4) {
		const unsigned char *frame = (const unsigned char *)in + done;
		size_t length = frame[1] & 0x7f, head = 2;

		if (length == 126) {
			length = (size_t)frame[2] << 8 | frame[3];
			head = 4;
		}
		if (size - done < head + length)
			break;
		if ((frame[0] & 0x0f) == 1)
			take(load, stream, in + done + head, length);
		else if ((frame[0] & 0x0f) == 8)
			load->wrong++;
		done += head + length;
	}
	return done;
}

static void receive(struct load *load, struct stream *stream)
{
	char in[IN_BYTES];
	ssize_t got;
	size_t size, done;

	memcpy(in, stream->in, stream->in_size);
	got = recv(stream->fd, in + stream->in_size, sizeof(in) - stream->in_size, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		fprintf(stderr, "the server closed a stream\n");
		exit(1);
	}
	size = stream->in_size + (size_t)got;
	done = take_frames(load, stream, in, size);
	if (size - done > sizeof(stream->in))
		die("a long frame");
	stream->in_size = size - done;
	memcpy(stream->in, in + done, stream->in_size);
}

/* -- connecting ------------------------------------------------------------------------------------- */

static void shake_hands(struct stream *stream, const char *path)
{
	char text[1024];
	size_t size = (size_t)snprintf(text, sizeof(text),
		"GET %s HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		path);
	size_t got = 0;

	if (send(stream->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("handshake");
	for (;;) { /* byte by byte: what follows is not ours to read */
		if (recv(stream->fd, text + got, 1, 0) != 1 || ++got == sizeof(text))
			die("handshake");
		if (got >= 4 && memcmp(text + got - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	if (memcmp(text, "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "%.*s\n", (int)got, text);
		exit(1);
	}
}

static void begin(struct stream *stream, unsigned number)
{
	static const char connected[] =
		"{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}";
	char text[1024];
	int size;

	snprintf(stream->sid, sizeof(stream->sid), "MZ%032x", number + 1);
	send_text(stream, connected, sizeof(connected) - 1);
	size = snprintf(text, sizeof(text),
		"{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":\"AC%"
		"032x\","
		"\"streamSid\":\"%s\",\"callSid\":\"CA%032x\",\"tracks\":[\"inbound\"],"
		"\"mediaFormat\":{\"encoding\":\"audio/"
		"x-mulaw\",\"sampleRate\":8000,\"channels\":1},"
		"\"customParameters\":{\"mode\":\"echo\"}},\"streamSid\":\"%s\"}",
		1, stream->sid, number + 1, stream->sid);
	send_text(stream, text, (size_t)size);
}

static void connect_all(struct load *load, int port, const char *path)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (unsigned i = 0; i < load->count; i++) {
		struct stream *stream = &load->streams[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};

		stream->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (stream->fd < 0 || connect(stream->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			die("connect");
		setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		shake_hands(stream, path);
		begin(stream, i);
		if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, stream->fd, &event) != 0)
			die("epoll");
	}
}

/* -- the run ---------------------------------------------------------------------------------------- */

/* It never sleeps: waking it up would be paid for by the server, which sends over the loopback. */
static void receive_until(struct load *load, int64_t until_us)
{
	struct epoll_event events[256];

	do {
		int ready = epoll_wait(load->epoll, events, 256, 0);

		for (int i = 0; i < ready; i++)
			receive(load, events[i].data.ptr);
	} while (now_us() < until_us);
}

/* Streams in turn: stream i is due i-th within each 20 ms. */
static void run(struct load *load, unsigned seconds)
{
	load->frames = seconds * (1000000 / FRAME_US) + WARM_FRAMES;
	load->began_us = now_us() + 1000;
	for (uint32_t frame = 0; frame < load->frames; frame++) {
		for (unsigned i = 0; i < load->count; i++) {
			int64_t at_us = due_us(load, i, frame);

			if (now_us() < at_us)
				receive_until(load, at_us);
			else if (i % 16 == 0) /* late: still look at what came */
				receive_until(load, 0);
			send_media(load, &load->streams[i]);
		}
	}
	receive_until(load, now_us() + REST_US);
}

static double quantile_ms(const struct load *load, double part)
{
	uint64_t wanted = (uint64_t)((double)load->received * part), seen = 0;

	for (int i = 0; i < BUCKETS; i++) {
		seen += load->late[i];
		if (seen > wanted)
			return (i + 1) * BUCKET_US / 1000.0;
	}
	return BUCKETS * BUCKET_US / 1000.0;
}

int main(int argc, char **argv)
{
	struct load load = {.epoll = epoll_create1(0)};

	if (argc != 5)
		return 2;
	load.count = (unsigned)strtoul(argv[3], NULL, 10);
	load.streams = calloc(load.count, sizeof(*load.streams));
	connect_all(&load, (int)strtol(argv[1], NULL, 10), argv[2]);
	puts("ready"); /* whoever started us notes what the server has cost until here */
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	run(&load, (unsigned)strtoul(argv[4], NULL, 10));
	printf("{\"sent\": %lu, \"received\": %lu, \"wrong\": %lu, \"p50\": %.3f, \"p99\": %.3f, "
	       "\"p999\": %.3f, \"max\": %.3f}\n",
		load.sent, load.received, load.wrong, quantile_ms(&load, 0.5),
		quantile_ms(&load, 0.99), quantile_ms(&load, 0.999), (double)load.latest_us / 1000);
	return 0;
}
