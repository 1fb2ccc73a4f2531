/*
 * http_client: libcurl's multi interface on our loop.
 *
 * The body goes through a read callback that cannot be rewound. That is on purpose: libcurl would
 * repeat a POST by itself when a kept-alive connection dies under it, and without rewinding it
 * cannot (CURLE_SEND_FAIL_REWIND). It also tells how far a request came: a body that was never
 * asked for has not been sent.
 */
#include "http_client.h"

#include "alloc.h"
#include "buf.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_CONNECTIONS = 256, DEFAULT_HOST_CONNECTIONS = 64, DEFAULT_TIMEOUT_MS = 10000 };
enum { CONNECT_TIMEOUT_MS = 5000, IDLE_CONNECTION_S = 20, HEADER_MAX_BYTES = 4096 };
enum { DEFAULT_ANSWER_BYTES = 1 << 20 };

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	char *user_agent;
	struct http_op *first; /* under way */
};

/* One request. It is the client's, not the flow's, so that a flow may go away at any time. */
struct http_op {
	struct flow_op op;
	struct http_client *client;
	struct http_op *next, **link;
	CURL *easy;
	struct curl_slist *headers;
	struct http_answer *answer;
	struct buf body; /* of the answer */
	struct str unsent;
	bool has_body, asked; /* the body was asked for */
	int64_t started_ms;
};

/* -- curl's callbacks: bytes ---------------------------------------------------------------------- */

static size_t give_body(char *to, size_t size, size_t count, void *owner)
{
	struct http_op *op = owner;
	size_t take = op->unsent.size < size * count ? op->unsent.size : size * count;

	op->asked = true;
	if (take > 0)
		memcpy(to, op->unsent.data, take);
	op->unsent.data += take;
	op->unsent.size -= take;
	return take;
}

static size_t take_body(char *from, size_t size, size_t count, void *owner)
{
	struct http_op *op = owner;

	return buf_append(&op->body, from, size * count) ? size * count : 0;
}

/* -- the end of a request ------------------------------------------------------------------------- */

static void op_free(struct http_op *op)
{
	*op->link = op->next;
	if (op->next != NULL)
		op->next->link = op->link;
	curl_multi_remove_handle(op->client->multi, op->easy);
	curl_easy_cleanup(op->easy);
	curl_slist_free_all(op->headers);
	buf_free(&op->body);
	free(op);
}

static void cancel_op(struct flow_op *flow_op)
{
	op_free((struct http_op *)flow_op);
}

/* A server cannot act on a request whose body it never saw. */
static enum http_reach how_far(const struct http_op *op)
{
	long request_bytes = 0;

	if (op->has_body)
		return op->asked ? HTTP_UNKNOWN : HTTP_NOT_SENT;
	curl_easy_getinfo(op->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return request_bytes > 0 ? HTTP_UNKNOWN : HTTP_NOT_SENT;
}

static void note_failure(struct http_op *op, CURLcode code)
{
	struct http_answer *answer = op->answer;

	answer->reach = how_far(op);
	if (op->body.failed)
		error_set(&answer->error, ERROR_UPSTREAM, "the answer is longer than %zu bytes",
			op->body.max_bytes);
	else if (code == CURLE_SEND_FAIL_REWIND)
		error_set(&answer->error, ERROR_UPSTREAM,
			"the connection was closed without an answer");
	else
		error_set(&answer->error, ERROR_UPSTREAM, "%s", curl_easy_strerror(code));
}

static void note_answer(struct http_op *op)
{
	struct http_answer *answer = op->answer;
	struct str body = buf_str(&op->body);
	curl_off_t retry_after_s = 0;
	long status = 0;

	curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(op->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	answer->reach = HTTP_ANSWERED;
	answer->status = (int)status;
	answer->retry_after_ms = retry_after_s > 0 ? (int64_t)retry_after_s * 1000 : -1;
	answer->body.data = arena_strndup(flow_arena(op->op.flow), body.data, body.size);
	answer->body.size = body.size;
}

static void op_finish(struct http_op *op, CURLcode code)
{
	op->answer->took_ms = loop_now_ms(op->client->loop) - op->started_ms;
	if (code == CURLE_OK)
		note_answer(op);
	else
		note_failure(op, code);
	flow_wake(&op->op);
	op_free(op);
}

static void take_finished(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct http_op *op;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &op);
		op_finish(op, code);
	}
}

/* -- curl's callbacks: sockets and time ----------------------------------------------------------- */

