/*
 * test_pbx_model_corpus: the model of a PBX plays what real ones were recorded to play.
 *
 * For each recorded scenario that a plan can describe, some seed of that plan gives exactly the
 * recorded row of events (kinds, channels, CallType, CallStatus, Extensions, Phone, who is in
 * bridges), and the plan's truth is the row of expected.jsonl. What the model says can be posted,
 * too: its bodies are read back as the events that the property suite folds.
 */
#include "fold_corpus.h"
#include "pbx_stream.h"

#define EXT   "375290000001"
#define MOB   "375290000900"
#define GROUP .rounds[0] = {{"150", "151", "152"}, 3}, .round_count = 1
#define GROUP_AND_MOBILE                                                                           \
	.mobile = MOB, .rounds[0] = {{"150", MOB, "151", "152"}, 4}, .round_count = 1
#define CASCADE .rounds = {{{"150"}, 1}, {{"151"}, 1}, {{"152"}, 1}}, .round_count = 3
#define CASCADE_AND_MOBILE                                                                         \
	.mobile = MOB, .rounds = {{{"150"}, 1}, {{"151"}, 1}, {{"152", MOB}, 2}}, .round_count = 3
#define IN_BY_151  .kind = PBX_INCOMING, .answer = PBX_EXTENSION, .ours = "151"
#define OUT	   .kind = PBX_OUTGOING, .answer = PBX_EXTENSION
#define OUT_BY_151 OUT, .ours = "151"
#define FOLLOW_ME  .to = "300", .device = "300", .mobile = MOB, .follow_me = true

enum { MAX_SEEDS = 400000, SHAPE_BYTES = 1 << 16, WORLD_BYTES = 1 << 22 };

