/*
 * pbx_judge_scene: scenes, their variants, and how a case that fails is made small.
 */
#include "pbx_judge.h"

#include "alloc.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 28, PLAN_BYTES = 1024, NEAR_MS = 2000 };
enum { REPEAT_PERCENT = 30, SWAP_PERCENT = 40, LOSE_PERCENT = 50 };
enum { HELD_UP_MS = 20000, HELD_UP_EVERY_MS = 60000, SWAPPED_LATE_MS = 15000 };
#define SCENE_START_MS INT64_C(1795237200000) /* 2026-11-21 08:00 in Minsk */

static void add_calls(struct judge_scene *scene)
{
	const struct pbx_call *call;
	struct buf plan;

	while ((call = pbx_stream_finished(scene->stream)) != NULL) {
		buf_init(&plan, PLAN_BYTES);
		pbx_plan_describe(&call->plan, &plan);
		scene->calls[call->number].truth = &call->truth;
		scene->calls[call->number].plan = arena_strdup(scene->arena, plan.data);
		buf_free(&plan);
	}
}

/* How densely calls lie, how often numbers come again, whether the PBX restarts: of the seed. */
struct judge_scene judge_scene_of(uint64_t seed, unsigned calls)
{
	static const int64_t gaps_ms[] = {300, 2000, 8000, 30000};
	struct pbx_stream_options options = {.seed = seed,
		.calls = calls,
		.start_ms = SCENE_START_MS,
		.gap_ms = gaps_ms[seed % 4],
		.restart_gap_ms = seed % 10 == 7 ? 300000 : 0,
		.keeps = true};
	struct judge_scene scene = {.arena = arena_new(ARENA_BYTES), .name = "generated"};
	unsigned capacity = 0;
	const struct pbx_event *event;

	scene.stream = pbx_stream_new(&options);
	scene.calls = alloc_zeroed(calls, sizeof(*scene.calls));
	scene.call_count = calls;
	while ((event = pbx_stream_next(scene.stream)) != NULL) {
		struct pbx_event_items *items = arena_alloc(scene.arena, sizeof(*items));

		if (scene.event_count == capacity) {
			capacity = capacity * 2 + 256;
			scene.events = alloc_resize(scene.events, capacity * sizeof(*scene.events));
			scene.owners = alloc_resize(scene.owners, capacity * sizeof(*scene.owners));
			scene.moments =
				alloc_resize(scene.moments, capacity * sizeof(*scene.moments));
		}
		scene.owners[scene.event_count] = event->call;
		scene.moments[scene.event_count] = event->at_ms;
		scene.events[scene.event_count++] = pbx_event_view(event, items);
		add_calls(&scene);
	}
	return scene;
}

void judge_scene_free(struct judge_scene *scene)
{
	pbx_stream_free(&scene->stream);
	arena_free(&scene->arena);
	free(scene->events);
	free(scene->owners);
	free(scene->moments);
	free(scene->calls);
	*scene = (struct judge_scene){0};
}

static const char *const variant_names[JUDGE_VARIANTS] = {
	[JUDGE_TOGETHER] = "as it came",
	[JUDGE_ALONE] = "each call alone",
	[JUDGE_CLASSIC] = "the four classic events",
	[JUDGE_NO_CALLERID] = "without new_callerid",
	[JUDGE_NO_LEAVES] = "without bridge_leave and bridge_destroy",
	[JUDGE_SOME_LOST] = "some lost",
	[JUDGE_REPEATED] = "repeated",
	[JUDGE_SWAPPED] = "neighbours swapped",
	[JUDGE_SWAPPED_CLASSIC] = "neighbours swapped, the four classic events",
	[JUDGE_HELD_UP] = "held up on their way",
	[JUDGE_HANDED_ON] = "handed on to other owners",
};

const char *judge_variant_name(enum judge_variant variant)
{
	return variant_names[variant];
}

static void add_item(struct judge_run *run, unsigned event, int64_t at_ms, bool loose)
{
	if (run->count == run->capacity) {
		run->capacity = run->capacity * 2 + 256;
		run->items = alloc_resize(run->items, run->capacity * sizeof(*run->items));
	}
	run->items[run->count++] =
		(struct judge_item){.event = event, .at_ms = at_ms, .loose = loose};
}

