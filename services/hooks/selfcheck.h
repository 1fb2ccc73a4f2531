/*
 * selfcheck: what is wrong, before a caller finds it (P1): for operators, as JSON and as a page.
 */
#ifndef HOOKS_SELFCHECK_H
#define HOOKS_SELFCHECK_H

#include "hooks.h"

enum { SELFCHECK_MAX_PROBLEMS = 64, SELFCHECK_MAX_NUMBERS = 200, SELFCHECK_MAX_ROWS = 50 };

struct selfcheck_problem {
	const char *code;    /* for programs */
	const char *en, *ru; /* for people */
	const char *about;   /* a number, a URL, words; "" */
};

struct selfcheck_number {
	const char *number, *enterprise, *voice;
	bool has_token;
	struct str last_at, last_path, last_signature; /* "" none yet */
	int64_t last_status;
};

struct selfcheck_row { /* of requests of the last day */
	struct str what, last_at;
	int64_t count;
};

struct selfcheck {
	const char *base; /* URL, without a path */
	struct selfcheck_problem problems[SELFCHECK_MAX_PROBLEMS];
	unsigned problem_count;
	struct selfcheck_number numbers[SELFCHECK_MAX_NUMBERS];
	unsigned number_count;
	struct selfcheck_row unknown[SELFCHECK_MAX_ROWS], not_found[SELFCHECK_MAX_ROWS];
	unsigned unknown_count, not_found_count;
	int64_t refused; /* of the last day */
	bool database;
};

/* What is to be configured at Twilio, path by path. */
struct selfcheck_url {
	const char *path, *en, *ru; /* NULL path ends */
};
extern const struct selfcheck_url selfcheck_urls[];

void selfcheck_json(const struct selfcheck *check, struct buf *to);
void selfcheck_html(const struct selfcheck *check, bool russian, struct buf *to);

extern const struct flow_spec selfcheck_flow; /* GET /selfcheck */

#endif