static const struct recorded {
	const char *scenario;
	struct pbx_plan plan;
	bool classic;	 /* the host sent no other kinds */
	bool other_rang; /* the row of expected.jsonl names others than the events do */
} recorded[] = {
	{.scenario = "1-1/emulator", .plan = {OUT_BY_151}},
	{.scenario = "1-2/emulator",
		.plan = {.kind = PBX_CLICK, .answer = PBX_EXTENSION, .ours = "151"}},
	{.scenario = "1-3/emulator",
		.plan = {OUT_BY_151, .moves[0] = {PBX_ATTENDED, PBX_DECLINED, "152", "152"},
			.move_count = 1}},
	{.scenario = "1-5/emulator",
		.plan = {OUT_BY_151, .moves[0] = {PBX_ATTENDED, PBX_NO_ANSWER, "152", "152"},
			.move_count = 1}},
	{.scenario = "1-6/emulator",
		.plan = {OUT_BY_151, .moves[0] = {PBX_BLIND, PBX_ACCEPTED, "152", "152"},
			.move_count = 1}},
	{.scenario = "1-8/emulator", .plan = {.kind = PBX_OUTGOING, .ours = "151"}},
	{.scenario = "1-9/emulator",
		.plan = {OUT_BY_151, .backup = "0001366", .unnamed_end = true}},
	{.scenario = "1-10/emulator",
		.plan = {.kind = PBX_OUTGOING, .ours = "151", .unnamed_end = true}},
	{.scenario = "2-1/emulator", .plan = {IN_BY_151, GROUP}},
	{.scenario = "2-2/emulator", .plan = {.kind = PBX_INCOMING, GROUP}},
	{.scenario = "2-3/emulator", .plan = {IN_BY_151, GROUP}},
	{.scenario = "2-4/emulator", .plan = {.kind = PBX_INCOMING, GROUP}},
	{.scenario = "2-5/emulator",
		.plan = {.kind = PBX_INCOMING, .answer = PBX_MOBILE, GROUP_AND_MOBILE}},
	{.scenario = "2-6/emulator", .plan = {IN_BY_151, GROUP_AND_MOBILE}},
	{.scenario = "2-7/emulator",
		.plan = {IN_BY_151, GROUP_AND_MOBILE, .one_id = true,
			.moves[0] = {PBX_ATTENDED, PBX_DECLINED, "152", "152"}, .move_count = 1}},
	{.scenario = "2-10/emulator",
		.plan = {IN_BY_151, GROUP_AND_MOBILE,
			.moves[0] = {PBX_BLIND, PBX_ACCEPTED, "152", "152"}, .move_count = 1}},
	{.scenario = "2-12/emulator", .plan = {IN_BY_151, CASCADE}},
	{.scenario = "2-13/emulator", .plan = {IN_BY_151, CASCADE_AND_MOBILE}},
	{.scenario = "2-15/emulator", .plan = {.kind = PBX_INCOMING, CASCADE_AND_MOBILE}},
	{.scenario = "2-18/raw",
		.plan = {IN_BY_151, GROUP,
			.moves = {{PBX_ATTENDED, PBX_ACCEPTED, "152", "152"},
				{PBX_ATTENDED, PBX_ACCEPTED, "150", "150"}},
			.move_count = 2}},
	{.scenario = "2-18/emulator",
		.plan = {IN_BY_151, .rounds[0] = {{"151", "152", "150"}, 3}, .round_count = 1,
			.moves = {{PBX_ATTENDED, PBX_ACCEPTED, "152", "152"},
				{PBX_ATTENDED, PBX_ACCEPTED, "150", "150"}},
			.move_count = 2},
		.other_rang = true},
	{.scenario = "2-23/raw",
		.plan = {IN_BY_151, GROUP,
			.moves[0] = {PBX_ATTENDED, PBX_ACCEPTED, "300", "150", MOB, true, true},
			.move_count = 1}},
	{.scenario = "2-23/emulator",
		.plan = {IN_BY_151, .rounds[0] = {{"300", "151", "152"}, 3}, .round_count = 1,
			.moves[0] = {PBX_ATTENDED, FOLLOW_ME, .on_mobile = true}, .move_count = 1},
		.other_rang = true},
	{.scenario = "2-25/emulator",
		.plan = {IN_BY_151, GROUP, .moves[0] = {PBX_ATTENDED, FOLLOW_ME}, .move_count = 1}},
	{.scenario = "2-27/emulator",
		.plan = {IN_BY_151, GROUP, .moves[0] = {PBX_BLIND, FOLLOW_ME}, .move_count = 1}},
	{.scenario = "2-29/emulator",
		.plan = {IN_BY_151, .rounds[0] = {{"151"}, 1}, .round_count = 1,
			.moves[0] = {PBX_BLIND, PBX_NO_ANSWER, FOLLOW_ME}, .move_count = 1}},
	{.scenario = "2-30/emulator",
		.plan = {IN_BY_151, .rounds[0] = {{"300", "151", "152"}, 3}, .round_count = 1,
			.moves[0] = {PBX_ATTENDED, PBX_NO_ANSWER, FOLLOW_ME}, .move_count = 1}},
	{.scenario = "3-1/emulator",
		.plan = {.kind = PBX_INTERNAL,
			.answer = PBX_EXTENSION,
			.ours = "151",
			.callee = "152"}},
	{.scenario = "3-2/emulator",
		.plan = {.kind = PBX_INTERNAL, .ours = "151", .callee = "152"}},
	{.scenario = "3-2/verbose-1",
		.plan = {.kind = PBX_INTERNAL,
			.ours = "151",
			.callee = "152",
			.unnamed_end = true}},
	{.scenario = "1-8/verbose-2",
		.plan = {.kind = PBX_OUTGOING,
			.ours = "180",
			.external = "375290001006",
			.line = "3880001"},
		.classic = true},
	{.scenario = "1-1/verbose-3",
		.plan = {OUT, .ours = "153", .external = "375290001007", .line = "0001379"},
		.classic = true},
	{.scenario = "1-1/verbose-4",
		.plan = {OUT, .ours = "180", .external = "375290001006", .line = "3880002"},
		.classic = true},
	{.scenario = "1-1/verbose-5",
		.plan = {OUT, .ours = "173", .external = "375290001008", .line = "0001379"},
		.classic = true},
};

