/*
 * retailcrm_calls: how a call is told to RetailCRM: popups for those who ring, an entry in the
 * journal with who talked.
 *
 * The trap of the API: an event ends with "no answered", an upload with "no answer".
 */
#include "retailcrm.h"

/* By result; cancelled: the caller gave up. */
static const char *const hangup_statuses[CRM_RESULTS] = {
	[CRM_OPEN] = "failed",
	[CRM_TALKED] = "answered",
	[CRM_NO_ANSWER] = "no answered",
	[CRM_BUSY] = "busy",
	[CRM_CANCELLED] = "cancel",
	[CRM_FAILED] = "failed",
	[CRM_BLOCKED] = "failed",
	[CRM_UNCLEAR] = "failed",
};

static const char *const upload_results[CRM_RESULTS] = {
	[CRM_OPEN] = "unknown",
	[CRM_TALKED] = "answered",
	[CRM_NO_ANSWER] = "no answer",
	[CRM_BUSY] = "busy",
	[CRM_CANCELLED] = "no answer",
	[CRM_FAILED] = "failed",
	[CRM_BLOCKED] = "not allowed",
	[CRM_UNCLEAR] = "unknown",
};

/* -- who and what -------------------------------------------------------------------------------- */

int64_t retail_user(const struct crm_job *job, struct str extension)
{
	struct str user = crm_user_of(job->account, extension, job->arena);
	int64_t id;

	return str_to_int64(user, &id) && id > 0 ? id : 0;
}

/* external_phones: by line; external_phone: for all. */
struct str retail_line(const struct crm_job *job)
{
	const struct json *lines = json_member(job->account->config, "external_phones");
	const char *line = arena_strndup(job->arena,
		job->call->line.size > 0 ? job->call->line.data : "", job->call->line.size);
	struct str number = crm_id(json_member(lines, line), job->arena);

	if (number.size > 0)
		return number;
	return crm_config_text(job->account, "external_phone", NULL, job->arena);
}

/* Only those whom the enterprise's map names: a code that RetailCRM does not know shows nothing. */
static void add_people(struct crm_job *job, const struct json_strings *extensions, struct str but)
{
	struct retailcrm *own = job->own;

	for (size_t i = 0; i < extensions->count; i++) {
		struct str extension = extensions->items[i];

		if (!str_equal(extension, but) &&
			crm_user_of(job->account, extension, job->arena).size > 0)
			crm_put_among(&own->people, extension, job->arena);
	}
}

static void add_person(struct crm_job *job, struct str extension)
{
	const struct json_strings one = {&extension, 1};

	if (extension.size > 0)
		add_people(job, &one, STR(""));
}

/* -- plans --------------------------------------------------------------------------------------- */

static int event_or_skip(struct crm_job *job, const char *words)
{
	struct retailcrm *own = job->own;

	if (own->people.count == 0)
		return crm_skip(job, words);
	crm_steps_add(&own->steps, RETAIL_EVENT, STR(""));
	return 0;
}

static int plan_ringing(struct crm_job *job)
{
	const struct crm_call *call = job->call;

	if (call->outgoing)
		add_person(job, call->extension);
	else
		add_people(job, call->ringing.count > 0 ? &call->ringing : &call->rang, STR(""));
	return event_or_skip(job, "none of those who ring is a user of RetailCRM");
}

/* There is no "answered" in this API, but a popup closes when its user is told of a hangup: so the
 * others are, each of whose phones did hang up. */
static int plan_answered(struct crm_job *job)
{
	const struct crm_call *call = job->call;

	if (call->outgoing || call->extension.size == 0)
		return crm_skip(job, "no popup of anybody else is open");
	add_people(job, &call->rang, call->extension);
	return event_or_skip(job, "no popup of anybody else is open");
}

struct memory {
	struct str customer; /* that was made of this call's number */
};

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct memory, customer, JSON_STRING, JSON_SKIP_EMPTY),
	{0},
};

static bool may_create(struct crm_job *job)
{
	struct memory memory = {{0}};

	crm_memory_read(job, memory_fields, &memory);
	return !job->late && !job->call->hidden && job->call->phone.size > 0 &&
	       memory.customer.size == 0 &&
	       crm_config_bool(job->account, "create_customers", false);
}

