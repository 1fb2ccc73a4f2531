/*
 * bitrix24_people: contacts, companies, leads and users.
 *
 * Bitrix24 numbers contacts and companies apart; their ids here carry its own short codes: C_7,
 * CO_3, L_5.
 */
#include "bitrix24.h"

#include "json_put.h"

#include <inttypes.h>

/* Of one contact; more is somebody's import gone wrong. */
enum { PHONES = 20 };

static const char *prefix_of(struct str type)
{
	if (str_equal(type, STR("CONTACT")))
		return "C";
	return str_equal(type, STR("COMPANY")) ? "CO" : "L";
}

static struct str entity_id(struct crm_job *job, const char *prefix, struct str id)
{
	return str_from(arena_printf(job->arena, "%s_%.*s", prefix, STR_ARG(id)));
}

/* Ids come as numbers or texts, by method. */
static struct str member(struct crm_job *job, const struct json *row, const char *name)
{
	return crm_member_text(row, name, job->arena);
}

static struct crm_customer *new_customer(struct crm_job *job)
{
	if (job->customer_count == CRM_MAX_FOUND)
		return NULL;
	job->customers[job->customer_count] = (struct crm_customer){0};
	return &job->customers[job->customer_count++];
}

/* -- find ---------------------------------------------------------------------------------------- */

bool bitrix24_build_find(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_member_str(&writer, "PHONE_NUMBER", job->phone);
	return bitrix24_end(&writer, job, request);
}

static void add_found(struct crm_job *job, const struct json *row)
{
	struct str type = json_text(json_member(row, "CRM_ENTITY_TYPE"));
	struct str id = member(job, row, "CRM_ENTITY_ID");
	struct crm_customer *customer;
	struct str *phone;

	if (type.size == 0 || id.size == 0 || (customer = new_customer(job)) == NULL)
		return;
	phone = arena_array(job->arena, 1, sizeof(*phone));
	*phone = job->phone;
	customer->id = entity_id(job, prefix_of(type), id);
	customer->company = str_equal(type, STR("COMPANY"));
	/* One text in the portal's order of names: it stays as it is. */
	if (customer->company)
		customer->enterprise_name = member(job, row, "NAME");
	else
		customer->first_name = member(job, row, "NAME");
	customer->phones = (struct json_strings){.items = phone, .count = 1};
	customer->manager_id = member(job, row, "ASSIGNED_BY_ID");
}

enum crm_verdict bitrix24_read_find(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	const struct json *rows = json_member(reply->json, "result");

	if (verdict != CRM_WELL)
		return verdict;
	for (const struct json *row = json_kind(rows) == JSON_ARRAY ? json_first(rows) : NULL;
		row != NULL; row = json_next(row))
		add_found(job, row);
	return bitrix24_on(job);
}

/* -- users --------------------------------------------------------------------------------------- */

bool bitrix24_build_users(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_name(&writer, "FILTER");
	json_open_object(&writer);
	json_put_member_bool(&writer, "ACTIVE", true);
	json_close_object(&writer);
	json_put_member_int(&writer, "start", bitrix24_own(job)->start);
	return bitrix24_end(&writer, job, request);
}

static void add_user(struct crm_job *job, const struct json *row)
{
	struct str id = member(job, row, "ID");
	struct str last = member(job, row, "LAST_NAME"), first = member(job, row, "NAME");
	struct str phone = member(job, row, "WORK_PHONE");
	struct str name =
		str_from(arena_printf(job->arena, "%.*s %.*s", STR_ARG(last), STR_ARG(first)));

	if (id.size == 0 || job->employee_count == CRM_MAX_FOUND)
		return;
	job->employees[job->employee_count++] = (struct crm_employee){.id = id,
		.name = str_trim(name),
		.email = member(job, row, "EMAIL"),
		.phone = phone.size > 0 ? phone : member(job, row, "PERSONAL_MOBILE"),
		.extension = member(job, row, "UF_PHONE_INNER")};
}

/* `next` of the answer: where the next page begins; 0 when there is none. */
static int64_t next_page(const struct crm_reply *reply)
{
	double next = json_number(json_member(reply->json, "next"));

	return next > 0 && next < 1e9 ? (int64_t)next : 0;
}

enum crm_verdict bitrix24_read_users(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct bitrix24 *own = bitrix24_own(job);
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	const struct json *rows = json_member(reply->json, "result");
	int64_t next = next_page(reply);

	if (verdict != CRM_WELL)
		return verdict;
	for (const struct json *row = json_kind(rows) == JSON_ARRAY ? json_first(rows) : NULL;
		row != NULL; row = json_next(row))
		add_user(job, row);
	if (next > own->start && job->employee_count < CRM_MAX_FOUND) {
		own->start = next;
		return CRM_WELL; /* the same step: the next page */
	}
	job->more = next > own->start;
	return bitrix24_on(job);
}

/* -- changes ------------------------------------------------------------------------------------- */

