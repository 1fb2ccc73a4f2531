/*
 * json: documents read and written by tables of fields. The only user of cJSON.
 *
 * Reading is strict: bounded size and depth, well-formed UTF-8, no \u0000, no lone surrogate,
 * numbers that a double can hold (at most 63 characters), nothing behind the document. (All of it
 * is a subset of what PostgreSQL's jsonb takes, so that what was read can always be stored.) Of
 * members with the same name the last one counts, as in jsonb.
 */
#ifndef CALLWEAVE_JSON_H
#define CALLWEAVE_JSON_H

#include "arena.h"
#include "buf.h"
#include "error.h"

struct json; /* a parsed value */

struct json_limits {
	size_t max_bytes;
	unsigned max_depth; /* arrays and objects inside each other; above 256 means 256 */
};

/* Parse `text`. The document belongs to the caller: json_free(). Errors are ERROR_INPUT and say
 * where: "invalid JSON at byte 17", "nested deeper than 16", "not valid UTF-8 at byte 4". */
struct json *json_parse(struct str text, struct json_limits limits, struct error *error);
void json_free(struct json **json);

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };
enum json_kind json_kind(const struct json *json);

enum json_type {
	JSON_STRING,  /* struct str, copied into the arena */
	JSON_INT64,   /* int64_t */
	JSON_DOUBLE,  /* double */
	JSON_BOOL,    /* bool */
	JSON_STRINGS, /* struct json_strings */
	JSON_NESTED,  /* a struct described by `fields`, `size_bytes` */
	JSON_LIST,    /* struct json_list of structs described by `fields`, `size_bytes` */
	JSON_RAW, /* const struct json *: any value, valid while the document lives. Reading only */
};

enum {
	JSON_REQUIRED = 1, /* missing or null: "phone: missing" */
	JSON_LAX = 2, /* STRING, items of STRINGS: also number, bool; INT64: also "12" or "" (=0) */
	JSON_SKIP_EMPTY = 4, /* writing: leave the member out when it is empty, 0 or false */
};

struct json_strings {
	struct str *items;
	size_t count;
};

struct json_list {
	void *items; /* array of the element struct */
	size_t count;
};

struct json_field {
	const char *name; /* NULL ends the table */
	enum json_type type;
	size_t offset;
	unsigned flags;
	const struct json_field *fields; /* NESTED, LIST */
	size_t size_bytes;		 /* NESTED, LIST: of the struct */
	size_t max_count;		 /* STRINGS, LIST: 0 means 256 */
};

/* JSON_FIELD(struct x, phone, JSON_STRING, JSON_REQUIRED) reads member "phone" into x.phone. */
#define JSON_FIELD(owner, member, kind, flag)                                                      \
	{                                                                                          \
		.name = #member, .type = (kind), .offset = offsetof(owner, member),                \
		.flags = (flag)                                                                    \
	}
/* The same for a member whose JSON name differs. */
#define JSON_FIELD_AS(owner, member, json_name, kind, flag)                                        \
	{                                                                                          \
		.name = (json_name), .type = (kind), .offset = offsetof(owner, member),            \
		.flags = (flag)                                                                    \
	}

/* Read an object into `to` (zeroed by the caller where absent members should be zero). Unknown
 * members are ignored. Errors name the field: "Extensions[3]: not a string". */
bool json_read(const struct json *json, const struct json_field *fields, void *to,
	struct arena *arena, struct error *error);

/* Append `from` as an object. */
void json_write(struct buf *to, const struct json_field *fields, const void *from);

/* Append any parsed value as text: compact, or indented by two spaces (non-ASCII kept as it is). */
void json_print(struct buf *to, const struct json *json, bool indented);

/* Member of an object, item of an array: for data whose shape is not fixed. NULL when absent. */
const struct json *json_member(const struct json *json, const char *name);
const struct json *json_item(const struct json *json, size_t index);
size_t json_count(const struct json *json);
struct str json_text(const struct json *json);	/* JSON_TEXT; empty for other kinds */
double json_number(const struct json *json);	/* JSON_NUMBER; 0 for other kinds */
bool json_is_true(const struct json *json);	/* JSON_BOOLEAN; false for other kinds */
const char *json_name(const struct json *json); /* the name of a member; NULL outside an object */

/* Walk an array or object: for (at = json_first(json); at != NULL; at = json_next(at)). */
const struct json *json_first(const struct json *json);
const struct json *json_next(const struct json *json);

/* A writer for answers that no table describes. Commas are its business; nesting up to 16. */
struct json_writer {
	struct buf *buf;
	unsigned depth;
	bool has_member[16];
	bool after_name;
};

void json_begin(struct json_writer *writer, struct buf *buf);
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_put_name(struct json_writer *writer, const char *name);
void json_put_str(struct json_writer *writer, struct str text);
void json_put_int(struct json_writer *writer, int64_t value);
void json_put_double(struct json_writer *writer, double value);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
void json_put_raw(struct json_writer *writer, struct str json_text); /* already JSON */

/* Append `text` as a quoted JSON string. Bytes that are no UTF-8, and NUL, become U+FFFD: what was
 * written can always be read again. */
void json_add_string(struct buf *to, struct str text);

#endif