/* Is this event left out? Where leaves are, also the callerid of a phone that a blind transfer rings: of
 * two calls with the same person nothing but the leaves tells in which somebody just handed over. */
static bool lost(
	enum judge_variant variant, const struct call_event *event, struct pbx_random *random)
{
	enum call_event_type type = event->type;
	bool lacks_leaves = variant == JUDGE_NO_LEAVES || variant == JUDGE_SOME_LOST;

	if (lacks_leaves && type == EVENT_NEW_CALLERID &&
		str_equal(event->context, STR("inoffice")))
		return true;
	switch (variant) {
	case JUDGE_CLASSIC:
	case JUDGE_SWAPPED_CLASSIC:
		return !pbx_event_is_classic(type);
	case JUDGE_NO_CALLERID:
		return type == EVENT_NEW_CALLERID;
	case JUDGE_NO_LEAVES:
		return type == EVENT_BRIDGE_LEAVE || type == EVENT_BRIDGE_DESTROY;
	case JUDGE_SOME_LOST:
		return !pbx_event_is_classic(type) && pbx_chance(random, LOSE_PERCENT);
	default:
		return false;
	}
}

/* By time, and equal ones in the order in which they were put there. */
static int by_time(const void *one, const void *other)
{
	const struct judge_item *a = one;
	const struct judge_item *b = other;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return a->event < b->event ? -1 : a->event > b->event;
}

/* At once, or a hangup minutes later: hosts' people post again what they think was lost. Later
 * repetitions of other kinds would be lies: a channel can enter the same bridge twice. */
static void repeat(struct judge_run *run, struct pbx_random *random)
{
	unsigned count = run->count;

	for (unsigned i = 0; i < count; i++) {
		struct judge_item item = run->items[i];

		if (!pbx_chance(random, REPEAT_PERCENT))
			continue;
		if (run->scene->events[item.event].type == EVENT_HANGUP && pbx_chance(random, 50))
			item.at_ms += pbx_between(random, 1000, 300000);
		add_item(run, item.event, item.at_ms, true);
	}
	if (run->count > 1)
		qsort(run->items, run->count, sizeof(*run->items), by_time);
}

static bool is_place(enum call_event_type type)
{
	return type == EVENT_BRIDGE || type == EVENT_BRIDGE_LEAVE;
}

static bool is_destroy(enum call_event_type type)
{
	return type == EVENT_BRIDGE_DESTROY;
}

static bool is_our_leg_end(const struct call_event *event)
{
	return event->type == EVENT_HANGUP && event->call_type == 1 &&
	       event->extensions.count == 1 && event->extensions.items[0].size <= 4;
}

/* Where the order of two events is itself what they tell, the truth is gone with it:
 * - a channel enters two bridges, or enters and leaves one: the last that was said counts;
 * - a bridge is destroyed: who entered it is out, unless he entered afterwards;
 * - a repeated dial of a cascade: who rang first;
 * - a call's dial names the mobile that is rung for it: before that, another call of the same person
 *   has as good a claim to the mobile's leg;
 * - a leg that was rung for one of us ends, and he is back with the other side: one before the
 *   other, and it was a second call of his. */
static bool may_swap(const struct judge_scene *scene, unsigned before, unsigned after)
{
	const struct call_event *one = &scene->events[before];
	const struct call_event *other = &scene->events[after];
	bool same_channel = one->unique_id.size > 0 && str_equal(one->unique_id, other->unique_id);
	bool same_bridge = one->bridge_id.size > 0 && str_equal(one->bridge_id, other->bridge_id);

	if (scene->moments[after] - scene->moments[before] > NEAR_MS ||
		(is_our_leg_end(one) && is_place(other->type)) ||
		(is_our_leg_end(other) && is_place(one->type)))
		return false;
	if (same_channel && is_place(one->type) && is_place(other->type) &&
		(same_bridge || one->type == other->type))
		return false;
	if (same_bridge && (is_destroy(one->type) || is_destroy(other->type)) &&
		(is_place(one->type) || is_place(other->type)))
		return false;
	return !(one->type == EVENT_DIAL && other->type == EVENT_DIAL);
}

