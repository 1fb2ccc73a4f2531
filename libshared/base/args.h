/*
 * args: the parameters of a request, wherever they stand: query string, form, or JSON body.
 *
 * A value that is no string in JSON (a number, an object) is its JSON text, which is also how a
 * form carries it.
 */
#ifndef CALLWEAVE_ARGS_H
#define CALLWEAVE_ARGS_H

#include "arena.h"
#include "buf.h"
#include "error.h"

#define ARGS_MAX 64

struct args {
	struct {
		struct str name, value;
		bool is_json; /* value is JSON text of something that is no string */
	} items[ARGS_MAX];
	size_t count;
};

struct args_source {
	struct str query, content_type, body;
};

/* Read the query, then the body by its content type. Strings live in the arena. */
bool args_read(struct args *args, const struct args_source *source, struct arena *arena,
	struct error *error);

/* The value of the first that has this name; empty when there is none. */
struct str args_get(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);
bool args_int(const struct args *args, const char *name, int64_t *value);
bool args_true(const struct args *args, const char *name); /* true, 1, yes, t, y, on */

/* Append as one JSON object. */
void args_write(const struct args *args, struct buf *to);

#endif