/* -- the shape of a row of events -- */

enum { MAX_UIDS = 32 };

struct uids {
	struct str items[MAX_UIDS];
	unsigned count;
};

/* 1 for the first channel that is seen, and so on. */
static unsigned ordinal(struct uids *uids, struct str uid)
{
	for (unsigned i = 0; i < uids->count; i++) {
		if (str_equal(uids->items[i], uid))
			return i + 1;
	}
	assert_true(uids->count < MAX_UIDS);
	uids->items[uids->count++] = uid;
	return uids->count;
}

/* One emulated bridge_destroy has a UniqueId, which bridges have not. */
static void add_shape(struct buf *shape, struct uids *uids, const struct call_event *event)
{
	bool of_bridge = event->type == EVENT_BRIDGE_CREATE || event->type == EVENT_BRIDGE_DESTROY;

	buf_printf(shape, "%s", call_event_type_name(event->type));
	if (!of_bridge)
		buf_printf(shape, " %u", ordinal(uids, event->unique_id));
	if (event->type == EVENT_BRIDGE)
		buf_printf(shape, " of %.*s", STR_ARG(event->caller_id_num));
	if (event->call_type >= 0)
		buf_printf(shape, " ct=%d cs=%d %.*s:", event->call_type, event->call_status,
			STR_ARG(event->phone));
	for (size_t i = 0; i < event->extensions.count; i++)
		buf_printf(shape, " %.*s", STR_ARG(event->extensions.items[i]));
	buf_add_char(shape, '\n');
}

static bool is_said(const struct recorded *row, const struct call_event *event)
{
	return !row->classic || pbx_event_is_classic(event->type);
}

static void recorded_shape(const struct corpus *corpus, const struct recorded *row, struct buf *to)
{
	struct uids uids = {.count = 0};

	for (size_t i = 0; i < corpus->count; i++) {
		struct call_event event;

		if (!str_equal(corpus->events[i].scenario, str_from(row->scenario)))
			continue;
		event = corpus_read(corpus, i, NULL);
		add_shape(to, &uids, &event);
	}
}

/* Two lines, as where the calls were recorded; whom the plan does not name is EXT, on the first. */
static struct pbx_call *play(const struct recorded *row, uint64_t seed, struct arena *arena)
{
	struct pbx_plan plan = row->plan;
	struct pbx_world world;
	bool internal = plan.kind == PBX_INTERNAL;
	struct pbx_call *call;

	pbx_world_init(&world, seed, arena);
	world.lines[0] = "0001363";
	world.lines[1] = "0001366";
	world.line_count = 2;
	if (plan.external == NULL)
		plan.external = internal ? "" : EXT;
	if (plan.line == NULL)
		plan.line = internal ? "" : "0001363";
	call = pbx_play(&world, &plan, arena, CORPUS_START_MS);
	pbx_name_channels(&world, call);
	return call;
}

static void played_shape(const struct recorded *row, const struct pbx_call *call, struct buf *to)
{
	struct uids uids = {.count = 0};

	buf_clear(to);
	for (unsigned i = 0; i < call->count; i++) {
		struct pbx_event_items items;
		struct call_event event = pbx_event_view(&call->events[i], &items);

		if (is_said(row, &event))
			add_shape(to, &uids, &event);
	}
}

/* The first seed that plays the row; 0: none. */
static uint64_t find_seed(const struct recorded *row, struct str wanted, struct arena *arena)
{
	struct buf shape;
	uint64_t found = 0;

	buf_init(&shape, SHAPE_BYTES);
	for (uint64_t seed = 1; seed <= MAX_SEEDS && found == 0; seed++) {
		arena_reset(arena);
		played_shape(row, play(row, seed, arena), &shape);
		if (str_equal(buf_str(&shape), wanted))
			found = seed;
	}
	if (found == 0)
		printf("    %s: no seed plays it\n--- recorded\n%.*s--- played\n%s", row->scenario,
			STR_ARG(wanted), shape.data);
	buf_free(&shape);
	return found;
}

