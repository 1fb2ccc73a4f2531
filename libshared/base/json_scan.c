/*
 * json_scan: RFC 8259 by hand, in one pass, without memory.
 *
 * cJSON is lax (01, raw control characters, bad UTF-8, infinities); what this lets through,
 * cJSON and PostgreSQL's jsonb both take and understand alike.
 */
#include "json_scan.h"

#include <math.h>
#include <stdlib.h>

enum {
	NUMBER_MAX_CHARS = 63,	 /* cJSON cuts longer ones */
	EXPONENT_MIN = -400,	 /* a double is zero there; jsonb refuses below -16383 */
	EXPONENT_MAX_DIGITS = 9, /* more are no number that anybody means */
	DEPTH_MAX = 256,	 /* cJSON recurses */
};

struct scan {
	const char *start, *at, *end;
	struct error *error;
};

static bool refuse(struct scan *s, const char *at, const char *what)
{
	return error_set(s->error, ERROR_INPUT, "%s at byte %zu", what, (size_t)(at - s->start));
}

/* Where the text stops to be JSON is all that helps; what was expected there seldom does. */
static bool refuse_syntax(struct scan *s)
{
	return refuse(s, s->at, "invalid JSON");
}

static bool at_char(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool take_char(struct scan *s, char c)
{
	if (!at_char(s, c))
		return false;
	s->at++;
	return true;
}

/* Only these four are white space to RFC 8259; cJSON takes all below 33. */
static void skip_space(struct scan *s)
{
	while (at_char(s, ' ') || at_char(s, '\n') || at_char(s, '\r') || at_char(s, '\t'))
		s->at++;
}

static bool scan_word(struct scan *s, struct str word)
{
	if (!str_starts(str_of(s->at, (size_t)(s->end - s->at)), word))
		return refuse_syntax(s);
	s->at += word.size;
	return true;
}

static size_t skip_digits(struct scan *s)
{
	const char *from = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - from);
}

/* Only numbers with an exponent come here: 63 characters without one cannot pass a double. */
static bool check_range(struct scan *s, const char *number, const char *exponent)
{
	char text[NUMBER_MAX_CHARS + 1];

	/* strtod() and strtol() stop at a NUL, which the input need not have. */
	str_copy(text, sizeof(text), str_of(number, (size_t)(s->at - number)));
	if (s->at - exponent > EXPONENT_MAX_DIGITS + 1 ||
		strtol(text + (exponent - number), NULL, 10) < EXPONENT_MIN ||
		!isfinite(strtod(text, NULL)))
		return refuse(s, number, "number out of range");
	return true;
}

