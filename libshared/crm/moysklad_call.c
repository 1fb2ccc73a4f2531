/*
 * moysklad_call: one call: made at its first ringing, popups by events, its end by an update.
 *
 * A popup matters less than the journal: an event that is refused (an extension that MoySklad does
 * not know) is a warning, and the job goes on.
 */
#include "moysklad.h"

#include "json_put.h"
#include "uri.h"

/* A ring group larger than this sees no more cards: each is a request of its own, and the CRM allows
 * twenty a second. Sequences count tenths of a second. */
enum { MAX_POPUPS = 30, EVENT_UNIT_MS = 100 };

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct moysklad_memory, created, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_memory, ended, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_memory, looked, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_memory, sequence, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_memory, popups, JSON_STRINGS, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_memory, counterparty, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_memory, recorded, JSON_STRING, JSON_SKIP_EMPTY),
	{0},
};

static const char *const event_types[MS_OPERATIONS] = {
	[MS_SHOW] = "SHOW",
	[MS_STARTTIME] = "STARTTIME",
	[MS_HIDE] = "HIDE",
	[MS_HIDE_ALL] = "HIDE_ALL",
};

static void remember(struct crm_job *job)
{
	crm_memory_write(job, memory_fields, &moysklad_own(job)->memory);
}

/* -- the list of requests ------------------------------------------------------------------------ */

static bool is_mapped(const struct crm_job *job, struct str extension)
{
	return crm_user_of(job->account, extension, job->arena).size > 0;
}

/* `notifications` as the pages of settings write them. */
static bool pops_up(const struct crm_job *job)
{
	struct str mode = crm_config_text(
		job->account, "notifications.call_notify_mode", "during", job->arena);

	return !job->late && !str_equal(mode, STR("none")) &&
	       crm_config_bool(job->account,
		       job->call->outgoing ? "notifications.notify_outgoing"
					   : "notifications.notify_incoming",
		       true);
}

static void plan_show(struct crm_job *job, struct str extension)
{
	struct moysklad *own = moysklad_own(job);

	if (pops_up(job) && is_mapped(job, extension) && own->steps.count < MAX_POPUPS &&
		!crm_among(&own->memory.popups, extension))
		crm_steps_add(&own->steps, MS_SHOW, extension);
}

/* Also where a former attempt got no further than this: memory says what there is. */
static void plan_made(struct crm_job *job)
{
	struct moysklad *own = moysklad_own(job);

	if (!own->memory.created)
		crm_steps_add(&own->steps, MS_CALL, str_of(NULL, 0));
}

static void plan_ringing(struct crm_job *job)
{
	const struct crm_call *call = job->call;

	plan_made(job);
	for (size_t i = 0; i < call->ringing.count; i++)
		plan_show(job, call->ringing.items[i]);
	/* We ring somebody: who calls sees the card. */
	if (call->outgoing && call->extension.size > 0 &&
		!crm_among(&call->ringing, call->extension))
		plan_show(job, call->extension);
}

/* The card of who took it starts its clock, all others close. */
static void plan_answered(struct crm_job *job)
{
	struct moysklad *own = moysklad_own(job);
	struct str talker = job->call->extension;

	if (pops_up(job))
		plan_made(job);
	plan_show(job, talker);
	if ((pops_up(job) || crm_among(&own->memory.popups, talker)) && is_mapped(job, talker))
		crm_steps_add(&own->steps, MS_STARTTIME, talker);
	for (size_t i = 0; i < own->memory.popups.count; i++) {
		if (!str_equal(own->memory.popups.items[i], talker))
			crm_steps_add(&own->steps, MS_HIDE, own->memory.popups.items[i]);
	}
}

/* Popups first: people look at them; the journal can wait for the look-up of the counterparty, which
 * links the call where MoySklad itself found nobody. */
static void plan_end(struct crm_job *job)
{
	struct moysklad *own = moysklad_own(job);
	struct moysklad_memory *memory = &own->memory;

	if (memory->popups.count > 0)
		crm_steps_add(&own->steps, MS_HIDE_ALL, str_of(NULL, 0));
	if (memory->counterparty.size == 0 && !memory->looked && !job->call->hidden &&
		crm_config_text(job->account, "api_token", NULL, job->arena).size > 0)
		crm_steps_add(&own->steps, MS_LINK, str_of(NULL, 0));
	crm_steps_add(&own->steps, memory->created ? MS_UPDATE : MS_CALL, str_of(NULL, 0));
}

/* recordUrl appends: told twice it would be shown twice. */
static void plan_recording(struct crm_job *job)
{
	struct moysklad *own = moysklad_own(job);

	if (!str_equal(own->memory.recorded, job->call->record_url))
		crm_steps_add(&own->steps, MS_UPDATE, str_of(NULL, 0));
}

