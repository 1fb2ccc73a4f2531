/*
 * test_fold_properties: what must hold however the events of the recorded calls arrive.
 *
 * Repeated, without the kinds that most hosts do not send, all calls at once, with a new owner
 * after each event: the calls are the same.
 */
#include "fold_corpus.h"

enum { MAX_SCENARIOS = 64, TEXT_BYTES = 1 << 20 };

struct fixture {
	struct corpus corpus;
	struct clock_zone *zone;
	size_t first[MAX_SCENARIOS];
	size_t scenario_count;
};

static int set_up(void **state)
{
	struct fixture *fixture = alloc_zeroed(1, sizeof(*fixture));

	fixture->corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	fixture->zone = clock_zone_new("Europe/Minsk");
	for (size_t at = 0; at < fixture->corpus.count; at = corpus_end(&fixture->corpus, at))
		fixture->first[fixture->scenario_count++] = at;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	corpus_free(&fixture->corpus);
	clock_zone_free(&fixture->zone);
	free(fixture);
	return 0;
}

static struct call_fold *new_fold(void)
{
	const struct call_fold_rules rules = {.country = "BY"};

	return call_fold_new(&rules);
}

/* A call as text: all that people and reports are shown, without ids and times. */
static void describe(const struct call *call, struct buf *to)
{
	buf_printf(to, "%s %s answered=%d external=%s caller=%s callee=%s line=%s talkers=",
		call_direction_name(call->direction), call_state_name(call->state), call->answered,
		call->external, call->caller, call->callee, call->line);
	for (unsigned i = 0; i < call->talkers.count; i++)
		buf_printf(to, "%s,", call->talkers.items[i]);
	buf_printf(to, " rang=");
	for (unsigned i = 0; i < call->rang.count; i++)
		buf_printf(to, "%s,", call->rang.items[i]);
	for (unsigned i = 0; i < call->transfer_count; i++)
		buf_printf(to, " %s>%s %s %s", call->transfers[i].from, call->transfers[i].to,
			call_transfer_kind_name(call->transfers[i].kind),
			call_transfer_result_name(call->transfers[i].result));
	buf_printf(to, "\n");
}

/* The calls that are there, in the order of their ids, none left out. */
static void describe_all(const struct call_fold *fold, int64_t last_id, struct buf *to)
{
	unsigned count = 0;

	for (int64_t id = 1; id <= last_id; id++) {
		const struct call *call = call_fold_find(fold, id);

		if (call == NULL)
			continue;
		describe(call, to);
		count++;
	}
	assert_int_equal(count, call_fold_remembered(fold));
}

/* Which events of a scenario arrive, and how often. */
typedef unsigned times_of(const struct call_event *event); /* a function, not a struct */

static unsigned once(const struct call_event *event)
{
	(void)event;
	return 1;
}

static unsigned twice(const struct call_event *event)
{
	(void)event;
	return 2;
}

static unsigned classic_only(const struct call_event *event)
{
	return event->type <= EVENT_HANGUP;
}

static unsigned no_leaves(const struct call_event *event)
{
	return event->type != EVENT_BRIDGE_LEAVE && event->type != EVENT_BRIDGE_DESTROY;
}

static unsigned no_callerids(const struct call_event *event)
{
	return event->type != EVENT_NEW_CALLERID;
}

static int64_t play(
	const struct fixture *fixture, size_t first, struct call_fold *fold, times_of *times)
{
	struct call_changes changes;
	int64_t at_ms = CORPUS_START_MS;
	int64_t id = 0;

	for (size_t i = first; i < corpus_end(&fixture->corpus, first); i++) {
		struct call_event event = corpus_read(&fixture->corpus, i, fixture->zone);

		at_ms += fixture->corpus.events[i].delay_ms;
		event.at_ms = at_ms;
		for (unsigned left = times(&event); left > 0; left--) {
			event.id = ++id;
			call_fold_event(fold, &event, &changes);
		}
	}
	call_fold_tick(fold, at_ms + 200000, &changes);
	return id;
}

static bool same_without(
	const struct fixture *fixture, size_t first, times_of *times, const char *what)
{
	struct call_fold *plain = new_fold();
	struct call_fold *other = new_fold();
	struct buf want, got;
	bool same;

	buf_init(&want, TEXT_BYTES);
	buf_init(&got, TEXT_BYTES);
	describe_all(plain, play(fixture, first, plain, once), &want);
	describe_all(other, play(fixture, first, other, times), &got);
	same = str_equal(buf_str(&want), buf_str(&got));
	if (!same)
		printf("    %.*s, %s:\n      %s      %s",
			STR_ARG(fixture->corpus.events[first].scenario), what, want.data,
			got.data != NULL ? got.data : "(nothing)\n");
	buf_free(&want);
	buf_free(&got);
	call_fold_free(&plain);
	call_fold_free(&other);
	return same;
}

static void check_all(void **state, times_of *times, const char *what)
{
	const struct fixture *fixture = *state;
	size_t same = 0;

	for (size_t i = 0; i < fixture->scenario_count; i++)
		same += same_without(fixture, fixture->first[i], times, what);
	assert_int_equal(same, fixture->scenario_count);
}

