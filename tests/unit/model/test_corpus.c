/*
 * test_corpus: every recorded scenario, folded, is exactly the calls that people took it for.
 */
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

/* Two rows were copied from the raw twin of a scenario whose emulated events differ from it; see
 * the_rang_of_two_rows_is_not_in_their_events(). */
static const char *const rang_in_other_order = "2-18/emulator";
static const char *const rang_contradicted = "2-23/emulator";

enum { MAX_CALLS = 16 };

struct outcome {
	struct call_fold *fold;
	int64_t ids[MAX_CALLS];
	size_t count;
};

static void note(struct outcome *outcome, const struct call_changes *changes)
{
	for (unsigned i = 0; i < changes->count; i++) {
		int64_t id = changes->items[i].call->id;
		size_t at = 0;

		while (at < outcome->count && outcome->ids[at] != id)
			at++;
		if (getenv("TRACE") != NULL)
			printf("    %lld v%u %s %s: %s%s\n", (long long)id,
				changes->items[i].call->version,
				call_direction_name(changes->items[i].call->direction),
				call_state_name(changes->items[i].call->state),
				changes->items[i].reason,
				changes->items[i].merged_into != 0 ? " (merged)" : "");
		if (changes->items[i].merged_into != 0) {
			if (at < outcome->count)
				outcome->ids[at] = outcome->ids[--outcome->count];
		} else if (at == outcome->count) {
			assert_true(outcome->count < MAX_CALLS);
			outcome->ids[outcome->count++] = id;
		}
	}
}

/* A UniqueId as another PBX would have given it: these tell nothing but that they are equal. */
enum naming { AS_SENT, PLACE_AT_RANDOM, ALL_AT_RANDOM, NO_NUMBERS, NAMINGS };

static const char *const naming_names[NAMINGS] = {
	"as sent", "with places at random", "at random", "that are no numbers"};

static struct str other_uid(struct arena *arena, struct str uid, enum naming naming)
{
	uint32_t random = 2166136261u; /* FNV-1a of the text: the same for the same one */

	for (size_t i = 0; i < uid.size; i++)
		random = (random ^ (unsigned char)uid.data[i]) * 16777619u;
	if (uid.size == 0 || naming == AS_SENT)
		return uid;
	if (naming == PLACE_AT_RANDOM)
		return str_from(arena_printf(
			arena, "%.*s.%u", 10, uid.data, (random ^ random >> 7) % 100000));
	if (naming == ALL_AT_RANDOM)
		return str_from(arena_printf(
			arena, "17%08u.%u", random % 100000000, (random ^ random >> 7) % 100000));
	return str_from(arena_printf(arena, "call-%08x", random));
}

static void fold_scenario(
	const struct corpus *corpus, size_t first, enum naming naming, struct outcome *outcome)
{
	const struct call_fold_rules rules = {.country = "BY"};
	struct clock_zone *zone = clock_zone_new("Europe/Minsk");
	int64_t at_ms = CORPUS_START_MS;
	struct call_changes changes;

	*outcome = (struct outcome){.fold = call_fold_new(&rules)};
	for (size_t i = first; i < corpus_end(corpus, first); i++) {
		struct call_event event = corpus_read(corpus, i, zone);

		at_ms += corpus->events[i].delay_ms;
		event.at_ms = at_ms;
		event.unique_id = other_uid(corpus->arena, event.unique_id, naming);
		call_fold_event(outcome->fold, &event, &changes);
		if (getenv("TRACE") != NULL)
			printf("  %s %.*s\n", call_event_type_name(event.type),
				STR_ARG(event.unique_id));
		note(outcome, &changes);
	}
	call_fold_tick(outcome->fold, at_ms + 200000, &changes);
	note(outcome, &changes);
	clock_zone_free(&zone);
}

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

