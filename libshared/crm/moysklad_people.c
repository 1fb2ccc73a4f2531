/*
 * moysklad_people: counterparties: whose number it is, and which of them changed.
 *
 * The filter phone~digits also finds longer numbers that hold these digits, and none that are
 * written with brackets; what it finds is compared digit by digit before it counts.
 */
#include "moysklad.h"

#include "uri.h"

#include <inttypes.h>

/* Rows a request. Of counterparties with a number there are hardly ever two. */
enum { PAGE = 100, FIND_PAGE = 10 };

struct party_meta {
	struct str href;
};

struct party_owner {
	struct party_meta meta;
};

/* A counterparty, or one of its people. */
struct party {
	struct str id, name, phone, companyType, updated;
	struct str legalLastName, legalFirstName, legalMiddleName;
	struct party_owner owner;
	struct party_meta meta;
	bool archived;
};

struct parties {
	struct json_list rows;
};

#define PARTY(member) JSON_FIELD(struct party, member, JSON_STRING, JSON_LAX)

static const struct json_field meta_fields[] = {
	JSON_FIELD(struct party_meta, href, JSON_STRING, 0),
	{0},
};

static const struct json_field owner_fields[] = {
	{.name = "meta",
		.type = JSON_NESTED,
		.offset = offsetof(struct party_owner, meta),
		.fields = meta_fields,
		.size_bytes = sizeof(struct party_meta)},
	{0},
};

static const struct json_field party_fields[] = {
	PARTY(id),
	PARTY(name),
	PARTY(phone),
	PARTY(companyType),
	PARTY(updated),
	PARTY(legalLastName),
	PARTY(legalFirstName),
	PARTY(legalMiddleName),
	JSON_FIELD(struct party, archived, JSON_BOOL, 0),
	{.name = "owner",
		.type = JSON_NESTED,
		.offset = offsetof(struct party, owner),
		.fields = owner_fields,
		.size_bytes = sizeof(struct party_owner)},
	{.name = "meta",
		.type = JSON_NESTED,
		.offset = offsetof(struct party, meta),
		.fields = meta_fields,
		.size_bytes = sizeof(struct party_meta)},
	{0},
};

static const struct json_field parties_fields[] = {
	{.name = "rows",
		.type = JSON_LIST,
		.offset = offsetof(struct parties, rows),
		.flags = JSON_REQUIRED,
		.fields = party_fields,
		.size_bytes = sizeof(struct party),
		.max_count = PAGE},
	{0},
};

static enum crm_verdict read_parties(struct crm_job *job, const struct crm_reply *reply,
	int64_t *wait_ms, struct parties *parties)
{
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);

	*parties = (struct parties){0};
	if (verdict != CRM_WELL)
		return verdict;
	if (!json_read(reply->json, parties_fields, parties, job->arena, &job->why)) {
		error_prefix(&job->why, "the answer of MoySklad: ");
		return CRM_REFUSED;
	}
	return CRM_WELL;
}

/* The text behind filter= is encoded whole: its < > = belong to the value. */
static const char *list_url(struct crm_job *job, const char *filter, const char *rest)
{
	const char *base = moysklad_base(job, true);
	const char *query = "";

	if (base == NULL)
		return NULL;
	if (filter[0] != '\0')
		query = arena_printf(job->arena, "%.*s&",
			STR_ARG(crm_form("filter", str_from(filter), job->arena)));
	return crm_url(job->arena, base, "/entity/counterparty?%s%s", query, rest);
}

/* -- names --------------------------------------------------------------------------------------- */

/* "Иванов Иван Иванович", as people are entered here; what has more or fewer words is a first
 * name. */
static void split_name(struct str name, struct crm_customer *to)
{
	struct str rest = str_trim(name), words[4] = {0};
	unsigned count = 0;

	while (rest.size > 0 && count < 4) {
		words[count] = str_trim(str_cut(&rest, ' '));
		rest = str_trim(rest);
		count += words[count].size > 0 ? 1 : 0;
	}
	if (count == 2 || count == 3) {
		to->last_name = words[0];
		to->first_name = words[1];
		to->middle_name = words[2];
	} else {
		to->first_name = str_trim(name);
	}
}

/* A name that somebody's software made of the number says nothing. */
static bool is_made_of_number(const struct party *party, struct arena *arena)
{
	struct str name = str_from(crm_digits(party->name, arena));
	struct str phone = str_from(crm_digits(party->phone, arena));

	if (str_starts(str_trim(party->name), STR("+")) && name.size > 0)
		return true;
	return phone.size > 0 && name.size >= phone.size && str_ends(name, phone);
}

static void name_customer(
	const struct party *party, struct crm_customer *customer, struct arena *arena)
{
	bool person = str_equal(party->companyType, STR("individual"));

	customer->company = party->companyType.size > 0 && !person;
	customer->last_name = party->legalLastName;
	customer->first_name = party->legalFirstName;
	customer->middle_name = party->legalMiddleName;
	if (is_made_of_number(party, arena))
		return;
	if (customer->company)
		customer->enterprise_name = party->name;
	else if (party->legalLastName.size == 0 && party->legalFirstName.size == 0)
		split_name(party->name, customer);
}

/* Without an id nothing could be said about it later. */
static void add_customer(struct crm_job *job, const struct party *party)
{
	struct crm_customer *customer = &job->customers[job->customer_count];
	struct str *phone = arena_array(job->arena, 1, sizeof(*phone));

	if (job->customer_count == CRM_MAX_FOUND || party->id.size == 0)
		return;
	*customer = (struct crm_customer){.id = party->id,
		.manager_id = moysklad_id(party->owner.meta.href),
		.deleted = party->archived};
	name_customer(party, customer, job->arena);
	*phone = party->phone;
	if (phone->size > 0)
		customer->phones = (struct json_strings){.items = phone, .count = 1};
	job->customer_count++;
}

