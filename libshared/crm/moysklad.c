/*
 * moysklad: the driver: which request is next, where it goes, what its errors mean.
 */
#include "moysklad.h"

#include "uri.h"

static const char *const phone_api = "https://api.moysklad.ru/api/phone/1.0";
static const char *const remap_api = "https://api.moysklad.ru/api/remap/1.2";

/* Codes of the API (documentation of Phone API 1.0, and of Remap 1.2 for the last). */
enum { CODE_AUTH = 1056, CODE_NOT_INSTALLED = 55008, CODE_PARALLEL = 1073 };

/* Names of operations, also the list that the driver shows. */
static const char *const names[] = {"call", "event SHOW", "event STARTTIME", "event HIDE",
	"event HIDE_ALL", "counterparty of the call", "call update", "counterparty",
	"contactpersons", "employee", "phone employee", "counterparty changes", NULL};

static const struct crm_operation table[MS_OPERATIONS] = {
	[MS_CALL] = {.build = moysklad_build_call, .read = moysklad_read_call},
	[MS_SHOW] = {.build = moysklad_build_event, .read = moysklad_read_event},
	[MS_STARTTIME] = {.build = moysklad_build_event, .read = moysklad_read_event},
	[MS_HIDE] = {.build = moysklad_build_event, .read = moysklad_read_event},
	[MS_HIDE_ALL] = {.build = moysklad_build_event, .read = moysklad_read_event},
	[MS_LINK] = {.build = moysklad_build_link, .read = moysklad_read_link},
	[MS_UPDATE] = {.build = moysklad_build_update, .read = moysklad_read_update},
	[MS_FIND] = {.build = moysklad_build_find, .read = moysklad_read_find},
	[MS_CONTACTS] = {.build = moysklad_build_contacts, .read = moysklad_read_contacts},
	[MS_EMPLOYEES] = {.build = moysklad_build_employees, .read = moysklad_read_employees},
	[MS_PHONE_EMPLOYEES] = {.build = moysklad_build_extensions,
		.read = moysklad_read_extensions},
	[MS_CHANGES] = {.build = moysklad_build_changes, .read = moysklad_read_changes},
};

/* -- requests ------------------------------------------------------------------------------------ */

const char *moysklad_base(struct crm_job *job, bool remap)
{
	return crm_config_url(job->account, remap ? "remap_api_url" : "phone_api_url",
		remap ? remap_api : phone_api, job->arena);
}

static const char *text_of(struct crm_job *job, const char *member)
{
	struct str text = crm_config_text(job->account, member, "", job->arena);

	return arena_strndup(job->arena, text.data, text.size);
}

bool moysklad_phone(
	struct crm_job *job, const char *method, const char *url, struct crm_request *request)
{
	request->method = method;
	request->url = url;
	request->limit = MS_LIMIT_PHONE;
	request->headers[0][0] = "Lognex-Phone-Auth-Token";
	request->headers[0][1] = text_of(job, "integration_code");
	return url != NULL ||
	       error_set(&job->why, ERROR_INPUT, "phone_api_url: no address of a host");
}

/* Remap refuses those who do not take gzip. */
bool moysklad_remap(struct crm_job *job, const char *url, struct crm_request *request)
{
	request->method = "GET";
	request->url = url;
	request->limit = MS_LIMIT_REMAP;
	request->headers[0][0] = "Authorization";
	request->headers[0][1] = arena_printf(job->arena, "Bearer %s", text_of(job, "api_token"));
	request->headers[1][0] = "Accept-Encoding";
	request->headers[1][1] = "gzip";
	return url != NULL ||
	       error_set(&job->why, ERROR_INPUT, "remap_api_url: no address of a host");
}

/* -- errors -------------------------------------------------------------------------------------- */

struct api_error {
	struct str error, error_message;
	int64_t code;
};

static const struct json_field error_fields[] = {
	JSON_FIELD(struct api_error, error, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct api_error, error_message, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct api_error, code, JSON_INT64, JSON_LAX),
	{0},
};

/* Several errors may be listed; the first is the one that people look at. */
static struct api_error read_error(struct crm_job *job, const struct crm_reply *reply)
{
	const struct json *first = json_item(json_member(reply->json, "errors"), 0);
	struct api_error error = {0};

	if (json_kind(first) == JSON_OBJECT)
		(void)json_read(first, error_fields, &error, job->arena, NULL);
	if (error.error.size == 0)
		error.error = error.error_message;
	return error;
}

/* In milliseconds, unlike Retry-After. */
static int64_t retry_after(const struct crm_reply *reply)
{
	int64_t ms;

	if (str_to_int64(crm_reply_header(reply, "X-Lognex-Retry-After"), &ms) && ms >= 0)
		return ms;
	return reply->retry_after_ms;
}

