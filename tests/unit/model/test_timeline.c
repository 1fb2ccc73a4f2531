/*
 * test_timeline: the drawing of each recorded call, as text, to the byte; and what must hold of any.
 *
 * tests/golden/timeline/<scenario>.txt; UPDATE_GOLDEN=1 writes them anew: read the diff before
 * believing it. "classic" files are drawn from the four events that every host sends.
 */
#include "fold_corpus.h"
#include "timeline.h"

#include <inttypes.h>

enum { PAGE_BYTES = 1 << 16, MAX_EVENTS = 4096 };

struct play {
	struct clock_zone *zone;
	struct call_fold *fold;
	struct call_event *events;
	size_t count;
	int64_t call_id, at_ms;
	bool classic;
	struct buf page;
};

static bool is_classic(enum call_event_type type)
{
	return type == EVENT_START || type == EVENT_DIAL || type == EVENT_BRIDGE ||
	       type == EVENT_HANGUP;
}

/* The call that the scenario is about: the one that is left, and the first of several. */
static void note(struct play *play, const struct call_changes *changes)
{
	for (unsigned i = 0; i < changes->count; i++) {
		const struct call_change *change = &changes->items[i];

		if (change->merged_into != 0 && change->call->id == play->call_id)
			play->call_id = change->merged_into;
		else if (change->merged_into == 0 && play->call_id == 0)
			play->call_id = change->call->id;
	}
}

static void play_scenario(const struct corpus *corpus, size_t first, size_t end, struct play *play)
{
	struct call_fold_rules rules = {.country = "BY"};
	struct call_changes changes;

	play->fold = call_fold_new(&rules);
	play->events = alloc_zeroed(MAX_EVENTS, sizeof(*play->events));
	play->at_ms = CORPUS_START_MS;
	for (size_t i = first; i < end; i++) {
		struct call_event event = corpus_read(corpus, i, play->zone);

		play->at_ms += corpus->events[i].delay_ms;
		event.at_ms = play->at_ms;
		event.id = (int64_t)(i - first) + 1;
		if (play->classic && !is_classic(event.type))
			continue;
		call_fold_event(play->fold, &event, &changes);
		note(play, &changes);
		play->events[play->count++] = event;
	}
}

static void settle(struct play *play)
{
	struct call_changes changes;

	call_fold_tick(play->fold, play->at_ms + 200000, &changes);
	note(play, &changes);
}

static void play_free(struct play *play)
{
	call_fold_free(&play->fold);
	free(play->events);
	clock_zone_free(&play->zone);
	buf_free(&play->page);
}

/* -- the drawing as text ------------------------------------------------------------------------------ */

static void add_offset(struct buf *to, const struct timeline *drawing, int64_t at_ms)
{
	int64_t offset_ms = at_ms - drawing->from_ms;

	buf_printf(to, "%" PRId64 ".%03d", offset_ms / 1000, (int)(offset_ms % 1000));
}

static void add_span(struct buf *to, const struct timeline *drawing, const struct timeline_bar *bar)
{
	buf_printf(to, "%s %s ", drawing->lanes[bar->lane].number, timeline_bar_name(bar->kind));
	add_offset(to, drawing, bar->from_ms);
	buf_add(to, STR(" - "));
	add_offset(to, drawing, bar->to_ms);
	for (unsigned i = 0; i < drawing->lane_count; i++) {
		if ((bar->with >> i & 1) != 0)
			buf_printf(to, " with %s", drawing->lanes[i].number);
	}
	buf_printf(to, "%s\n", bar->open ? " ..." : "");
}

static void add_arrow(
	struct buf *to, const struct timeline *drawing, const struct timeline_arrow *arrow)
{
	buf_printf(to, "%s -> %s %s %s ", drawing->lanes[arrow->from].number,
		drawing->lanes[arrow->to].number, call_transfer_kind_name(arrow->kind),
		call_transfer_result_name(arrow->result));
	add_offset(to, drawing, arrow->at_ms);
	buf_add(to, STR(" - "));
	add_offset(to, drawing, arrow->done_ms);
	buf_printf(to, " took %s\n", drawing->lanes[arrow->took].number);
}

