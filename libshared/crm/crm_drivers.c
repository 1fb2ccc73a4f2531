/*
 * crm_drivers: the list of CRMs, and what all drivers share: who is who in an enterprise's
 * configuration, what a status means, which members are secret.
 */
#include "crm_make.h"

/* Each file defines one; crm_drivers.def is the only other place that knows its name. */
#define CRM_DRIVER(program) extern const struct crm_driver program##_driver;
#include "crm_drivers.def"
#undef CRM_DRIVER

#define CRM_DRIVER(program) &program##_driver,
const struct crm_driver *const crm_drivers[] = {
#include "crm_drivers.def"
	NULL,
};
#undef CRM_DRIVER

/* Deeper than this a configuration is not shown: json_writer nests to 16. */
enum { MASK_DEPTH = 12 };

static const char *const task_names[CRM_TASKS] = {
	[CRM_TELL] = "tell",
	[CRM_FIND] = "find",
	[CRM_EMPLOYEES] = "employees",
	[CRM_CHANGES] = "changes",
	[CRM_REGISTER] = "register",
	[CRM_UNREGISTER] = "unregister",
	[CRM_TEST] = "test",
	[CRM_AUTHORIZE] = "authorize",
};

static const char *const verdict_names[CRM_VERDICTS] = {
	[CRM_WELL] = "well",
	[CRM_AGAIN] = "again",
	[CRM_SLOWER] = "slower",
	[CRM_EXPIRED] = "expired",
	[CRM_LOCKED] = "locked",
	[CRM_REFUSED] = "refused",
	[CRM_GONE] = "gone",
};

const char *crm_task_name(enum crm_task task)
{
	return (unsigned)task < CRM_TASKS ? task_names[task] : "?";
}

const char *crm_verdict_name(enum crm_verdict verdict)
{
	return (unsigned)verdict < CRM_VERDICTS ? verdict_names[verdict] : "?";
}

const struct crm_driver *crm_driver_of_program(struct str program)
{
	for (const struct crm_driver *const *at = crm_drivers; *at != NULL; at++) {
		if (str_equal(str_from((*at)->program), program))
			return *at;
	}
	return NULL;
}

const struct crm_driver *crm_driver_of_code(struct str code)
{
	for (const struct crm_driver *const *at = crm_drivers; *at != NULL; at++) {
		if (str_equal(str_from((*at)->code), code))
			return *at;
	}
	return crm_driver_of_program(code);
}

/* -- who is who ---------------------------------------------------------------------------------- */

/* A value of a map: the id itself, or an object around it (employee_mapping). */
static struct str mapped_id(const struct json *value, struct arena *arena)
{
	if (json_kind(value) == JSON_OBJECT)
		return crm_id(json_member(value, "employee_id"), arena);
	return crm_id(value, arena);
}

/* The name of the first member whose value is `wanted`. */
static struct str name_of_value(const struct json *map, struct str wanted, struct arena *arena)
{
	const struct json *at = json_kind(map) == JSON_OBJECT ? json_first(map) : NULL;

	for (; at != NULL; at = json_next(at)) {
		if (str_equal(mapped_id(at, arena), wanted))
			return str_from(json_name(at));
	}
	return str_of(NULL, 0);
}

static struct str value_of_name(const struct json *map, struct str wanted, struct arena *arena)
{
	const struct json *at = json_kind(map) == JSON_OBJECT ? json_first(map) : NULL;

	for (; at != NULL; at = json_next(at)) {
		if (str_equal(str_from(json_name(at)), wanted))
			return mapped_id(at, arena);
	}
	return str_of(NULL, 0);
}

/* Written by users, or by extensions: look up `wanted` in the one way or the other. */
static struct str mapped(const struct crm_account *account, struct str wanted, bool is_extension,
	struct arena *arena)
{
	static const struct {
		const char *member;
		bool by_extension;
	} maps[] = {
		{"user_extensions", false},
		{"employee_mapping", true},
		{"user_mapping", true},
	};

	for (size_t i = 0; wanted.size > 0 && i < sizeof(maps) / sizeof(maps[0]); i++) {
		const struct json *map = json_member(account->config, maps[i].member);
		struct str found = maps[i].by_extension == is_extension
					   ? value_of_name(map, wanted, arena)
					   : name_of_value(map, wanted, arena);

		if (found.size > 0)
			return found;
	}
	return str_of(NULL, 0);
}

