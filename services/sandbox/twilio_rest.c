/*
 * twilio_rest: whose request it is, which of the routes it takes, and errors as Twilio words them.
 */
#include "twilio_rest.h"

#include "crypto.h"
#include "twilio_call.h"
#include "twilio_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define API	  "/2010-04-01/"
#define ACCOUNTS  "/2010-04-01/Accounts/"
#define MAX_BASIC 256

static const struct {
	const char *method, *path;
	void (*serve)(struct twilio_rest *rest);
} routes[] = {
	{"POST", "Messages.json", rest_send_message},
	{"GET", "Messages.json", rest_list_messages},
	{"GET", "Messages/{}.json", rest_show_message},
	{"POST", "Calls.json", rest_make_call},
	{"GET", "Calls.json", rest_list_calls},
	{"POST", "Calls/{}.json", rest_change_call},
	{"GET", "Calls/{}.json", rest_show_call},
	{"GET", "Recordings/{}.wav", rest_recording},
	{"GET", "Recordings/{}.mp3", rest_recording},
	{"GET", "Recordings/{}", rest_recording},
};

static bool owns(struct str path)
{
	return str_starts(path, STR(API));
}

static void *start(struct sandbox *sandbox)
{
	struct twilio *twilio = alloc_zeroed(1, sizeof(*twilio));

	twilio->sandbox = sandbox;
	twilio_store_init(twilio);
	twilio->switches = (struct twilio_switches){.delay_ms = 150, .webhook_timeout_ms = 15000};
	return twilio;
}

static void reset(void *state)
{
	struct twilio *twilio = state;

	twilio_calls_clear(twilio);
	twilio_messages_clear(twilio);
	twilio_store_clear(twilio);
	twilio->webhooks = 0;
	twilio->switches = (struct twilio_switches){.delay_ms = 150, .webhook_timeout_ms = 15000};
	twilio->revision++;
}

static void stop(void *state)
{
	reset(state);
	free(state);
}

static void read_call(void *state, struct outside_call *call)
{
	struct args_source source = {call->query, call->content_type, call->body};

	(void)state;
	/* Twilio reads forms and nothing else: of a JSON body it says that everything is missing. */
	if (!str_starts(call->content_type, STR("application/x-www-form-urlencoded")))
		source.body = (struct str){0};
	call->method = str_of(call->path.data + strlen(API), call->path.size - strlen(API));
	call->shown_path = call->path;
	(void)args_read(&call->args, &source, call->arena, &call->args_error);
}

void rest_error(struct outside_call *call, int status, int code, const char *format, ...)
{
	struct json_writer writer;
	va_list arguments;
	char words[512];

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	call->status = status;
	buf_clear(&call->reply);
	json_begin(&writer, &call->reply);
	json_open_object(&writer);
	json_put_member_int(&writer, "code", code);
	json_put_member_str(&writer, "message", str_from(words));
	snprintf(words, sizeof(words), "https://www.twilio.com/docs/errors/%d", code);
	json_put_member_str(&writer, "more_info", str_from(words));
	json_put_member_int(&writer, "status", status);
	json_close_object(&writer);
}

void rest_missing(struct twilio_rest *rest)
{
	rest_error(rest->call, 404, 20404, "The requested resource %.*s was not found",
		STR_ARG(rest->call->path));
}

/* Basic, with the account's SID and its token. */
static bool is_allowed(const struct twilio_rest *rest)
{
	struct str header = http_request_header(rest->call->flow, "Authorization");
	unsigned char plain[MAX_BASIC];
	struct str pair, user;
	size_t size;

	if (!str_starts(header, STR("Basic ")) ||
		!crypto_base64_read(
			str_of(header.data + 6, header.size - 6), plain, sizeof(plain), &size))
		return false;
	pair = str_of((const char *)plain, size);
	user = str_cut(&pair, ':');
	return str_equal(user, rest->account) &&
	       twilio_account_allows(rest->twilio, rest->account, pair);
}

/* "Messages/{}.json" against "Messages/SM1.json": gives what {} stands for. */
static bool path_fits(const char *pattern, struct str path, struct str *sid)
{
	struct str rest = str_from(pattern);
	struct str before = str_cut(&rest, '{');

	if (rest.data == NULL)
		return str_equal(before, path);
	(void)str_cut(&rest, '}');
	if (rest.data == NULL)
		rest = (struct str){0};
	if (!str_starts(path, before) || !str_ends(path, rest) ||
		path.size <= before.size + rest.size)
		return false;
	*sid = str_of(path.data + before.size, path.size - before.size - rest.size);
	return memchr(sid->data, '/', sid->size) == NULL &&
	       (rest.size > 0 || memchr(sid->data, '.', sid->size) == NULL);
}

static void dispatch(struct twilio_rest *rest, struct str path)
{
	bool known = false;

	rest->mp3 = str_ends(path, STR(".mp3"));
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!path_fits(routes[i].path, path, &rest->sid))
			continue;
		known = true;
		if (!str_equal(rest->call->http_method, str_from(routes[i].method)))
			continue;
		routes[i].serve(rest);
		return;
	}
	if (known)
		rest_error(rest->call, 405, 20004, "Method not allowed");
	else
		rest_missing(rest);
}

static void act(void *state, struct outside_call *call)
{
	struct twilio_rest rest = {.twilio = state, .call = call};
	struct str path;

	if (!str_starts(call->path, STR(ACCOUNTS))) {
		rest_missing(&rest);
		return;
	}
	path = str_of(call->path.data + strlen(ACCOUNTS), call->path.size - strlen(ACCOUNTS));
	rest.account = str_cut(&path, '/');
	if (!is_allowed(&rest)) {
		outside_header(call, "WWW-Authenticate", "Basic realm=\"Twilio API\"");
		rest_error(call, 401, 20003, "Authenticate");
	} else if (call->args_error.kind != ERROR_NONE) {
		rest_error(call, 400, 20001, "%s", call->args_error.text);
	} else {
		dispatch(&rest, path);
	}
}

static void refuse(struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	int code = status == 401 ? 20003 : status == 404 ? 20404 : status == 429 ? 20429 : 20500;

	call->retry_after_s = retry_after_s;
	if (words.size == 0)
		words = status == 429 ? STR("Too Many Requests") : STR("Internal Server Error");
	rest_error(call, status, code, "%.*s", STR_ARG(words));
}

static void stats(void *state, struct buf *to)
{
	const struct twilio *twilio = state;

	buf_printf(to,
		"{\"calls\":%u,\"messages\":%u,\"alerts\":%u,\"recordings\":%u,\"webhooks\":%lld}",
		twilio->call_count, twilio->message_count, twilio->alert_count,
		twilio->recording_count, (long long)twilio->webhooks);
}

const struct outside_service twilio_service = {
	.name = "twilio",
	.any_method = true,
	.owns = owns,
	.start = start,
	.stop = stop,
	.reset = reset,
	.read = read_call,
	.act = act,
	.refuse = refuse,
	.stats = stats,
};
