/*
 * http_client: libcurl's multi interface driven by our loop.
 *
 * Curl repeats a request by itself when a kept-alive connection turns out dead. The hook that it
 * calls before each request prevents that: the first call tells that from now on the server may
 * have seen the request, a second call is refused.
 */
#include "http_client.h"

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "http_client_parts.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { DEFAULT_CONNECTIONS = 256, DEFAULT_HOST_CONNECTIONS = 64, MAX_CALLS = 4096 };
enum { MAX_HEADER_BYTES = 16 * 1024, LATE_MS = 20 };
enum { DEFAULT_TIMEOUT_MS = 10000, CONNECT_TIMEOUT_MS = 5000, DEFAULT_ANSWER_BYTES = 256 * 1024 };
/* Servers close idle connections after 60 s or so, some sooner. A request that crosses such a
 * close has an unknown outcome, so connections are dropped well before. */
enum { MAX_IDLE_SECONDS = 20 };

/* A socket of curl's that the loop watches. */
struct watched {
	struct http_client *client;
	struct loop_watch *watch;
};

/* -- the end of a call ----------------------------------------------------------------------- */

void http_transfer_free(struct transfer *transfer)
{
	*transfer->link = transfer->next;
	if (transfer->next != NULL)
		transfer->next->link = transfer->link;
	transfer->client->calls--;
	loop_timer_free(&transfer->limit);
	curl_multi_remove_handle(transfer->client->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	buf_free(&transfer->body);
	buf_free(&transfer->head);
	free(transfer);
}

/* Flows never run inside curl's stack, so neither does this. */
static void cancel_transfer(struct flow_op *op)
{
	http_transfer_free((struct transfer *)op);
}

/* Curl's own messages may hold the host or more of the URL; these do not. */
static void explain(struct transfer *transfer, CURLcode code, struct error *error)
{
	long number = 0;

	if (transfer->body.failed || code == CURLE_FILESIZE_EXCEEDED) {
		error_set(error, ERROR_UPSTREAM, "the answer is longer than %zu bytes",
			transfer->body.max_bytes);
		return;
	}
	if (code == CURLE_COULDNT_CONNECT && transfer->denied[0] != '\0') {
		error_set(error, ERROR_INPUT, "address %s is not allowed", transfer->denied);
		return;
	}
	/* The first by refuse_repetition(), the second by open_socket(). */
	if (code == CURLE_ABORTED_BY_CALLBACK ||
		(code == CURLE_COULDNT_CONNECT && transfer->requests > 0)) {
		error_set(error, ERROR_UPSTREAM, "the connection was closed before an answer");
		return;
	}
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
	error_set(error, code == CURLE_URL_MALFORMAT ? ERROR_INPUT : ERROR_UPSTREAM, "%s%s%s",
		curl_easy_strerror(code), number != 0 ? ": " : "",
		number != 0 ? strerror((int)number) : "");
}

static void fill_answer(struct transfer *transfer, CURLcode code)
{
	struct http_answer *answer = transfer->answer;

	http_head_done(transfer);
	if (code == CURLE_OK) {
		answer->reach = HTTP_ANSWERED;
		answer->body = str_of(arena_strndup(transfer->arena,
					      transfer->body.size > 0 ? transfer->body.data : "",
					      transfer->body.size),
			transfer->body.size);
	} else {
		answer->reach = transfer->requests == 0 ? HTTP_NOT_SENT : HTTP_UNKNOWN;
		explain(transfer, code, &answer->error);
	}
}

void http_transfer_end(struct transfer *transfer, CURLcode code)
{
	fill_answer(transfer, code);
	if (transfer->feed != NULL)
		http_feed_ended(transfer->feed);
	else
		flow_wake(&transfer->op);
	http_transfer_free(transfer);
}

static void finish_done(struct http_client *client)
{
	CURLMsg *message;
	int rest;

	while ((message = curl_multi_info_read(client->multi, &rest)) != NULL) {
		struct transfer *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		http_transfer_end(transfer, message->data.result);
	}
}

/* Curl does not count the time that a call waits for a free connection. */
static void on_limit(void *owner)
{
	http_transfer_end(owner, CURLE_OPERATION_TIMEDOUT);
}

/* -- curl's sockets and timer on our loop ---------------------------------------------------- */

static void on_socket_ready(void *owner, int fd, unsigned ready)
{
	struct watched *watched = owner;
	struct http_client *client = watched->client; /* `watched` may go inside of curl */
	int what = ((ready & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
		   ((ready & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	int running;

	(void)curl_multi_socket_action(client->multi, fd, what, &running);
	finish_done(client);
}

static void on_time(void *owner)
{
	struct http_client *client = owner;
	int running;

	(void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_done(client);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *assigned)
{
	struct http_client *client = owner;
	struct watched *watched = assigned;

	if (what == CURL_POLL_REMOVE) {
		if (watched != NULL)
			loop_watch_free(&watched->watch);
		free(watched);
		(void)curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (watched == NULL) {
		watched = alloc_zeroed(1, sizeof(*watched));
		watched->client = client;
		watched->watch = loop_watch_new(client->loop, fd, on_socket_ready, watched);
		(void)curl_multi_assign(client->multi, fd, watched);
	}
	loop_watch_set(watched->watch, ((what & CURL_POLL_IN) != 0 ? LOOP_READ : 0u) |
					       ((what & CURL_POLL_OUT) != 0 ? LOOP_WRITE : 0u));
	return 0;
}

static int want_timer(CURLM *multi, long delay_ms, void *owner)
{
	struct http_client *client = owner;

	if (delay_ms < 0)
		loop_timer_stop(client->timer);
	else
		loop_timer_set(client->timer, delay_ms);
	return 0;
}

/* -- a call ---------------------------------------------------------------------------------- */

static int refuse_repetition(
	void *owner, char *their_address, char *our_address, int their_port, int our_port)
{
	struct transfer *transfer = owner;

	if (transfer->requests > 0)
		return CURL_PREREQFUNC_ABORT;
	transfer->requests++;
	return CURL_PREREQFUNC_OK;
}

/* Asked before each connection: of the address, and not for a repetition. */
static curl_socket_t open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = owner;

	if (transfer->requests > 0 ||
		!http_may_reach(&transfer->client->options, address, transfer->denied))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Less than what came makes curl fail the transfer. */
static size_t take_body(char *data, size_t one, size_t size, void *owner)
{
	struct transfer *transfer = owner;

	if (transfer->feed != NULL)
		return http_feed_take(transfer->feed, str_of(data, size));
	return buf_append(&transfer->body, data, size) ? size : 0;
}

static void append(struct transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (longer == NULL)
		abort();
	transfer->headers = longer;
}

/* Names and values come from configuration and databases: a line break would start a header, or a
 * request, of its own. */
static bool add_header(struct transfer *transfer, const char *name, const char *value)
{
	struct buf line;
	bool is_good;

	if (strpbrk(name, "\r\n:;") != NULL || strpbrk(value, "\r\n") != NULL)
		return false;
	buf_init(&line, MAX_HEADER_BYTES);
	/* "Name;" is curl's way to send a header without a value. */
	is_good = value[0] != '\0' ? buf_printf(&line, "%s: %s", name, value)
				   : buf_printf(&line, "%s;", name);
	if (is_good)
		append(transfer, line.data);
	buf_free(&line);
	return is_good;
}

static bool set_headers(struct transfer *transfer)
{
	const struct http_call *call = transfer->call;

	append(transfer, "Expect:"); /* a name and nothing else: leave it out */
	if (call->content_type == NULL)
		append(transfer, "Content-Type:");
	else if (!add_header(transfer, "Content-Type", call->content_type))
		return false;
	for (int i = 0; i < HTTP_MAX_HEADERS && call->headers[i][0] != NULL; i++)
		if (!add_header(transfer, call->headers[i][0], call->headers[i][1]))
			return false;
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	return true;
}

static void set_method(CURL *easy, const struct http_call *call)
{
	if (strcmp(call->method, "HEAD") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (strcmp(call->method, "POST") == 0 || call->body.size > 0) {
		(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
		(void)curl_easy_setopt(
			easy, CURLOPT_POSTFIELDS, call->body.size > 0 ? call->body.data : "");
	}
	if (strcmp(call->method, call->body.size > 0 ? "POST" : "GET") != 0)
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_safety(CURL *easy, const struct http_client *client)
{
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); /* no proxy out of the environment */
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)MAX_IDLE_SECONDS);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		client->options.allow_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, client->options.allow_http2 ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
	/* Else giving up a call whose name is still being resolved blocks until it is. */
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (client->user_agent != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
}

static bool set_call(struct transfer *transfer)
{
	const struct http_call *call = transfer->call;
	int64_t timeout_ms = call->timeout_ms > 0 ? call->timeout_ms : DEFAULT_TIMEOUT_MS;
	CURL *easy = transfer->easy;

	set_safety(easy, transfer->client);
	set_method(easy, call);
	transfer->limit = loop_timer_new(transfer->client->loop, on_limit, transfer);
	loop_timer_set(transfer->limit, timeout_ms + LATE_MS);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS));
	(void)curl_easy_setopt(
		easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->body.max_bytes);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	if (call->gzip)
		(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (call->want_headers || transfer->feed != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_head_take);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	}
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, refuse_repetition);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	return curl_easy_setopt(easy, CURLOPT_URL, call->url) == CURLE_OK && set_headers(transfer);
}

static struct transfer *transfer_new(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer)
{
	struct transfer *transfer = alloc_zeroed(1, sizeof(*transfer));

	transfer->op.cancel = cancel_transfer;
	transfer->client = client;
	transfer->arena = flow_arena(flow);
	transfer->call = call;
	transfer->answer = answer;
	transfer->begun_ms = clock_monotonic_ms();
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL)
		abort();
	buf_init(&transfer->body,
		call->max_answer_bytes > 0 ? call->max_answer_bytes : DEFAULT_ANSWER_BYTES);
	buf_init(&transfer->head, MAX_HEADER_BYTES);
	transfer->next = client->transfers;
	if (transfer->next != NULL)
		transfer->next->link = &transfer->next;
	transfer->link = &client->transfers;
	client->transfers = transfer;
	client->calls++;
	return transfer;
}

struct transfer *http_transfer_begin(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer, struct http_feed *feed)
{
	struct transfer *transfer;

	*answer = (struct http_answer){.reach = HTTP_NOT_SENT, .retry_after_ms = -1};
	if (client->calls >= MAX_CALLS) {
		error_set(&answer->error, ERROR_BUSY, "too many requests are under way");
		return NULL;
	}
	transfer = transfer_new(flow, client, call, answer);
	transfer->feed = feed;
	if (!set_call(transfer)) {
		error_set(&answer->error, ERROR_INPUT, "a header is not allowed");
		http_transfer_free(transfer);
		return NULL;
	}
	/* Nothing happens in here but the setting of a timer. */
	(void)curl_multi_add_handle(client->multi, transfer->easy);
	return transfer;
}

enum flow_status await_http(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer)
{
	struct transfer *transfer = http_transfer_begin(flow, client, call, answer, NULL);

	return transfer != NULL ? flow_wait(flow, &transfer->op) : await_turn(flow);
}

/* -- the client ------------------------------------------------------------------------------ */

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options)
{
	struct http_client *client = alloc_zeroed(1, sizeof(*client));
	unsigned total, per_host;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	client->loop = loop;
	client->options = *options;
	if (options->user_agent != NULL)
		client->user_agent = alloc_text(str_from(options->user_agent));
	client->timer = loop_timer_new(loop, on_time, client);
	client->share = curl_share_init();
	client->multi = curl_multi_init();
	if (client->multi == NULL || client->share == NULL)
		abort();
	(void)curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	total = options->max_connections != 0 ? options->max_connections : DEFAULT_CONNECTIONS;
	per_host = options->max_connections_per_host != 0 ? options->max_connections_per_host
							  : DEFAULT_HOST_CONNECTIONS;
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)total);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)per_host);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)total);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	return client;
}

/* Calls that are under way end as cancelled by us: unknown, or not sent. */
static void fail_calls(struct http_client *client)
{
	struct transfer *next;

	for (struct transfer *transfer = client->transfers; transfer != NULL; transfer = next) {
		next = transfer->next;
		http_transfer_end(transfer, CURLE_ABORTED_BY_CALLBACK);
	}
}

void http_client_free(struct http_client **client)
{
	if (*client == NULL)
		return;
	fail_calls(*client);
	curl_multi_cleanup((*client)->multi);
	curl_share_cleanup((*client)->share);
	loop_timer_free(&(*client)->timer);
	free((*client)->user_agent);
	free(*client);
	*client = NULL;
	curl_global_cleanup();
}
