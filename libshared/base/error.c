/*
 * error: the one table that says what a kind of failure means to a client and to a retry loop.
 */
#include "error.h"

#include "str.h"

#include <stdio.h>

static const struct {
	const char *name;
	int http_status;
	bool may_retry;
} kinds[] = {
	[ERROR_NONE] = {"none", 200, false},
	[ERROR_INPUT] = {"input", 422, false},
	[ERROR_AUTH] = {"auth", 401, false},
	[ERROR_MISSING] = {"missing", 404, false},
	[ERROR_CONFLICT] = {"conflict", 409, false},
	[ERROR_BUSY] = {"busy", 503, true},
	[ERROR_UPSTREAM] = {"upstream", 502, true},
	[ERROR_INTERNAL] = {"internal", 500, false},
};

/* Words may hold what a client sent: keep them one line, and cut them between characters. */
static void store_text(struct error *error, const char *text)
{
	str_copy(error->text, sizeof(error->text), str_from(text));
	for (char *at = error->text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
	char text[sizeof(error->text) + 4]; /* longer, so that store_text() sees where to cut */
	va_list arguments;

	/* Callers that need no words pass NULL. */
	if (error == NULL)
		return false;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	error->kind = kind;
	store_text(error, text);
	return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
	/* Both parts whole, so that only the end is cut. */
	char text[2 * sizeof(error->text)];
	va_list arguments;
	size_t used;

	if (error == NULL)
		return false;
	va_start(arguments, format);
	vsnprintf(text, sizeof(error->text), format, arguments);
	va_end(arguments);
	used = strlen(text);
	str_copy(text + used, sizeof(text) - used, str_from(error->text));
	store_text(error, text);
	return false;
}

/* A kind that is none is our own fault, and must not read beyond the table. */
static enum error_kind known(enum error_kind kind)
{
	return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? kind : ERROR_INTERNAL;
}

int error_http_status(enum error_kind kind)
{
	return kinds[known(kind)].http_status;
}

bool error_may_retry(enum error_kind kind)
{
	return kinds[known(kind)].may_retry;
}

const char *error_kind_name(enum error_kind kind)
{
	return kinds[known(kind)].name;
}
