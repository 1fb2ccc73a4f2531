/*
 * number_rules: see number_rules.h.
 */
#include "number_rules.h"

#include "alloc.h"
#include "table.h"

#include <stdlib.h>

enum { E164_MAX = 15 };

struct number_rules {
	struct table *extensions; /* own extension -> itself */
	struct table *lines;	  /* id or login -> its transform, or the rules themselves: none */
	struct number_transform transforms[NUMBER_MAX_TRANSFORMS];
	unsigned transform_count;
};

/* -- transforms ----------------------------------------------------------------------------------- */

static bool read_prefix(struct str text, struct number_transform *to, size_t *count)
{
	struct str digits = text;

	if (str_starts(digits, STR("+")))
		digits = str_of(digits.data + 1, digits.size - 1);
	*count = digits.size;
	if (text.size == 0)
		return true;
	return str_is_digits(digits) && str_copy(to->prefix, sizeof(to->prefix), text);
}

bool number_transform_read(struct str text, struct number_transform *to, struct error *error)
{
	struct str rest = text;
	struct str prefix = str_cut(&rest, '{');
	struct str count = str_cut(&rest, '}');
	size_t prefix_digits = 0;
	int64_t digits = 0;

	*to = (struct number_transform){.digits = 0};
	if (rest.data == NULL || rest.size > 0 || !str_is_digits(count) ||
		!str_to_int64(count, &digits) || !read_prefix(prefix, to, &prefix_digits))
		return error_set(error, ERROR_INPUT,
			"\"%.*s\" is not a prefix and a number of digits like +375{9}",
			STR_ARG(text));
	if (digits < 1 || digits + (int64_t)prefix_digits > E164_MAX)
		return error_set(error, ERROR_INPUT,
			"\"%.*s\" does not give a number of 1 to %d digits", STR_ARG(text),
			E164_MAX);
	to->digits = (unsigned char)digits;
	return true;
}

bool number_transform_apply(
	const struct number_transform *transform, struct str number, char to[PHONE_TEXT_BYTES])
{
	char digits[PHONE_TEXT_BYTES];
	size_t prefix = strlen(transform->prefix);
	size_t count;

	to[0] = '\0';
	if (!phone_digits(number, digits))
		return false;
	count = strlen(digits);
	if (count < transform->digits)
		return false;
	memcpy(to, transform->prefix, prefix);
	memcpy(to + prefix, digits + count - transform->digits, transform->digits + 1u);
	return true;
}

/* -- the rules ------------------------------------------------------------------------------------ */

struct number_rules *number_rules_new(void)
{
	struct number_rules *rules = alloc_zeroed(1, sizeof(*rules));

	rules->extensions = table_new();
	rules->lines = table_new();
	return rules;
}

void number_rules_free(struct number_rules **rules)
{
	if (*rules == NULL)
		return;
	table_free(&(*rules)->extensions);
	table_free(&(*rules)->lines);
	free(*rules);
	*rules = NULL;
}

void number_rules_add_extension(struct number_rules *rules, struct str extension)
{
	if (extension.size > 0 && extension.size < PHONE_TEXT_BYTES)
		table_put(rules->extensions, extension, rules);
}

/* As a call has it: the id where there is one, else the whole login. */
static struct str line_key(struct str line)
{
	struct str id = phone_line_id(line);

	return id.size > 0 ? id : line;
}

static bool same(const struct number_transform *one, const struct number_transform *other)
{
	return one->digits == other->digits && strcmp(one->prefix, other->prefix) == 0;
}

/* Lines of one enterprise mostly share their rule: each is kept once. */
static struct number_transform *add_transform(
	struct number_rules *rules, const struct number_transform *transform)
{
	for (unsigned i = 0; i < rules->transform_count; i++) {
		if (same(&rules->transforms[i], transform))
			return &rules->transforms[i];
	}
	if (rules->transform_count == NUMBER_MAX_TRANSFORMS)
		return NULL;
	rules->transforms[rules->transform_count] = *transform;
	return &rules->transforms[rules->transform_count++];
}

bool number_rules_add_line(
	struct number_rules *rules, struct str line, struct str transform, struct error *error)
{
	struct number_transform read;
	struct number_transform *kept;

	if (line.size == 0)
		return true;
	table_put(rules->lines, line_key(line), rules);
	if (transform.size == 0)
		return true;
	if (!number_transform_read(transform, &read, error))
		return false;
	kept = add_transform(rules, &read);
	if (kept == NULL)
		return error_set(error, ERROR_INPUT,
			"more than %d different rules in one enterprise", NUMBER_MAX_TRANSFORMS);
	table_put(rules->lines, line_key(line), kept);
	return true;
}

/* -- questions ------------------------------------------------------------------------------------ */

bool number_is_line(const struct number_rules *rules, struct str number)
{
	if (phone_is_gsm_line(number))
		return true;
	return rules != NULL && number.size > 0 && table_get(rules->lines, number) != NULL;
}

bool number_is_machine(struct str number)
{
	return str_equal(number, STR("agent")) || str_equal(number, STR("menu"));
}

bool number_is_internal(const struct number_rules *rules, struct str number)
{
	if (rules == NULL || number_is_machine(number))
		return phone_is_internal(number) || number_is_machine(number);
	if (number.size == 0 || number_is_line(rules, number))
		return false;
	return phone_is_internal(number) || table_get(rules->extensions, number) != NULL;
}

const struct number_transform *number_rule_of(const struct number_rules *rules, struct str line)
{
	const void *found = NULL;

	if (rules != NULL && line.size > 0)
		found = table_get(rules->lines, line);
	return found != rules ? found : NULL;
}

unsigned number_rules_transforms(
	const struct number_rules *rules, const struct number_transform **first)
{
	*first = rules != NULL ? rules->transforms : NULL;
	return rules != NULL ? rules->transform_count : 0;
}