static void events_may_come_twice(void **state)
{
	check_all(state, twice, "each event twice");
}

static void classic_hosts_give_the_same_calls(void **state)
{
	check_all(state, classic_only, "start, dial, bridge, hangup alone");
}

static void leaves_may_be_missing(void **state)
{
	check_all(state, no_leaves, "without bridge_leave and bridge_destroy");
}

static void callerids_may_be_missing(void **state)
{
	check_all(state, no_callerids, "without new_callerid");
}

/* The whole scenario a second time, at once after it: everything in it is late. */
static void late_events_change_nothing(void **state)
{
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < fixture->scenario_count; i++) {
		size_t first = fixture->first[i];
		struct call_fold *fold = new_fold();
		struct call_changes changes;
		struct buf before, after;
		int64_t last = play(fixture, first, fold, once);

		buf_init(&before, TEXT_BYTES);
		buf_init(&after, TEXT_BYTES);
		describe_all(fold, last, &before);
		/* What never ended goes on, of course. */
		for (size_t j = first;
			call_fold_open(fold) == 0 && j < corpus_end(&fixture->corpus, first); j++) {
			struct call_event event = corpus_read(&fixture->corpus, j, fixture->zone);

			if (event.type == EVENT_START || event.type == EVENT_DIAL)
				continue; /* later than ten seconds they begin a new call */
			event.id = last + 1000 + (int64_t)j;
			event.at_ms = CORPUS_START_MS;
			call_fold_event(fold, &event, &changes);
		}
		describe_all(fold, last + 100000, &after);
		if (!str_equal(buf_str(&before), buf_str(&after)))
			fail_msg("%.*s:\n%s%s", STR_ARG(fixture->corpus.events[first].scenario),
				before.data, after.data);
		buf_free(&before);
		buf_free(&after);
		call_fold_free(&fold);
	}
}

/* Save all calls and go on in a fresh fold, which must save the same. */
static void change_owner(struct call_fold **fold, int64_t last_id)
{
	struct call_fold *next = new_fold();
	struct error error = {0};
	struct buf saved, again;

	buf_init(&saved, TEXT_BYTES);
	buf_init(&again, TEXT_BYTES);
	for (int64_t id = 1; id <= last_id; id++) {
		buf_clear(&saved);
		buf_clear(&again);
		if (!call_fold_save(*fold, id, &saved))
			continue;
		if (!call_fold_load(next, buf_str(&saved), &error))
			fail_msg("%s", error.text);
		assert_true(call_fold_save(next, id, &again));
		assert_string_equal(saved.data, again.data);
	}
	assert_int_equal(call_fold_remembered(*fold), call_fold_remembered(next));
	assert_int_equal(call_fold_due_ms(*fold), call_fold_due_ms(next));
	buf_free(&saved);
	buf_free(&again);
	call_fold_free(fold);
	*fold = next;
}

static void assert_same_changes(const struct call_changes *want, const struct call_changes *got)
{
	assert_int_equal(want->count, got->count);
	for (unsigned i = 0; i < want->count; i++) {
		assert_int_equal(want->items[i].call->id, got->items[i].call->id);
		assert_int_equal(want->items[i].call->version, got->items[i].call->version);
		assert_int_equal(want->items[i].merged_into, got->items[i].merged_into);
		assert_string_equal(want->items[i].reason, got->items[i].reason);
		assert_int_equal(
			want->items[i].call->unique_id_count, got->items[i].call->unique_id_count);
	}
}

static void a_new_owner_goes_on_exactly(void **state)
{
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < fixture->scenario_count; i++) {
		struct call_fold *steady = new_fold();
		struct call_fold *moving = new_fold();
		int64_t at_ms = CORPUS_START_MS;
		int64_t id = 0;

		for (size_t at = fixture->first[i];
			at < corpus_end(&fixture->corpus, fixture->first[i]); at++) {
			struct call_event event = corpus_read(&fixture->corpus, at, fixture->zone);
			struct call_changes want, got;

			at_ms += fixture->corpus.events[at].delay_ms;
			event.at_ms = at_ms;
			event.id = ++id;
			call_fold_event(steady, &event, &want);
			call_fold_event(moving, &event, &got);
			assert_same_changes(&want, &got);
			change_owner(&moving, id);
		}
		call_fold_free(&steady);
		call_fold_free(&moving);
	}
}

/* `text` behind a number that tells apart calls that happen at once; "" stays "". */
static struct str renamed(struct arena *arena, struct str text, size_t scenario)
{
	if (text.size == 0)
		return text;
	return str_from(arena_printf(arena, "%zu-%.*s", scenario, STR_ARG(text)));
}

/* +375 29 000-00-01 and 151 become others for each scenario; lines stay. */
static struct str other_number(struct arena *arena, struct str text, size_t scenario)
{
	bool marked = text.size > 0 && text.data[0] == '+';
	struct str digits = str_of(text.data + marked, text.size - marked);

