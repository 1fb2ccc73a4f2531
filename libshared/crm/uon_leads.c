/*
 * uon_leads: who has the number, and what an enterprise wants done with it: a new client, a new lead,
 * another status for the lead of a missed call. Each once a call.
 *
 * lead/search ignores its filter by phone (experience of the system before this one), hence the chain
 * user/phone, status_lead, lead-by-client.
 */
#include "uon.h"

enum { NAME_MAX_BYTES = 200 };

/* -- the client ---------------------------------------------------------------------------------- */

bool uon_build_client(struct crm_job *job, struct crm_request *request)
{
	struct str phone = job->task == CRM_FIND ? job->phone : job->call->phone;
	const char *digits = crm_digits(phone, job->arena);

	if (digits[0] == '\0')
		return error_set(&job->why, ERROR_INPUT, "no number to look for");
	return uon_get(job, request, arena_printf(job->arena, "user/phone/%s", digits));
}

/* What is wanted of somebody whom U-ON knows, or does not know. */
void uon_add_leads(struct crm_job *job)
{
	struct uon *own = job->own;
	struct str when = uon_action(job, "create_request");

	if (own->memory.lead.size > 0 || !uon_creates_lead(job))
		return;
	if (own->memory.client.size == 0)
		crm_steps_add(&own->steps, UON_LEAD, STR(""));
	else if (str_equal(when, STR("if_no_open")))
		crm_steps_add(&own->steps, UON_STATUSES, STR(""));
	else
		crm_steps_add(&own->steps, UON_LEADS, STR(""));
}

static void go_on_ringing(struct crm_job *job)
{
	struct uon *own = job->own;

	if (own->memory.client.size == 0 && uon_creates_client(job))
		crm_steps_insert(&own->steps, UON_CREATE_CLIENT);
	uon_add_leads(job);
}

static void go_on_missed(struct crm_job *job)
{
	struct uon *own = job->own;

	if (own->memory.client.size > 0 && !own->memory.moved &&
		uon_action(job, "missed_call_status").size > 0)
		crm_steps_add(&own->steps, UON_STATUSES, STR(""));
}

static void know_client(struct crm_job *job, const struct crm_customer *customer)
{
	struct uon *own = job->own;
	struct str name = str_trim(str_from(arena_printf(job->arena, "%.*s %.*s",
		STR_ARG(customer->last_name), STR_ARG(customer->first_name))));

	if (name.size == 0)
		name = customer->enterprise_name;
	if (name.size > NAME_MAX_BYTES)
		name = str_of(NULL, 0);
	own->memory.client = customer->id;
	own->memory.name = name;
	own->memory.manager = customer->manager_id;
}

/* The first is taken: numbers of several people are theirs to sort out. */
void uon_read_client(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;
	struct crm_customer first = {.deleted = false};

	if (job->task == CRM_FIND) {
		for (const struct json *at = uon_list(reply); at != NULL; at = json_next(at)) {
			struct crm_customer *customer = crm_add_customer(job);

			if (customer != NULL)
				uon_read_customer(at, customer, job->arena);
		}
		return;
	}
	if (uon_list(reply) != NULL)
		uon_read_customer(uon_list(reply), &first, job->arena);
	if (first.id.size > 0)
		know_client(job, &first);
	own->memory.looked = true;
	uon_remember(job);
	if (job->kind == CRM_RINGING)
		go_on_ringing(job);
	else
		go_on_missed(job);
}

bool uon_build_create_client(struct crm_job *job, struct crm_request *request)
{
	const struct crm_call *call = job->call;
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	json_put_member_int(&writer, "u_type", 1);
	json_put_member_str(&writer, "u_name",
		call->customer_name.size > 0 ? call->customer_name : call->phone);
	json_put_member_str(&writer, "u_phone", call->phone);
	if (call->outgoing)
		uon_put_id(&writer, "u_manager_id",
			crm_user_of(job->account, call->extension, job->arena));
	return uon_post(job, request, "user/create", &writer);
}