static int plan_hangup(struct crm_job *job)
{
	struct retailcrm *own = job->own;

	add_people(job, &job->call->rang, STR(""));
	add_people(job, &job->call->talkers, STR(""));
	add_person(job, job->call->extension);
	if (!job->late && own->people.count > 0)
		crm_steps_add(&own->steps, RETAIL_EVENT, STR(""));
	crm_steps_add(&own->steps, RETAIL_UPLOAD, STR(""));
	if (may_create(job))
		crm_steps_add(&own->steps, RETAIL_FIND, job->call->phone);
	return 0;
}

int retail_plan_tell(struct crm_job *job)
{
	struct retailcrm *own = job->own;

	switch (job->kind) {
	case CRM_RINGING:
		return job->late ? crm_skip(job, "too late for a popup") : plan_ringing(job);
	case CRM_ANSWERED:
		return job->late ? crm_skip(job, "too late for a popup") : plan_answered(job);
	case CRM_HANGUP:
		return plan_hangup(job);
	case CRM_RECORDING:
		if (job->call->record_url.size == 0)
			return crm_skip(job, "there is no link");
		break;
	case CRM_RECOVERED:
		break;
	}
	crm_steps_add(&own->steps, RETAIL_UPLOAD, STR(""));
	return 0;
}

/* -- call/event ---------------------------------------------------------------------------------- */

static void put_people(struct json_writer *writer, const struct crm_job *job)
{
	const struct retailcrm *own = job->own;

	json_put_name(writer, "codes");
	json_open_array(writer);
	for (size_t i = 0; i < own->people.count; i++)
		json_put_str(writer, own->people.items[i]);
	json_close_array(writer);
	json_put_name(writer, "userIds");
	json_open_array(writer);
	for (size_t i = 0; i < own->people.count; i++) {
		int64_t user = retail_user(job, own->people.items[i]);

		if (user > 0)
			json_put_int(writer, user);
	}
	json_close_array(writer);
}

static void put_where(struct json_writer *writer, const struct crm_job *job)
{
	struct str line = retail_line(job);
	struct str site = crm_config_text(job->account, "site", NULL, job->arena);

	if (line.size > 0)
		json_put_member_str(writer, "externalPhone", line);
	if (site.size > 0)
		json_put_member_str(writer, "site", site);
}

static const char *hangup_status(const struct crm_job *job)
{
	return hangup_statuses[job->kind == CRM_ANSWERED ? CRM_TALKED : job->call->result];
}

bool retail_build_event(struct crm_job *job, struct crm_request *request)
{
	bool over = job->kind != CRM_RINGING;
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	json_put_member_str(&writer, "phone", crm_number(job->call));
	json_put_member_str(&writer, "type",
		over		      ? STR("hangup")
		: job->call->outgoing ? STR("out")
				      : STR("in"));
	put_people(&writer, job);
	json_put_member_str(&writer, "callExternalId", job->call->key);
	if (over)
		json_put_member_str(&writer, "hangupStatus", str_from(hangup_status(job)));
	put_where(&writer, job);
	json_close_object(&writer);
	return retail_post(job, request, "/api/v5/telephony/call/event", "event", &buf);
}

/* Whom it does not know: not a failure, but somebody should see it. */
void retail_read_event(struct crm_job *job, const struct json *reply)
{
	const struct json *codes = json_member(reply, "notExistCodes");
	const struct json *users = json_member(reply, "notExistUsers");
	char text[200];
	struct buf buf;

	if (json_first(codes) == NULL && json_first(users) == NULL)
		return;
	buf_init(&buf, CRM_BODY_MAX_BYTES);
	buf_add(&buf, STR("RetailCRM does not know"));
	if (json_first(codes) != NULL) {
		buf_add(&buf, STR(" the codes "));
		json_print(&buf, codes, false);
	}
	if (json_first(users) != NULL) {
		buf_add(&buf, STR(" the users "));
		json_print(&buf, users, false);
	}
	str_copy(text, sizeof(text), buf_str(&buf));
	buf_free(&buf);
	error_set(&job->why, ERROR_NONE, "%s", text);
}

