/*
 * crm_check: is a request's body what the CRM's documentation asks for? By tables of fields, so that
 * each CRM's strictness can be read beside its documentation.
 */
#ifndef SANDBOX_CRM_CHECK_H
#define SANDBOX_CRM_CHECK_H

#include "args.h"
#include "json.h"

enum check_type {
	CHECK_TEXT,   /* not empty */
	CHECK_STRING, /* may be empty */
	CHECK_INT,    /* a whole number, not negative; in forms as digits */
	CHECK_BOOL,
	CHECK_TIME,	/* 2026-11-21 12:00:00 */
	CHECK_TIME_MS,	/* 2026-11-21 12:00:00.000 */
	CHECK_TIME_ISO, /* 2026-11-21T12:00:00+03:00, or Z */
	CHECK_PHONE,
	CHECK_URL,
	CHECK_ONE_OF, /* of `values` */
	CHECK_TEXTS,  /* an array of texts that are not empty */
	CHECK_INTS,
	CHECK_URLS,
	CHECK_OBJECT, /* of `fields` */
	CHECK_LIST,   /* of objects of `fields` */
	CHECK_ANY,
};

struct check_field {
	const char *name; /* NULL ends the table */
	enum check_type type;
	bool required;
	const char *const *values;
	const struct check_field *fields;
};

/* Lines of such a table. */
#define MAY(member, kind)                                                                          \
	{                                                                                          \
		.name = (member), .type = (kind)                                                   \
	}
#define MUST(member, kind)                                                                         \
	{                                                                                          \
		.name = (member), .type = (kind), .required = true                                 \
	}
#define MAY_BE(member, one_of)                                                                     \
	{                                                                                          \
		.name = (member), .type = CHECK_ONE_OF, .values = (one_of)                         \
	}
#define MUST_BE(member, one_of)                                                                    \
	{                                                                                          \
		.name = (member), .type = CHECK_ONE_OF, .values = (one_of), .required = true       \
	}
#define MAY_HOLD(member, kind, inner)                                                              \
	{                                                                                          \
		.name = (member), .type = (kind), .fields = (inner)                                \
	}
#define MUST_HOLD(member, kind, inner)                                                             \
	{                                                                                          \
		.name = (member), .type = (kind), .fields = (inner), .required = true              \
	}

enum check_fault { CHECK_MISSING, CHECK_WRONG_TYPE, CHECK_WRONG_VALUE, CHECK_UNKNOWN };

struct check_problem {
	enum check_fault fault;
	char name[96]; /* "integrations.telephony.makeCallUrl" */
};

enum {
	CHECK_LAX = 1,	    /* numbers may be texts, as PHP takes them */
	CHECK_NO_EXTRA = 2, /* members that the table does not know are a fault */
};

/* False with the first problem, in the table's order. */
bool check_object(const struct json *object, const struct check_field *fields, unsigned flags,
	struct check_problem *problem);
/* The same for parameters; those that came as text are read as what they should be. */
bool check_args(
	const struct args *args, const struct check_field *fields, struct check_problem *problem);

/* One value in words: "is missing", "has a wrong type". */
const char *check_words(enum check_fault fault);

bool check_is_phone(struct str text);

#endif
