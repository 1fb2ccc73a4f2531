/*
 * crm_make: what drivers make their requests of.
 *
 * Everything ends in the job's arena, so that a driver has nothing to free on any of its ways out.
 */
#include "crm_make.h"

#include "phone.h"
#include "uri.h"

#include <stdio.h>

/* -- settings ------------------------------------------------------------------------------------ */

static const struct json *config_at(const struct crm_account *account, const char *path)
{
	const struct json *at = account->config;
	struct str rest = str_from(path);

	while (at != NULL && rest.size > 0) {
		struct str name = str_cut(&rest, '.');
		char text[64];

		if (!str_copy(text, sizeof(text), name))
			return NULL;
		at = json_member(at, text);
	}
	return at;
}

struct str crm_id(const struct json *value, struct arena *arena)
{
	if (json_kind(value) == JSON_NUMBER)
		return str_from(arena_printf(arena, "%.0f", json_number(value)));
	return json_text(value);
}

struct str crm_config_text(const struct crm_account *account, const char *path,
	const char *fallback, struct arena *arena)
{
	struct str text = str_trim(crm_id(config_at(account, path), arena));

	return text.size > 0 ? text : str_from(fallback);
}

bool crm_config_bool(const struct crm_account *account, const char *path, bool fallback)
{
	static const char *const yes[] = {"1", "true", "on", "yes"};
	const struct json *value = config_at(account, path);
	struct str text = json_text(value);

	if (json_kind(value) == JSON_BOOLEAN)
		return json_is_true(value);
	if (json_kind(value) == JSON_NUMBER)
		return json_number(value) != 0;
	if (text.size == 0)
		return fallback;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (str_equal_nocase(text, str_from(yes[i])))
			return true;
	}
	return false;
}

/* Letters, digits and what stands in host names, ports, bracketed addresses and paths: no user, no
 * query, no other scheme, nothing that could end a header line. */
static bool is_base_url(struct str rest)
{
	for (size_t i = 0; i < rest.size; i++) {
		unsigned char c = (unsigned char)rest.data[i];

		if (c <= ' ' || c == 0x7f || strchr("@?#\"'<>\\%", c) != NULL)
			return false;
	}
	return rest.size > 0 && rest.data[0] != '/' && rest.data[0] != ':' &&
	       memmem(rest.data, rest.size, "//", 2) == NULL;
}

const char *crm_config_url(const struct crm_account *account, const char *path,
	const char *fallback, struct arena *arena)
{
	struct str text = crm_config_text(account, path, fallback, arena);
	const char *scheme = "https://";

	if (text.data == NULL)
		return NULL;
	if (str_starts(text, STR("https://")))
		text = str_of(text.data + strlen("https://"), text.size - strlen("https://"));
	else if (str_starts(text, STR("http://"))) {
		text = str_of(text.data + strlen("http://"), text.size - strlen("http://"));
		scheme = "http://";
	}
	while (str_ends(text, STR("/")))
		text.size--;
	if (!is_base_url(text))
		return NULL;
	return arena_printf(arena, "%s%.*s", scheme, STR_ARG(text));
}

const char *crm_config_key(const struct crm_account *account, const char *path, struct arena *arena)
{
	struct str text = crm_config_text(account, path, NULL, arena);

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return NULL;
	}
	return text.size > 0 ? arena_strndup(arena, text.data, text.size) : NULL;
}

/* -- texts --------------------------------------------------------------------------------------- */

struct str crm_take(struct buf *buf, struct arena *arena)
{
	struct str text = str_of(NULL, 0);

	if (!buf->failed)
		text = str_of(
			arena_strndup(arena, buf->size > 0 ? buf->data : "", buf->size), buf->size);
	buf_free(buf);
	return text;
}

struct str crm_keep(struct str text, struct arena *arena)
{
	if (text.size == 0)
		return str_of(NULL, 0);
	return str_of(arena_strndup(arena, text.data, text.size), text.size);
}

struct str crm_member_text(const struct json *json, const char *name, struct arena *arena)
{
	return crm_keep(crm_id(json_member(json, name), arena), arena);
}

