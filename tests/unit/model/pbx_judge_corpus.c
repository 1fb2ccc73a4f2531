/*
 * pbx_judge_corpus: the recorded calls as scenes, with the truth that people wrote beside them, and
 * with other numbers than they were recorded with.
 */
#include "pbx_judge.h"

#include "alloc.h"
#include "fold_corpus.h"
#include "table.h"

enum { ARENA_BYTES = 1 << 26, EXTENSION = 3, LINE = 7, OUTSIDE = 12 };

/* Each run of digits that is a number gets another one; the same one gets the same. */
struct disguise {
	struct table *numbers;
	struct arena *arena;
	struct pbx_random random;
};

/* 300 and 9xx are what they are in every enterprise. */
static bool stays(struct str digits)
{
	return digits.size == EXTENSION && (digits.data[0] == '9' || str_equal(digits, STR("300")));
}

static const char *other_number(struct disguise *disguise, struct str digits)
{
	unsigned drawn = pbx_below(&disguise->random, 100000);
	const char *known = table_get(disguise->numbers, digits);
	char *number = NULL;

	if (known != NULL || stays(digits))
		return known;
	/* Which is which shows in its length; unlike ones must not become alike. */
	if (digits.size == EXTENSION)
		number = arena_printf(disguise->arena, "%u%02u", 10 + drawn % 19,
			(unsigned)table_count(disguise->numbers));
	else if (digits.size == LINE)
		number = arena_printf(disguise->arena, "%.3s%02u%02u", digits.data, drawn % 100,
			(unsigned)table_count(disguise->numbers));
	else if (digits.size == OUTSIDE)
		number = arena_printf(disguise->arena, "37544%05u%02u", drawn,
			(unsigned)table_count(disguise->numbers));
	if (number != NULL)
		table_put(disguise->numbers, digits, number);
	return number;
}

static struct str disguised(struct disguise *disguise, struct str text)
{
	struct buf to;
	size_t at = 0;
	struct str copy;

	buf_init(&to, CORPUS_LINE_BYTES);
	while (at < text.size) {
		size_t end = at;
		const char *number;

		while (end < text.size && text.data[end] >= '0' && text.data[end] <= '9')
			end++;
		number = end > at ? other_number(disguise, str_of(text.data + at, end - at)) : NULL;
		end += end == at;
		if (number != NULL)
			buf_add(&to, str_from(number));
		else
			buf_append(&to, text.data + at, end - at);
		at = end;
	}
	copy = str_of(
		arena_strndup(disguise->arena, to.data != NULL ? to.data : "", to.size), to.size);
	buf_free(&to);
	return copy;
}

/* Ids stay: what looks like a number in them is none. */
static void disguise_event(struct disguise *disguise, struct call_event *event)
{
	event->phone = disguised(disguise, event->phone);
	event->trunk = disguised(disguise, event->trunk);
	event->channel = disguised(disguise, event->channel);
	event->exten = disguised(disguise, event->exten);
	event->caller_id_num = disguised(disguise, event->caller_id_num);
	event->connected_num = disguised(disguise, event->connected_num);
	for (size_t i = 0; i < event->extensions.count; i++)
		event->extensions.items[i] = disguised(disguise, event->extensions.items[i]);
}

/* -- the truth -- */

static const char *text_of(
	struct disguise *disguise, const struct json *call, const char *name, const char *otherwise)
{
	const struct json *member = json_member(call, name);

	return member != NULL ? disguised(disguise, json_text(member)).data : otherwise;
}

static unsigned list_of(
	struct disguise *disguise, const struct json *list, const char **to, unsigned max)
{
	unsigned count = 0;

	for (const struct json *at = json_first(list); at != NULL && count < max;
		at = json_next(at))
		to[count++] = disguised(disguise, json_text(at)).data;
	return count;
}

static unsigned index_of(struct str name, const char *(*name_of)(unsigned), unsigned count)
{
	unsigned i = 0;

	while (i < count && !str_equal(name, str_from(name_of(i))))
		i++;
	assert_true(i < count);
	return i;
}

static const char *direction_name(unsigned i)
{
	return call_direction_name((enum call_direction)i);
}

static const char *kind_name(unsigned i)
{
	return call_transfer_kind_name((enum call_transfer_kind)i);
}

static const char *result_name(unsigned i)
{
	return call_transfer_result_name((enum call_transfer_result)i);
}

