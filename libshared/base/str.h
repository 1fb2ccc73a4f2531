/*
 * str: a slice of text that somebody else owns.
 *
 * Not NUL-terminated. Passed by value. An empty slice has size 0 and may have data NULL.
 */
#ifndef CALLWEAVE_STR_H
#define CALLWEAVE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *data;
	size_t size;
};

/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s)   (int)(s).size, (s).data != NULL ? (s).data : ""
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

static inline struct str str_from(const char *text) /* NULL gives an empty slice */
{
	return (struct str){text, text != NULL ? strlen(text) : 0};
}

static inline struct str str_of(const char *data, size_t size)
{
	return (struct str){data, size};
}

bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_trim(struct str s); /* ASCII white space off both ends */
bool str_is_digits(struct str s);  /* at least one digit and nothing else */

/* Cut `*rest` at the first `separator`: the part before it is returned, `*rest` is what follows
 * (data NULL when there was no separator left). */
struct str str_cut(struct str *rest, char separator);

/* The whole slice as a decimal number; false on anything else or on overflow. */
bool str_to_int64(struct str s, int64_t *value);

/* The value of a hexadecimal digit; -1 for any other character. */
int str_hex_digit(char c);

/* True when `s` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, <= U+10FFFF). */
bool str_is_utf8(struct str s);

/* Bytes of the first character of `s`; 0 when it is not well-formed UTF-8, or `s` is empty. */
size_t str_utf8_size(struct str s);

/* Copy into a char array of `capacity` bytes, cut at a UTF-8 boundary, always NUL-ended.
 * False when it had to be cut. */
bool str_copy(char *to, size_t capacity, struct str from);

/* Equal, in a time that depends on the sizes alone: for tokens and signatures. */
bool str_equal_secret(struct str a, struct str b);

#endif