/* Neighbours among the events of one call; those of other calls may lie between them. */
static void swap(struct judge_run *run, struct pbx_random *random)
{
	const struct judge_scene *scene = run->scene;
	unsigned *last = alloc_zeroed(scene->call_count, sizeof(*last)); /* position + 1 */

	for (unsigned i = 0; i < run->count; i++) {
		unsigned owner = scene->owners[run->items[i].event];
		unsigned before = last[owner];
		unsigned event = run->items[i].event;
		bool loose = run->items[i].loose;

		last[owner] = i + 1;
		if (before == 0 || !may_swap(scene, run->items[before - 1].event, event) ||
			!pbx_chance(random, SWAP_PERCENT))
			continue;
		run->items[i].event = run->items[before - 1].event;
		run->items[i].loose = run->items[before - 1].loose;
		run->items[before - 1].event = event;
		run->items[before - 1].loose = loose;
		last[owner] = 0; /* each moves by one place at most */
	}
	free(last);
}

/* We, or the way to us, are down: hosts keep what they have to say, and its order. */
static void hold_up(struct judge_run *run, struct pbx_random *random)
{
	int64_t from_ms = 0;
	int64_t until_ms = 0;

	run->late_ms = HELD_UP_MS;
	for (unsigned i = 0; i < run->count; i++) {
		struct judge_item *item = &run->items[i];

		if (item->at_ms >= until_ms && item->at_ms >= from_ms) {
			from_ms = item->at_ms + pbx_between(random, 0, HELD_UP_EVERY_MS);
			until_ms = from_ms + pbx_between(random, 500, HELD_UP_MS);
		}
		if (item->at_ms >= from_ms && item->at_ms < until_ms)
			item->at_ms = until_ms;
	}
}

void judge_vary(struct judge_run *run, enum judge_variant variant, uint64_t seed)
{
	struct pbx_random random = {seed ^ 0x5ca1ab1e};
	const struct judge_scene *scene = run->scene;

	run->count = 0;
	run->leaves_known = variant != JUDGE_CLASSIC && variant != JUDGE_SWAPPED_CLASSIC &&
			    variant != JUDGE_NO_LEAVES && variant != JUDGE_SOME_LOST;
	for (unsigned i = 0; i < scene->event_count; i++) {
		if (!lost(variant, &scene->events[i], &random))
			add_item(run, i, scene->events[i].at_ms,
				!pbx_event_is_classic(scene->events[i].type));
	}
	if (variant == JUDGE_REPEATED)
		repeat(run, &random);
	if (variant == JUDGE_SWAPPED || variant == JUDGE_SWAPPED_CLASSIC) {
		run->late_ms = SWAPPED_LATE_MS; /* what told a time may come when all is over */
		swap(run, &random);
	}
	if (variant == JUDGE_HELD_UP)
		hold_up(run, &random);
	if (variant == JUDGE_HANDED_ON)
		run->hand_on_at = 5 + pbx_below(&random, 40);
}

/* -- making a case small -- */

static void without_call(struct judge_run *run, unsigned call)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < run->count; i++) {
		if (run->scene->owners[run->items[i].event] != call)
			run->items[kept++] = run->items[i];
	}
	run->count = kept;
}

/* Keep the smaller run when it is still wrong; else put things back. */
static bool still_wrong(struct judge_run *run, const struct judge_run *before)
{
	if (run->count < before->count && run->count > 0 &&
		judge_fold(run, NULL) != JUDGE_ALL_RIGHT)
		return true;
	memcpy(run->items, before->items, before->count * sizeof(*run->items));
	run->count = before->count;
	return false;
}

static void keep_copy(struct judge_run *copy, const struct judge_run *run)
{
	copy->items = alloc_resize(copy->items, (run->count + 1) * sizeof(*run->items));
	if (run->count > 0)
		memcpy(copy->items, run->items, run->count * sizeof(*run->items));
	copy->count = run->count;
}

/* Events without which the truth is the same, from the last to the first. */
static void drop_loose(struct judge_run *run, struct judge_run *copy)
{
	for (unsigned i = run->count; i > 0; i--) {
		if (i > run->count || !run->items[i - 1].loose)
			continue;
		keep_copy(copy, run);
		run->count--;
		memmove(&run->items[i - 1], &run->items[i],
			(run->count - (i - 1)) * sizeof(*run->items));
		still_wrong(run, copy);
	}
}

