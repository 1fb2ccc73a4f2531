/*
 * websocket_echo: both sides of libshared's WebSocket as a program, for stories and the media bench.
 *
 *   websocket_echo serve [OPTION...]      echoes at /echo and, after a slow look-up, at /slow; prints its port
 *   websocket_echo dial URL [OPTION...]   connects, sends, prints what happens, one line each
 */
#include "websocket.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { GATHER_US = 500, SLOW_MS = 300, TEXTS_MAX = 16 };

struct echo {
	struct loop *loop;
	struct websocket_options options;
	struct websocket_target target;
	struct http_server_options server;
	const char *protocol;
	const char *texts[TEXTS_MAX]; /* dial: to be sent once it is open */
	unsigned text_count, answers;
	struct session *sessions; /* serve */
	unsigned open;		  /* of them */
	struct websocket *dialled;
};

struct session {
	struct session *next, **link;
	struct echo *echo;
	struct websocket *websocket;
};

/* -- serve ---------------------------------------------------------------------------------------- */

static void session_new(struct echo *echo, struct session *session)
{
	session->echo = echo;
	session->next = echo->sessions;
	session->link = &echo->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	echo->sessions = session;
	echo->open++;
}

static void session_free(struct session *session)
{
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	session->echo->open--;
	websocket_free(&session->websocket);
	free(session);
}

/* Three words are commands; all else comes back. */
static void on_message(void *context, bool binary, struct str payload)
{
	struct session *session = context;

	if (str_equal(payload, STR("close")))
		websocket_close(session->websocket, 4000, "as you wish");
	else if (str_equal(payload, STR("twice")))
		(void)(websocket_send(session->websocket, false, STR("one")) &&
			websocket_send(session->websocket, true, STR("two")));
	else if (!websocket_send(session->websocket, binary, payload))
		websocket_close(session->websocket, 1013, "too much");
	if (str_equal(payload, STR("free")))
		session_free(session);
}

static void on_closed(void *context, int code, const char *words)
{
	struct session *session = context;

	(void)printf("closed %d %s, %u left\n", code, words, session->echo->open - 1);
	(void)fflush(stdout);
	session_free(session);
}

static const struct websocket_handler server_handler = {.message = on_message, .closed = on_closed};

static enum flow_status take(struct flow *flow)
{
	struct echo *echo = flow_context(flow);
	struct session *session = calloc(1, sizeof(*session));
	struct websocket_options options = echo->options;
	struct error error = {.kind = ERROR_NONE};

	options.handler = &server_handler;
	options.context = session;
	session->websocket = websocket_accept(flow, &options, echo->protocol, &error);
	if (session->websocket == NULL) {
		free(session);
		return flow_fail_error(flow, &error);
	}
	session_new(echo, session);
	return FLOW_END;
}

static enum flow_status wait_a_little(struct flow *flow)
{
	return await_sleep(flow, SLOW_MS);
}

static const struct flow_step echo_steps[] = {{"take", take}, {NULL, NULL}};
static const struct flow_spec echo_flow = {
	.name = "echo", .steps = echo_steps, .deadline_ms = 5000};
static const struct flow_step slow_steps[] = {
	{"wait", wait_a_little}, {"take", take}, {NULL, NULL}};
static const struct flow_spec slow_flow = {
	.name = "slow", .steps = slow_steps, .deadline_ms = 5000};
static const struct http_route routes[] = {
	{"GET", "/echo", &echo_flow, ROUTE_UPGRADE},
	{"GET", "/slow", &slow_flow, ROUTE_UPGRADE},
	{NULL, NULL, NULL, 0},
};

static void on_term(void *owner)
{
	loop_stop(owner);
}

static int serve(struct echo *echo)
{
	struct loop_signal *term = loop_signal_new(echo->loop, SIGTERM, on_term, echo->loop);
	struct error error = {.kind = ERROR_NONE};
	struct http_server *server;

	loop_gather(echo->loop, GATHER_US);
	echo->server.routes = routes;
	echo->server.context = echo;
	server = http_server_new(echo->loop, &echo->server, &error);
	if (server == NULL) {
		(void)fprintf(stderr, "%s\n", error.text);
		return EXIT_FAILURE;
	}
	(void)printf("%d\n", http_server_port(server));
	(void)fflush(stdout);
	loop_run(echo->loop);
	http_server_free(&server);
	while (echo->sessions != NULL) /* connections outlive the server that they came from */
		session_free(echo->sessions);
	loop_signal_free(&term);
	return EXIT_SUCCESS;
}

