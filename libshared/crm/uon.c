/*
 * uon: the driver of U-ON.Travel: what its replies mean, and the list of what it can do.
 *
 * docs/protocol/uon.md. The vendor forces the key into the path of every address: adapters mask it.
 */
#include "uon.h"

static const struct {
	const char *name;
	bool (*build)(struct crm_job *job, struct crm_request *request);
	void (*read)(struct crm_job *job, const struct json *reply); /* NULL: nothing to read */
	bool is_list;						     /* 404 is an empty one */
	bool makes; /* something with an id, without which nothing was made */
} operations[UON_OPERATIONS] = {
	[UON_CLIENT] = {"user/phone", uon_build_client, uon_read_client, true, false},
	[UON_CREATE_CLIENT] = {"user/create", uon_build_create_client, uon_read_create_client,
		false, true},
	[UON_STATUSES] = {"status_lead", uon_build_statuses, uon_read_statuses, true, false},
	[UON_LEADS] = {"lead-by-client", uon_build_leads, uon_read_leads, true, false},
	[UON_LEAD] = {"lead/create", uon_build_lead, uon_read_lead, false, true},
	[UON_NOTIFY] = {"notification/create", uon_build_notify, uon_read_notify, false, false},
	[UON_LOOK] = {"call_history", uon_build_look, NULL, true, false},
	[UON_HISTORY] = {"call_history/create", uon_build_history, uon_read_history, false, true},
	[UON_REMINDER] = {"reminder/create", uon_build_reminder, uon_read_reminder, false, true},
	[UON_REQUEST] = {"request/update", uon_build_request, uon_read_request, false, false},
	[UON_MANAGERS] = {"manager", uon_build_managers, uon_read_managers, true, false},
	[UON_USERS] = {"users", uon_build_users, uon_read_users, true, false},
	[UON_WEBHOOKS] = {"webhook", uon_build_webhooks, uon_read_webhooks, true, false},
	[UON_WEBHOOK] = {"webhook/create", uon_build_webhook, uon_read_webhook, false, true},
	[UON_WEBHOOK_DELETE] = {"webhook/delete", uon_build_webhook_delete, NULL, true, false},
};

static const char *const operation_names[] = {
	"user/phone",
	"user/create",
	"status_lead",
	"lead-by-client",
	"lead/create",
	"notification/create",
	"call_history",
	"call_history/create",
	"reminder/create",
	"request/update",
	"manager",
	"users",
	"webhook",
	"webhook/create",
	"webhook/delete",
	NULL,
};

/* -- requests ------------------------------------------------------------------------------------ */

bool uon_get(struct crm_job *job, struct crm_request *request, const char *path)
{
	const struct uon *own = job->own;

	request->method = "GET";
	request->url = arena_printf(job->arena, "%s%s.json", own->base, path);
	return true;
}

bool uon_post(struct crm_job *job, struct crm_request *request, const char *path,
	struct json_writer *writer)
{
	uon_get(job, request, path);
	request->method = "POST";
	return crm_json_end(writer, job, request);
}

void uon_put_id(struct json_writer *writer, const char *name, struct str id)
{
	int64_t number;

	if (str_to_int64(id, &number))
		json_put_member_int(writer, name, number);
	else if (id.size > 0)
		json_put_member_str(writer, name, id);
}

struct str uon_who(const struct crm_job *job)
{
	const struct uon *own = job->own;
	const struct crm_step *step = crm_steps_now(&own->steps);

	return step != NULL ? step->who : STR("");
}

const struct json *uon_list(const struct json *reply)
{
	for (const struct json *at = json_first(reply); at != NULL; at = json_next(at)) {
		if (json_kind(at) == JSON_ARRAY)
			return json_first(at);
	}
	return NULL;
}

const char *uon_words(const struct crm_job *job, const char *russian, const char *english)
{
	return strcmp(job->account->locale, "ru") == 0 ? russian : english;
}

/* -- memory -------------------------------------------------------------------------------------- */

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct uon_memory, client, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, name, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, manager, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, lead, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, looked, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, history, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, reminded, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, moved, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct uon_memory, notified, JSON_STRINGS, JSON_SKIP_EMPTY),
	{0},
};

void uon_remember(struct crm_job *job)
{
	const struct uon *own = job->own;

	crm_memory_write(job, memory_fields, &own->memory);
}

/* -- replies ------------------------------------------------------------------------------------- */

/* The status that counts: its own in the body, {"result":404}, where HTTP says that all is well. */
static int status_of(const struct crm_reply *reply)
{
	const struct json *result = json_member(reply->json, "result");
	int64_t status = (int64_t)json_number(result);

	if (reply->status < 200 || reply->status >= 300)
		return reply->status;
	if (json_kind(result) == JSON_TEXT && !str_to_int64(json_text(result), &status))
		status = 0;
	return status >= 300 && status < 600 ? (int)status : reply->status;
}

static void add_words(struct crm_job *job, const struct json *json)
{
	static const char *const names[] = {"error", "message", "error_message"};
	struct error before = job->why;
	char text[150];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		str_copy(text, sizeof(text), json_text(json_member(json, names[i])));
		if (text[0] == '\0')
			continue;
		error_set(&job->why, before.kind, "%.80s (%s)", before.text, text);
		return;
	}
}

static enum crm_verdict refuse(struct crm_job *job, const char *words)
{
	error_set(&job->why, ERROR_UPSTREAM, "%s", words);
	return CRM_REFUSED;
}

