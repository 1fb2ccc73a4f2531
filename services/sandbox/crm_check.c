/*
 * crm_check: walks a table over JSON or over parameters. A CRM that takes nearly anything would let
 * a wrong request pass here and fail only at the customer's.
 */
#include "crm_check.h"

#include "clock.h"

#include <ctype.h>
#include <stdio.h>

/* A value of either source. */
struct value {
	const struct json *json; /* NULL: it is `text`, from a form */
	struct str text;
	bool is_text;
};

static bool check_value(const struct check_field *field, const struct value *value, unsigned flags,
	struct check_problem *problem);

const char *check_words(enum check_fault fault)
{
	static const char *const words[] = {
		[CHECK_MISSING] = "is missing",
		[CHECK_WRONG_TYPE] = "has a wrong type",
		[CHECK_WRONG_VALUE] = "has a wrong value",
		[CHECK_UNKNOWN] = "is not known",
	};

	return words[fault];
}

bool check_is_phone(struct str text)
{
	int digits = 0;

	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		digits += isdigit(c) != 0;
		if (!isdigit(c) && strchr(" ()-", c) == NULL && (c != '+' || i != 0))
			return false;
	}
	return digits >= 3 && digits <= 20;
}

/* '0' stands for any digit. */
static bool looks_like(struct str text, const char *pattern)
{
	if (text.size != strlen(pattern))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		bool good = pattern[i] == '0' ? isdigit((unsigned char)text.data[i]) != 0
					      : text.data[i] == pattern[i];
		if (!good)
			return false;
	}
	return true;
}

static bool is_time(enum check_type type, struct str text)
{
	int64_t at_ms;
	bool good;

	if (type == CHECK_TIME)
		good = looks_like(text, "0000-00-00 00:00:00");
	else if (type == CHECK_TIME_MS)
		good = looks_like(text, "0000-00-00 00:00:00.000");
	else
		good = looks_like(text, "0000-00-00T00:00:00+00:00") ||
		       looks_like(text, "0000-00-00T00:00:00-00:00") ||
		       looks_like(text, "0000-00-00T00:00:00Z");
	return good && clock_parse(text, NULL, &at_ms);
}

static bool is_url(struct str text)
{
	return (str_starts(text, STR("http://")) || str_starts(text, STR("https://"))) &&
	       text.size > 10 && memchr(text.data, ' ', text.size) == NULL;
}

static bool is_one_of(struct str text, const char *const *values)
{
	for (; *values != NULL; values++) {
		if (str_equal(text, str_from(*values)))
			return true;
	}
	return false;
}

static bool is_int(const struct value *value, unsigned flags, bool *right_type)
{
	int64_t number;
	double real;

	if (value->json != NULL && json_kind(value->json) == JSON_NUMBER) {
		real = json_number(value->json);
		return real >= 0 && real < 9e15 && real == (double)(int64_t)real;
	}
	*right_type = value->is_text && (value->json == NULL || (flags & CHECK_LAX) != 0);
	return *right_type && str_to_int64(value->text, &number) && number >= 0;
}

static bool is_bool(const struct value *value, unsigned flags)
{
	static const char *const words[] = {"0", "1", "true", "false", "Y", "N", NULL};

	if (value->json != NULL && json_kind(value->json) == JSON_BOOLEAN)
		return true;
	return value->is_text && (value->json == NULL || (flags & CHECK_LAX) != 0) &&
	       is_one_of(value->text, words);
}

static bool is_text_like(const struct check_field *field, struct str text)
{
	switch (field->type) {
	case CHECK_TEXT:
	case CHECK_TEXTS:
		return str_trim(text).size > 0;
	case CHECK_PHONE:
		return check_is_phone(text);
	case CHECK_URL:
	case CHECK_URLS:
		return is_url(text);
	case CHECK_ONE_OF:
		return is_one_of(text, field->values);
	case CHECK_TIME:
	case CHECK_TIME_MS:
	case CHECK_TIME_ISO:
		return is_time(field->type, text);
	default:
		return true;
	}
}

static bool fail(
	struct check_problem *problem, enum check_fault fault, const char *name, const char *inner)
{
	char old[sizeof(problem->name)];

	str_copy(old, sizeof(old), str_from(inner));
	problem->fault = fault;
	snprintf(problem->name, sizeof(problem->name), "%.40s%s%.50s", name,
		old[0] != '\0' ? "." : "", old);
	return false;
}

