/*
 * crm_moysklad: MoySklad's Phone API 1.0 and Remap API 1.2 as one outside service: the same office,
 * told by two keys and two limits.
 *
 * Remap answers nobody who does not accept gzip. Over a limit both say 429 with X-Lognex headers, and
 * more than five requests at once are code 1073.
 */
#include "crm_moysklad.h"

#include "crypto.h"
#include "http_server.h"
#include "json_put.h"

#include <string.h>

enum { LIMIT_PHONE, LIMIT_REMAP };

#define PHONE "/api/phone/1.0"
#define REMAP "/api/remap/1.2"

static const struct crm_route routes[] = {
	{"POST", "phone/call", moysklad_call_create, LIMIT_PHONE},
	{"GET", "phone/call/{}", moysklad_call_show, LIMIT_PHONE},
	{"PUT", "phone/call/{}", moysklad_call_change, LIMIT_PHONE},
	{"POST", "phone/call/{}/event", moysklad_call_event, LIMIT_PHONE},
	{"GET", "phone/call/extid/{}", moysklad_call_show_by_extid, LIMIT_PHONE},
	{"PUT", "phone/call/extid/{}", moysklad_call_change_by_extid, LIMIT_PHONE},
	{"POST", "phone/call/extid/{}/event", moysklad_call_event_by_extid, LIMIT_PHONE},
	{"GET", "phone/employee", moysklad_phone_employees, LIMIT_PHONE},
	{"GET", "remap/entity/counterparty", moysklad_counterparties, LIMIT_REMAP},
	{"POST", "remap/entity/counterparty", moysklad_counterparty_create, LIMIT_REMAP},
	{"GET", "remap/entity/counterparty/{}", moysklad_counterparty, LIMIT_REMAP},
	{"PUT", "remap/entity/counterparty/{}", moysklad_counterparty_change, LIMIT_REMAP},
	{"GET", "remap/entity/counterparty/{}/contactpersons", moysklad_contacts, LIMIT_REMAP},
	{"GET", "remap/entity/employee", moysklad_employees, LIMIT_REMAP},
	{NULL},
};

static bool owns(struct str path)
{
	return str_starts(path, STR(PHONE "/")) || str_starts(path, STR(REMAP "/"));
}

/* -- errors ----------------------------------------------------------------------------------------- */

/* `code` is the number of its own list. */
static void refuse(struct outside_call *call, int status, const char *code, struct str words)
{
	struct json_writer writer;
	bool own = code[0] != '\0';

	crm_open_answer(call, status, &writer);
	json_put_name(&writer, "errors");
	json_open_array(&writer);
	json_open_object(&writer);
	json_put_member_str(&writer, "error", words);
	json_put_member_raw(&writer, "code", own ? str_from(code) : STR("1000"));
	json_put_member_str(
		&writer, "moreInfo", STR("https://dev.moysklad.ru/doc/api/remap/1.2/#error"));
	json_close_object(&writer);
	json_close_array(&writer);
	json_close_object(&writer);
}

static const char *number(struct outside_call *call, int64_t value)
{
	return arena_printf(call->arena, "%lld", (long long)value);
}

static void slow_down(struct crm_request *request, unsigned at, int64_t wait_ms)
{
	const struct crm_limit *limit = &request->crm->limits[at];
	struct outside_call *call = request->call;
	int64_t units = limit->weight > 0 ? limit->weight : 1;

	if (wait_ms < 0) {
		refuse(call, 429, "1073", STR("Exceeded the limit of parallel requests"));
		return;
	}
	refuse(call, 429, "1049", STR("Exceeded the limit of requests"));
	outside_header(call, "X-RateLimit-Limit", number(call, limit->per_window / units));
	outside_header(call, "X-RateLimit-Remaining", "0");
	outside_header(call, "X-Lognex-Retry-TimeInterval", number(call, limit->window_ms));
	outside_header(call, "X-Lognex-Reset", number(call, wait_ms));
	outside_header(call, "X-Lognex-Retry-After", number(call, wait_ms));
}

/* A token weighs four of 45 units from December 2026 on: eleven requests in three seconds. */
static const struct crm_spec spec = {
	.name = "moysklad",
	.routes = routes,
	.limits =
		{
			[LIMIT_PHONE] = {"phone", .per_window = 100, .window_ms = 5000,
				.at_once = 5},
			[LIMIT_REMAP] = {"remap", .per_window = 45, .window_ms = 3000, .at_once = 5,
				.weight = 4},
		},
	.refuse = refuse,
	.slow_down = slow_down,
};

/* -- who is it? ------------------------------------------------------------------------------------- */

static bool is_remap(const struct outside_call *call)
{
	return str_starts(call->path, STR(REMAP));
}

/* The office is known by its Phone key; what has a Remap token of its own was declared so. */
static struct office *office_of_token(const struct crm *crm, struct str token)
{
	for (struct office *at = crm->first; at != NULL; at = at->next) {
		if (at->count[CARD_SETTING] > 0 &&
			str_equal_secret(card_get(at->first[CARD_SETTING], "api_token"), token))
			return at;
	}
	return NULL;
}

static struct str key_of(const struct crm *crm, const struct outside_call *call)
{
	struct str header = http_request_header(call->flow, "Authorization");
	const struct office *office;