enum crm_verdict moysklad_verdict(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = crm_verdict_of_status(job, reply);
	struct api_error error;

	if (verdict == CRM_WELL || (reply->status >= 200 && reply->status < 300))
		return verdict;
	error = read_error(job, reply);
	if (error.code == CODE_PARALLEL)
		verdict = CRM_SLOWER;
	else if (error.code == CODE_AUTH || error.code == CODE_NOT_INSTALLED)
		verdict = CRM_LOCKED;
	if (error.error.size > 0 && error.code != 0)
		error_set(&job->why, ERROR_UPSTREAM, "HTTP %d: %.*s (code %d)", reply->status,
			STR_ARG(error.error), (int)error.code);
	else if (error.error.size > 0)
		error_set(&job->why, ERROR_UPSTREAM, "HTTP %d: %.*s", reply->status,
			STR_ARG(error.error));
	if (verdict == CRM_SLOWER)
		*wait_ms = retry_after(reply);
	return verdict;
}

enum crm_verdict moysklad_on(struct crm_job *job)
{
	return crm_steps_on(&moysklad_own(job)->steps);
}

struct str moysklad_id(struct str href)
{
	struct str tail = str_cut(&href, '?');

	while (memchr(tail.data != NULL ? tail.data : "", '/', tail.size) != NULL)
		(void)str_cut(&tail, '/');
	return tail;
}

/* -- the driver ---------------------------------------------------------------------------------- */

static bool has(const struct crm_job *job, const char *member)
{
	return crm_config_text(job->account, member, NULL, job->arena).size > 0;
}

/* Employees: remap knows names, phone knows extensions; each where its key is given. */
static int plan_employees(struct crm_job *job)
{
	struct crm_steps *steps = &moysklad_own(job)->steps;

	if (has(job, "api_token"))
		crm_steps_add(steps, MS_EMPLOYEES, str_of(NULL, 0));
	if (has(job, "integration_code"))
		crm_steps_add(steps, MS_PHONE_EMPLOYEES, str_of(NULL, 0));
	return steps->count > 0 ? 0
				: crm_stop(job, "neither integration_code nor api_token is given");
}

/* One request to Remap, and what it leads to. */
static int plan_remap(struct crm_job *job, int operation)
{
	if (!has(job, "api_token"))
		return crm_stop(job, "api_token, the key of counterparties, is not given");
	if (operation == MS_CHANGES)
		moysklad_plan_changes(job);
	crm_steps_add(&moysklad_own(job)->steps, operation, str_of(NULL, 0));
	return 0;
}

/* 0, or what next() answers instead of an operation. */
static int plan(struct crm_job *job)
{
	switch (job->task) {
	case CRM_TELL:
		if (!has(job, "integration_code"))
			return crm_stop(
				job, "integration_code, the key of telephony, is not given");
		if (!moysklad_zone_known(job))
			return crm_stop(job, "zone: not Europe/Moscow, enterprise or an offset");
		return moysklad_plan_call(job);
	case CRM_FIND:
		return plan_remap(job, MS_FIND);
	case CRM_CHANGES:
		return plan_remap(job, MS_CHANGES);
	case CRM_EMPLOYEES:
	case CRM_TEST:
		return plan_employees(job);
	default:
		return crm_skip(job,
			"MoySklad registers nothing: enter <hooks>/ms/webhook/<webhook_uuid> "
			"as the address for outgoing calls in its telephony settings");
	}
}

static int next(struct crm_job *job)
{
	return crm_steps_next(&moysklad_own(job)->steps, job, plan);
}

static bool build(struct crm_job *job, int operation, struct crm_request *request)
{
	request->name = names[operation];
	return table[operation].build(job, request);
}

static enum crm_verdict read(
	struct crm_job *job, int operation, const struct crm_reply *reply, int64_t *wait_ms)
{
	return table[operation].read(job, reply, wait_ms);
}

static const char *const secrets[] = {"integration_code", "api_token", "webhook_uuid", NULL};
static const char *const hosts[] = {"phone_api_url", "remap_api_url", NULL};
static const char *const made[] = {"webhook_uuid", NULL};

/* Phone: 100 requests in 5 s; with a burst b and a rate r at most b + 5 r = 90. Remap: from December
 * 2026 a token has 11 requests in 3 s; b + 3 r = 9.9. Five at a time each. */
const struct crm_driver moysklad_driver = {
	.program = "moysklad",
	.code = "ms",
	.title = "МойСклад",
	.port = 8023,
	.limits =
		{
			[MS_LIMIT_PHONE] = {.name = "phone",
				.units_per_second = 14,
				.burst = 20,
				.at_once = 4},
			[MS_LIMIT_REMAP] = {.name = "remap",
				.units_per_second = 2.3,
				.burst = 3,
				.at_once = 3},
		},
	.secrets = secrets,
	.hosts = hosts,
	.made = made,
	.kinds = 1u << CRM_RINGING | 1u << CRM_ANSWERED | 1u << CRM_HANGUP | 1u << CRM_RECORDING |
		 1u << CRM_RECOVERED,
	.own_bytes = sizeof(struct moysklad),
	.operations = names,
	.next = next,
	.build = build,
	.read = read,
	.hooks = moysklad_hooks,
	.hook_header = "Lognex-Content-MD5",
	.owner = moysklad_owner,
	.hear = moysklad_hear,
};