static bool check_items(const struct check_field *field, const struct value *value, unsigned flags,
	struct check_problem *problem)
{
	enum check_type inner = field->type == CHECK_INTS    ? CHECK_INT
				: field->type == CHECK_LIST  ? CHECK_OBJECT
				: field->type == CHECK_TEXTS ? CHECK_TEXT
							     : CHECK_URL;
	struct check_field item = {field->name, inner, true, NULL, field->fields};

	if (value->json == NULL || json_kind(value->json) != JSON_ARRAY)
		return fail(problem, CHECK_WRONG_TYPE, field->name, "");
	for (const struct json *at = json_first(value->json); at != NULL; at = json_next(at)) {
		struct value one = {at, json_text(at), json_kind(at) == JSON_TEXT};
		if (!check_value(&item, &one, flags, problem))
			return false;
	}
	return true;
}

static bool check_value(const struct check_field *field, const struct value *value, unsigned flags,
	struct check_problem *problem)
{
	bool right_type = true, good;

	switch (field->type) {
	case CHECK_ANY:
		return true;
	case CHECK_INTS:
	case CHECK_TEXTS:
	case CHECK_URLS:
	case CHECK_LIST:
		return check_items(field, value, flags, problem);
	case CHECK_OBJECT:
		if (value->json == NULL || json_kind(value->json) != JSON_OBJECT)
			return fail(problem, CHECK_WRONG_TYPE, field->name, "");
		return check_object(value->json, field->fields, flags, problem) ||
		       fail(problem, problem->fault, field->name, problem->name);
	case CHECK_INT:
		good = is_int(value, flags, &right_type);
		break;
	case CHECK_BOOL:
		right_type = good = is_bool(value, flags);
		break;
	default:
		right_type = value->is_text;
		good = right_type && is_text_like(field, value->text);
		break;
	}
	if (good)
		return true;
	return fail(problem, right_type ? CHECK_WRONG_VALUE : CHECK_WRONG_TYPE, field->name, "");
}

static bool knows(const struct check_field *fields, const char *name)
{
	for (; fields->name != NULL; fields++) {
		if (strcmp(fields->name, name) == 0)
			return true;
	}
	return false;
}

bool check_object(const struct json *object, const struct check_field *fields, unsigned flags,
	struct check_problem *problem)
{
	problem->name[0] = '\0';
	for (const struct check_field *field = fields; field->name != NULL; field++) {
		const struct json *json = json_member(object, field->name);
		struct value value = {json, json_text(json), false};
		if (json == NULL || json_kind(json) == JSON_NULL) {
			if (field->required)
				return fail(problem, CHECK_MISSING, field->name, "");
			continue;
		}
		value.is_text = json_kind(json) == JSON_TEXT;
		if (!check_value(field, &value, flags, problem))
			return false;
	}
	if ((flags & CHECK_NO_EXTRA) == 0)
		return true;
	for (const struct json *at = json_first(object); at != NULL; at = json_next(at)) {
		if (!knows(fields, json_name(at)))
			return fail(problem, CHECK_UNKNOWN, json_name(at), "");
	}
	return true;
}

/* A value that came as JSON in a JSON body is printed in args; it is read again, strictly. */
static bool check_arg(const struct check_field *field, const struct args *args, size_t at,
	struct check_problem *problem)
{
	struct value value = {NULL, args->items[at].value, true};
	struct json *json = NULL;
	bool good;

	if (args->items[at].is_json) {
		json = json_parse(value.text, (struct json_limits){1 << 20, 32}, NULL);
		/* A number is as good as a text for PHP. */
		value = (struct value){json, value.text, json_kind(json) == JSON_NUMBER};
	}
	good = check_value(field, &value, CHECK_LAX, problem);
	json_free(&json);
	return good;
}

bool check_args(
	const struct args *args, const struct check_field *fields, struct check_problem *problem)
{
	problem->name[0] = '\0';
	for (const struct check_field *field = fields; field->name != NULL; field++) {
		size_t at = 0;
		while (at < args->count && !str_equal(args->items[at].name, str_from(field->name)))
			at++;
		if (at == args->count && field->required)
			return fail(problem, CHECK_MISSING, field->name, "");
		if (at < args->count && !check_arg(field, args, at, problem))
			return false;
	}
	return true;
}