static void read_transfers(
	struct disguise *disguise, const struct json *list, struct pbx_truth *truth)
{
	for (const struct json *at = json_first(list); at != NULL; at = json_next(at)) {
		assert_true(truth->transfer_count < PBX_MAX_MOVES);
		truth->transfers[truth->transfer_count].from = text_of(disguise, at, "from", "");
		truth->transfers[truth->transfer_count].to = text_of(disguise, at, "to", "");
		truth->transfers[truth->transfer_count].kind = (enum call_transfer_kind)index_of(
			json_text(json_member(at, "kind")), kind_name, 2);
		truth->transfers[truth->transfer_count].result =
			(enum call_transfer_result)index_of(
				json_text(json_member(at, "result")), result_name, 4);
		truth->transfer_count++;
	}
}

/* Rows that name no callee or no list of who rang leave that open. */
static struct pbx_truth *read_truth(struct disguise *disguise, const struct json *call)
{
	struct pbx_truth *truth = arena_alloc(disguise->arena, sizeof(*truth));

	truth->direction = (enum call_direction)index_of(
		json_text(json_member(call, "direction")), direction_name, 4);
	truth->answered = json_is_true(json_member(call, "answered"));
	truth->external = text_of(disguise, call, "external", "");
	truth->line = text_of(disguise, call, "line", "");
	truth->line_first = NULL;
	truth->caller = text_of(disguise, call, "caller", NULL);
	truth->callee = text_of(disguise, call, "callee", NULL);
	truth->talker_count =
		list_of(disguise, json_member(call, "talkers"), truth->talkers, PBX_MAX_TALKERS);
	truth->rang_count = list_of(disguise, json_member(call, "rang"), truth->rang, PBX_MAX_RANG);
	truth->rang_open = json_member(call, "rang") == NULL;
	read_transfers(disguise, json_member(call, "transfers"), truth);
	truth->sides_known = true;
	return truth;
}

/* The channel of the start, else of the first dial, else of the first event that has any. */
static struct str first_channel(const struct judge_scene *scene)
{
	static const enum call_event_type order[] = {EVENT_START, EVENT_DIAL};
	struct str first = {NULL, 0};

	for (size_t kind = 0; kind < 2 && first.size == 0; kind++) {
		for (unsigned i = 0; i < scene->event_count && first.size == 0; i++) {
			if (scene->events[i].type == order[kind])
				first = scene->events[i].unique_id;
		}
	}
	for (unsigned i = 0; i < scene->event_count && first.size == 0; i++)
		first = scene->events[i].unique_id;
	return first;
}

static void read_events(struct judge_scene *scene, const struct corpus *corpus, size_t first,
	struct disguise *disguise)
{
	struct clock_zone *zone = clock_zone_new("Europe/Minsk");
	size_t end = corpus_end(corpus, first);
	int64_t at_ms = CORPUS_START_MS;

	scene->events = alloc_zeroed(end - first, sizeof(*scene->events));
	scene->owners = alloc_zeroed(end - first, sizeof(*scene->owners));
	scene->moments = alloc_zeroed(end - first, sizeof(*scene->moments));
	for (size_t i = first; i < end; i++) {
		struct call_event *event = &scene->events[scene->event_count++];

		*event = corpus_read(corpus, i, zone);
		at_ms += corpus->events[i].delay_ms;
		event->at_ms = at_ms;
		scene->moments[scene->event_count - 1] = at_ms;
		disguise_event(disguise, event);
	}
	clock_zone_free(&zone);
}

struct judge_scene judge_scene_recorded(
	const struct corpus *corpus, const struct corpus *rows, size_t row, uint64_t seed)
{
	struct judge_scene scene = {.arena = arena_new(ARENA_BYTES), .call_count = 1};
	struct disguise disguise = {table_new(), scene.arena, {seed}};
	struct str name = rows->events[row].scenario;
	struct pbx_truth *truth;
	size_t first = 0;

	while (first < corpus->count && !str_equal(corpus->events[first].scenario, name))
		first = corpus_end(corpus, first);
	assert_true(first < corpus->count);
	read_events(&scene, corpus, first, &disguise);
	truth = read_truth(&disguise, json_item(json_member(rows->lines[row], "calls"), 0));
	truth->unique_id =
		arena_strndup(scene.arena, first_channel(&scene).data, first_channel(&scene).size);
	scene.calls = alloc_zeroed(1, sizeof(*scene.calls));
	scene.name = arena_strndup(scene.arena, name.data, name.size);
	scene.calls[0] = (struct judge_call){truth, scene.name};
	table_free(&disguise.numbers);
	return scene;
}