static bool scan_exponent(struct scan *s, const char *number)
{
	const char *exponent;

	if (!take_char(s, 'e') && !take_char(s, 'E'))
		return true;
	exponent = s->at;
	if (!take_char(s, '-'))
		take_char(s, '+');
	if (skip_digits(s) == 0)
		return refuse_syntax(s);
	if (s->at - number > NUMBER_MAX_CHARS)
		return true; /* refused by the caller */
	return check_range(s, number, exponent);
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool scan_number(struct scan *s)
{
	const char *number = s->at;

	take_char(s, '-');
	if (!take_char(s, '0') && skip_digits(s) == 0)
		return refuse_syntax(s);
	if (take_char(s, '.') && skip_digits(s) == 0)
		return refuse_syntax(s);
	if (!scan_exponent(s, number))
		return false;
	if (s->at - number > NUMBER_MAX_CHARS)
		return refuse(s, number, "number longer than 63 characters");
	return true;
}

/* The four digits behind \u; -1 when they are not there. */
static int take_hex4(struct scan *s)
{
	int value = 0;

	if (s->end - s->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = str_hex_digit(s->at[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	s->at += 4;
	return value;
}

static bool scan_unicode_escape(struct scan *s)
{
	const char *from = s->at - 2;
	int unit = take_hex4(s);

	if (unit < 0)
		return refuse_syntax(s);
	if (unit == 0)
		return refuse(s, from, "\\u0000 is not allowed");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return refuse(s, from, "lone surrogate");
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (!take_char(s, '\\') || !take_char(s, 'u'))
		return refuse(s, from, "lone surrogate");
	unit = take_hex4(s);
	return (unit >= 0xdc00 && unit <= 0xdfff) || refuse(s, from, "lone surrogate");
}

static bool scan_escape(struct scan *s)
{
	char c = ++s->at < s->end ? *s->at : '\0';

	if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
		return refuse_syntax(s);
	s->at++;
	return c != 'u' || scan_unicode_escape(s);
}

/* The one place where UTF-8 matters: outside of strings no wide character is allowed at all. */
static bool scan_wide(struct scan *s)
{
	size_t size = str_utf8_size(str_of(s->at, (size_t)(s->end - s->at)));

	if (size == 0)
		return refuse(s, s->at, "not valid UTF-8");
	s->at += size;
	return true;
}

/* Plain characters take the shortest way through the loop: they are nearly all. */
static bool scan_string(struct scan *s)
{
	if (!take_char(s, '"'))
		return refuse_syntax(s);
	while (s->at < s->end) {
		unsigned char c = (unsigned char)*s->at;

		if (c == '"') {
			s->at++;
			return true;
		}
		if (c < ' ')
			return refuse(s, s->at, "control character in a string");
		if (c == '\\' ? !scan_escape(s) : c >= 0x80 && !scan_wide(s))
			return false;
		if (c != '\\' && c < 0x80)
			s->at++;
	}
	return refuse_syntax(s);
}

static bool scan_scalar(struct scan *s)
{
	switch (s->at < s->end ? *s->at : '\0') {
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, STR("true"));
	case 'f':
		return scan_word(s, STR("false"));
	case 'n':
		return scan_word(s, STR("null"));
	default:
		return scan_number(s);
	}
}

/* "name": and the white space around it. */
static bool scan_name(struct scan *s)
{
	skip_space(s);
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (!take_char(s, ':'))
		return refuse_syntax(s);
	skip_space(s);
	return true;
}

/* The kinds of the open containers, as the brackets that close them. */
struct nest {
	char closer[DEPTH_MAX];
	unsigned depth, max_depth;
};

/* Go into containers until a value stands there that is complete: a scalar, or an empty one. */
static bool scan_down(struct scan *s, struct nest *nest)
{
	while (at_char(s, '{') || at_char(s, '[')) {
		if (nest->depth == nest->max_depth)
			return error_set(
				s->error, ERROR_INPUT, "nested deeper than %u", nest->max_depth);
		nest->closer[nest->depth] = *s->at++ == '{' ? '}' : ']';
		skip_space(s);
		if (take_char(s, nest->closer[nest->depth]))
			return true;
		if (nest->closer[nest->depth++] == '}' && !scan_name(s))
			return false;
	}
	return scan_scalar(s);
}

/* Behind a complete value: close what ends here. True when another value has to follow. */
static bool scan_up(struct scan *s, struct nest *nest)
{
	skip_space(s);
	while (nest->depth > 0 && take_char(s, nest->closer[nest->depth - 1])) {
		nest->depth--;
		skip_space(s);
	}
	return nest->depth > 0;
}

/* No recursion: the stack of open brackets is an array, so depth costs no C stack. */
bool json_scan(struct str text, unsigned max_depth, struct error *error)
{
	struct scan s = {text.data, text.data, text.data + text.size, error};
	struct nest nest = {.max_depth = max_depth < DEPTH_MAX ? max_depth : DEPTH_MAX};

	skip_space(&s);
	if (!scan_down(&s, &nest))
		return false;
	while (scan_up(&s, &nest)) {
		if (!take_char(&s, ','))
			return refuse_syntax(&s);
		skip_space(&s);
		if (nest.closer[nest.depth - 1] == '}' && !scan_name(&s))
			return false;
		if (!scan_down(&s, &nest))
			return false;
	}
	return s.at == s.end || refuse_syntax(&s);
}