struct str crm_user_of(const struct crm_account *account, struct str extension, struct arena *arena)
{
	return mapped(account, extension, true, arena);
}

struct str crm_extension_of(const struct crm_account *account, struct str user, struct arena *arena)
{
	return mapped(account, user, false, arena);
}

/* -- replies ------------------------------------------------------------------------------------- */

struct str crm_reply_header(const struct crm_reply *reply, const char *name)
{
	for (unsigned i = 0; i < reply->header_count; i++) {
		if (str_equal_nocase(reply->headers[i].name, str_from(name)))
			return reply->headers[i].value;
	}
	return str_of(NULL, 0);
}

/* The statuses that mean more than their hundred. */
static enum crm_verdict verdict_of(int status, const char **words)
{
	switch (status) {
	case 401:
	case 403:
		*words = "credentials or rights are refused";
		return CRM_LOCKED;
	case 408:
	case 425:
	case 429:
		*words = "asked to come later";
		return CRM_SLOWER;
	case 410:
		*words = "wants nothing any more";
		return CRM_GONE;
	default:
		break;
	}
	*words = status >= 500	 ? "failed"
		 : status >= 400 ? "refused it"
		 : status >= 300 ? "sent us elsewhere, and redirects are not followed"
				 : "is no answer";
	return status >= 500 ? CRM_AGAIN : CRM_REFUSED;
}

enum crm_verdict crm_verdict_of_status(struct crm_job *job, const struct crm_reply *reply)
{
	enum crm_verdict verdict;
	const char *words;

	if (reply->status >= 200 && reply->status < 300) {
		if (reply->json != NULL || str_trim(reply->body).size == 0)
			return CRM_WELL;
		error_set(&job->why, ERROR_UPSTREAM, "the answer is no JSON (HTTP %d)",
			reply->status);
		return CRM_REFUSED;
	}
	verdict = verdict_of(reply->status, &words);
	error_set(&job->why, verdict == CRM_LOCKED ? ERROR_AUTH : ERROR_UPSTREAM, "HTTP %d: %s",
		reply->status, words);
	return verdict;
}

/* -- masks --------------------------------------------------------------------------------------- */

static bool is_secret(const struct crm_driver *driver, const char *name)
{
	for (const char *const *at = driver->secrets; at != NULL && name != NULL && *at != NULL;
		at++) {
		if (strcmp(*at, name) == 0)
			return true;
	}
	return false;
}

static bool is_empty(const struct json *value)
{
	return json_kind(value) == JSON_NULL ||
	       (json_kind(value) == JSON_TEXT && json_text(value).size == 0);
}

static void put_plain(struct json_writer *writer, const struct json *value)
{
	struct buf text;

	buf_init(&text, writer->buf->max_bytes);
	json_print(&text, value, false);
	json_put_raw(writer, text.failed ? STR("null") : buf_str(&text));
	buf_free(&text);
}

/* Recursion is bounded by MASK_DEPTH. */
static void put_masked(
	const struct crm_driver *driver, const struct json *value, struct json_writer *writer)
{
	bool is_object = json_kind(value) == JSON_OBJECT;

	if (is_secret(driver, json_name(value)) && !is_empty(value)) {
		json_put_str(writer, STR("***"));
		return;
	}
	if (!is_object && json_kind(value) != JSON_ARRAY) {
		put_plain(writer, value);
		return;
	}
	if (writer->depth >= MASK_DEPTH) {
		json_put_null(writer);
		return;
	}
	(is_object ? json_open_object : json_open_array)(writer);
	for (const struct json *at = json_first(value); at != NULL; at = json_next(at)) {
		if (is_object)
			json_put_name(writer, json_name(at));
		put_masked(driver, at, writer);
	}
	(is_object ? json_close_object : json_close_array)(writer);
}

/* An empty secret stays empty: whether a key is there at all, people may see. */
void crm_config_masked(const struct crm_driver *driver, const struct json *config, struct buf *to)
{
	struct json_writer writer;

	json_begin(&writer, to);
	put_masked(driver, config, &writer);
}
