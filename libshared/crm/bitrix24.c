/*
 * bitrix24: the driver: which request is next, where it goes, what its errors mean.
 */
#include "bitrix24.h"

#include "bitrix24_hook.h"
#include "json_put.h"

static const char *const names[] = {"telephony.externalCall.register",
	"telephony.externalCall.show", "telephony.externalCall.hide",
	"telephony.externalCall.finish", "telephony.externalCall.attachRecord",
	"telephony.externalCall.searchCrmEntities", "user.get", "crm.contact.list",
	"crm.company.list", "scope", "event.get", "event.bind", "event.unbind",
	"telephony.externalLine.get", "telephony.externalLine.add", "oauth/token", NULL};

static const struct crm_operation table[B24_OPERATIONS] = {
	[B24_REGISTER] = {.build = bitrix24_build_register, .read = bitrix24_read_register},
	[B24_SHOW] = {.build = bitrix24_build_popup, .read = bitrix24_read_popup},
	[B24_HIDE] = {.build = bitrix24_build_popup, .read = bitrix24_read_popup},
	[B24_FINISH] = {.build = bitrix24_build_finish, .read = bitrix24_read_finish},
	[B24_RECORD] = {.build = bitrix24_build_record, .read = bitrix24_read_record},
	[B24_FIND] = {.build = bitrix24_build_find, .read = bitrix24_read_find},
	[B24_USERS] = {.build = bitrix24_build_users, .read = bitrix24_read_users},
	[B24_CONTACTS] = {.build = bitrix24_build_list, .read = bitrix24_read_list},
	[B24_COMPANIES] = {.build = bitrix24_build_list, .read = bitrix24_read_list},
	[B24_SCOPE] = {.build = bitrix24_build_plain, .read = bitrix24_read_scope},
	[B24_EVENTS] = {.build = bitrix24_build_plain, .read = bitrix24_read_events},
	[B24_BIND] = {.build = bitrix24_build_bind, .read = bitrix24_read_bind},
	[B24_UNBIND] = {.build = bitrix24_build_bind, .read = bitrix24_read_bind},
	[B24_LINES] = {.build = bitrix24_build_plain, .read = bitrix24_read_lines},
	[B24_ADD_LINE] = {.build = bitrix24_build_line, .read = bitrix24_read_bind},
	[B24_TOKEN] = {.build = bitrix24_build_token, .read = bitrix24_read_token},
};

/* -- requests ------------------------------------------------------------------------------------ */

struct str bitrix24_token(const struct crm_account *account, const char *member)
{
	return json_text(json_member(account->oauth, member));
}

/* The portal of the settings, where one is named; else where the installation came from. Read as a
 * setting, so that it is checked like one. */
static const char *rest_base(struct crm_job *job)
{
	struct crm_account tokens = {.config = job->account->oauth};
	const char *base = crm_config_url(job->account, "portal_domain", NULL, job->arena);

	if (base == NULL)
		base = crm_config_url(&tokens, "client_endpoint", NULL, job->arena);
	if (base == NULL)
		base = crm_config_url(&tokens, "domain", NULL, job->arena);
	if (base == NULL || str_ends(str_from(base), STR("/rest")))
		return base;
	return crm_url(job->arena, base, "/rest");
}

void bitrix24_put_id(struct json_writer *writer, const char *name, struct str id)
{
	int64_t number;

	if (name != NULL)
		json_put_name(writer, name);
	if (str_is_digits(id) && id.size < 16 && str_to_int64(id, &number))
		json_put_int(writer, number);
	else
		json_put_str(writer, id);
}

void bitrix24_begin(struct json_writer *writer, struct buf *buf)
{
	crm_json_begin(writer, buf);
}