/* An empty list is a 404, or a body that says so. */
static enum crm_verdict judge(
	struct crm_job *job, int operation, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct crm_reply said = {
		.status = status_of(reply), .body = reply->body, .json = reply->json};
	enum crm_verdict verdict;

	*wait_ms = -1;
	if (said.status == 404 && operations[operation].is_list)
		return CRM_WELL;
	verdict = crm_verdict_of_status(job, &said);
	if (verdict == CRM_SLOWER)
		*wait_ms = reply->retry_after_ms;
	if (verdict != CRM_WELL) {
		add_words(job, reply->json);
		return verdict;
	}
	if (json_kind(reply->json) != JSON_OBJECT)
		return refuse(job, "the answer is no JSON object");
	if (operations[operation].makes &&
		crm_id(json_member(reply->json, "id"), job->arena).size == 0)
		return refuse(job, "the answer holds no id of what was made");
	return CRM_WELL;
}

/* What is done beside the main thing: when it is refused for good, the rest is done all the same, and
 * why stays as a warning. */
static bool is_extra(const struct crm_job *job, int operation)
{
	return job->task == CRM_TELL && operation != UON_HISTORY && operation != UON_NOTIFY;
}

/* A map may name somebody who is gone: rather a call of nobody's in the journal than none. Once. */
static bool goes_without_manager(struct crm_job *job, int operation, const struct crm_reply *reply)
{
	struct uon *own = job->own;

	if (operation != UON_HISTORY || status_of(reply) != 400 || own->nobody ||
		crm_user_of(job->account, job->call->extension, job->arena).size == 0)
		return false;
	own->nobody = true;
	crm_steps_insert(&own->steps, UON_HISTORY);
	return true;
}

/* One manager whom U-ON does not know keeps no popup from the others. */
static bool is_passed_over(
	struct crm_job *job, int operation, const struct crm_reply *reply, enum crm_verdict verdict)
{
	if (verdict == CRM_LOCKED)
		return is_extra(job, operation) && status_of(reply) == 403;
	return verdict == CRM_REFUSED && (is_extra(job, operation) || operation == UON_NOTIFY ||
						 goes_without_manager(job, operation, reply));
}

/* -- jobs ---------------------------------------------------------------------------------------- */

static int plan_task(struct crm_job *job)
{
	struct uon *own = job->own;

	switch (job->task) {
	case CRM_TELL:
		return uon_plan_tell(job);
	case CRM_FIND:
		crm_steps_add(&own->steps, UON_CLIENT, STR(""));
		return 0;
	case CRM_EMPLOYEES:
	case CRM_TEST:
		crm_steps_add(&own->steps, UON_MANAGERS, STR(""));
		return 0;
	case CRM_CHANGES:
		return uon_plan_changes(job);
	case CRM_REGISTER:
	case CRM_UNREGISTER:
		return uon_plan_webhooks(job);
	default:
		return crm_skip(job, "U-ON has keys and no tokens");
	}
}

/* A key that would have to be encoded could not be recognised where it must be masked. */
static bool is_plain(const char *key)
{
	return key[strspn(key,
		       "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~")] ==
	       '\0';
}

static int plan(struct crm_job *job)
{
	struct uon *own = job->own;
	const char *key = crm_config_key(job->account, "api_key", job->arena);
	const char *base =
		crm_config_url(job->account, "api_url", "https://api.u-on.ru", job->arena);

	if (base == NULL)
		return crm_stop(job, "api_url: no address");
	if (key == NULL || !is_plain(key))
		return crm_stop(job, "api_key: missing, or not a key");
	own->base = arena_printf(job->arena, "%s/%s/", base, key);
	if (job->task == CRM_TELL)
		crm_memory_read(job, memory_fields, &own->memory);
	return plan_task(job);
}

static int next(struct crm_job *job)
{
	struct uon *own = job->own;

	return crm_steps_next(&own->steps, job, plan);
}

static bool build(struct crm_job *job, int operation, struct crm_request *request)
{
	request->name = operations[operation].name;
	return operations[operation].build(job, request);
}

static enum crm_verdict read(
	struct crm_job *job, int operation, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct uon *own = job->own;
	enum crm_verdict verdict = judge(job, operation, reply, wait_ms);

	if (is_passed_over(job, operation, reply, verdict)) {
		error_prefix(&job->why, "%s: ", operations[operation].name);
		return crm_steps_on(&own->steps);
	}
	if (verdict != CRM_WELL)
		return verdict;
	if (operation == UON_LOOK)
		uon_read_look(job, reply);
	else if (operations[operation].read != NULL)
		operations[operation].read(job, reply->json);
	return crm_steps_on(&own->steps);
}

static const char *const secrets[] = {"api_key", "webhook_secret", NULL};
static const char *const hosts[] = {"api_url", NULL};
static const char *const made[] = {"webhook_secret", NULL};

/* 10 a second for a key, and its own documents ask to stay at 8. */
const struct crm_driver uon_driver = {
	.program = "uon",
	.code = "uon",
	.title = "U-ON.Travel",
	.port = 8022,
	.limits = {{"api", 5, 3, 2}},
	.secrets = secrets,
	.hosts = hosts,
	.made = made,
	.kinds = 1 << CRM_RINGING | 1 << CRM_HANGUP | 1 << CRM_RECORDING | 1 << CRM_RECOVERED,
	.own_bytes = sizeof(struct uon),
	.operations = operation_names,
	.next = next,
	.build = build,
	.read = read,
	.hooks = uon_hooks,
	.owner = uon_owner,
	.hear = uon_hear,
};
