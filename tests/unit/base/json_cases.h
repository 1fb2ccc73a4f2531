/*
 * json_cases: texts and what json_parse() says of them.
 *
 * `jsonb` tells what PostgreSQL 15 (UTF-8 database) made of the same bytes; the column was filled
 * by casting each of them. Nothing that jsonb refuses may be taken; the other way round is allowed,
 * and the reason stands beside it.
 */
#ifndef CALLWEAVE_TESTS_JSON_CASES_H
#define CALLWEAVE_TESTS_JSON_CASES_H

#include "str.h"

struct json_case {
	struct str text;
	const char *error; /* NULL: taken */
	bool jsonb;
};

extern const struct json_case json_cases[];
extern const size_t json_case_count;

#endif