static void write_drawing(struct buf *to, const struct timeline *drawing)
{
	for (unsigned i = 0; i < drawing->lane_count; i++)
		buf_printf(to, "lane %s %s\n", drawing->lanes[i].number,
			timeline_role_name(drawing->lanes[i].role));
	for (unsigned i = 0; i < drawing->bar_count; i++)
		add_span(to, drawing, &drawing->bars[i]);
	for (unsigned i = 0; i < drawing->arrow_count; i++)
		add_arrow(to, drawing, &drawing->arrows[i]);
	for (unsigned i = 0; i < drawing->mark_count; i++) {
		const struct timeline_mark *mark = &drawing->marks[i];

		buf_printf(to, "%s %s ", drawing->lanes[mark->lane].number,
			timeline_mark_name(mark->kind));
		add_offset(to, drawing, mark->at_ms);
		buf_printf(to, mark->kind == MARK_LINE ? " %s\n" : "%s\n", mark->line);
	}
	buf_add(to, STR("end "));
	add_offset(to, drawing, drawing->to_ms);
	buf_printf(to, "%s%s\n", drawing->open ? " open" : "", drawing->cut ? " cut" : "");
}

/* -- what must hold of any ------------------------------------------------------------------------------ */

static bool overlap(const struct timeline_bar *one, const struct timeline_bar *other)
{
	return one->lane == other->lane && one->from_ms < other->to_ms &&
	       other->from_ms < one->to_ms &&
	       (one->kind == BAR_RINGING) == (other->kind == BAR_RINGING);
}

static void check_bars(const struct timeline *drawing)
{
	for (unsigned i = 0; i < drawing->bar_count; i++) {
		const struct timeline_bar *bar = &drawing->bars[i];

		assert_true(bar->lane < drawing->lane_count);
		assert_true(bar->from_ms >= drawing->from_ms && bar->to_ms <= drawing->to_ms);
		assert_true(bar->from_ms <= bar->to_ms);
		assert_true(i == 0 || drawing->bars[i - 1].from_ms <= bar->from_ms);
		assert_int_equal(bar->with >> bar->lane & 1, 0);
		assert_int_equal((uint64_t)bar->with >> drawing->lane_count, 0);
		for (unsigned j = 0; j < i; j++)
			assert_false(overlap(bar, &drawing->bars[j]));
	}
}

static void check(const struct timeline *drawing)
{
	assert_true(drawing->lane_count >= 1 && drawing->lane_count <= TIMELINE_MAX_LANES);
	assert_true(drawing->from_ms <= drawing->to_ms);
	check_bars(drawing);
	for (unsigned i = 0; i < drawing->arrow_count; i++) {
		const struct timeline_arrow *arrow = &drawing->arrows[i];

		assert_true(arrow->from < drawing->lane_count && arrow->to < drawing->lane_count);
		assert_true(arrow->took < drawing->lane_count);
		assert_true(arrow->at_ms >= drawing->from_ms && arrow->at_ms <= arrow->done_ms);
		assert_true(arrow->done_ms <= drawing->to_ms);
	}
	for (unsigned i = 0; i < drawing->mark_count; i++) {
		assert_true(drawing->marks[i].lane < drawing->lane_count);
		assert_true(drawing->marks[i].at_ms >= drawing->from_ms &&
			    drawing->marks[i].at_ms <= drawing->to_ms);
	}
}

static struct timeline *draw(struct play *play, size_t event_count)
{
	struct timeline *drawing = alloc_zeroed(1, sizeof(*drawing));
	const struct timeline_source source = {
		.call = call_fold_find(play->fold, play->call_id),
		.events = play->events,
		.event_count = event_count,
		.country = "BY",
		.now_ms = play->at_ms,
	};

	assert_non_null(source.call);
	timeline_make(&source, drawing);
	check(drawing);
	return drawing;
}

/* -- the tests ------------------------------------------------------------------------------------------ */

static bool same_as_file(const char *path, struct str page)
{
	char *text = alloc_zeroed(1, PAGE_BYTES);
	FILE *file = fopen(path, getenv("UPDATE_GOLDEN") != NULL ? "w+" : "r");
	size_t size;
	bool same;

	if (file != NULL && getenv("UPDATE_GOLDEN") != NULL) {
		assert_int_equal(fwrite(page.data, 1, page.size, file), page.size);
		rewind(file);
	}
	size = file != NULL ? fread(text, 1, PAGE_BYTES, file) : 0;
	same = file != NULL && str_equal(str_of(text, size), page);
	if (!same)
		printf("    %s differs; it is now:\n%.*s", path, STR_ARG(page));
	if (file != NULL)
		fclose(file);
	free(text);
	return same;
}

