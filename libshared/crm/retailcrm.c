/*
 * retailcrm: the driver of RetailCRM (API v5): what its replies mean, and the list of what it can do.
 *
 * docs/protocol/retailcrm.md. The key goes in a header and so never into an address.
 */
#include "retailcrm.h"

static const struct {
	bool (*build)(struct crm_job *job, struct crm_request *request);
	void (*read)(struct crm_job *job, const struct json *reply); /* NULL: nothing to read */
} operations[RETAIL_OPERATIONS] = {
	[RETAIL_EVENT] = {retail_build_event, retail_read_event},
	[RETAIL_UPLOAD] = {retail_build_upload, retail_read_upload},
	[RETAIL_FIND] = {retail_build_find, retail_read_find},
	[RETAIL_COMPANIES] = {retail_build_companies, retail_read_companies},
	[RETAIL_CREATE] = {retail_build_create, retail_read_create},
	[RETAIL_USERS] = {retail_build_users, retail_read_users},
	[RETAIL_LIST] = {retail_build_list, retail_read_list},
	[RETAIL_HISTORY] = {retail_build_history, retail_read_history},
	[RETAIL_CHANGED] = {retail_build_changed, retail_read_changed},
	[RETAIL_MODULE] = {retail_build_module, NULL},
	[RETAIL_CREDENTIALS] = {retail_build_credentials, NULL},
};

static const char *const operation_names[] = {
	[RETAIL_EVENT] = "call/event",
	[RETAIL_UPLOAD] = "calls/upload",
	[RETAIL_FIND] = "customers",
	[RETAIL_COMPANIES] = "customers-corporate",
	[RETAIL_CREATE] = "customers/create",
	[RETAIL_USERS] = "users",
	[RETAIL_LIST] = "customers (all)",
	[RETAIL_HISTORY] = "customers/history",
	[RETAIL_CHANGED] = "customers (changed)",
	[RETAIL_MODULE] = "integration-modules/edit",
	[RETAIL_CREDENTIALS] = "credentials",
	NULL,
};

/* -- requests ------------------------------------------------------------------------------------ */

static void start(struct crm_job *job, struct crm_request *request, const char *path)
{
	struct retailcrm *own = job->own;

	request->url = arena_printf(job->arena, "%s%s", own->base, path);
	request->headers[0][0] = "X-API-KEY";
	request->headers[0][1] = own->key;
	request->limit =
		strstr(path, "/telephony/") != NULL ? RETAIL_LIMIT_TELEPHONY : RETAIL_LIMIT_API;
}

void retail_get(struct crm_job *job, struct crm_request *request, const char *path)
{
	start(job, request, path);
	request->method = "GET";
}

/* A form with one member that is JSON, and the site where the account has several. */
bool retail_post(struct crm_job *job, struct crm_request *request, const char *path,
	const char *name, struct buf *json)
{
	bool failed = json->failed;
	struct str text = crm_form(name, crm_take(json, job->arena), job->arena);

	if (failed || text.size == 0)
		return error_set(&job->why, ERROR_INPUT, "larger than a request may be");
	start(job, request, path);
	request->method = "POST";
	request->content_type = "application/x-www-form-urlencoded";
	request->body = text;
	return true;
}

/* -- replies ------------------------------------------------------------------------------------- */

/* {"success":false,"errorMsg":"...","errors":{...}} behind the words that are there. */
static void add_words(struct crm_job *job, const struct json *json)
{
	const struct json *errors = json_member(json, "errors");
	struct error before = job->why;
	char message[120], details[100] = "";
	struct buf buf;

	str_copy(message, sizeof(message), json_text(json_member(json, "errorMsg")));
	if (json_first(errors) != NULL) {
		buf_init(&buf, CRM_BODY_MAX_BYTES);
		json_print(&buf, errors, false);
		str_copy(details, sizeof(details), buf_str(&buf));
		buf_free(&buf);
	}
	if (message[0] != '\0')
		error_set(&job->why, before.kind, "%.40s: %s%s%s", before.text, message,
			details[0] != '\0' ? " " : "", details);
}

/* Its own words for limits and accounts; 503 is over the limit (so says its Go client), and a wrong
 * address is answered 404 by a shop that is not there. */
static enum crm_verdict judge_failure(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = crm_verdict_of_status(job, reply);
	struct str words = json_text(json_member(reply->json, "errorMsg"));

	if (reply->status == 503)
		verdict = CRM_SLOWER;
	if (reply->status == 402 || (reply->status == 404 && str_starts(words, STR("Account"))))
		verdict = CRM_LOCKED;
	if (words.size > 0) {
		error_set(&job->why, verdict == CRM_LOCKED ? ERROR_AUTH : ERROR_UPSTREAM, "HTTP %d",
			reply->status);
		add_words(job, reply->json);
	}
	*wait_ms = verdict == CRM_SLOWER ? reply->retry_after_ms : -1;
	return verdict;
}