void uon_read_create_client(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	own->memory.client = crm_member_text(reply, "id", job->arena);
	uon_remember(job);
}

/* -- leads --------------------------------------------------------------------------------------- */

bool uon_build_statuses(struct crm_job *job, struct crm_request *request)
{
	return uon_get(job, request, "status_lead");
}

void uon_read_statuses(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	for (const struct json *at = uon_list(reply); at != NULL; at = json_next(at)) {
		struct str archived = crm_id(json_member(at, "is_archive"), job->arena);

		if (!str_equal(archived, STR("1")))
			crm_put_among(
				&own->open, crm_id(json_member(at, "id"), job->arena), job->arena);
	}
	own->statuses_known = true;
	crm_steps_insert(&own->steps, UON_LEADS);
}

bool uon_build_leads(struct crm_job *job, struct crm_request *request)
{
	const struct uon *own = job->own;

	return uon_get(job, request,
		arena_printf(job->arena, "lead-by-client/%s",
			crm_digits(own->memory.client, job->arena)));
}

/* Without statuses each counts. */
static bool is_open(const struct crm_job *job, const struct json *lead)
{
	const struct uon *own = job->own;

	return !own->statuses_known ||
	       crm_among(&own->open, crm_id(json_member(lead, "status_id"), job->arena));
}

/* The newest open one, which has the largest number. */
void uon_read_leads(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;
	int64_t newest = 0;

	for (const struct json *at = uon_list(reply); at != NULL; at = json_next(at)) {
		int64_t id;

		if (is_open(job, at) &&
			str_to_int64(crm_id(json_member(at, "id"), job->arena), &id) && id > newest)
			newest = id;
	}
	if (newest > 0) {
		own->memory.lead = str_from(arena_printf(job->arena, "%lld", (long long)newest));
		uon_remember(job);
	}
	if (job->kind == CRM_RINGING && newest == 0)
		crm_steps_add(&own->steps, UON_LEAD, STR(""));
	if (job->kind == CRM_HANGUP && newest > 0)
		crm_steps_add(&own->steps, UON_REQUEST, own->memory.lead);
}

/* Whose it is: the client's manager; of an outgoing call who makes it. Of those whom it rings nobody
 * has it yet. */
bool uon_build_lead(struct crm_job *job, struct crm_request *request)
{
	const struct uon *own = job->own;
	const struct crm_call *call = job->call;
	struct str manager = own->memory.manager;
	struct str source = uon_action(job, "request_source");
	struct json_writer writer;
	struct buf buf;

	if (manager.size == 0 && call->outgoing)
		manager = crm_user_of(job->account, call->extension, job->arena);
	crm_json_begin(&writer, &buf);
	uon_put_id(&writer, "r_cl_id", own->memory.client);
	uon_put_id(&writer, "r_u_id", manager);
	uon_put_id(&writer, "status_id", uon_action(job, "request_status"));
	if (source.size > 0)
		json_put_member_str(&writer, "source", source);
	json_put_member_str(&writer, "u_phone", call->phone);
	if (call->customer_name.size > 0 && own->memory.client.size == 0)
		json_put_member_str(&writer, "u_name", call->customer_name);
	json_put_member_str(&writer, "note",
		str_from(call->outgoing ? uon_words(job, "Исходящий звонок", "Outgoing call")
					: uon_words(job, "Входящий звонок", "Incoming call")));
	return uon_post(job, request, "lead/create", &writer);
}

void uon_read_lead(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	own->memory.lead = crm_member_text(reply, "id", job->arena);
	uon_remember(job);
}

bool uon_build_request(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	uon_put_id(&writer, "lead_status_id", uon_action(job, "missed_call_status"));
	return uon_post(job, request,
		arena_printf(job->arena, "request/update/%s", crm_digits(uon_who(job), job->arena)),
		&writer);
}

void uon_read_request(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	own->memory.moved = true;
	uon_remember(job);
}
