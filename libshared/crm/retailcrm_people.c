/*
 * retailcrm_people: customers by phone, all of them and those that changed; users.
 *
 * The mirror begins with all customers, page by page, and then follows the history from the moment at
 * which that began: what changed meanwhile is seen twice rather than never.
 */
#include "retailcrm.h"

#include "uri.h"

enum { FOUND_MAX = 20, MAX_PHONES = 20 };

/* -- customers ----------------------------------------------------------------------------------- */

static struct str text_of(const struct crm_job *job, const struct json *json, const char *name)
{
	return crm_keep(str_trim(json_text(json_member(json, name))), job->arena);
}

static void read_customer(struct crm_job *job, const struct json *json)
{
	struct crm_customer *customer = crm_add_customer(job);

	if (customer == NULL)
		return;
	customer->id = crm_member_text(json, "id", job->arena);
	customer->last_name = text_of(job, json, "lastName");
	customer->first_name = text_of(job, json, "firstName");
	customer->middle_name = text_of(job, json, "patronymic");
	customer->phones = crm_texts(json_member(json, "phones"), "number", MAX_PHONES, job->arena);
	customer->manager_id = crm_member_text(json, "managerId", job->arena);
}

static bool has_phone(const struct crm_job *job, const struct json *json, struct str phone)
{
	const struct json *phones = json_member(json, "phones");

	for (const struct json *at = json_kind(phones) == JSON_ARRAY ? json_first(phones) : NULL;
		at != NULL; at = json_next(at)) {
		if (crm_same_number(job->account, json_text(json_member(at, "number")), phone))
			return true;
	}
	return false;
}

static const struct json *list_of(const struct json *reply, const char *name)
{
	const struct json *list = json_member(reply, name);

	return json_kind(list) == JSON_ARRAY ? json_first(list) : NULL;
}

/* The filter is not in the official SDK but works; customer_filter: "name" asks by the documented one,
 * which takes numbers, too. */
bool retail_build_find(struct crm_job *job, struct crm_request *request)
{
	struct str phone = job->task == CRM_TELL ? job->call->phone : job->phone;
	struct str filter = crm_config_text(job->account, "customer_filter", "phone", job->arena);
	const char *name = str_equal(filter, STR("name")) ? "filter[name]" : "filter[phone]";
	struct str query = crm_form(name, str_from(crm_digits(phone, job->arena)), job->arena);

	retail_get(job, request,
		arena_printf(
			job->arena, "/api/v5/customers?limit=%d&%.*s", FOUND_MAX, STR_ARG(query)));
	return true;
}

void retail_read_find(struct crm_job *job, const struct json *reply)
{
	struct retailcrm *own = job->own;
	struct str phone = job->task == CRM_TELL ? job->call->phone : job->phone;

	for (const struct json *at = list_of(reply, "customers"); at != NULL; at = json_next(at)) {
		if (has_phone(job, at, phone))
			read_customer(job, at);
	}
	if (job->task == CRM_TELL && job->customer_count == 0)
		crm_steps_insert(&own->steps, RETAIL_CREATE);
	else if (job->task == CRM_FIND && job->customer_count > 0)
		crm_steps_insert(&own->steps, RETAIL_COMPANIES);
	if (job->task == CRM_TELL)
		job->customer_count = 0;
}

/* ?limit=n, then name=id for each. */
static const char *with_ids(
	struct crm_job *job, const char *path, const char *name, const struct json_strings *ids)
{
	struct buf buf;

	buf_init(&buf, CRM_BODY_MAX_BYTES);
	buf_printf(&buf, "%s?limit=%d", path, RETAIL_PAGE);
	for (size_t i = 0; i < ids->count; i++) {
		buf_add_char(&buf, '&');
		buf_add(&buf, crm_form(name, ids->items[i], job->arena));
	}
	return crm_take(&buf, job->arena).data;
}

bool retail_build_companies(struct crm_job *job, struct crm_request *request)
{
	struct json_strings ids = {
		.items = arena_array(job->arena, job->customer_count + 1, sizeof(struct str))};

	for (unsigned i = 0; i < job->customer_count; i++)
		ids.items[ids.count++] = job->customers[i].id;
	retail_get(job, request,
		with_ids(job, "/api/v5/customers-corporate", "filter[contactIds][]", &ids));
	return true;
}

/* A company has no numbers of its own, only contacts: it is where they work. Of several companies
 * nobody can say which. */
void retail_read_companies(struct crm_job *job, const struct json *reply)
{
	const struct json *company = list_of(reply, "customersCorporate");
	struct str name;

	if (company == NULL || json_next(company) != NULL)
		return;
	name = text_of(job, company, "nickName");
	for (unsigned i = 0; i < job->customer_count; i++)
		job->customers[i].enterprise_name = name;
}

/* -- users --------------------------------------------------------------------------------------- */

static unsigned total_pages(const struct json *reply)
{
	double pages = json_number(json_member(json_member(reply, "pagination"), "totalPageCount"));

	return pages >= 1 && pages <= RETAIL_MAX_PAGES ? (unsigned)pages
	       : pages > RETAIL_MAX_PAGES	       ? RETAIL_MAX_PAGES
						       : 1;
}

bool retail_build_users(struct crm_job *job, struct crm_request *request)
{
	const struct retailcrm *own = job->own;

	retail_get(job, request,
		arena_printf(job->arena, "/api/v5/users?limit=%d&page=%u", RETAIL_PAGE, own->page));
	return true;
}