/* The token goes into the body: addresses are logged on their way. */
bool bitrix24_end(struct json_writer *writer, struct crm_job *job, struct crm_request *request)
{
	const char *base = rest_base(job);

	json_put_member_str(writer, "auth", bitrix24_token(job->account, "access_token"));
	request->method = "POST";
	request->url = base != NULL ? crm_url(job->arena, base, "/%s.json", request->name) : NULL;
	return crm_json_end(writer, job, request) &&
	       (request->url != NULL ||
		       error_set(&job->why, ERROR_INPUT, "the address of the portal is none"));
}

/* -- errors -------------------------------------------------------------------------------------- */

/* What the portal and the token server say; everything else is judged by its status. Rights that are
 * missing do not come back by themselves: locked. */
static const struct {
	const char *code;
	enum crm_verdict verdict;
} error_codes[] = {
	{"expired_token", CRM_EXPIRED},
	{"invalid_token", CRM_EXPIRED},
	{"NO_AUTH_FOUND", CRM_EXPIRED},
	{"invalid_grant", CRM_LOCKED},
	{"invalid_client", CRM_LOCKED},
	{"insufficient_scope", CRM_LOCKED},
	{"INSUFFICIENT_SCOPE", CRM_LOCKED},
	{"ACCESS_DENIED", CRM_LOCKED},
	{"WRONG_AUTH_TYPE", CRM_LOCKED},
	{"PAYMENT_REQUIRED", CRM_LOCKED},
	{"PORTAL_DELETED", CRM_LOCKED},
	{"user_access_error", CRM_LOCKED},
	{"QUERY_LIMIT_EXCEEDED", CRM_SLOWER},
	{"OVERLOAD_LIMIT", CRM_SLOWER},
	{"OPERATION_TIME_LIMIT", CRM_SLOWER},
	{"INTERNAL_SERVER_ERROR", CRM_AGAIN},
	{"ERROR_UNEXPECTED_ANSWER", CRM_AGAIN},
	{"INVALID_ARGUMENT", CRM_REFUSED},
};

static struct str member_text(const struct crm_reply *reply, const char *name)
{
	return json_text(json_member(reply->json, name));
}

bool bitrix24_says(const struct crm_reply *reply, const char *words)
{
	struct str text = member_text(reply, "error_description");

	return text.size > 0 && memmem(text.data, text.size, words, strlen(words)) != NULL;
}

static enum crm_verdict verdict_of_code(struct str code, enum crm_verdict otherwise)
{
	for (size_t i = 0; i < sizeof(error_codes) / sizeof(error_codes[0]); i++) {
		if (str_equal(code, str_from(error_codes[i].code)))
			return error_codes[i].verdict;
	}
	return otherwise;
}

/* Of a moment that is past by our clock. */
enum { SHORTEST_WAIT_MS = 1000 };

/* The moment at which a method's time of ten minutes begins anew, in seconds. */
static int64_t wait_of(const struct crm_job *job, const struct crm_reply *reply)
{
	double at =
		json_number(json_member(json_member(reply->json, "time"), "operating_reset_at"));

	if (at <= 0 || at > 1e11)
		return reply->retry_after_ms;
	/* A clock that is behind is no reason to hurry. */
	if (at * 1000 < (double)job->now_ms + SHORTEST_WAIT_MS)
		return SHORTEST_WAIT_MS;
	return (int64_t)(at * 1000) - job->now_ms;
}

/* Its own error counts, also where the status is 200; a good answer always has a result. */
enum crm_verdict bitrix24_verdict(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = crm_verdict_of_status(job, reply);
	struct str code = member_text(reply, "error");
	struct str words = member_text(reply, "error_description");

	if (verdict == CRM_WELL && code.size == 0) {
		if (json_member(reply->json, "result") != NULL)
			return CRM_WELL;
		error_set(&job->why, ERROR_UPSTREAM, "the answer of Bitrix24 has no result");
		return CRM_REFUSED;
	}
	if (code.size > 0) {
		verdict = verdict_of_code(code, verdict == CRM_WELL ? CRM_REFUSED : verdict);
		/* "Unexpected database error", "DB error": the one ERROR_CORE that may pass. */
		if (bitrix24_says(reply, "database error") || bitrix24_says(reply, "DB error"))
			verdict = CRM_AGAIN;
		error_set(&job->why, ERROR_UPSTREAM, "HTTP %d: %.*s: %.*s", reply->status,
			STR_ARG(code), STR_ARG(words));
	}
	if (verdict == CRM_SLOWER)
		*wait_ms = wait_of(job, reply);
	return verdict;
}

