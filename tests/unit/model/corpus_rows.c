/* corpus_rows: see corpus_rows.h. */
#include "corpus_rows.h"

static const struct json_field transfer_fields[] = {
	JSON_FIELD(struct expected_transfer, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct expected_transfer, to, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct expected_transfer, kind, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct expected_transfer, result, JSON_STRING, JSON_REQUIRED),
	{0},
};

static const struct json_field call_fields[] = {
	JSON_FIELD(struct expected_call, direction, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct expected_call, external, JSON_STRING, 0),
	JSON_FIELD(struct expected_call, line, JSON_STRING, 0),
	JSON_FIELD(struct expected_call, caller, JSON_STRING, 0),
	JSON_FIELD(struct expected_call, callee, JSON_STRING, 0),
	JSON_FIELD(struct expected_call, answered, JSON_BOOL, JSON_REQUIRED),
	JSON_FIELD(struct expected_call, talkers, JSON_STRINGS, JSON_REQUIRED),
	JSON_FIELD(struct expected_call, rang, JSON_STRINGS, 0),
	{.name = "transfers",
		.type = JSON_LIST,
		.offset = offsetof(struct expected_call, transfers),
		.fields = transfer_fields,
		.size_bytes = sizeof(struct expected_transfer)},
	{0},
};

static const struct json_field expected_fields[] = {
	JSON_FIELD(struct expected, scenario, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct expected, final_messages_per_chat, JSON_INT64, JSON_REQUIRED),
	{.name = "calls",
		.type = JSON_LIST,
		.offset = offsetof(struct expected, calls),
		.fields = call_fields,
		.size_bytes = sizeof(struct expected_call)},
	{0},
};

const char *const rang_in_other_order = "2-18/emulator";
const char *const rang_contradicted = "2-23/emulator";

static bool same(struct str expected, const char *actual)
{
	return str_equal(expected, str_from(actual));
}

static bool same_numbers(
	const struct json_strings *expected, const struct call_numbers *actual, bool in_order)
{
	if (expected->count != actual->count)
		return false;
	for (size_t i = 0; i < expected->count; i++) {
		bool found = false;

		for (unsigned j = 0; j < actual->count; j++)
			found = found || ((!in_order || i == j) &&
						 same(expected->items[i], actual->items[j]));
		if (!found)
			return false;
	}
	return true;
}

static bool same_transfers(const struct json_list *expected, const struct call *call)
{
	if (expected->count != call->transfer_count)
		return false;
	for (size_t i = 0; i < expected->count; i++) {
		const struct expected_transfer *want =
			(struct expected_transfer *)expected->items + i;
		const struct call_transfer *got = &call->transfers[i];

		if (!same(want->from, got->from) || !same(want->to, got->to) ||
			!same(want->kind, call_transfer_kind_name(got->kind)) ||
			!same(want->result, call_transfer_result_name(got->result)))
			return false;
	}
	return true;
}

static bool same_rang(
	const struct json_strings *expected, const struct call *call, struct str scenario)
{
	if (expected->count == 0 || same(scenario, rang_contradicted))
		return true;
	return same_numbers(expected, &call->rang, !same(scenario, rang_in_other_order));
}

const char *row_difference(
	const struct expected_call *want, const struct call *got, struct str scenario)
{
	if (got->state != CALL_ENDED)
		return "state";
	if (!same(want->direction, call_direction_name(got->direction)))
		return "direction";
	if (want->answered != got->answered)
		return "answered";
	if (!same_numbers(&want->talkers, &got->talkers, true))
		return "talkers";
	if (!same(want->external, got->external))
		return "external";
	if (!same_rang(&want->rang, got, scenario))
		return "rang";
	if (!same(want->line, got->line))
		return "line";
	if (want->caller.size > 0 && !same(want->caller, got->caller))
		return "caller";
	if (!same(want->callee, got->direction == CALL_INTERNAL ? got->callee : ""))
		return "callee";
	return same_transfers(&want->transfers, got) ? NULL : "transfers";
}

void print_call(const struct call *call)
{
	printf("      got %s %s answered=%d external=%s caller=%s callee=%s line=%s talkers=",
		call_direction_name(call->direction), call_state_name(call->state), call->answered,
		call->external, call->caller, call->callee, call->line);
	for (unsigned i = 0; i < call->talkers.count; i++)
		printf("%s,", call->talkers.items[i]);
	printf(" rang=");
	for (unsigned i = 0; i < call->rang.count; i++)
		printf("%s,", call->rang.items[i]);
	for (unsigned i = 0; i < call->transfer_count; i++)
		printf(" [%s>%s %s %s]", call->transfers[i].from, call->transfers[i].to,
			call_transfer_kind_name(call->transfers[i].kind),
			call_transfer_result_name(call->transfers[i].result));
	printf("\n");
}

size_t row_scenario(const struct corpus *corpus, struct str scenario)
{
	size_t first = 0;

	while (first < corpus->count && !str_equal(corpus->events[first].scenario, scenario))
		first = corpus_end(corpus, first);
	assert_true(first < corpus->count);
	return first;
}

void row_read(const struct json *line, struct arena *arena, struct expected *row)
{
	struct error error = {0};

	*row = (struct expected){0};
	assert_true(json_read(line, expected_fields, row, arena, &error));
}