/* -- calls/upload -------------------------------------------------------------------------------- */

/* Who talked, or called; nobody when nobody did. */
static void put_person(struct json_writer *writer, const struct crm_job *job)
{
	const struct retailcrm *own = job->own;
	struct str extension = job->call->extension;
	int64_t user = retail_user(job, extension);

	if (own->nobody)
		return;
	if (user > 0)
		json_put_member_int(writer, "userId", user);
	else if (extension.size > 0)
		json_put_member_str(writer, "code", extension);
}

static void put_durations(struct json_writer *writer, const struct crm_call *call)
{
	if (call->talk_seconds >= 0)
		json_put_member_int(writer, "duration", call->talk_seconds);
	else if (call->result != CRM_TALKED)
		json_put_member_int(writer, "duration", 0);
	if (call->wait_seconds >= 0)
		json_put_member_int(writer, "durationWaiting", call->wait_seconds);
}

bool retail_build_upload(struct crm_job *job, struct crm_request *request)
{
	const struct crm_call *call = job->call;
	struct str phone = crm_number(call);
	struct json_writer writer;
	struct buf buf;

	buf_init(&buf, CRM_BODY_MAX_BYTES);
	json_begin(&writer, &buf);
	json_open_array(&writer);
	json_open_object(&writer);
	json_put_member_str(&writer, "date",
		str_from(crm_local_time(job->account, crm_first_ms(job), job->arena)));
	json_put_member_str(&writer, "type", call->outgoing ? STR("out") : STR("in"));
	if (phone.data[0] == '+')
		phone = str_of(phone.data + 1, phone.size - 1);
	json_put_member_str(&writer, "phone", phone);
	put_person(&writer, job);
	json_put_member_str(&writer, "result", str_from(upload_results[call->result]));
	put_durations(&writer, call);
	json_put_member_str(&writer, "externalId", call->key);
	if (call->record_url.size > 0)
		json_put_member_str(&writer, "recordUrl", call->record_url);
	put_where(&writer, job);
	json_close_object(&writer);
	json_close_array(&writer);
	return retail_post(job, request, "/api/v5/telephony/calls/upload", "calls", &buf);
}

/* A call that is there already was told: that is what was wanted. Of a link that comes later nobody
 * documents whether it is taken. */
void retail_read_upload(struct crm_job *job, const struct json *reply)
{
	if (job->kind == CRM_RECORDING && json_first(json_member(reply, "duplicateCalls")) != NULL)
		error_set(&job->why, ERROR_NONE,
			"the call is in the journal already, RetailCRM does not say whether it "
			"took the link");
}

/* -- customers/create ---------------------------------------------------------------------------- */

bool retail_build_create(struct crm_job *job, struct crm_request *request)
{
	const struct crm_call *call = job->call;
	struct str site = crm_config_text(job->account, "site", NULL, job->arena);
	int64_t manager = call->result == CRM_TALKED ? retail_user(job, call->extension) : 0;
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	json_put_member_str(&writer, "firstName",
		call->customer_name.size > 0 ? call->customer_name : call->phone);
	json_put_name(&writer, "phones");
	json_open_array(&writer);
	json_open_object(&writer);
	json_put_member_str(&writer, "number", call->phone);
	json_close_object(&writer);
	json_close_array(&writer);
	if (manager > 0)
		json_put_member_int(&writer, "managerId", manager);
	json_close_object(&writer);
	if (!retail_post(job, request, "/api/v5/customers/create", "customer", &buf))
		return false;
	if (site.size > 0)
		request->body = str_from(arena_printf(job->arena, "%.*s&%.*s",
			STR_ARG(request->body), STR_ARG(crm_form("site", site, job->arena))));
	return true;
}

/* Remembered, so that the call never makes a second one. */
void retail_read_create(struct crm_job *job, const struct json *reply)
{
	struct memory memory = {.customer = crm_id(json_member(reply, "id"), job->arena)};

	if (memory.customer.size == 0)
		memory.customer = STR("?");
	crm_memory_write(job, memory_fields, &memory);
}