static void what_was_recorded_is_played(void **state)
{
	struct corpus corpus = corpus_load(TESTS_DIR "/corpus/calls.jsonl");
	struct arena *arena = arena_new(WORLD_BYTES);
	struct buf wanted;
	unsigned missing = 0;

	(void)state;
	buf_init(&wanted, SHAPE_BYTES);
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		buf_clear(&wanted);
		recorded_shape(&corpus, &recorded[i], &wanted);
		assert_true(wanted.size > 0);
		missing += find_seed(&recorded[i], buf_str(&wanted), arena) == 0;
	}
	buf_free(&wanted);
	arena_free(&arena);
	corpus_free(&corpus);
	assert_int_equal(missing, 0);
}

/* -- the truth -- */

/* A member of the row's call and of the truth, as text; what either leaves out is not compared. */
static bool same_member(const struct json *want, const struct json *truth, const char *name)
{
	const struct json *wanted = json_member(want, name);
	const struct json *told = json_member(truth, name);
	struct buf one, other;
	bool same;

	if (wanted == NULL)
		return true;
	buf_init(&one, SHAPE_BYTES);
	buf_init(&other, SHAPE_BYTES);
	json_print(&one, wanted, false);
	if (told != NULL)
		json_print(&other, told, false);
	same = str_equal(buf_str(&one), buf_str(&other));
	if (!same)
		printf("    %s: %s, told %s\n", name, one.data, told != NULL ? other.data : "not");
	buf_free(&one);
	buf_free(&other);
	return same;
}

static bool same_truth(const struct recorded *row, const struct json *want, struct arena *arena)
{
	static const char *const names[] = {"direction", "answered", "talkers", "external", "line",
		"caller", "callee", "transfers", "rang"};
	struct error error = {0};
	struct json *truth;
	struct buf text;
	bool same = true;

	buf_init(&text, SHAPE_BYTES);
	pbx_truth_write(&play(row, 1, arena)->truth, &text);
	truth = json_parse(buf_str(&text), (struct json_limits){SHAPE_BYTES, 8}, &error);
	assert_non_null(truth);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!row->other_rang || strcmp(names[i], "rang") != 0)
			same = same_member(want, truth, names[i]) && same;
	}
	json_free(&truth);
	buf_free(&text);
	return same;
}

static const struct recorded *find_recorded(struct str scenario)
{
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		if (str_equal(scenario, str_from(recorded[i].scenario)))
			return &recorded[i];
	}
	return NULL;
}

static void truths_are_the_rows_that_people_wrote(void **state)
{
	struct corpus rows = corpus_load(TESTS_DIR "/corpus/expected.jsonl");
	struct arena *arena = arena_new(WORLD_BYTES);
	unsigned compared = 0;

	(void)state;
	for (size_t i = 0; i < rows.count; i++) {
		const struct json *row = rows.lines[i];
		const struct recorded *plan = find_recorded(rows.events[i].scenario);

		if (plan == NULL)
			continue;
		compared++;
		arena_reset(arena);
		if (!same_truth(plan, json_item(json_member(row, "calls"), 0), arena))
			fail_msg("%s", plan->scenario);
	}
	printf("    %u of %zu rows\n", compared, rows.count);
	assert_int_equal(compared, sizeof(recorded) / sizeof(recorded[0]));
	arena_free(&arena);
	corpus_free(&rows);
}

/* -- bodies -- */

static void assert_same_text(struct str one, struct str other)
{
	if (!str_equal(one, other))
		fail_msg("'%.*s' is not '%.*s'", STR_ARG(one), STR_ARG(other));
}