const char *crm_local_time(const struct crm_account *account, int64_t ms, struct arena *arena)
{
	struct clock_civil civil = clock_to_civil(ms, account->zone);

	return arena_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d", civil.year, civil.month,
		civil.day, civil.hour, civil.minute, civil.second);
}

const char *crm_digits(struct str number, struct arena *arena)
{
	char digits[PHONE_TEXT_BYTES];

	phone_digits(number, digits);
	return arena_strdup(arena, digits);
}

struct str crm_form(const char *name, struct str value, struct arena *arena)
{
	struct buf buf;

	buf_init(&buf, CRM_BODY_MAX_BYTES);
	uri_encode(&buf, str_from(name));
	buf_add_char(&buf, '=');
	uri_encode(&buf, value);
	return crm_take(&buf, arena);
}

/* In E.164, where that can be told; else its digits. */
static void plain_number(
	const struct crm_account *account, struct str number, char to[PHONE_TEXT_BYTES])
{
	char digits[PHONE_TEXT_BYTES];

	if (phone_e164(number, account->country, to))
		return;
	phone_digits(number, digits);
	if (!phone_e164(str_from(digits), account->country, to))
		str_copy(to, PHONE_TEXT_BYTES, str_from(digits));
}

bool crm_same_number(const struct crm_account *account, struct str a, struct str b)
{
	char left[PHONE_TEXT_BYTES], right[PHONE_TEXT_BYTES];

	plain_number(account, a, left);
	plain_number(account, b, right);
	return left[0] != '\0' && strcmp(left, right) == 0;
}

/* -- what is found ------------------------------------------------------------------------------- */

struct json_strings crm_texts(
	const struct json *array, const char *name, size_t limit, struct arena *arena)
{
	size_t count = json_count(array) < limit ? json_count(array) : limit;
	struct json_strings texts = {.items = arena_array(arena, count + 1, sizeof(struct str))};
	const struct json *at = json_kind(array) == JSON_ARRAY ? json_first(array) : NULL;

	for (; at != NULL && texts.count < count; at = json_next(at)) {
		struct str text = crm_id(name != NULL ? json_member(at, name) : at, arena);

		if (str_trim(text).size > 0)
			texts.items[texts.count++] = crm_keep(str_trim(text), arena);
	}
	return texts;
}

struct crm_customer *crm_add_customer(struct crm_job *job)
{
	if (job->customer_count == CRM_MAX_FOUND) {
		job->more = true;
		return NULL;
	}
	job->customers[job->customer_count] = (struct crm_customer){.deleted = false};
	return &job->customers[job->customer_count++];
}

struct crm_employee *crm_add_employee(struct crm_job *job)
{
	if (job->employee_count == CRM_MAX_FOUND) {
		job->more = true;
		return NULL;
	}
	job->employees[job->employee_count] = (struct crm_employee){.id = STR("")};
	return &job->employees[job->employee_count++];
}

/* -- requests ------------------------------------------------------------------------------------ */

const char *crm_url(struct arena *arena, const char *base, const char *format, ...)
{
	struct buf buf;
	char path[1024];
	va_list list;
	int size;

	va_start(list, format);
	size = vsnprintf(path, sizeof(path), format, list);
	va_end(list);
	buf_init(&buf, 2 * sizeof(path));
	buf_add(&buf, str_from(base));
	if (size < 0 || (size_t)size >= sizeof(path) || !buf_add(&buf, str_from(path))) {
		buf_free(&buf);
		return NULL;
	}
	return crm_take(&buf, arena).data;
}

void crm_json_begin(struct json_writer *writer, struct buf *buf)
{
	buf_init(buf, CRM_BODY_MAX_BYTES);
	json_begin(writer, buf);
	json_open_object(writer);
}

bool crm_json_end(struct json_writer *writer, struct crm_job *job, struct crm_request *request)
{
	json_close_object(writer);
	if (writer->buf->failed) {
		buf_free(writer->buf);
		return error_set(&job->why, ERROR_INPUT, "larger than a request may be");
	}
	request->content_type = "application/json";
	request->body = crm_take(writer->buf, job->arena);
	return true;
}