/* -- find ---------------------------------------------------------------------------------------- */

/* Digit by digit: a look-up by the last digits would name a stranger abroad. */
static bool has_number(const struct party *party, struct str phone, struct arena *arena)
{
	const char *wanted = crm_digits(phone, arena);

	return wanted[0] != '\0' && strcmp(crm_digits(party->phone, arena), wanted) == 0;
}

bool moysklad_build_find(struct crm_job *job, struct crm_request *request)
{
	struct str phone = job->task == CRM_FIND ? job->phone : job->call->phone;
	const char *filter = arena_printf(job->arena, "phone~%s", crm_digits(phone, job->arena));

	return moysklad_remap(job,
		list_url(job, filter, arena_printf(job->arena, "limit=%d", FIND_PAGE)), request);
}

enum crm_verdict moysklad_read_find(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct parties parties;
	enum crm_verdict verdict = read_parties(job, reply, wait_ms, &parties);
	const struct party *rows = parties.rows.items;

	if (verdict != CRM_WELL)
		return verdict;
	for (size_t i = 0; i < parties.rows.count; i++) {
		if (has_number(&rows[i], job->phone, job->arena))
			add_customer(job, &rows[i]);
	}
	/* Of a company one wants to know who rings. */
	if (job->customer_count > 0 && job->customers[0].company)
		crm_steps_insert(&moysklad_own(job)->steps, MS_CONTACTS);
	return moysklad_on(job);
}

/* For the link of a call, where names do not matter. */
struct str moysklad_party_with(struct crm_job *job, const struct json *answer, struct str phone)
{
	struct parties parties = {0};
	const struct party *rows;

	if (!json_read(answer, parties_fields, &parties, job->arena, NULL))
		return str_of(NULL, 0);
	rows = parties.rows.items;
	for (size_t i = 0; i < parties.rows.count; i++) {
		if (has_number(&rows[i], phone, job->arena) && rows[i].meta.href.size < 500)
			return rows[i].meta.href;
	}
	return str_of(NULL, 0);
}

bool moysklad_build_contacts(struct crm_job *job, struct crm_request *request)
{
	const char *base = moysklad_base(job, true);
	struct buf id;

	if (base == NULL)
		return moysklad_remap(job, NULL, request);
	buf_init(&id, 512);
	uri_encode(&id, job->customers[0].id);
	return moysklad_remap(job,
		crm_url(job->arena, base, "/entity/counterparty/%s/contactpersons?limit=%d",
			crm_take(&id, job->arena).data, PAGE),
		request);
}

/* Whose number it is; in a company with one person, that one. */
enum crm_verdict moysklad_read_contacts(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct parties parties;
	enum crm_verdict verdict = read_parties(job, reply, wait_ms, &parties);
	const struct party *rows = parties.rows.items;

	if (verdict != CRM_WELL)
		return verdict;
	for (size_t i = 0; i < parties.rows.count; i++) {
		if (has_number(&rows[i], job->phone, job->arena) || parties.rows.count == 1) {
			split_name(rows[i].name, &job->customers[0]);
			break;
		}
	}
	return moysklad_on(job);
}

/* -- changes ------------------------------------------------------------------------------------- */

static const struct json_field changes_fields[] = {
	JSON_FIELD(struct moysklad_changes, since, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct moysklad_changes, skip, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

void moysklad_plan_changes(struct crm_job *job)
{
	crm_memory_read(job, changes_fields, &moysklad_own(job)->changes);
}

/* "updated>" a millisecond before the last one that was read, as text: the API's own zone does not
 * matter for that. Of those with exactly that moment, the ones that were read are skipped: a page
 * may end in the midst of many that an import changed together. */
static const char *changes_filter(struct crm_job *job)
{
	const struct moysklad_changes *changes = &moysklad_own(job)->changes;
	struct clock_civil civil;
	int64_t ms;

	if (changes->since.size == 0 || !clock_parse(changes->since, NULL, &ms))
		return "";
	civil = clock_to_civil(ms - 1, NULL);
	return arena_printf(job->arena, "updated>%04d-%02d-%02d %02d:%02d:%02d.%03d", civil.year,
		civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.millisecond);
}

bool moysklad_build_changes(struct crm_job *job, struct crm_request *request)
{
	const char *rest = arena_printf(job->arena, "order=updated%%2Casc&limit=%d&offset=%" PRId64,
		PAGE, moysklad_own(job)->changes.skip);

	return moysklad_remap(job, list_url(job, changes_filter(job), rest), request);
}

/* The last row says where the next page begins, and how many rows of that moment are behind us. */
static void move_on(struct moysklad_changes *changes, const struct parties *parties)
{
	const struct party *rows = parties->rows.items;
	struct str last = rows[parties->rows.count - 1].updated;

	if (last.size == 0)
		return;
	if (!str_equal(last, changes->since))
		changes->skip = 0;
	for (size_t i = 0; i < parties->rows.count; i++) {
		if (str_equal(rows[i].updated, last))
			changes->skip++;
	}
	changes->since = last;
}

enum crm_verdict moysklad_read_changes(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct moysklad_changes *changes = &moysklad_own(job)->changes;
	struct parties parties;
	enum crm_verdict verdict = read_parties(job, reply, wait_ms, &parties);
	const struct party *rows = parties.rows.items;

	if (verdict != CRM_WELL)
		return verdict;
	for (size_t i = 0; i < parties.rows.count; i++)
		add_customer(job, &rows[i]);
	if (parties.rows.count > 0)
		move_on(changes, &parties);
	job->more = parties.rows.count == PAGE;
	crm_memory_write(job, changes_fields, changes);
	return moysklad_on(job);
}