static void assert_same_event(const struct call_event *one, const struct call_event *other)
{
	assert_same_text(one->unique_id, other->unique_id);
	assert_same_text(one->phone, other->phone);
	assert_same_text(one->trunk, other->trunk);
	assert_same_text(one->bridge_id, other->bridge_id);
	assert_same_text(one->channel, other->channel);
	assert_same_text(one->exten, other->exten);
	assert_same_text(one->context, other->context);
	assert_same_text(one->caller_id_num, other->caller_id_num);
	assert_same_text(one->caller_id_name, other->caller_id_name);
	assert_same_text(one->connected_num, other->connected_num);
	assert_same_text(one->connected_name, other->connected_name);
	assert_int_equal(one->call_type, other->call_type);
	assert_int_equal(one->call_status, other->call_status);
	assert_int_equal(one->external_initiated, other->external_initiated);
	assert_int_equal(one->bridge_channels, other->bridge_channels);
	assert_int_equal(one->start_ms, other->start_ms);
	assert_int_equal(one->received_ms, other->received_ms);
	assert_int_equal(one->end_ms, other->end_ms);
	assert_int_equal(one->extensions.count, other->extensions.count);
	for (size_t i = 0; i < one->extensions.count; i++)
		assert_same_text(one->extensions.items[i], other->extensions.items[i]);
}

static void read_back(const struct pbx_event *event, const struct clock_zone *zone)
{
	struct arena *arena = arena_new(WORLD_BYTES);
	struct pbx_event_items items;
	struct call_event view = pbx_event_view(event, &items);
	struct call_event read;
	struct error error = {0};
	struct json *json;
	struct buf body;

	buf_init(&body, SHAPE_BYTES);
	pbx_event_write(event, "375290000367", &body);
	json = json_parse(buf_str(&body), (struct json_limits){SHAPE_BYTES, 8}, &error);
	assert_non_null(json);
	if (!call_event_read(event->type, json, zone, arena, &read, &error))
		fail_msg("%s: %s", body.data, error.text);
	assert_string_equal(read.token.data, "375290000367");
	assert_same_event(&view, &read);
	json_free(&json);
	buf_free(&body);
	arena_free(&arena);
}

/* Hosts of both spellings, calls of all kinds. */
static void bodies_are_read_as_what_the_suite_folds(void **state)
{
	struct clock_zone *zone = clock_zone_new("Europe/Minsk");
	unsigned count = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct pbx_stream_options options = {
			.seed = seed, .calls = 20, .start_ms = CORPUS_START_MS, .gap_ms = 5000};
		struct pbx_stream *stream = pbx_stream_new(&options);
		const struct pbx_event *event;

		while ((event = pbx_stream_next(stream)) != NULL) {
			read_back(event, zone);
			count++;
		}
		pbx_stream_free(&stream);
	}
	printf("    %u bodies\n", count);
	clock_zone_free(&zone);
}

static void the_same_seed_gives_the_same_day(void **state)
{
	struct pbx_stream_options options = {
		.seed = 7, .calls = 300, .start_ms = CORPUS_START_MS, .gap_ms = 3000};
	struct pbx_stream *one = pbx_stream_new(&options);
	struct pbx_stream *other = pbx_stream_new(&options);
	const struct pbx_event *event;
	int64_t before_ms = 0;

	(void)state;
	while ((event = pbx_stream_next(one)) != NULL) {
		const struct pbx_event *again = pbx_stream_next(other);

		assert_non_null(again);
		assert_string_equal(event->unique_id, again->unique_id);
		assert_int_equal(event->type, again->type);
		assert_int_equal(event->posted_ms, again->posted_ms);
		assert_true(event->posted_ms >= before_ms && event->posted_ms >= event->at_ms);
		before_ms = event->posted_ms;
	}
	assert_null(pbx_stream_next(other));
	pbx_stream_free(&one);
	pbx_stream_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_recorded_is_played),
		cmocka_unit_test(truths_are_the_rows_that_people_wrote),
		cmocka_unit_test(bodies_are_read_as_what_the_suite_folds),
		cmocka_unit_test(the_same_seed_gives_the_same_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