static bool golden(const struct corpus *corpus, size_t first, bool classic)
{
	struct play play = {.zone = clock_zone_new("Europe/Minsk"), .classic = classic};
	struct str name = corpus->events[first].scenario;
	struct timeline *drawing;
	char path[512];
	bool same;

	buf_init(&play.page, PAGE_BYTES);
	play_scenario(corpus, first, corpus_end(corpus, first), &play);
	settle(&play);
	drawing = draw(&play, play.count);
	write_drawing(&play.page, drawing);
	snprintf(path, sizeof(path), "%s/golden/timeline/%.*s%s.txt", TESTS_DIR, STR_ARG(name),
		classic ? ".classic" : "");
	for (char *at = path + strlen(TESTS_DIR "/golden/timeline/"); *at != '\0'; at++)
		*at = *at == '/' ? '_' : *at;
	same = same_as_file(path, buf_str(&play.page));
	free(drawing);
	play_free(&play);
	return same;
}

/* With a conversation or a hangup: the fragments of calls that were captured halfway have neither. */
static bool is_whole(const struct corpus *corpus, size_t first)
{
	return !str_starts(corpus->events[first].scenario, STR("1-1/production")) &&
	       corpus->events[first].body != NULL;
}

static void every_recorded_call_is_drawn_as_it_was(void **state)
{
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	bool same = true;

	(void)state;
	for (size_t i = 0; i < corpus.count; i = corpus_end(&corpus, i)) {
		if (is_whole(&corpus, i))
			same = golden(&corpus, i, false) && same;
	}
	assert_true(same);
	corpus_free(&corpus);
}

static size_t find_scenario(const struct corpus *corpus, const char *name)
{
	size_t first = 0;

	while (first < corpus->count && !str_equal(corpus->events[first].scenario, str_from(name)))
		first = corpus_end(corpus, first);
	assert_true(first < corpus->count);
	return first;
}

static void four_events_are_enough_for_most_of_it(void **state)
{
	static const char *const names[] = {"2-18/raw", "2-23/raw", "2-7/emulator", "1-3/emulator"};
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	bool same = true;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		same = golden(&corpus, find_scenario(&corpus, names[i]), true) && same;
	assert_true(same);
	corpus_free(&corpus);
}

static bool has_open(const struct timeline *drawing)
{
	bool open = false;

	for (unsigned i = 0; i < drawing->bar_count; i++)
		open = open || drawing->bars[i].open;
	return open;
}

/* Cut off after any event: what is drawn then is true of the moment, and open. */
static void a_call_that_goes_on_is_open(void **state)
{
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	size_t first = find_scenario(&corpus, "2-18/raw");
	size_t end = corpus_end(&corpus, first);

	(void)state;
	for (size_t upto = first + 1; upto < end; upto++) {
		struct play play = {.zone = clock_zone_new("Europe/Minsk")};
		struct timeline *drawing;

		play_scenario(&corpus, first, upto, &play);
		play.at_ms += 4000;
		drawing = draw(&play, play.count);
		assert_true(drawing->open);
		assert_int_equal(drawing->to_ms, play.at_ms);
		assert_true(has_open(drawing) || upto + 5 > end);
		free(drawing);
		play_free(&play);
	}
	corpus_free(&corpus);
}

static void without_events_the_facts_are_drawn(void **state)
{
	char talkers[][CALL_NUMBER_BYTES] = {"151", "152"};
	char rang[][CALL_NUMBER_BYTES] = {"150", "151"};
	struct call_transfer transfers[] = {
		{.from = "151", .to = "152", .result = TRANSFER_ACCEPTED, .at_ms = 60000}};
	const struct call call = {.direction = CALL_INCOMING,
		.state = CALL_ENDED,
		.answered = true,
		.external = "+375290000001",
		.rang = {rang, 2},
		.talkers = {talkers, 2},
		.transfers = transfers,
		.transfer_count = 1,
		.started_ms = 10000,
		.answered_ms = 20000,
		.ended_ms = 90000};
	const struct timeline_source source = {.call = &call, .country = "BY"};
	struct timeline *drawing = alloc_zeroed(1, sizeof(*drawing));
	struct buf page;

	(void)state;
	buf_init(&page, PAGE_BYTES);
	timeline_make(&source, drawing);
	check(drawing);
	write_drawing(&page, drawing);
	assert_string_equal(page.data,
		"lane +375290000001 external\nlane 150 extension\nlane 151 extension\n"
		"lane 152 extension\n150 ringing 0.000 - 10.000\n151 ringing 0.000 - 10.000\n"
		"+375290000001 talking 10.000 - 50.000 with 151\n"
		"151 talking 10.000 - 50.000 with +375290000001\n"
		"+375290000001 talking 50.000 - 80.000 with 152\n"
		"152 talking 50.000 - 80.000 with +375290000001\n"
		"151 -> 152 attended accepted 50.000 - 50.000 took 152\nend 80.000\n");
	buf_free(&page);
	free(drawing);
}

