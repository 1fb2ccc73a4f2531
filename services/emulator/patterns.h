/*
 * patterns: captured calls as data: their events with placeholders, and the fields that fill them.
 *
 * The files patterns/<key>.json are made from captures by tests/support/make_patterns.py and are part
 * of the program; patterns/catalogue.json names all 45 kinds of calls, captured or not.
 */
#ifndef EMULATOR_PATTERNS_H
#define EMULATOR_PATTERNS_H

#include "json.h"

struct pattern_field {
	struct str name;  /* of the form: "internal_phone" */
	struct str kind;  /* "phone", "extension", "line" */
	struct str role;  /* the placeholder that it fills; several fields may fill one */
	struct str usual; /* the field whose value it takes when it is empty; "": somebody else */
	bool required;
};

/* A placeholder that follows from another field: the mobile phone of a manager. */
struct pattern_derived {
	struct str role, from, column, fallback;
};

struct pattern_step {
	struct str event; /* "dial" */
	int64_t delay_ms; /* since the step before */
	bool talk;	  /* its delay is the conversation */
	const struct json *body;
};

struct pattern {
	int64_t id;	    /* 1 to 45 */
	struct str key;	    /* "2-1" */
	struct str primary; /* the placeholder of the call's own id: "uid1" */
	int64_t lead_ms;    /* the call began so long before its first event */
	struct json_list fields, derived, steps;
};

struct patterns;

/* NULL with words when a file is damaged. */
struct patterns *patterns_new(struct error *error);
void patterns_free(struct patterns **patterns);

/* NULL when there is no capture; `key` is then its name, or "" when there is no such id. */
const struct pattern *patterns_find(const struct patterns *patterns, int64_t id, struct str *key);

/* Append all of it for the page: {"patterns":[{id, key, title, captured, fields, events}]}. */
void patterns_write(const struct patterns *patterns, struct buf *to);

#endif