	if (digits.size == 3 && str_is_digits(digits))
		return str_from(arena_printf(arena, "%zu%.*s", scenario + 10, 2, digits.data + 1));
	if (digits.size < 12 || !str_is_digits(digits))
		return text;
	return str_from(arena_printf(arena, "%.*s%02zu%.*s", (int)text.size - 7, text.data,
		scenario, 5, text.data + text.size - 5));
}

/* "Local/152@dialexecute-00000000;1": the number and the count. */
static struct str other_local(struct arena *arena, struct str name, size_t scenario)
{
	struct str rest = str_of(name.data + 6, name.size - 6);
	struct str number = str_cut(&rest, '@');
	struct str base = str_cut(&rest, ';');

	number = other_number(arena, number, scenario);
	return str_from(arena_printf(arena, "Local/%.*s@%.*s%zu;%.*s", STR_ARG(number),
		STR_ARG(base), scenario, STR_ARG(rest)));
}

static struct call_event disguised(struct arena *arena, struct call_event event, size_t scenario)
{
	event.unique_id = renamed(arena, event.unique_id, scenario);
	event.bridge_id = renamed(arena, event.bridge_id, scenario);
	event.phone = other_number(arena, event.phone, scenario);
	event.exten = other_number(arena, event.exten, scenario);
	event.caller_id_num = other_number(arena, event.caller_id_num, scenario);
	event.connected_num = other_number(arena, event.connected_num, scenario);
	if (str_starts(event.channel, STR("Local/")))
		event.channel = other_local(arena, event.channel, scenario);
	for (size_t i = 0; i < event.extensions.count; i++)
		event.extensions.items[i] =
			other_number(arena, event.extensions.items[i], scenario);
	return event;
}

static int by_text(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The lines of a text, sorted. */
static void sort_lines(struct buf *text)
{
	char *lines[256];
	size_t count = 0;
	struct buf sorted;
	struct str rest = buf_str(text);

	buf_init(&sorted, TEXT_BYTES);
	while (rest.size > 0 && count < 256)
		lines[count++] = alloc_text(str_cut(&rest, '\n'));
	qsort(lines, count, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&sorted, "%s\n", lines[i]);
		free(lines[i]);
	}
	buf_free(text);
	*text = sorted;
}

/* Event by event, the scenarios in turn: all of them under way in one fold. */
static void play_at_once(const struct fixture *fixture, struct arena *arena, struct call_fold *fold)
{
	struct call_changes changes;
	int64_t at_ms = CORPUS_START_MS;
	bool more = true;

	for (size_t round = 0; more; round++) {
		more = false;
		for (size_t i = 0; i < fixture->scenario_count; i++) {
			size_t at = fixture->first[i] + round;
			struct call_event event;

			if (at >= corpus_end(&fixture->corpus, fixture->first[i]))
				continue;
			more = true;
			event = disguised(
				arena, corpus_read(&fixture->corpus, at, fixture->zone), i);
			event.at_ms = at_ms++;
			call_fold_event(fold, &event, &changes);
		}
	}
	call_fold_tick(fold, at_ms + 200000, &changes);
}

static void play_one_by_one(const struct fixture *fixture, struct arena *arena, struct buf *to)
{
	struct call_changes changes;

	for (size_t i = 0; i < fixture->scenario_count; i++) {
		struct call_fold *fold = new_fold();
		size_t end = corpus_end(&fixture->corpus, fixture->first[i]);

		for (size_t at = fixture->first[i]; at < end; at++) {
			struct call_event event = disguised(
				arena, corpus_read(&fixture->corpus, at, fixture->zone), i);

			event.at_ms = CORPUS_START_MS + (int64_t)at;
			call_fold_event(fold, &event, &changes);
		}
		call_fold_tick(fold, CORPUS_START_MS + 300000, &changes);
		describe_all(fold, (int64_t)end, to);
		call_fold_free(&fold);
	}
}

static void calls_at_once_do_not_mix(void **state)
{
	const struct fixture *fixture = *state;
	struct arena *arena = arena_new(CORPUS_ARENA_BYTES);
	struct call_fold *fold = new_fold();
	struct buf want, got;

	buf_init(&want, TEXT_BYTES);
	buf_init(&got, TEXT_BYTES);
	play_one_by_one(fixture, arena, &want);
	play_at_once(fixture, arena, fold);
	describe_all(fold, (int64_t)fixture->corpus.count, &got);
	sort_lines(&want);
	sort_lines(&got);
	if (!str_equal(buf_str(&want), buf_str(&got)))
		fail_msg("one by one:\n%s\nat once:\n%s", want.data, got.data);
	buf_free(&want);
	buf_free(&got);
	call_fold_free(&fold);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_may_come_twice),
		cmocka_unit_test(classic_hosts_give_the_same_calls),
		cmocka_unit_test(leaves_may_be_missing),
		cmocka_unit_test(callerids_may_be_missing),
		cmocka_unit_test(late_events_change_nothing),
		cmocka_unit_test(a_new_owner_goes_on_exactly),
		cmocka_unit_test(calls_at_once_do_not_mix),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
