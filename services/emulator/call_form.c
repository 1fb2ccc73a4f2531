/*
 * call_form: checks and completes what was filled in. Which fields there are says the pattern, a
 * data file: the tester before this one had a copy of this code for each kind of call.
 */
#include "call_form.h"

#include <ctype.h>

/* ITU-T E.164: fifteen digits with the country code. */
#define MAX_PHONE_DIGITS 15
#define MAX_NAME_BYTES	 50

/* Borrowed, all of it, for the length of form_read(). */
struct form {
	const struct args *args;
	const struct directory_enterprise *enterprise;
	struct arena *arena;
	struct fill *fill;
};

static bool is_kind(const struct pattern_field *field, const char *kind)
{
	return str_equal(field->kind, str_from(kind));
}

/* The old API's words, byte for byte: scripts compare them. */
static bool is_missing(const struct pattern_field *field, struct error *error)
{
	if (is_kind(field, "phone"))
		return error_set(error, ERROR_INPUT, "Внешний номер обязателен");
	if (is_kind(field, "line"))
		return error_set(error, ERROR_INPUT, "Линия обязательна");
	return error_set(error, ERROR_INPUT, "Внутренний номер обязателен");
}

/* The first manager that plays no part yet; when all do, one plays two. */
static struct str free_extension(const struct form *form)
{
	for (size_t i = 0; i < form->enterprise->manager_count; i++) {
		struct str extension = form->enterprise->managers[i].extension;
		if (!fill_uses(form->fill, extension))
			return extension;
	}
	if (form->enterprise->manager_count > 0)
		return form->enterprise->managers[0].extension;
	return str_trim(args_get(form->args, "internal_phone"));
}

/* The main line must be named; a second one may be any other, or the same when there is none. */
static struct str other_line(const struct form *form)
{
	struct str line = fill_get(form->fill, STR("line"));

	for (size_t i = 0; line.size > 0 && i < form->enterprise->line_count; i++) {
		if (!str_equal(form->enterprise->lines[i].id, line))
			return form->enterprise->lines[i].id;
	}
	return line;
}

static struct str usual_value(const struct form *form, const struct pattern_field *field)
{
	struct str name = {0};

	if (field->usual.size > 0)
		name = str_trim(args_get(form->args,
			arena_strndup(form->arena, field->usual.data, field->usual.size)));
	if (name.size > 0 || !field->required || is_kind(field, "phone"))
		return name;
	if (is_kind(field, "line"))
		return str_equal(field->role, STR("line")) ? name : other_line(form);
	/* Without anybody named there is no call to play. */
	return field->usual.size > 0 ? name : free_extension(form);
}

static bool check_phone(struct str *value, struct error *error)
{
	struct str digits = *value;

	/* On the PBX's wire numbers have no plus. */
	if (digits.size > 0 && digits.data[0] == '+')
		digits = str_of(digits.data + 1, digits.size - 1);
	if (!str_is_digits(digits) || digits.size > MAX_PHONE_DIGITS)
		return error_set(
			error, ERROR_INPUT, "Внешний номер: только цифры, до %d", MAX_PHONE_DIGITS);
	*value = digits;
	return true;
}

/* They end up in channel names and dial strings, where a comma or a slash would mean something. */
static bool check_name(const struct pattern_field *field, struct str value, struct error *error)
{
	bool good = value.size <= MAX_NAME_BYTES;

	if (is_kind(field, "extension"))
		good = str_is_digits(value) && value.size <= MAX_PHONE_DIGITS;
	for (size_t i = 0; i < value.size; i++)
		good = good && (isalnum((unsigned char)value.data[i]) || value.data[i] == '_' ||
				       value.data[i] == '-');
	return good ||
	       error_set(error, ERROR_INPUT, "%.*s: недопустимое значение", STR_ARG(field->name));
}

static bool read_field(struct form *form, const struct pattern_field *field, struct error *error)
{
	const char *name = arena_strndup(form->arena, field->name.data, field->name.size);
	struct str value = str_trim(args_get(form->args, name));

	if (value.size == 0)
		value = usual_value(form, field);
	if (value.size == 0)
		return !field->required || is_missing(field, error);
	if (is_kind(field, "phone") ? !check_phone(&value, error)
				    : !check_name(field, value, error))
		return false;
	return fill_add(form->fill, field->role, value) ||
	       error_set(error, ERROR_INPUT, "%s: слишком много значений", name);
}

static const struct directory_manager *find_manager(const struct form *form, struct str extension)
{
	for (size_t i = 0; i < form->enterprise->manager_count; i++) {
		if (str_equal(form->enterprise->managers[i].extension, extension))
			return &form->enterprise->managers[i];
	}
	return NULL;
}

static bool derive(struct form *form, const struct pattern_derived *derived, struct error *error)
{
	const struct directory_manager *manager =
		find_manager(form, fill_get(form->fill, derived->from));
	struct str value = {0};

	if (manager != NULL)
		value = str_equal(derived->column, STR("follow_me_number"))
				? manager->follow_me_number
				: manager->personal_phone;
	/* What people wrote into the database need not be a number. */
	if (!check_phone(&value, NULL))
		value = derived->fallback;
	return fill_set(form->fill, derived->role, value) ||
	       error_set(error, ERROR_INPUT, "too many values");
}

bool form_read(
	const struct form_order *order, struct arena *arena, struct fill *fill, struct error *error)
{
	const struct pattern *pattern = order->pattern;
	const struct pattern_field *fields = pattern->fields.items;
	const struct pattern_derived *derived = pattern->derived.items;
	struct form form = {order->args, order->enterprise, arena, fill};

	for (size_t i = 0; i < pattern->fields.count; i++) {
		if (!read_field(&form, &fields[i], error))
			return false;
	}
	/* After the fields: they follow from them. */
	for (size_t i = 0; i < pattern->derived.count; i++) {
		if (!derive(&form, &derived[i], error))
			return false;
	}
	return true;
}
