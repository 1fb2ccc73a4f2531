/*
 * crm_bitrix: Bitrix24's REST as an outside service: portals, tokens, methods, the answer's frame.
 *
 * /rest/<method> comes with an application's access token, /rest/<user>/<code>/<method> from an
 * incoming webhook, for which the methods that register calls are closed. After bitrix24's
 * documentation (bitrix-tools/b24-rest-docs).
 */
#include "crm_bitrix.h"

#include "clock.h"
#include "http_server.h"
#include "json_put.h"

#include <inttypes.h>

static const struct crm_route routes[] = {
	{"POST", "telephony.externalcall.register", bitrix_call_register, 0},
	{"POST", "telephony.externalcall.show", bitrix_call_show, 0},
	{"POST", "telephony.externalcall.hide", bitrix_call_hide, 0},
	{"POST", "telephony.externalcall.finish", bitrix_call_finish, 0},
	{"POST", "telephony.externalcall.attachrecord", bitrix_call_attach, 0},
	{"POST", "telephony.externalcall.searchcrmentities", bitrix_search, 0},
	{"POST", "telephony.externalline.add", bitrix_line_add, 0},
	{"POST", "telephony.externalline.update", bitrix_line_update, 0},
	{"POST", "telephony.externalline.delete", bitrix_line_delete, 0},
	{"POST", "telephony.externalline.get", bitrix_line_get, 0},
	{"POST", "event.bind", bitrix_event_bind, 0},
	{"POST", "event.unbind", bitrix_event_unbind, 0},
	{"POST", "event.get", bitrix_event_get, 0},
	{"POST", "app.info", bitrix_app_info, 0},
	{"POST", "scope", bitrix_scope, 0},
	{"POST", "user.get", bitrix_users, 0},
	{"POST", "crm.contact.list", bitrix_contacts, 0},
	{"POST", "crm.company.list", bitrix_companies, 0},
	{NULL},
};

/* For applications only: their calls and lines belong to somebody. */
static const char *const app_only[] = {"telephony.externalcall.register",
	"telephony.externalcall.finish", "telephony.externalline.", "event.", "app.info"};

static bool owns(struct str path)
{
	return str_starts(path, STR("/rest/")) || str_equal(path, STR("/oauth/token/")) ||
	       str_equal(path, STR("/oauth/token"));
}

/* -- answers ---------------------------------------------------------------------------------------- */

void bitrix_refuse(struct outside_call *call, int status, const char *code, struct str words)
{
	struct json_writer writer;

	if (code[0] == '\0')
		code = status == 404 ? "ERROR_METHOD_NOT_FOUND" : "INTERNAL_SERVER_ERROR";
	crm_open_answer(call, status, &writer);
	json_put_member_str(&writer, "error", str_from(code));
	json_put_member_str(&writer, "error_description", words);
	json_close_object(&writer);
}

static const struct crm_spec spec = {
	.name = "bitrix24",
	.routes = routes,
	.limits = {{"api", .per_second = 2, .burst = 50}},
	.refuse = bitrix_refuse,
	.too_fast = {503, "QUERY_LIMIT_EXCEEDED", "Too many requests"},
};

void bitrix_begin(struct crm_request *request)
{
	crm_begin(request, 200);
	json_put_name(&request->out, "result");
}