enum crm_verdict bitrix24_on(struct crm_job *job)
{
	return crm_steps_on(&bitrix24_own(job)->steps);
}

/* -- the driver ---------------------------------------------------------------------------------- */

/* The settings of the system before this one had nothing else. */
static bool is_webhook_only(const struct crm_account *account)
{
	return json_text(json_member(account->config, "client_id")).size == 0 &&
	       json_text(json_member(account->config, "incoming_webhook")).size > 0;
}

/* Changes are read of two lists, a page of each. */
static int plan_one(struct crm_job *job, int operation)
{
	if (operation == B24_CONTACTS)
		bitrix24_plan_changes(job);
	crm_steps_add(&bitrix24_own(job)->steps, operation, str_of(NULL, 0));
	if (operation == B24_CONTACTS)
		crm_steps_add(&bitrix24_own(job)->steps, B24_COMPANIES, str_of(NULL, 0));
	return 0;
}

static int plan_task(struct crm_job *job)
{
	switch (job->task) {
	case CRM_TELL:
		return bitrix24_plan_call(job);
	case CRM_FIND:
		return plan_one(job, B24_FIND);
	case CRM_EMPLOYEES:
		return plan_one(job, B24_USERS);
	case CRM_CHANGES:
		return plan_one(job, B24_CONTACTS);
	case CRM_TEST:
		return plan_one(job, B24_SCOPE);
	default:
		return bitrix24_plan_register(job, job->task == CRM_REGISTER);
	}
}

static int plan(struct crm_job *job)
{
	if (is_webhook_only(job->account))
		return crm_stop(job,
			"an incoming webhook may not register calls (Bitrix24 allows that to "
			"applications only): enter client_id and client_secret of a local "
			"application and install it");
	if (job->task == CRM_AUTHORIZE)
		return bitrix24_plan_token(job);
	if (bitrix24_token(job->account, "access_token").size == 0)
		return crm_stop(job, "the application is not installed: open it in Bitrix24, its "
				     "address is <hooks>/24/install/<webhook_uuid>");
	return plan_task(job);
}

static int next(struct crm_job *job)
{
	return crm_steps_next(&bitrix24_own(job)->steps, job, plan);
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

static const char *const secrets[] = {"client_secret", "access_token", "refresh_token",
	"application_token", "webhook_token", "webhook_uuid", "incoming_webhook",
	"webhook_outgoing_url", "webhook_outgoing_token", "webhook_incoming_token", NULL};
static const char *const hosts[] = {"portal_domain", "client_endpoint", "domain", NULL};
static const char *const made[] = {"webhook_uuid", NULL};

/* A bucket of 50 that loses 2 a second, for a portal and a source address, less a tenth. The token
 * server is another house. */
const struct crm_driver bitrix24_driver = {
	.program = "bitrix24",
	.code = "bitrix24",
	.title = "Битрикс24",
	.port = 8024,
	.limits = {{.name = "rest", .units_per_second = 1.8, .burst = 45},
		{.name = "oauth", .units_per_second = 1, .burst = 5, .at_once = 1}},
	.secrets = secrets,
	.hosts = hosts,
	.made = made,
	.oauth = true,
	.kinds = 1u << CRM_RINGING | 1u << CRM_ANSWERED | 1u << CRM_HANGUP | 1u << CRM_RECORDING |
		 1u << CRM_RECOVERED,
	.own_bytes = sizeof(struct bitrix24),
	.operations = names,
	.next = next,
	.build = build,
	.read = read,
	.hooks = bitrix24_hooks,
	.owner = bitrix24_owner,
	.hear = bitrix24_hear,
};