/* -- dial ----------------------------------------------------------------------------------------- */

static void on_open(void *context)
{
	struct echo *echo = context;

	(void)printf("open\n");
	for (unsigned i = 0; i < echo->text_count; i++)
		(void)websocket_send(echo->dialled, false, str_from(echo->texts[i]));
	if (echo->text_count == 0)
		websocket_close(echo->dialled, 1000, "bye");
}

static void on_answer(void *context, bool binary, struct str payload)
{
	struct echo *echo = context;

	(void)printf("%s %.*s\n", binary ? "binary" : "text", STR_ARG(payload));
	if (++echo->answers == echo->text_count)
		websocket_close(echo->dialled, 1000, "bye");
}

static void on_drained(void *context)
{
	(void)printf("drained\n");
}

static void on_dial_closed(void *context, int code, const char *words)
{
	struct echo *echo = context;

	(void)printf("closed %d %s\n", code, words);
	websocket_free(&echo->dialled);
	loop_stop(echo->loop);
}

static const struct websocket_handler client_handler = {
	.open = on_open, .message = on_answer, .drained = on_drained, .closed = on_dial_closed};

static int dial(struct echo *echo)
{
	struct error error = {.kind = ERROR_NONE};

	echo->options.handler = &client_handler;
	echo->options.context = echo;
	echo->target.protocol = echo->protocol;
	echo->dialled = websocket_connect(echo->loop, &echo->target, &echo->options, &error);
	if (echo->dialled == NULL) {
		(void)printf("refused %s\n", error.text);
		return EXIT_SUCCESS;
	}
	loop_run(echo->loop);
	return EXIT_SUCCESS;
}

/* -- what it is asked ----------------------------------------------------------------------------- */

static int64_t number(const char *text)
{
	int64_t value = 0;

	if (!str_to_int64(str_from(text), &value))
		exit(EXIT_FAILURE);
	return value;
}

static bool read_option(struct echo *echo, int option)
{
	switch (option) {
	case 'p':
		echo->protocol = optarg;
		return true;
	case 'g':
		echo->options.ping_ms = number(optarg);
		return true;
	case 'i':
		echo->options.idle_ms = number(optarg);
		return true;
	case 'm':
		echo->options.max_message_bytes = (size_t)number(optarg);
		return true;
	case 'o':
		echo->options.max_output_bytes = (size_t)number(optarg);
		return true;
	case 't':
		echo->target.timeout_ms = number(optarg);
		echo->server.request_timeout_ms = number(optarg);
		return true;
	case 'n':
		echo->server.max_connections = (unsigned)number(optarg);
		return true;
	case 'a':
		echo->target.ca_file = optarg;
		return true;
	case 'c':
		echo->server.tls_cert_file = optarg;
		return true;
	case 'k':
		echo->server.tls_key_file = optarg;
		return true;
	case 'd':
		echo->target.deny_private = true;
		return true;
	case 's':
		if (echo->text_count == TEXTS_MAX)
			return false;
		echo->texts[echo->text_count++] = optarg;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{"protocol", required_argument, NULL, 'p'},
		{"ping-ms", required_argument, NULL, 'g'},
		{"idle-ms", required_argument, NULL, 'i'},
		{"max-message", required_argument, NULL, 'm'},
		{"max-output", required_argument, NULL, 'o'},
		{"timeout-ms", required_argument, NULL, 't'},
		{"max-connections", required_argument, NULL, 'n'},
		{"ca", required_argument, NULL, 'a'},
		{"cert", required_argument, NULL, 'c'},
		{"key", required_argument, NULL, 'k'},
		{"deny-private", no_argument, NULL, 'd'},
		{"send", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	struct echo echo = {.text_count = 0};
	int option, code = EXIT_FAILURE;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!read_option(&echo, option))
			return EXIT_FAILURE;
	}
	echo.loop = loop_new();
	if (argc - optind == 1 && str_equal(str_from(argv[optind]), STR("serve"))) {
		code = serve(&echo);
	} else if (argc - optind == 2 && str_equal(str_from(argv[optind]), STR("dial"))) {
		echo.target.url = argv[optind + 1];
		code = dial(&echo);
	}
	flow_cancel_all(echo.loop);
	loop_free(&echo.loop);
	return code;
}