int moysklad_plan_call(struct crm_job *job)
{
	struct moysklad *own = moysklad_own(job);

	crm_memory_read(job, memory_fields, &own->memory);
	if (job->kind == CRM_RINGING && !own->memory.ended)
		plan_ringing(job);
	else if (job->kind == CRM_ANSWERED && !own->memory.ended)
		plan_answered(job);
	else if (job->kind == CRM_HANGUP || job->kind == CRM_RECOVERED)
		plan_end(job);
	else if (job->kind == CRM_RECORDING)
		plan_recording(job);
	if (own->steps.count > 0)
		return 0;
	return crm_skip(job, "MoySklad shows all of this already");
}

/* -- parts of bodies ----------------------------------------------------------------------------- */

/* How this API names an object: {"meta": {"href", "type", "mediaType"}}. */
static void put_meta(
	struct json_writer *writer, const char *name, struct str href, const char *type)
{
	json_put_name(writer, name);
	json_open_object(writer);
	json_put_name(writer, "meta");
	json_open_object(writer);
	json_put_member_str(writer, "href", href);
	json_put_member_str(writer, "type", str_from(type));
	json_put_member_str(writer, "mediaType", STR("application/json"));
	json_close_object(writer);
	json_close_object(writer);
}

/* Nobody who is not mapped: MoySklad refuses extensions that it does not know. */
static void put_employee(struct json_writer *writer, struct crm_job *job, struct str extension)
{
	struct str user = crm_user_of(job->account, extension, job->arena);
	const char *base = moysklad_base(job, true);

	if (user.size == 0)
		return;
	json_put_member_str(writer, "extension", extension);
	if (base != NULL)
		put_meta(writer, "employee",
			str_from(arena_printf(
				job->arena, "%s/entity/employee/%.*s", base, STR_ARG(user))),
			"employee");
}

static bool is_over(const struct crm_job *job)
{
	return job->call->result != CRM_OPEN || job->call->ended_ms != CRM_NO_TIME;
}

static void put_record(struct json_writer *writer, struct crm_job *job)
{
	struct str url = job->call->record_url;

	if (url.size == 0 || str_equal(url, moysklad_own(job)->memory.recorded))
		return;
	json_put_name(writer, "recordUrl");
	json_open_array(writer);
	json_put_str(writer, url);
	json_close_array(writer);
}

/* Who really talked; of a call that nobody took, nobody. endTime wins over duration, which alone
 * says how long they talked, so both are told. */
static void put_end(struct json_writer *writer, struct crm_job *job)
{
	const struct crm_call *call = job->call;
	struct str counterparty = moysklad_own(job)->memory.counterparty;

	if (call->result == CRM_TALKED || call->outgoing)
		put_employee(writer, job, call->extension);
	if (call->ended_ms != CRM_NO_TIME)
		json_put_member_str(
			writer, "endTime", str_from(moysklad_time(job, call->ended_ms)));
	if (call->talk_seconds >= 0)
		json_put_member_int(writer, "duration", call->talk_seconds * 1000);
	put_record(writer, job);
	json_put_member_str(writer, "comment", str_from(moysklad_comment(job)));
	if (counterparty.size > 0)
		put_meta(writer, "counterparty", counterparty, "counterparty");
}

static const char *call_url(struct crm_job *job, const char *below)
{
	const char *base = moysklad_base(job, false);
	struct buf id;

	if (base == NULL)
		return NULL;
	buf_init(&id, 2048);
	uri_encode(&id, crm_external_id(job));
	return crm_url(job->arena, base, "/call/extid/%s%s", crm_take(&id, job->arena).data, below);
}

/* -- requests ------------------------------------------------------------------------------------ */

/* At its first ringing nobody is named yet: what is filled once stays, and who talks is known only at
 * the end. */
bool moysklad_build_call(struct crm_job *job, struct crm_request *request)
{
	const struct crm_call *call = job->call;
	const char *base = moysklad_base(job, false);
	int64_t started = call->started_ms != CRM_NO_TIME ? call->started_ms : job->now_ms;
	struct json_writer writer;
	struct buf body;

	crm_json_begin(&writer, &body);
	json_put_member_str(&writer, "externalId", crm_external_id(job));
	json_put_member_str(&writer, "number", crm_number(call));
	json_put_member_bool(&writer, "isIncoming", !call->outgoing);
	json_put_member_str(&writer, "startTime", str_from(moysklad_time(job, started)));
	if (job->kind != CRM_RINGING && job->kind != CRM_ANSWERED && is_over(job))
		put_end(&writer, job);
	return crm_json_end(&writer, job, request) &&
	       moysklad_phone(job, "POST", base != NULL ? crm_url(job->arena, base, "/call") : NULL,
		       request);
}

/* Grows within the call, also past events whose answer was lost: those took what the clock said. */
static int64_t next_sequence(const struct crm_job *job)
{
	const struct moysklad *own = job->own;
	int64_t since = (job->now_ms - job->call->started_ms) / EVENT_UNIT_MS;
	int64_t last = own->memory.sequence;

	if (job->call->started_ms == CRM_NO_TIME || since < 0 || since > INT32_MAX)
		since = 0;
	return since > last ? since : last + 1;
}