static enum crm_verdict judge(struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	*wait_ms = -1;
	if (reply->status < 200 || reply->status >= 300)
		return judge_failure(job, reply, wait_ms);
	if (json_kind(reply->json) != JSON_OBJECT) {
		error_set(&job->why, ERROR_UPSTREAM, "the answer is no JSON object (HTTP %d)",
			reply->status);
		return CRM_REFUSED;
	}
	if (json_is_true(json_member(reply->json, "success")))
		return CRM_WELL;
	error_set(&job->why, ERROR_UPSTREAM, "refused");
	add_words(job, reply->json);
	return CRM_REFUSED;
}

/* -- jobs ---------------------------------------------------------------------------------------- */

static int plan(struct crm_job *job)
{
	struct retailcrm *own = job->own;

	own->base = crm_config_url(job->account, "domain", NULL, job->arena);
	own->key = crm_config_key(job->account, "api_key", job->arena);
	own->page = 1;
	if (own->base == NULL)
		return crm_stop(job, "domain: missing, or no address");
	if (own->key == NULL)
		return crm_stop(job, "api_key: missing, or not a key");
	switch (job->task) {
	case CRM_TELL:
		return retail_plan_tell(job);
	case CRM_FIND:
		crm_steps_add(&own->steps, RETAIL_FIND, job->phone);
		return 0;
	case CRM_EMPLOYEES:
		crm_steps_add(&own->steps, RETAIL_USERS, STR(""));
		return 0;
	case CRM_CHANGES:
		return retail_plan_changes(job);
	case CRM_REGISTER:
	case CRM_UNREGISTER:
		return retail_plan_module(job);
	case CRM_TEST:
		crm_steps_add(&own->steps, RETAIL_CREDENTIALS, STR(""));
		return 0;
	default:
		return crm_skip(job, "RetailCRM has keys and no tokens");
	}
}

static int next(struct crm_job *job)
{
	struct retailcrm *own = job->own;

	return crm_steps_next(&own->steps, job, plan);
}

static bool build(struct crm_job *job, int operation, struct crm_request *request)
{
	request->name = operation_names[operation];
	return operations[operation].build(job, request);
}

/* What is done beside the main thing: when it is refused for good, the rest is done all the same, and
 * why stays as a warning. (A refused key is told by whatever is asked next, too.) */
static bool is_extra(const struct crm_job *job, int operation)
{
	if (job->task == CRM_FIND)
		return operation == RETAIL_COMPANIES;
	return job->task == CRM_TELL &&
	       (operation == RETAIL_FIND || operation == RETAIL_CREATE ||
		       (operation == RETAIL_EVENT && job->kind == CRM_HANGUP));
}

/* A map may name somebody who is gone: rather a call of nobody's in the journal than none. Once. */
static bool goes_without_person(struct crm_job *job, int operation, const struct crm_reply *reply)
{
	struct retailcrm *own = job->own;

	if (operation != RETAIL_UPLOAD || reply->status != 400 || own->nobody ||
		job->call->extension.size == 0)
		return false;
	own->nobody = true;
	crm_steps_insert(&own->steps, RETAIL_UPLOAD);
	return true;
}

static bool is_passed_over(
	struct crm_job *job, int operation, const struct crm_reply *reply, enum crm_verdict verdict)
{
	bool refused = verdict == CRM_REFUSED || (verdict == CRM_LOCKED && reply->status == 403);

	return refused && (is_extra(job, operation) || goes_without_person(job, operation, reply));
}

static enum crm_verdict read(
	struct crm_job *job, int operation, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct retailcrm *own = job->own;
	enum crm_verdict verdict = judge(job, reply, wait_ms);

	if (is_passed_over(job, operation, reply, verdict)) {
		error_prefix(&job->why, "%s: ", operation_names[operation]);
		return crm_steps_on(&own->steps);
	}
	if (verdict != CRM_WELL)
		return verdict;
	if (operations[operation].read != NULL)
		operations[operation].read(job, reply->json);
	return crm_steps_on(&own->steps);
}

static const char *const secrets[] = {"api_key", "client_id", NULL};
static const char *const hosts[] = {"domain", NULL};
static const char *const made[] = {"client_id", NULL};

/* 10 a second for a key, 40 for telephony: burst and a second's worth together stay a tenth below. */
const struct crm_driver retailcrm_driver = {
	.program = "retailcrm",
	.code = "retailcrm",
	.title = "RetailCRM",
	.port = 8019,
	.limits = {{"api", 6, 3, 4}, {"telephony", 26, 10, 4}},
	.secrets = secrets,
	.hosts = hosts,
	.made = made,
	.kinds = 1 << CRM_RINGING | 1 << CRM_ANSWERED | 1 << CRM_HANGUP | 1 << CRM_RECORDING |
		 1 << CRM_RECOVERED,
	.own_bytes = sizeof(struct retailcrm),
	.operations = operation_names,
	.next = next,
	.build = build,
	.read = read,
	.hooks = retail_hooks,
	.owner = retail_owner,
	.hear = retail_hear,
};
