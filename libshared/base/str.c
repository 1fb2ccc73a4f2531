/*
 * str: slices compared, cut, checked and copied. No allocation, no locale.
 */
#include "str.h"

/* memcmp() must not see NULL, not even with size 0. */
bool str_equal(struct str a, struct str b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Not tolower(): the locale has no say in header names. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_equal_nocase(struct str a, struct str b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	}
	return true;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.size >= prefix.size && str_equal(str_of(s.data, prefix.size), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	if (suffix.size == 0)
		return true;
	return s.size >= suffix.size &&
	       str_equal(str_of(s.data + (s.size - suffix.size), suffix.size), suffix);
}

/* What isspace() takes in the C locale. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.size > 0 && is_space(s.data[0])) {
		s.data++;
		s.size--;
	}
	while (s.size > 0 && is_space(s.data[s.size - 1]))
		s.size--;
	return s;
}

/* An empty text is no number: callers need not look for it first. */
bool str_is_digits(struct str s)
{
	for (size_t i = 0; i < s.size; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	}
	return s.size > 0;
}

/* Behind the last part the rest has no data, which tells an empty last part ("a,") from no more
 * parts. */
struct str str_cut(struct str *rest, char separator)
{
	const char *found = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
	struct str part = *rest;

	if (found == NULL) {
		*rest = str_of(NULL, 0);
		return part;
	}
	part.size = (size_t)(found - part.data);
	*rest = str_of(found + 1, rest->size - part.size - 1);
	return part;
}

/* No isxdigit() and no strtol(): the one has a locale, the other takes a sign and spaces. */
int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_to_int64(struct str s, int64_t *value)
{
	bool negative = s.size > 0 && s.data[0] == '-';
	struct str digits = negative ? str_of(s.data + 1, s.size - 1) : s;
	int64_t sum = 0;

	if (!str_is_digits(digits))
		return false;
	/* Summed below zero, because INT64_MIN has no positive twin. */
	for (size_t i = 0; i < digits.size; i++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
			__builtin_sub_overflow(sum, digits.data[i] - '0', &sum))
			return false;
	}
	if (!negative && sum == INT64_MIN)
		return false;
	*value = negative ? sum : -sum;
	return true;
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The second byte carries the rules of RFC 3629: no overlong form, no surrogate, no end. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return is_continuation(second);
	}
}

/* c0 and c1 would only begin overlong forms; above f4 lies nothing. */
static size_t size_from_first_byte(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first < 0xe0)
		return 2;
	return first < 0xf0 ? 3 : 4;
}

/* One character at a time, so that callers can replace exactly the bytes that are wrong. */
size_t str_utf8_size(struct str s)
{
	const unsigned char *bytes = (const unsigned char *)s.data;
	size_t size = s.size > 0 ? size_from_first_byte(bytes[0]) : 0;

	if (size <= 1)
		return size;
	if (size > s.size || !second_byte_fits(bytes[0], bytes[1]))
		return 0;
	for (size_t i = 2; i < size; i++) {
		if (!is_continuation(bytes[i]))
			return 0;
	}
	return size;
}

/* How many bytes from there on are ASCII for sure: eight at a time, most text is nothing else. */
static size_t ascii_run(struct str s, size_t from)
{
	const uint64_t high_bits = UINT64_C(0x8080808080808080);
	size_t at = from;
	uint64_t word;

	for (; s.size - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, s.data + at, sizeof(word));
		if ((word & high_bits) != 0)
			break;
	}
	return at - from;
}

bool str_is_utf8(struct str s)
{
	for (size_t at = ascii_run(s, 0); at < s.size;) {
		size_t size = str_utf8_size(str_of(s.data + at, s.size - at));

		if (size == 0)
			return false;
		at += size;
		if (size == 1)
			at += ascii_run(s, at);
	}
	return true;
}

/* The rule for callers: what is shown to people never ends in half a letter. */
bool str_copy(char *to, size_t capacity, struct str from)
{
	size_t size = from.size;
	size_t back = 0;

	if (capacity == 0)
		return false;
	if (size >= capacity) {
		size = capacity - 1;
		/* Bounded, so that bytes that are no UTF-8 at all are still copied. */
		while (back < 3 && back < size &&
			is_continuation((unsigned char)from.data[size - back]))
			back++;
		if (!is_continuation((unsigned char)from.data[size - back]))
			size -= back;
	}
	if (size > 0)
		memcpy(to, from.data, size);
	to[size] = '\0';
	return size == from.size;
}

/* The time that it takes must not tell how many bytes of a token were right. That sizes differ
 * is no secret. */
bool str_equal_secret(struct str a, struct str b)
{
	volatile unsigned char difference = 0; /* volatile: the loop may not stop early */

	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		difference |= (unsigned char)((unsigned char)a.data[i] ^ (unsigned char)b.data[i]);
	return difference == 0;
}