/* The first thing that differs; NULL when the call is as expected. */
static const char *difference(
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

static void print_call(const struct call *call)
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

static size_t find_scenario(const struct corpus *corpus, struct str scenario)
{
	size_t first = 0;

	while (first < corpus->count && !str_equal(corpus->events[first].scenario, scenario))
		first = corpus_end(corpus, first);
	assert_true(first < corpus->count);
	return first;
}

static bool check_row(const struct corpus *corpus, const struct expected *row, enum naming naming)
{
	struct outcome outcome;
	const char *wrong = NULL;

	if (getenv("TRACE") != NULL)
		printf("## %.*s\n", STR_ARG(row->scenario));
	fold_scenario(corpus, find_scenario(corpus, row->scenario), naming, &outcome);
	if (outcome.count != row->calls.count)
		wrong = "number of calls";
	for (size_t i = 0; i < outcome.count && wrong == NULL; i++)
		wrong = difference((struct expected_call *)row->calls.items + i,
			call_fold_find(outcome.fold, outcome.ids[i]), row->scenario);
	if (wrong != NULL) {
		printf("    %.*s, UniqueIds %s: %s\n", STR_ARG(row->scenario), naming_names[naming],
			wrong);
		for (size_t i = 0; i < outcome.count; i++)
			print_call(call_fold_find(outcome.fold, outcome.ids[i]));
	}
	call_fold_free(&outcome.fold);
	return wrong == NULL;
}

/* Does any event of the scenario have this number in any field? */
static bool is_named(const struct corpus *corpus, size_t first, const char *number)
{
	for (size_t i = first; i < corpus_end(corpus, first); i++) {
		struct str text = corpus->events[i].text;
		char *copy = arena_strndup(corpus->arena, text.data, text.size);
		char quoted[32];
		char device[32];

		snprintf(quoted, sizeof(quoted), "\"%s\"", number);
		snprintf(device, sizeof(device), "/%s", number);
		if (strstr(copy, quoted) != NULL || strstr(copy, device) != NULL)
			return true;
	}
	return false;
}

/* 2-18/emulator rings 151, 152, 150, and its row says 150, 151, 152; that is no order of numbers
 * either, for 2-30/emulator rings 300, 151, 152 and its row says so. 2-23/emulator rings 300 where
 * its row has 150, and 150 is in none of its events; 2-30/emulator has the very same dial, and 300 in
 * its row. No rule over the events can give both. */
static void the_rang_of_two_rows_is_not_in_their_events(void **state)
{
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	size_t contradicted = find_scenario(&corpus, str_from(rang_contradicted));

	(void)state;
	assert_true(is_named(&corpus, contradicted, "300"));
	assert_false(is_named(&corpus, contradicted, "150"));
	assert_true(is_named(&corpus, find_scenario(&corpus, STR("2-23/raw")), "150"));
	assert_true(is_named(&corpus, find_scenario(&corpus, STR("2-30/emulator")), "300"));
	assert_false(is_named(&corpus, find_scenario(&corpus, STR("2-30/emulator")), "150"));
	assert_true(
		is_named(&corpus, find_scenario(&corpus, str_from(rang_in_other_order)), "150"));
	corpus_free(&corpus);
}

/* -- all of them at once, in one tenant ----------------------------------------------------------- */

enum { ROWS = 64 };

struct all {
	struct corpus corpus, rows;
	struct expected expected[ROWS];
	size_t first[ROWS];
	int64_t first_place[ROWS]; /* the least of the row's UniqueIds */
	struct clock_zone *zone;
};

/* How one PBX might have counted the channels of all these calls; numbers, lines and names of channels
 * stay as they are. */
struct counting {
	const char *name;
	int64_t apart;	 /* from the first channel of one call to the first of the next */
	bool one_moment; /* all in one second */
	size_t most;	 /* of one call at a time */
};

static const struct counting countings[] = {
	{"far apart", 10000, false, 8},
	{"far apart, at one moment", 10000, true, 8},
	/* From six on, the one event of 3-2, "151 called 152 in vain", comes while the 151 of 1-6 is
	 * aside: what a colleague who did not answer looks like, and nothing tells them apart. */
	{"next to each other", 32, true, 5},
};

static int64_t place_of(struct str uid)
{
	int64_t place = 0;

	str_cut(&uid, '.');
	assert_true(str_to_int64(uid, &place));
	return place;
}

static struct str renamed_uid(
	struct all *all, struct str uid, size_t row, const struct counting *counting)
{
	struct str rest = uid;
	struct str second = counting->one_moment ? STR("1757765679") : str_cut(&rest, '.');
	int64_t place;

	if (uid.size == 0)
		return uid;
	place = (int64_t)(row + 1) * counting->apart + place_of(uid) - all->first_place[row];
	return str_from(
		arena_printf(all->corpus.arena, "%.*s.%lld", STR_ARG(second), (long long)place));
}

static struct str renamed_bridge(struct arena *arena, struct str id, size_t row)
{
	if (id.size == 0)
		return id;
	return str_from(arena_printf(arena, "%02zu%.*s", row, STR_ARG(id)));
}

static int64_t least_place(const struct all *all, size_t row)
{
	int64_t least = INT64_MAX;

	for (size_t i = all->first[row]; i < corpus_end(&all->corpus, all->first[row]); i++) {
		struct call_event event = corpus_read(&all->corpus, i, all->zone);

		if (event.unique_id.size > 0 && place_of(event.unique_id) < least)
			least = place_of(event.unique_id);
	}
	return least;
}

static struct all all_rows(void)
{
	struct all all = {.corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl"),
		.rows = corpus_load(TESTS_DIR "/corpus/expected.jsonl"),
		.zone = clock_zone_new("Europe/Minsk")};
	struct error error = {0};

	assert_true(all.rows.count <= ROWS);
	for (size_t i = 0; i < all.rows.count; i++) {
		assert_true(json_read(all.rows.lines[i], expected_fields, &all.expected[i],
			all.rows.arena, &error));
		all.first[i] = find_scenario(&all.corpus, all.expected[i].scenario);
		all.first_place[i] = least_place(&all, i);
	}
	return all;
}

static void free_all(struct all *all)
{
	corpus_free(&all->corpus);
	corpus_free(&all->rows);
	clock_zone_free(&all->zone);
}

struct playing {
	struct all *all;
	struct call_fold *fold;
	const struct counting *counting;
	int64_t at_ms;
};

static void fold_row_event(struct playing *playing, size_t row, size_t at)
{
	struct all *all = playing->all;
	struct call_event event = corpus_read(&all->corpus, at, all->zone);
	struct call_changes changes;

	event.unique_id = renamed_uid(all, event.unique_id, row, playing->counting);
	event.bridge_id = renamed_bridge(all->corpus.arena, event.bridge_id, row);
	event.at_ms = playing->at_ms += 20;
	call_fold_event(playing->fold, &event, &changes);
	for (unsigned i = 0; i < changes.count && getenv("TRACE") != NULL; i++)
		printf("  %zu %s %.*s: %lld %s\n", row, call_event_type_name(event.type),
			STR_ARG(event.unique_id), (long long)changes.items[i].call->id,
			changes.items[i].reason);
}

/* Event by event, `together` of each at a time, the rows in turn. */
static struct call_fold *fold_all(struct all *all, const struct counting *counting, size_t together)
{
	const struct call_fold_rules rules = {.country = "BY"};
	struct playing playing = {all, call_fold_new(&rules), counting, CORPUS_START_MS};
	struct call_changes changes;
	bool more = true;

	for (size_t round = 0; more; round += together) {
		more = false;
		for (size_t row = 0; row < all->rows.count; row++) {
			size_t end = corpus_end(&all->corpus, all->first[row]);

			for (size_t i = round; i < round + together; i++) {
				if (all->first[row] + i >= end)
					break;
				more = true;
				fold_row_event(&playing, row, all->first[row] + i);
			}
		}
	}
	call_fold_tick(playing.fold, playing.at_ms + 200000, &changes);
	return playing.fold;
}

static bool is_of_row(const struct call *call, size_t row, const struct counting *counting)
{
	int64_t place;

	if (call == NULL || call->unique_id_count == 0)
		return false;
	place = place_of(str_from(call->unique_ids[0])) - (int64_t)(row + 1) * counting->apart;
	return place >= 0 && place < counting->apart;
}

/* The call that has the row's first channel as its own. */
static bool check_one_of_all(const struct all *all, const struct call_fold *fold, size_t row,
	const struct counting *counting)
{
	const struct expected *expected = &all->expected[row];
	const char *wrong = NULL;
	size_t found = 0;

	for (size_t id = 1; id <= all->corpus.count; id++) {
		const struct call *call = call_fold_find(fold, (int64_t)id);

		if (!is_of_row(call, row, counting))
			continue;
		found++;
		wrong = difference(
			(struct expected_call *)expected->calls.items, call, expected->scenario);
		if (wrong == NULL && found == 1)
			continue;
		printf("    %.*s at once: %s\n", STR_ARG(expected->scenario),
			wrong != NULL ? wrong : "two calls");
		print_call(call);
	}
	if (found == 0)
		printf("    %.*s at once: no such call\n", STR_ARG(expected->scenario));
	return wrong == NULL && found == 1;
}

static size_t wrong_at_once(struct all *all, const struct counting *counting, size_t together)
{
	struct call_fold *fold = fold_all(all, counting, together);
	size_t exact = 0;
	size_t wrong;

	for (size_t row = 0; row < all->rows.count; row++)
		exact += check_one_of_all(all, fold, row, counting);
	wrong = all->rows.count - exact + (call_fold_remembered(fold) != all->rows.count);
	if (wrong > 0)
		printf("    %s, %zu at a time: %zu of %zu rows, %u calls\n", counting->name,
			together, exact, all->rows.count, call_fold_remembered(fold));
	call_fold_free(&fold);
	return wrong;
}

/* The same numbers, line, extensions and names of channels in all of them, at the same time. */
static void all_at_once_in_one_tenant(void **state)
{
	struct all all = all_rows();
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(countings) / sizeof(countings[0]); i++) {
		for (size_t together = 1; together <= countings[i].most; together++)
			wrong += wrong_at_once(&all, &countings[i], together);
	}
	free_all(&all);
	assert_int_equal(wrong, 0);
}

static void every_scenario_is_the_call_that_it_was(void **state)
{
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	struct corpus rows = corpus_load(TESTS_DIR "/corpus/expected.jsonl");
	struct error error = {0};
	size_t exact = 0;

	(void)state;
	for (size_t i = 0; i < rows.count; i++) {
		struct expected row = {0};

		assert_true(json_read(rows.lines[i], expected_fields, &row, rows.arena, &error));
		for (int naming = 0; naming < NAMINGS; naming++)
			exact += check_row(&corpus, &row, (enum naming)naming);
	}
	printf("    %zu of %zu are as expected (the rang of two: see above)\n", exact,
		rows.count * NAMINGS);
	assert_int_equal(exact, rows.count * NAMINGS);
	corpus_free(&rows);
	corpus_free(&corpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scenario_is_the_call_that_it_was),
		cmocka_unit_test(the_rang_of_two_rows_is_not_in_their_events),
		cmocka_unit_test(all_at_once_in_one_tenant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