/* Not even times: nothing is drawn, and nothing breaks. */
static void a_call_of_which_nothing_is_known_is_empty(void **state)
{
	const struct call call = {.state = CALL_LOST,
		.started_ms = CALL_NO_TIME,
		.answered_ms = CALL_NO_TIME,
		.ended_ms = CALL_NO_TIME};
	const struct timeline_source source = {.call = &call, .country = "BY"};
	struct timeline *drawing = alloc_zeroed(1, sizeof(*drawing));

	(void)state;
	timeline_make(&source, drawing);
	assert_int_equal(drawing->bar_count, 0);
	assert_int_equal(drawing->from_ms, drawing->to_ms);
	free(drawing);
}

/* Two scenarios shuffled into each other, four thousand events: nonsense, but bounded. */
static void nonsense_is_bounded(void **state)
{
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	struct play play = {.zone = clock_zone_new("Europe/Minsk")};
	size_t first = find_scenario(&corpus, "2-18/raw");
	static char ids[MAX_EVENTS][16];
	struct timeline *drawing;
	uint32_t random = 12345;

	(void)state;
	play_scenario(&corpus, first, corpus_end(&corpus, first), &play);
	settle(&play);
	for (size_t i = play.count; i < MAX_EVENTS; i++) {
		random = random * 1103515245u + 12345u;
		play.events[i] = play.events[random / 65536u % play.count];
		play.events[i].at_ms = play.at_ms + (int64_t)i * 7;
		snprintf(ids[i], sizeof(ids[i]), "%u", random / 65536u % 500);
		if (i % 3 == 0)
			play.events[i].unique_id = str_from(ids[i]);
		if (i % 5 == 0)
			play.events[i].caller_id_num = str_from(ids[i]);
	}
	drawing = draw(&play, MAX_EVENTS);
	assert_true(drawing->cut);
	free(drawing);
	play_free(&play);
	corpus_free(&corpus);
}

/* The events of a call in any order, some left out, some twice, at any moment: the rules of check()
 * hold. */
static void any_order_keeps_the_rules(void **state)
{
	static const char *const names[] = {"2-18/raw", "2-23/raw", "2-7/emulator", "1-6/emulator",
		"1-2/emulator", "3-1/emulator"};
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	uint32_t random = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct play play = {.zone = clock_zone_new("Europe/Minsk")};
		size_t first = find_scenario(&corpus, names[i]);

		play_scenario(&corpus, first, corpus_end(&corpus, first), &play);
		for (size_t round = 0; round < 300; round++) {
			for (size_t at = 0; at < play.count; at++) {
				size_t from = (random = random * 1103515245u + 12345u) / 65536u %
					      play.count;
				struct call_event event = play.events[at];

				play.events[at] = play.events[from];
				play.events[from] = event;
				play.events[at].at_ms =
					CORPUS_START_MS + (int64_t)(at * (from % 4) * 700);
			}
			free(draw(&play, play.count - random / 65536u % 3));
		}
		play_free(&play);
	}
	corpus_free(&corpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recorded_call_is_drawn_as_it_was),
		cmocka_unit_test(four_events_are_enough_for_most_of_it),
		cmocka_unit_test(a_call_that_goes_on_is_open),
		cmocka_unit_test(without_events_the_facts_are_drawn),
		cmocka_unit_test(a_call_of_which_nothing_is_known_is_empty),
		cmocka_unit_test(nonsense_is_bounded),
		cmocka_unit_test(any_order_keeps_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
