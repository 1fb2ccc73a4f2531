/*
 * phone: numbers recognised, compared and spelled for people.
 *
 * libphonenumber is C++, so the spelling is a table of our own (phone_plans.c) for the countries
 * that our tenants call, and a plain grouping for the rest of the world.
 */
#include "phone.h"

#include "phone_plans.h"

#include <stdio.h>

enum { INTERNAL_MIN = 3, INTERNAL_MAX = 4, LINE_DIGITS = 7, MAX_DIGITS = 18, E164_MAX = 15 };
/* Without a + only a long row of digits is believed to begin with a country code. */
enum { PLAIN_MIN = 10, MARKED_MIN = 8, SPELLED_MIN = 7 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool phone_is_internal(struct str number)
{
	return number.size >= INTERNAL_MIN && number.size <= INTERNAL_MAX && str_is_digits(number);
}

/* A login of eight or more digits is not cut, nor is a number: its first seven would be another line. */
struct str phone_line_id(struct str trunk)
{
	struct str digits = trunk;
	size_t run = 0;

	if (str_starts(trunk, STR("+")))
		digits = str_of(trunk.data + 1, trunk.size - 1);
	if (digits.size > LINE_DIGITS && str_is_digits(digits))
		return trunk;
	for (size_t i = 0; i < trunk.size; i++) {
		run = is_digit(trunk.data[i]) ? run + 1 : 0;
		if (run == LINE_DIGITS)
			return str_of(trunk.data + i + 1 - LINE_DIGITS, LINE_DIGITS);
	}
	return str_of(NULL, 0);
}

bool phone_is_gsm_line(struct str number)
{
	return number.size == LINE_DIGITS && str_is_digits(number) &&
	       str_starts(number, STR("0001"));
}

bool phone_is_hidden(struct str number)
{
	struct str rest = str_trim(number);

	while (rest.size > 0 && !is_digit(rest.data[0]))
		rest = str_of(rest.data + 1, rest.size - 1);
	if (rest.size == 0)
		return true;
	return str_starts(rest, STR("000")) && !phone_is_internal(rest) && !phone_is_gsm_line(rest);
}

bool phone_digits(struct str number, char to[PHONE_TEXT_BYTES])
{
	size_t count = 0;

	to[0] = '\0';
	for (size_t i = 0; i < number.size; i++) {
		if (!is_digit(number.data[i]))
			continue;
		if (count == MAX_DIGITS) {
			to[0] = '\0';
			return false;
		}
		to[count++] = number.data[i];
	}
	to[count] = '\0';
	return count > 0;
}

/* Only what people put into telephone numbers: a SIP name with digits in it is not one. */
static bool looks_like_number(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (!is_digit(c) && (c == '\0' || strchr("+-() ./", c) == NULL))
			return false;
	}
	return text.size > 0;
}

/* ITU-T E.164: fifteen digits at most, with the country code. */
static bool put_e164(const char *code, struct str digits, char to[PHONE_TEXT_BYTES])
{
	if (digits.size + strlen(code) > E164_MAX)
		return false;
	snprintf(to, PHONE_TEXT_BYTES, "+%s%.*s", code, STR_ARG(digits));
	return true;
}

/* A number as it is dialled inside the country: after one of its trunk prefixes, or bare where the
 * length alone tells. */
static bool national(
	struct str digits, const struct phone_country *country, char to[PHONE_TEXT_BYTES])
{
	struct str prefixes = str_from(country->trunk_prefixes);

	while (prefixes.size > 0) {
		struct str prefix = str_cut(&prefixes, ' ');
		size_t rest = digits.size - prefix.size;

		if (str_starts(digits, prefix) && rest >= country->min_digits &&
			rest <= country->max_digits)
			return put_e164(country->code, str_of(digits.data + prefix.size, rest), to);
	}
	if (country->min_digits != country->max_digits || digits.size != country->min_digits ||
		digits.data[0] == '0')
		return false;
	return put_e164(country->code, digits, to);
}

/* With a + (or 00) the country code is there, but for a 0 behind the +, which some lines put before
 * national numbers. Without one, the enterprise's own country is tried first. */
bool phone_e164(struct str number, const char *country_name, char to[PHONE_TEXT_BYTES])
{
	const struct phone_country *country = phone_country_find(country_name);
	struct str text = str_trim(number);
	char plain[PHONE_TEXT_BYTES];
	struct str digits;
	bool marked;

	to[0] = '\0';
	if (phone_is_internal(text) || !looks_like_number(text) || !phone_digits(text, plain))
		return false;
	digits = str_from(plain);
	if (str_starts(digits, STR("000")))
		return false;
	marked = text.data[0] == '+';
	if (!marked && str_starts(digits, STR("00"))) {
		digits = str_of(digits.data + 2, digits.size - 2);
		marked = true;
	}
	if ((!marked || digits.data[0] == '0') && country != NULL && national(digits, country, to))
		return true;
	if (digits.size < (marked ? MARKED_MIN : PLAIN_MIN) || digits.data[0] == '0')
		return false;
	return put_e164("", digits, to);
}

/* "2 3-2-2" laid over the digits: the first group in parentheses, the last takes what is left. */
static void spell(
	const char *code, struct str digits, const char *groups, char to[PHONE_TEXT_BYTES])
{
	size_t at = 0;
	size_t used = 0;

	to[at++] = '+';
	memcpy(to + at, code, strlen(code));
	at += strlen(code);
	to[at++] = ' ';
	to[at++] = '(';
	for (size_t i = 0; groups[i] != '\0' && used < digits.size; i += 2) {
		size_t take = (size_t)(groups[i] - '0');
		bool last = groups[i + 1] == '\0';

		if (i > 0)
			to[at++] = groups[i - 1];
		if (last || take > digits.size - used)
			take = digits.size - used;
		memcpy(to + at, digits.data + used, take);
		at += take;
		used += take;
		if (i == 0)
			to[at++] = ')';
		if (last)
			break;
	}
	to[at] = '\0';
}

/* What no plan fits is shown as it is, with its +: wrong groups are worse than none. */
void phone_format(struct str number, char to[PHONE_TEXT_BYTES])
{
	char plain[PHONE_TEXT_BYTES];
	struct str text = str_trim(number);
	const struct phone_plan *plan;
	struct str digits;
	size_t code_size;

	str_copy(to, PHONE_TEXT_BYTES, text);
	if (phone_is_internal(text) || !looks_like_number(text) || !phone_digits(text, plain))
		return;
	digits = str_from(plain);
	if (str_starts(digits, STR("000")) && text.data[0] == '+') {
		to[0] = '\0';
		return;
	}
	if (digits.size < SPELLED_MIN || digits.data[0] == '0')
		return;
	plan = phone_plan_find(digits);
	if (plan == NULL) {
		to[0] = '+';
		str_copy(to + 1, PHONE_TEXT_BYTES - 1, digits);
		return;
	}
	code_size = strlen(plan->code);
	spell(plan->code, str_of(digits.data + code_size, digits.size - code_size), plan->groups,
		to);
}