	if (!is_remap(call))
		return http_request_header(call->flow, "Lognex-Phone-Auth-Token");
	if (!str_starts(header, STR("Bearer ")))
		return (struct str){0};
	header = str_of(header.data + 7, header.size - 7);
	office = office_of_token(crm, header);
	return office != NULL ? str_from(office->key) : header;
}

static void *start(struct sandbox *sandbox)
{
	return crm_start(sandbox, &spec);
}

static void read_call(void *state, struct outside_call *call)
{
	struct str key = key_of(state, call);

	call->method = call->http_method;
	call->shown_path = call->path;
	crm_read_args(call, NULL);
	if (crm_key_is_well_formed(key))
		(void)crm_enter(state, call, key, is_remap(call) ? LIMIT_REMAP : LIMIT_PHONE);
}

static bool takes_gzip(const struct outside_call *call)
{
	struct str accepted = http_request_header(call->flow, "Accept-Encoding");

	return accepted.size > 0 && memmem(accepted.data, accepted.size, "gzip", 4) != NULL;
}

static bool is_json(const struct outside_call *call)
{
	return str_starts(call->content_type, STR("application/json"));
}

static void act(void *state, struct outside_call *call)
{
	struct crm_request request = crm_request_of(state, call);
	bool remap = is_remap(call);
	const char *inner;

	inner = arena_printf(call->arena, "%s%.*s", remap ? "remap" : "phone",
		(int)(call->path.size - strlen(PHONE)), call->path.data + strlen(PHONE));
	if (request.office == NULL || request.office->revoked) {
		refuse(call, 401, "1056", STR("Authentication failed"));
		outside_header(call, "X-Lognex-Auth", "false");
		outside_header(call, "X-Lognex-Auth-Message", "Authentication failed");
	} else if (remap && !takes_gzip(call)) {
		refuse(call, 415, "1062", STR("Accept-Encoding must have gzip"));
	} else if (call->body.size > 0 && !is_json(call)) {
		refuse(call, 415, "1065", STR("Content-Type must be application/json"));
	} else {
		call->gzip = remap;
		crm_serve(&request, str_from(inner));
	}
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	bool slower = status == 429;

	if (words.size == 0)
		words = slower ? STR("Exceeded the limit of requests") : STR("Internal error");
	refuse(call, status, slower ? "1049" : "", words);
	if (slower)
		outside_header(call, "X-Lognex-Retry-After",
			number(call, retry_after_s > 0 ? retry_after_s * 1000 : 1000));
	else
		call->retry_after_s = retry_after_s;
}

const struct outside_service crm_moysklad_service = {
	.name = "moysklad",
	CRM_SERVICE_COMMON,
	.owns = owns,
	.start = start,
	.read = read_call,
	.act = act,
	.refuse = refuse_fault,
};

/* -- for the routes --------------------------------------------------------------------------------- */

static const struct check_field meta_fields[] = {
	MUST("href", CHECK_URL), MUST("type", CHECK_TEXT), MAY("mediaType", CHECK_TEXT), {NULL}};
const struct check_field moysklad_reference_fields[] = {
	MUST_HOLD("meta", CHECK_OBJECT, meta_fields), {NULL}};

void moysklad_put_meta(
	struct crm_request *request, const char *member, const char *type, struct str id)
{
	struct str host = http_request_header(request->call->flow, "Host");
	const char *href = arena_printf(request->call->arena, "http://%.*s" REMAP "/entity/%s/%.*s",
		STR_ARG(host), type, STR_ARG(id));

	if (member != NULL) {
		json_put_name(&request->out, member);
		json_open_object(&request->out);
	}
	json_put_name(&request->out, "meta");
	json_open_object(&request->out);
	json_put_member_str(&request->out, "href", str_from(href));
	json_put_member_str(&request->out, "type", str_from(type));
	json_put_member_str(&request->out, "mediaType", STR("application/json"));
	json_close_object(&request->out);
	if (member != NULL)
		json_close_object(&request->out);
}

struct str moysklad_id_of(const struct json *reference)
{
	struct str rest = json_text(json_member(json_member(reference, "meta"), "href"));
	struct str last = {0};

	while (rest.data != NULL && rest.size > 0)
		last = str_cut(&rest, '/');
	return last;
}

void moysklad_refuse_problem(struct crm_request *request, const struct check_problem *problem)
{
	const char *code = problem->fault == CHECK_MISSING ? "3000" : "2001";

	crm_refuse(request, 400, code, "Field '%s' %s", problem->name, check_words(problem->fault));
}

bool moysklad_check(struct crm_request *request, const struct check_field *fields)
{
	struct check_problem problem;

	if (json_kind(request->json) != JSON_OBJECT) {
		crm_refuse(request, 400, "2001", "The body is no JSON object");
		return false;
	}
	if (check_object(request->json, fields, 0, &problem))
		return true;
	moysklad_refuse_problem(request, &problem);
	return false;
}

struct str moysklad_new_id(struct crm_request *request)
{
	char uuid[CRYPTO_UUID_TEXT];

	crypto_uuid4(uuid);
	return str_from(arena_strdup(request->call->arena, uuid));
}