static const struct json_field changes_fields[] = {
	JSON_FIELD(struct bitrix24_changes, contacts, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_changes, companies, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_changes, contacts_start, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_changes, companies_start, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

void bitrix24_plan_changes(struct crm_job *job)
{
	crm_memory_read(job, changes_fields, &bitrix24_own(job)->changes);
}

/* Of the list that is read now: whose place is moved. */
struct place {
	struct str *since;
	int64_t *start;
	bool companies;
};

static struct place place_of(struct crm_job *job)
{
	struct bitrix24 *own = bitrix24_own(job);
	bool companies = crm_steps_now(&own->steps)->operation == B24_COMPANIES;

	return (struct place){.since = companies ? &own->changes.companies : &own->changes.contacts,
		.start = companies ? &own->changes.companies_start : &own->changes.contacts_start,
		.companies = companies};
}

/* DATE_MODIFY has whole seconds: those behind the second before are all of the last one again, and
 * what came after. A page that an import filled with one second only is followed by the next. */
static void put_since(struct json_writer *writer, struct crm_job *job, struct str since)
{
	struct clock_civil at;
	int64_t ms;

	if (!clock_parse(since, NULL, &ms))
		return;
	at = clock_to_civil(ms - 1000, NULL);
	json_put_name(writer, "filter");
	json_open_object(writer);
	json_put_member_str(writer, ">DATE_MODIFY",
		str_from(arena_printf(job->arena, "%04d-%02d-%02dT%02d:%02d:%02d+00:00", at.year,
			at.month, at.day, at.hour, at.minute, at.second)));
	json_close_object(writer);
}

/* Only what is used: "*" would bring every field that the portal has made up. */
static void put_select(struct json_writer *writer, bool companies)
{
	static const char *const contact[] = {"ID", "NAME", "SECOND_NAME", "LAST_NAME", "PHONE",
		"ASSIGNED_BY_ID", "DATE_MODIFY", NULL};
	static const char *const company[] = {
		"ID", "TITLE", "PHONE", "ASSIGNED_BY_ID", "DATE_MODIFY", NULL};

	json_put_name(writer, "select");
	json_open_array(writer);
	for (const char *const *at = companies ? company : contact; *at != NULL; at++)
		json_put_str(writer, str_from(*at));
	json_close_array(writer);
}

bool bitrix24_build_list(struct crm_job *job, struct crm_request *request)
{
	struct place place = place_of(job);
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	put_since(&writer, job, *place.since);
	json_put_name(&writer, "order");
	json_open_object(&writer);
	json_put_member_str(&writer, "DATE_MODIFY", STR("ASC"));
	json_put_member_str(&writer, "ID", STR("ASC"));
	json_close_object(&writer);
	put_select(&writer, place.companies);
	json_put_member_int(&writer, "start", *place.start);
	return bitrix24_end(&writer, job, request);
}

static struct json_strings phones_of(struct crm_job *job, const struct json *list)
{
	struct json_strings phones = {.items = arena_array(job->arena, PHONES, sizeof(struct str))};
	const struct json *at = json_kind(list) == JSON_ARRAY ? json_first(list) : NULL;

	for (; at != NULL && phones.count < PHONES; at = json_next(at)) {
		struct str phone = member(job, at, "VALUE");

		if (phone.size > 0)
			phones.items[phones.count++] = phone;
	}
	return phones;
}

static void add_changed(struct crm_job *job, const struct json *row, bool companies)
{
	struct str id = member(job, row, "ID");
	struct crm_customer *customer;

	if (id.size == 0 || (customer = new_customer(job)) == NULL)
		return;
	customer->id = entity_id(job, companies ? "CO" : "C", id);
	customer->company = companies;
	customer->enterprise_name = member(job, row, "TITLE");
	customer->last_name = member(job, row, "LAST_NAME");
	customer->first_name = member(job, row, "NAME");
	customer->middle_name = member(job, row, "SECOND_NAME");
	customer->phones = phones_of(job, json_member(row, "PHONE"));
	customer->manager_id = member(job, row, "ASSIGNED_BY_ID");
}

static void move_on(struct crm_job *job, struct place place, struct str last, int64_t next)
{
	bool same_second = str_equal(last, *place.since);

	*place.start = same_second ? next : 0;
	*place.since = last;
	/* The round is over: the next one reads its last second again. */
	if (next == 0)
		*place.start = 0;
	job->more |= next > 0;
}

/* A page of contacts that was read is kept, also when companies fail after it. */
enum crm_verdict bitrix24_read_list(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	const struct json *rows = json_member(reply->json, "result");
	struct place place = place_of(job);
	struct str last = {0};

	if (verdict != CRM_WELL)
		return verdict;
	if (json_kind(rows) != JSON_ARRAY) {
		error_set(&job->why, ERROR_UPSTREAM, "the answer of Bitrix24 is no list");
		return CRM_REFUSED;
	}
	for (const struct json *row = json_first(rows); row != NULL; row = json_next(row)) {
		add_changed(job, row, place.companies);
		last = member(job, row, "DATE_MODIFY");
	}
	if (last.size > 0)
		move_on(job, place, last, next_page(reply));
	crm_memory_write(job, changes_fields, &bitrix24_own(job)->changes);
	return bitrix24_on(job);
}
