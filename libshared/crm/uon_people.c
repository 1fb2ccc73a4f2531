/*
 * uon_people: tourists and managers of U-ON.
 *
 * There is no list of changes. All pages are walked once a day, in between the last one, where new
 * tourists stand; who changes is told by webhooks.
 */
#include "uon.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, MAX_PAGE = 100000 };

struct str uon_text(const struct json *json, const char *name, struct arena *arena)
{
	return crm_keep(str_trim(crm_id(json_member(json, name), arena)), arena);
}

void uon_add_phone(struct crm_customer *to, struct str phone)
{
	if (phone.size > 0 && !crm_among(&to->phones, phone))
		to->phones.items[to->phones.count++] = phone;
}

/* u_type: 1 a person, 2 a company, 3 an agency. */
void uon_read_customer(const struct json *json, struct crm_customer *to, struct arena *arena)
{
	struct str type = uon_text(json, "u_type", arena);

	*to = (struct crm_customer){
		.id = uon_text(json, "u_id", arena),
		.company = str_equal(type, STR("2")) || str_equal(type, STR("3")),
		.last_name = uon_text(json, "u_surname", arena),
		.first_name = uon_text(json, "u_name", arena),
		.middle_name = uon_text(json, "u_sname", arena),
		.enterprise_name = uon_text(json, "u_company", arena),
		.manager_id = uon_text(json, "u_manager_id", arena),
	};
	to->phones.items = arena_array(arena, 3, sizeof(struct str));
	uon_add_phone(to, uon_text(json, "u_phone", arena));
	uon_add_phone(to, uon_text(json, "u_phone_mobile", arena));
	uon_add_phone(to, uon_text(json, "u_phone_home", arena));
}

/* -- managers ------------------------------------------------------------------------------------ */

bool uon_build_managers(struct crm_job *job, struct crm_request *request)
{
	return uon_get(job, request, "manager");
}

void uon_read_managers(struct crm_job *job, const struct json *reply)
{
	for (const struct json *at = uon_list(reply); at != NULL && job->task == CRM_EMPLOYEES;
		at = json_next(at)) {
		struct str last = uon_text(at, "u_surname", job->arena);
		struct str first = uon_text(at, "u_name", job->arena);
		struct crm_employee *employee = crm_add_employee(job);

		if (employee == NULL)
			return;
		employee->id = uon_text(at, "u_id", job->arena);
		employee->name = str_trim(str_from(
			arena_printf(job->arena, "%.*s %.*s", STR_ARG(last), STR_ARG(first))));
		employee->email = uon_text(at, "u_email", job->arena);
		employee->phone = uon_text(at, "u_phone", job->arena);
		employee->extension = uon_text(at, "u_phone_internal", job->arena);
	}
}

/* -- changes ------------------------------------------------------------------------------------- */

struct walk {
	int64_t page;	/* that comes next; 0: the walk is over */
	int64_t last;	/* the last page that there was */
	int64_t walked; /* when all of them were seen; 0: never */
};

static const struct json_field walk_fields[] = {
	JSON_FIELD(struct walk, page, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct walk, last, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct walk, walked, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

static struct walk walk_of(struct crm_job *job)
{
	struct walk walk = {0};

	crm_memory_read(job, walk_fields, &walk);
	if (walk.page < 0 || walk.page > MAX_PAGE || walk.last < 0 || walk.last > MAX_PAGE)
		walk = (struct walk){0};
	/* A new day, a new walk. */
	if (walk.page == 0 && (walk.walked > job->now_ms || job->now_ms - walk.walked > DAY_MS))
		walk = (struct walk){.page = 1};
	if (walk.page == 0)
		walk.page = walk.last > 0 ? walk.last : 1;
	return walk;
}

int uon_plan_changes(struct crm_job *job)
{
	struct uon *own = job->own;

	own->page = (unsigned)walk_of(job).page;
	crm_steps_add(&own->steps, UON_USERS, STR(""));
	return 0;
}

bool uon_build_users(struct crm_job *job, struct crm_request *request)
{
	const struct uon *own = job->own;

	return uon_get(job, request, arena_printf(job->arena, "users/%u", own->page));
}

/* A full page may have one behind it; one that is not full, or not there, is the end. */
void uon_read_users(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;
	struct walk walk = walk_of(job);
	unsigned count = 0;

	for (const struct json *at = uon_list(reply); at != NULL; at = json_next(at)) {
		struct crm_customer *customer = crm_add_customer(job);

		if (customer == NULL)
			break;
		uon_read_customer(at, customer, job->arena);
		count++;
	}
	job->more = count >= UON_PAGE && own->page < MAX_PAGE;
	if (count > 0)
		walk.last = own->page;
	walk.page = job->more ? own->page + 1 : 0;
	if (!job->more && walk.walked == 0)
		walk.walked = job->now_ms;
	crm_memory_write(job, walk_fields, &walk);
}