bool moysklad_build_event(struct crm_job *job, struct crm_request *request)
{
	struct moysklad *own = moysklad_own(job);
	const struct crm_step *step = crm_steps_now(&own->steps);
	struct json_writer writer;
	struct buf body;

	own->memory.sequence = next_sequence(job);
	crm_json_begin(&writer, &body);
	json_put_member_str(&writer, "eventType", str_from(event_types[step->operation]));
	put_employee(&writer, job, step->who);
	json_put_member_int(&writer, "sequence", own->memory.sequence);
	return crm_json_end(&writer, job, request) &&
	       moysklad_phone(job, "POST", call_url(job, "/event"), request);
}

bool moysklad_build_update(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf body;

	crm_json_begin(&writer, &body);
	if (job->kind == CRM_RECORDING)
		put_record(&writer, job);
	else
		put_end(&writer, job);
	return crm_json_end(&writer, job, request) &&
	       moysklad_phone(job, "PUT", call_url(job, ""), request);
}

/* Once a call: when remap fails, the next attempt goes without. */
bool moysklad_build_link(struct crm_job *job, struct crm_request *request)
{
	moysklad_own(job)->memory.looked = true;
	remember(job);
	return moysklad_build_find(job, request);
}

/* -- replies ------------------------------------------------------------------------------------- */

/* What the journal has now, so that it is not told again. */
static void ended(struct crm_job *job)
{
	struct moysklad_memory *memory = &moysklad_own(job)->memory;

	if (job->kind == CRM_HANGUP || job->kind == CRM_RECOVERED)
		memory->ended = true;
	if (job->kind != CRM_RINGING && job->kind != CRM_ANSWERED)
		memory->recorded = job->call->record_url;
}

/* MoySklad looks the number up itself; longer than any href is none. */
static void keep_counterparty(struct crm_job *job, const struct crm_reply *reply)
{
	struct str href = json_text(
		json_member(json_member(json_member(reply->json, "counterparty"), "meta"), "href"));

	if (href.size > 0 && href.size < 500)
		moysklad_own(job)->memory.counterparty = crm_keep(href, job->arena);
}

/* Refused, since a call with this externalId is there: an attempt before this one made it, and its
 * answer was lost. Which status that has is not written down; an update decides. */
static bool may_exist(const struct crm_job *job, int status)
{
	return status == 409 || status == 412 ||
	       (status == 400 && strstr(job->why.text, "externalId") != NULL);
}

enum crm_verdict moysklad_read_call(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct moysklad *own = moysklad_own(job);
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);
	bool journal = job->kind != CRM_RINGING && job->kind != CRM_ANSWERED;

	if (verdict == CRM_REFUSED && may_exist(job, reply->status) && !own->again) {
		own->existed = true;
		job->why = (struct error){0};
		if (journal)
			crm_steps_insert(&own->steps, MS_UPDATE);
	} else if (verdict != CRM_WELL) {
		return verdict;
	} else if (journal) {
		ended(job);
	}
	own->memory.created = true;
	keep_counterparty(job, reply);
	remember(job);
	return moysklad_on(job);
}

static void remove_popup(struct json_strings *popups, struct str extension)
{
	size_t kept = 0;

	for (size_t i = 0; i < popups->count; i++) {
		if (!str_equal(popups->items[i], extension))
			popups->items[kept++] = popups->items[i];
	}
	popups->count = kept;
}

/* A HIDE that was refused is not tried again either: HIDE_ALL comes at the end. */
enum crm_verdict moysklad_read_event(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct moysklad *own = moysklad_own(job);
	const struct crm_step *step = crm_steps_now(&own->steps);
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);

	if (verdict == CRM_WELL && step->operation == MS_SHOW)
		crm_put_among(&own->memory.popups, step->who, job->arena);
	if (step->operation == MS_HIDE_ALL)
		own->memory.popups.count = 0;
	if (step->operation == MS_HIDE)
		remove_popup(&own->memory.popups, step->who);
	remember(job);
	if (verdict == CRM_WELL || verdict == CRM_REFUSED)
		return moysklad_on(job);
	return verdict;
}

enum crm_verdict moysklad_read_update(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct moysklad *own = moysklad_own(job);
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);

	if (reply->status == 404 && verdict == CRM_REFUSED && !own->again && !own->existed) {
		/* Somebody deleted it, or it was never made: whole and anew. */
		own->again = true;
		own->memory.created = false;
		job->why = (struct error){0};
		crm_steps_insert(&own->steps, MS_CALL);
		remember(job);
		return moysklad_on(job);
	}
	if (verdict != CRM_WELL)
		return verdict;
	ended(job);
	remember(job);
	return moysklad_on(job);
}

enum crm_verdict moysklad_read_link(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct moysklad *own = moysklad_own(job);
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);

	if (verdict != CRM_WELL && verdict != CRM_REFUSED)
		return verdict;
	if (verdict == CRM_WELL)
		own->memory.counterparty = moysklad_party_with(job, reply->json, job->call->phone);
	remember(job);
	return moysklad_on(job);
}
