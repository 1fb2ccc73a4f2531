/*
 * error: what went wrong, as a kind for the program and words for a person.
 *
 * Leaf functions return bool and take `struct error *` last; on false it is filled. One table
 * (error.c) alone maps a kind to an HTTP status and to "may it be tried again?".
 */
#ifndef CALLWEAVE_ERROR_H
#define CALLWEAVE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum error_kind {
	ERROR_NONE = 0,
	ERROR_INPUT,	/* the caller sent something wrong: 422 */
	ERROR_AUTH,	/* not known, or not allowed: 401 */
	ERROR_MISSING,	/* no such thing: 404 */
	ERROR_CONFLICT, /* clashes with what is there: 409 */
	ERROR_BUSY,	/* not now: 503, retry */
	ERROR_UPSTREAM, /* somebody that we asked failed: 502, retry */
	ERROR_INTERNAL, /* our own fault: 500 */
};

struct error {
	enum error_kind kind;
	char text[256]; /* one line, no secrets, cut when longer */
};

/* Fill and return false: `return error_set(error, ERROR_INPUT, "phone: missing");`. A NULL error
 * is allowed. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put words in front of an error that is already set: "config: " + text. Returns false. */
bool error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int error_http_status(enum error_kind kind);
bool error_may_retry(enum error_kind kind);
const char *error_kind_name(enum error_kind kind);

#endif
