/*
 * test_corpus_at_once: all recorded scenarios under way at the same time in one tenant, with the same
 * numbers, lines and names of channels, are still the calls that they were.
 */
#include "corpus_rows.h"

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

	assert_true(all.rows.count <= ROWS);
	for (size_t i = 0; i < all.rows.count; i++) {
		row_read(all.rows.lines[i], all.rows.arena, &all.expected[i]);
		all.first[i] = row_scenario(&all.corpus, all.expected[i].scenario);
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
		wrong = row_difference(
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once_in_one_tenant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
