/*
 * moysklad_staff: employees. Their names are in one API, their extensions in the other.
 */
#include "moysklad.h"

/* Employees a request. */
enum { PAGE = 100 };

struct employee {
	struct str id, name, email, phone;
};

struct employees {
	struct json_list rows;
};

static const struct json_field employee_fields[] = {
	JSON_FIELD(struct employee, id, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct employee, name, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct employee, email, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct employee, phone, JSON_STRING, JSON_LAX),
	{0},
};

static const struct json_field employees_fields[] = {
	{.name = "rows",
		.type = JSON_LIST,
		.offset = offsetof(struct employees, rows),
		.flags = JSON_REQUIRED,
		.fields = employee_fields,
		.size_bytes = sizeof(struct employee),
		.max_count = PAGE},
	{0},
};

static enum crm_verdict not_understood(struct crm_job *job)
{
	error_prefix(&job->why, "the answer of MoySklad: ");
	return CRM_REFUSED;
}

/* -- remap: names -------------------------------------------------------------------------------- */

bool moysklad_build_employees(struct crm_job *job, struct crm_request *request)
{
	const char *base = moysklad_base(job, true);
	const char *url =
		base == NULL ? NULL
			     : crm_url(job->arena, base, "/entity/employee?limit=%d&offset=%u",
				       job->task == CRM_TEST ? 1 : PAGE, moysklad_own(job)->offset);

	return moysklad_remap(job, url, request);
}

/* What is beyond the room is told by `more`. */
static void add_employee(struct crm_job *job, const struct employee *employee)
{
	if (job->employee_count == CRM_MAX_FOUND || employee->id.size == 0)
		return;
	job->employees[job->employee_count++] = (struct crm_employee){.id = employee->id,
		.name = employee->name,
		.email = employee->email,
		.phone = employee->phone};
}

enum crm_verdict moysklad_read_employees(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct moysklad *own = moysklad_own(job);
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);
	struct employees found = {0};
	const struct employee *rows;

	if (verdict != CRM_WELL)
		return verdict;
	if (!json_read(reply->json, employees_fields, &found, job->arena, &job->why))
		return not_understood(job);
	if (job->task == CRM_TEST)
		return moysklad_on(job);
	rows = found.rows.items;
	for (size_t i = 0; i < found.rows.count; i++)
		add_employee(job, &rows[i]);
	own->offset += PAGE;
	if (found.rows.count == PAGE && job->employee_count < CRM_MAX_FOUND)
		return CRM_WELL; /* the same step: the next page */
	job->more = found.rows.count == PAGE;
	return moysklad_on(job);
}

/* -- phone: extensions --------------------------------------------------------------------------- */

bool moysklad_build_extensions(struct crm_job *job, struct crm_request *request)
{
	const char *base = moysklad_base(job, false);

	return moysklad_phone(
		job, "GET", base != NULL ? crm_url(job->arena, base, "/employee") : NULL, request);
}

/* The one from Remap, or a new one: an extension may belong to somebody whom Remap does not list. */
static struct crm_employee *employee_with(struct crm_job *job, struct str id)
{
	struct crm_employee *employee = &job->employees[job->employee_count];

	for (unsigned i = 0; i < job->employee_count; i++) {
		if (str_equal(job->employees[i].id, id))
			return &job->employees[i];
	}
	if (job->employee_count == CRM_MAX_FOUND)
		return NULL;
	job->employee_count++;
	*employee = (struct crm_employee){.id = id};
	return employee;
}

/* "extention": the API's own spelling. */
static void read_extension(struct crm_job *job, const struct json *row)
{
	struct str href = json_text(json_member(json_member(row, "meta"), "href"));
	struct str extension = crm_id(json_member(row, "extention"), job->arena);
	struct str id = moysklad_id(href);
	struct crm_employee *employee;

	if (id.size == 0 || extension.size == 0)
		return;
	employee = employee_with(job, crm_keep(id, job->arena));
	if (employee != NULL)
		employee->extension = crm_keep(extension, job->arena);
}

enum crm_verdict moysklad_read_extensions(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = moysklad_verdict(job, reply, wait_ms);
	const struct json *rows = json_member(reply->json, "employees");

	if (verdict != CRM_WELL)
		return verdict;
	if (json_kind(rows) != JSON_ARRAY) {
		error_set(&job->why, ERROR_UPSTREAM, "employees: missing");
		return not_understood(job);
	}
	for (const struct json *row = json_first(rows); row != NULL && job->task == CRM_EMPLOYEES;
		row = json_next(row))
		read_extension(job, row);
	return moysklad_on(job);
}
