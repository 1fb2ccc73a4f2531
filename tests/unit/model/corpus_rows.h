/*
 * corpus_rows: the rows of tests/corpus/expected.jsonl: what each recorded scenario is, as calls.
 */
#ifndef CALLWEAVE_TESTS_CORPUS_ROWS_H
#define CALLWEAVE_TESTS_CORPUS_ROWS_H

#include "fold_corpus.h"

struct expected_transfer {
	struct str from, to, kind, result;
};

struct expected_call {
	struct str direction, external, line, caller, callee;
	bool answered;
	struct json_strings talkers, rang;
	struct json_list transfers;
};

struct expected {
	struct str scenario;
	struct json_list calls;
	int64_t final_messages_per_chat;
};

/* See the_rang_of_two_rows_is_not_in_their_events(). */
extern const char *const rang_in_other_order, *const rang_contradicted;

void row_read(const struct json *line, struct arena *arena, struct expected *row);
size_t row_scenario(const struct corpus *corpus, struct str scenario); /* its first event */

/* The first thing that differs; NULL when the call is as expected. */
const char *row_difference(
	const struct expected_call *want, const struct call *got, struct str scenario);
void print_call(const struct call *call);

#endif