void bitrix_end(struct crm_request *request)
{
	double now = (double)request->now_ms / 1000;
	char time[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(request->now_ms, time);
	json_put_name(&request->out, "time");
	json_open_object(&request->out);
	json_put_name(&request->out, "start");
	json_put_double(&request->out, now);
	json_put_name(&request->out, "finish");
	json_put_double(&request->out, now);
	json_put_member_int(&request->out, "duration", 0);
	json_put_member_int(&request->out, "processing", 0);
	json_put_member_str(&request->out, "date_start", str_from(time));
	json_put_member_str(&request->out, "date_finish", str_from(time));
	json_put_member_int(&request->out, "operating_reset_at", request->now_ms / 1000 + 600);
	json_put_member_int(&request->out, "operating", 0);
	json_close_object(&request->out);
	crm_end(request);
}

void bitrix_say(struct crm_request *request, const char *result_json)
{
	bitrix_begin(request);
	json_put_raw(&request->out, str_from(result_json));
	bitrix_end(request);
}

bool bitrix_check(struct crm_request *request, const struct check_field *fields)
{
	struct check_problem problem;

	if (check_args(request->args, fields, &problem))
		return true;
	crm_refuse(request, 400, problem.fault == CHECK_MISSING ? "ERROR_ARGUMENT" : "ERROR_CORE",
		"Argument '%s' %s", problem.name, check_words(problem.fault));
	return false;
}

static unsigned from_array(
	struct crm_request *request, struct str text, struct str *ids, unsigned max)
{
	struct json *json = json_parse(text, (struct json_limits){65536, 2}, NULL);
	unsigned count = 0;

	for (const struct json *at = json_first(json); at != NULL && count < max;
		at = json_next(at)) {
		struct str id = json_text(at);
		if (json_kind(at) == JSON_NUMBER)
			ids[count++] = str_from(
				arena_printf(request->call->arena, "%.0f", json_number(at)));
		else
			ids[count++] =
				str_from(arena_strndup(request->call->arena, id.data, id.size));
	}
	json_free(&json);
	return count;
}

unsigned bitrix_users_of(struct crm_request *request, struct str *ids, unsigned max)
{
	unsigned count = 0;

	for (size_t i = 0; i < request->args->count && count < max; i++) {
		struct str value = request->args->items[i].value;
		if (str_starts(request->args->items[i].name, STR("USER_ID["))) {
			ids[count++] = value;
		} else if (str_equal(request->args->items[i].name, STR("USER_ID"))) {
			if (value.size > 0 && value.data[0] == '[')
				return from_array(request, value, ids, max);
			ids[count++] = value;
		}
	}
	return count;
}

/* -- requests --------------------------------------------------------------------------------------- */

struct method {
	struct str name; /* in lower case, without ".json" */
	struct str webhook_code;
};

/* "/rest/<method>" or "/rest/<user>/<code>/<method>"; methods are taken in any case. */
static struct method method_of(const struct outside_call *call)
{
	struct str rest = str_of(call->path.data + 6, call->path.size - 6);
	struct str first = str_cut(&rest, '/');
	struct method method = {.name = first};
	char *name;

	if (rest.data != NULL && rest.size > 0 && str_is_digits(first)) {
		method.webhook_code = str_cut(&rest, '/');
		method.name = rest;
	}
	name = arena_strndup(call->arena, method.name.data, method.name.size);
	for (char *c = name; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	method.name = str_from(name);
	if (str_ends(method.name, STR(".json")))
		method.name.size -= 5;
	return method;
}

static struct str bearer(const struct outside_call *call)
{
	struct str header = http_request_header(call->flow, "Authorization");
	struct str token = crm_secret(call, "auth");

	if (token.size > 0)
		return token;
	return str_starts(header, STR("Bearer ")) ? str_of(header.data + 7, header.size - 7)
						  : (struct str){0};
}

static void *start(struct sandbox *sandbox)
{
	return crm_start(sandbox, &spec);
}

/* The notes show a method with its own name: neither a webhook's code nor a token. */
static void read_call(void *state, struct outside_call *call)
{
	static const char *const secrets[] = {
		"auth", "client_secret", "refresh_token", "code", NULL};
	struct office *office;
	struct method method;
	bool expired;

	call->method = call->http_method;
	crm_read_args(call, secrets);
	call->shown_path = STR("/oauth/token/");
	if (str_starts(call->path, STR("/oauth")))
		return;
	method = method_of(call);
	call->shown_path = str_from(arena_printf(call->arena, "/rest/%.*s", STR_ARG(method.name)));
	if (method.webhook_code.size > 0) {
		if (crm_key_is_well_formed(method.webhook_code))
			(void)crm_enter(state, call, method.webhook_code, 0);
		return;
	}
	office = bitrix_office_of_token(state, bearer(call), call->at_ms, &expired);
	if (office != NULL)
		(void)crm_enter(state, call, str_from(office->key), 0);
}

static bool is_app_only(struct str method)
{
	for (size_t i = 0; i < sizeof(app_only) / sizeof(app_only[0]); i++) {
		if (str_starts(method, str_from(app_only[i])))
			return true;
	}
	return false;
}

static void refuse_token(struct crm *crm, struct outside_call *call)
{
	bool expired = false;

	(void)bitrix_office_of_token(crm, bearer(call), call->at_ms, &expired);
	if (expired)
		bitrix_refuse(
			call, 401, "expired_token", STR("The access token provided has expired."));
	else
		bitrix_refuse(call, 401, "NO_AUTH_FOUND", STR("Wrong authorization data"));
}

static void act(void *state, struct outside_call *call)
{
	struct crm_request request = crm_request_of(state, call);
	struct method method;

	if (str_starts(call->path, STR("/oauth"))) {
		bitrix_oauth(state, call);
		return;
	}
	method = method_of(call);
	request.by_webhook = method.webhook_code.size > 0;
	/* GET and POST are the same to it. */
	call->http_method = STR("POST");
	if (request.office == NULL)
		refuse_token(state, call);
	else if (request.office->revoked)
		bitrix_refuse(call, 403, "ACCESS_DENIED",
			STR("REST API is available only on commercial plans"));
	else if (request.by_webhook && is_app_only(method.name))
		bitrix_refuse(call, 403, "WRONG_AUTH_TYPE",
			STR("Current authorization type is denied for this method"));
	else
		crm_serve(&request, method.name);
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	static const struct {
		int status;
		const char *code, *words;
	} usual[] = {
		{401, "expired_token", "The access token provided has expired."},
		{403, "insufficient_scope", "The request requires higher privileges"},
		{429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."},
		{503, "QUERY_LIMIT_EXCEEDED", "Too many requests"},
	};
	const char *code = "INTERNAL_SERVER_ERROR";

	call->retry_after_s = retry_after_s;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i].status != status)
			continue;
		code = usual[i].code;
		if (words.size == 0)
			words = str_from(usual[i].words);
	}
	if (words.size == 0)
		words = STR("Internal server error");
	bitrix_refuse(call, status, code, words);
}

const struct outside_service crm_bitrix_service = {
	.name = "bitrix24",
	CRM_SERVICE_COMMON,
	.owns = owns,
	.start = start,
	.read = read_call,
	.act = act,
	.refuse = refuse_fault,
};