static void on_ready(void *owner, int fd, unsigned ready)
{
	struct http_client *client = owner;
	int mask = ((ready & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
		   ((ready & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(client->multi, fd, mask, &running);
	take_finished(client);
}

static void on_timer(void *owner)
{
	struct http_client *client = owner;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(client);
}

static int set_timer(CURLM *multi, long delay_ms, void *owner)
{
	struct http_client *client = owner;

	if (delay_ms < 0)
		loop_timer_stop(client->timer);
	else
		loop_timer_set(client->timer, delay_ms);
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *socket_owner)
{
	struct http_client *client = owner;
	struct loop_watch *watch = socket_owner;

	if (what == CURL_POLL_REMOVE) {
		loop_watch_free(&watch);
		curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (watch == NULL) {
		watch = loop_watch_new(client->loop, fd, on_ready, client);
		curl_multi_assign(client->multi, fd, watch);
	}
	loop_watch_set(watch, ((what & CURL_POLL_IN) != 0 ? LOOP_READ : 0u) |
				      ((what & CURL_POLL_OUT) != 0 ? LOOP_WRITE : 0u));
	return 0;
}

/* -- a request ------------------------------------------------------------------------------------ */

static void add_header(struct http_op *op, const char *name, const char *value)
{
	char line[HEADER_MAX_BYTES];
	int length = snprintf(line, sizeof(line), "%s: %s", name, value);
	struct curl_slist *longer;

	if (length < 0 || (size_t)length >= sizeof(line) || strpbrk(line, "\r\n") != NULL)
		abort(); /* headers are the program's own */
	longer = curl_slist_append(op->headers, line);
	if (longer == NULL)
		abort();
	op->headers = longer;
}

static void set_headers(struct http_op *op, const struct http_call *call)
{
	struct curl_slist *longer = curl_slist_append(op->headers, "Expect:"); /* no 100-continue */

	if (longer == NULL)
		abort();
	op->headers = longer;
	if (call->content_type != NULL)
		add_header(op, "Content-Type", call->content_type);
	for (int i = 0; i < HTTP_MAX_HEADERS && call->headers[i][0] != NULL; i++)
		add_header(op, call->headers[i][0], call->headers[i][1]);
	curl_easy_setopt(op->easy, CURLOPT_HTTPHEADER, op->headers);
}

/* What is the same for all: no redirects (the default), no proxy of the environment, no signals. */
static void set_manners(struct http_op *op)
{
	CURL *easy = op->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, op);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, op);
	if (op->client->user_agent != NULL)
		curl_easy_setopt(easy, CURLOPT_USERAGENT, op->client->user_agent);
}

static void set_call(struct http_op *op, const struct http_call *call)
{
	CURL *easy = op->easy;

	curl_easy_setopt(easy, CURLOPT_URL, call->url);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
		(long)(call->timeout_ms > 0 ? call->timeout_ms : DEFAULT_TIMEOUT_MS));
	op->has_body = call->body.size > 0 || strcmp(call->method, "POST") == 0;
	op->unsent = call->body;
	if (op->has_body) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
		curl_easy_setopt(easy, CURLOPT_READDATA, op);
	}
	if (strcmp(call->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
	set_headers(op, call);
}

static struct http_op *op_new(struct http_client *client, const struct http_call *call)
{
	struct http_op *op = alloc_zeroed(1, sizeof(*op));

	op->client = client;
	op->op.cancel = cancel_op;
	op->easy = curl_easy_init();
	if (op->easy == NULL)
		abort();
	op->started_ms = loop_now_ms(client->loop);
	buf_init(&op->body,
		call->max_answer_bytes > 0 ? call->max_answer_bytes : DEFAULT_ANSWER_BYTES);
	set_manners(op);
	set_call(op, call);
	op->next = client->first;
	if (op->next != NULL)
		op->next->link = &op->next;
	op->link = &client->first;
	client->first = op;
	return op;
}

enum flow_status await_http(struct flow *flow, struct http_client *client,
	const struct http_call *call, struct http_answer *answer)
{
	struct http_op *op = op_new(client, call);
	enum flow_status status;

	*answer = (struct http_answer){.reach = HTTP_NOT_SENT, .retry_after_ms = -1};
	op->answer = answer;
	status = flow_wait(flow, &op->op);
	if (status == FLOW_WAIT && curl_multi_add_handle(client->multi, op->easy) != CURLM_OK)
		op_finish(op, CURLE_FAILED_INIT);
	return status;
}

/* -- life ----------------------------------------------------------------------------------------- */

struct http_client *http_client_new(struct loop *loop, const struct http_client_options *options)
{
	struct http_client *client = alloc_zeroed(1, sizeof(*client));
	long total = options->max_connections > 0 ? options->max_connections : DEFAULT_CONNECTIONS;
	long per_host = options->max_connections_per_host > 0 ? options->max_connections_per_host
							      : DEFAULT_HOST_CONNECTIONS;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	client->loop = loop;
	client->multi = curl_multi_init();
	if (client->multi == NULL)
		abort();
	client->timer = loop_timer_new(loop, on_timer, client);
	if (options->user_agent != NULL)
		client->user_agent = alloc_text(str_from(options->user_agent));
	curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, total);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, total);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	return client;
}

void http_client_free(struct http_client **client)
{
	if (*client == NULL)
		return;
	while ((*client)->first != NULL)
		op_finish((*client)->first, CURLE_ABORTED_BY_CALLBACK);
	curl_multi_cleanup((*client)->multi);
	loop_timer_free(&(*client)->timer);
	curl_global_cleanup();
	free((*client)->user_agent);
	free(*client);
	*client = NULL;
}
