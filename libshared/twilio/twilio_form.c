/*
 * twilio_form: see twilio_form.h. A form body and a query are the same text to it.
 */
#include "twilio_form.h"

#include "uri.h"

static size_t count_pairs(struct str text)
{
	size_t pairs = text.size > 0;

	for (size_t i = 0; i < text.size; i++)
		pairs += text.data[i] == '&';
	return pairs;
}

static bool read_pair(
	struct str pair, struct arena *arena, struct twilio_field *field, struct error *error)
{
	struct str value = pair;
	struct str name = str_cut(&value, '=');

	if (uri_decode(name, true, arena, &field->name) &&
		uri_decode(value, true, arena, &field->value))
		return true;
	return error_set(error, ERROR_INPUT, "form: a bad escape or a NUL byte in \"%.*s\"",
		STR_ARG(str_of(name.data, name.size < 40 ? name.size : 40)));
}

bool twilio_form_read(
	struct str text, struct arena *arena, struct twilio_form *form, struct error *error)
{
	struct str rest = text;
	size_t most = count_pairs(text);

	*form = (struct twilio_form){0};
	if (most > TWILIO_MAX_FIELDS)
		return error_set(
			error, ERROR_INPUT, "form: more than %d fields", TWILIO_MAX_FIELDS);
	form->fields = arena_array(arena, most + 1, sizeof(*form->fields));
	while (rest.size > 0) {
		struct str pair = str_cut(&rest, '&');

		if (pair.size == 0)
			continue;
		if (!read_pair(pair, arena, &form->fields[form->count], error))
			return false;
		form->count++;
	}
	return true;
}

struct str twilio_form_get(const struct twilio_form *form, const char *name)
{
	struct str wanted = str_from(name);

	for (size_t i = 0; i < form->count; i++) {
		if (str_equal(form->fields[i].name, wanted))
			return form->fields[i].value;
	}
	return str_of("", 0);
}