/* Whole calls first, then single events. */
void judge_shrink(struct judge_run *run)
{
	struct judge_run copy = {0};
	bool leaves_known = run->leaves_known;

	for (unsigned call = 0; call < run->scene->call_count; call++) {
		keep_copy(&copy, run);
		without_call(run, call);
		still_wrong(run, &copy);
	}
	/* Without leaves some ends are not told: what is wrong must not be only that. */
	run->leaves_known = false;
	if (judge_fold(run, NULL) != JUDGE_ALL_RIGHT)
		drop_loose(run, &copy);
	else
		run->leaves_known = leaves_known;
	free(copy.items);
}

/* -- a case in words -- */

static void add_field(struct buf *to, const char *name, struct str value)
{
	if (value.size > 0)
		buf_printf(to, " %s=%.*s", name, STR_ARG(value));
}

static void describe_event(const struct call_event *event, struct buf *to)
{
	buf_printf(to, "%s %.*s", call_event_type_name(event->type), STR_ARG(event->unique_id));
	if (event->call_type >= 0)
		buf_printf(to, " ct=%d", event->call_type);
	if (event->call_status >= 0)
		buf_printf(to, " cs=%d", event->call_status);
	add_field(to, "p", event->phone);
	add_field(to, "t", event->trunk);
	for (size_t i = 0; i < event->extensions.count; i++)
		buf_printf(to, "%s%.*s", i == 0 ? " e=" : ",", STR_ARG(event->extensions.items[i]));
	if (event->bridge_id.size > 0)
		buf_printf(to, " b=%.8s", event->bridge_id.data);
	add_field(to, "ch", event->channel);
	add_field(to, "num", event->caller_id_num);
	add_field(to, "conn", event->connected_num);
	add_field(to, "x", event->exten);
	if (event->external_initiated)
		buf_printf(to, " !=1");
	buf_printf(to, "\n");
}

void judge_describe_items(const struct judge_run *run, struct buf *to)
{
	const struct judge_scene *scene = run->scene;
	int64_t first_ms = run->count > 0 ? run->items[0].at_ms : 0;
	bool *said = alloc_zeroed(scene->call_count, sizeof(*said));

	for (unsigned i = 0; i < run->count; i++) {
		unsigned owner = scene->owners[run->items[i].event];

		if (!said[owner])
			buf_printf(to, "call %u: %s\n", owner, scene->calls[owner].plan);
		said[owner] = true;
	}
	for (unsigned i = 0; i < run->count; i++) {
		unsigned event = run->items[i].event;

		buf_printf(to, "  %7lld ms  call %u  ", (long long)(run->items[i].at_ms - first_ms),
			scene->owners[event]);
		describe_event(&scene->events[event], to);
	}
	free(said);
}

static bool judge_run_is_right(struct judge_run *run, struct buf *wrong)
{
	if (judge_fold(run, NULL) == JUDGE_ALL_RIGHT)
		return true;
	judge_shrink(run);
	judge_fold(run, wrong);
	judge_describe_items(run, wrong);
	return false;
}

/* Each call by itself. */
static bool alone_is_right(struct judge_run *run, uint64_t seed, struct buf *wrong)
{
	bool right = true;

	for (unsigned call = 0; call < run->scene->call_count && right; call++) {
		unsigned kept = 0;

		judge_vary(run, JUDGE_TOGETHER, seed);
		for (unsigned i = 0; i < run->count; i++) {
			if (run->scene->owners[run->items[i].event] == call)
				run->items[kept++] = run->items[i];
		}
		run->count = kept;
		right = judge_run_is_right(run, wrong);
	}
	return right;
}

bool judge(const struct judge_scene *scene, enum judge_variant variant, uint64_t seed,
	struct buf *wrong)
{
	struct judge_run run = {.scene = scene};
	bool right;

	if (variant == JUDGE_ALONE) {
		right = alone_is_right(&run, seed, wrong);
	} else {
		judge_vary(&run, variant, seed);
		right = judge_run_is_right(&run, wrong);
	}
	free(run.items);
	return right;
}