static void read_user(struct crm_job *job, const struct json *json)
{
	struct str first = text_of(job, json, "firstName"), last = text_of(job, json, "lastName");
	struct crm_employee *employee = crm_add_employee(job);

	if (employee == NULL)
		return;
	employee->id = crm_member_text(json, "id", job->arena);
	employee->name = str_trim(
		str_from(arena_printf(job->arena, "%.*s %.*s", STR_ARG(last), STR_ARG(first))));
	employee->email = text_of(job, json, "email");
	employee->phone = text_of(job, json, "phone");
}

void retail_read_users(struct crm_job *job, const struct json *reply)
{
	struct retailcrm *own = job->own;

	for (const struct json *at = list_of(reply, "users"); at != NULL; at = json_next(at))
		read_user(job, at);
	if (own->page < total_pages(reply) && !job->more) {
		own->page++;
		crm_steps_insert(&own->steps, RETAIL_USERS);
	}
}

/* -- changes ------------------------------------------------------------------------------------- */

struct memory {
	int64_t page;	  /* of all customers, while the mirror is made */
	int64_t since;	  /* the last change that was seen */
	struct str start; /* follow the history from then on */
};

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct memory, page, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct memory, since, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct memory, start, JSON_STRING, JSON_SKIP_EMPTY),
	{0},
};

static struct memory remembered(struct crm_job *job)
{
	struct memory memory = {0};

	crm_memory_read(job, memory_fields, &memory);
	if (memory.page < 0 || memory.page > INT32_MAX || memory.since < 0)
		memory = (struct memory){0};
	return memory;
}

int retail_plan_changes(struct crm_job *job)
{
	struct retailcrm *own = job->own;
	struct memory memory = remembered(job);
	bool follows = memory.since > 0 || (memory.page == 0 && memory.start.size > 0);

	own->page = memory.page > 0 ? (unsigned)memory.page : 1;
	crm_steps_add(&own->steps, follows ? RETAIL_HISTORY : RETAIL_LIST, STR(""));
	return 0;
}

bool retail_build_list(struct crm_job *job, struct crm_request *request)
{
	const struct retailcrm *own = job->own;

	retail_get(job, request,
		arena_printf(
			job->arena, "/api/v5/customers?limit=%d&page=%u", RETAIL_PAGE, own->page));
	return true;
}

void retail_read_list(struct crm_job *job, const struct json *reply)
{
	const struct retailcrm *own = job->own;
	double pages = json_number(json_member(json_member(reply, "pagination"), "totalPageCount"));
	struct memory memory = remembered(job);

	for (const struct json *at = list_of(reply, "customers"); at != NULL; at = json_next(at))
		read_customer(job, at);
	if (memory.start.size == 0)
		memory.start = str_from(crm_local_time(job->account, job->now_ms, job->arena));
	job->more = own->page < pages;
	memory.page = job->more ? own->page + 1 : 0;
	crm_memory_write(job, memory_fields, &memory);
}

bool retail_build_history(struct crm_job *job, struct crm_request *request)
{
	struct memory memory = remembered(job);
	struct str since = str_from(arena_printf(job->arena, "%lld", (long long)memory.since));
	struct str query = memory.since > 0
				   ? crm_form("filter[sinceId]", since, job->arena)
				   : crm_form("filter[startDate]", memory.start, job->arena);

	retail_get(job, request,
		arena_printf(job->arena, "/api/v5/customers/history?limit=%d&%.*s", RETAIL_PAGE,
			STR_ARG(query)));
	return true;
}

static void read_change(struct crm_job *job, const struct json *change)
{
	struct retailcrm *own = job->own;
	double number = json_number(json_member(change, "id"));
	struct str id = crm_id(json_member(json_member(change, "customer"), "id"), job->arena);
	struct crm_customer *customer;

	if (number > (double)own->since && number < 1e15)
		own->since = (int64_t)number;
	if (id.size == 0)
		return;
	if (!json_is_true(json_member(change, "deleted"))) {
		if (!crm_among(&own->ids, id) && own->ids.count < RETAIL_PAGE)
			own->ids.items[own->ids.count++] = crm_keep(id, job->arena);
		return;
	}
	customer = crm_add_customer(job);
	if (customer != NULL)
		*customer = (struct crm_customer){.id = crm_keep(id, job->arena), .deleted = true};
}

/* What is remembered moves on only when the customers themselves were read, too. */
static void remember(struct crm_job *job)
{
	const struct retailcrm *own = job->own;
	struct memory memory = {.since = own->since};

	if (own->since > 0)
		crm_memory_write(job, memory_fields, &memory);
}

void retail_read_history(struct crm_job *job, const struct json *reply)
{
	struct retailcrm *own = job->own;

	own->since = remembered(job).since;
	own->ids.items = arena_array(job->arena, RETAIL_PAGE, sizeof(struct str));
	for (const struct json *at = list_of(reply, "history"); at != NULL; at = json_next(at))
		read_change(job, at);
	job->more = total_pages(reply) > 1;
	if (own->ids.count > 0)
		crm_steps_insert(&own->steps, RETAIL_CHANGED);
	else
		remember(job);
}

bool retail_build_changed(struct crm_job *job, struct crm_request *request)
{
	const struct retailcrm *own = job->own;

	retail_get(job, request, with_ids(job, "/api/v5/customers", "filter[ids][]", &own->ids));
	return true;
}

void retail_read_changed(struct crm_job *job, const struct json *reply)
{
	for (const struct json *at = list_of(reply, "customers"); at != NULL; at = json_next(at))
		read_customer(job, at);
	remember(job);
}
