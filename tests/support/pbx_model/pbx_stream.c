/*
 * pbx_stream: calls are played when their time has come, and their events merged by time.
 *
 * The host posts one event after another, some seconds late, and never overtakes itself.
 */
#include "pbx_stream.h"

#include "alloc.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 22, MIN_LAG_MS = 100, MAX_LAG_MS = 7000, RESTART_REST_MS = 30000 };

struct under_way {
	struct arena *arena;
	struct pbx_call *call;
	struct pbx_channel *unnamed; /* the first that has no UniqueId */
	unsigned next;		     /* event */
	bool told;
};

struct pbx_stream {
	struct pbx_stream_options options;
	struct pbx_world world;
	struct arena *arena; /* of the world */
	struct under_way *calls;
	unsigned count, capacity;
	unsigned drawn; /* calls so far */
	int64_t next_start_ms, lag_ms, posted_ms;
	struct pbx_event event;
};

static void plan_restart(struct pbx_stream *stream, int64_t after_ms)
{
	int64_t gap_ms = stream->options.restart_gap_ms;

	if (gap_ms > 0)
		stream->world.restart_ms =
			after_ms + pbx_between(&stream->world.random, gap_ms / 2, gap_ms * 3 / 2);
}

struct pbx_stream *pbx_stream_new(const struct pbx_stream_options *options)
{
	struct pbx_stream *stream = alloc_zeroed(1, sizeof(*stream));

	stream->options = *options;
	stream->arena = arena_new((size_t)1 << 32);
	pbx_world_init(&stream->world, options->seed, stream->arena);
	stream->next_start_ms = options->start_ms;
	stream->lag_ms = MIN_LAG_MS;
	plan_restart(stream, options->start_ms);
	return stream;
}

void pbx_stream_free(struct pbx_stream **stream)
{
	if (*stream == NULL)
		return;
	for (unsigned i = 0; i < (*stream)->count; i++)
		arena_free(&(*stream)->calls[i].arena);
	arena_free(&(*stream)->arena);
	free((*stream)->calls);
	free(*stream);
	*stream = NULL;
}

/* The channels that were made until then get their ids, in the order of their making. */
static void name_channels(struct pbx_stream *stream, int64_t until_ms)
{
	struct under_way *first;

	do {
		first = NULL;
		for (unsigned i = 0; i < stream->count; i++) {
			struct under_way *at = &stream->calls[i];

			if (at->unnamed != NULL && at->unnamed->made_ms <= until_ms &&
				(first == NULL || at->unnamed->made_ms < first->unnamed->made_ms))
				first = at;
		}
		if (first == NULL)
			return;
		pbx_name_channel(&stream->world, first->unnamed);
		first->unnamed = first->unnamed->next;
	} while (true);
}

static void restart(struct pbx_stream *stream)
{
	name_channels(stream, stream->world.restart_ms);
	pbx_world_restarted(&stream->world, INT64_MAX);
	stream->next_start_ms += RESTART_REST_MS;
	plan_restart(stream, stream->next_start_ms);
}

static void begin_call(struct pbx_stream *stream)
{
	struct under_way *under_way;
	struct pbx_taking_part people;
	struct pbx_plan plan;
	int64_t end_ms;

	if (stream->next_start_ms >= stream->world.restart_ms)
		restart(stream);
	if (stream->count == stream->capacity) {
		stream->capacity = stream->capacity * 2 + 16;
		stream->calls =
			alloc_resize(stream->calls, stream->capacity * sizeof(*stream->calls));
	}
	under_way = &stream->calls[stream->count++];
	*under_way = (struct under_way){.arena = arena_new(ARENA_BYTES)};
	pbx_plan_draw(&plan, &stream->world, under_way->arena, stream->next_start_ms, &people);
	under_way->call = pbx_play(&stream->world, &plan, under_way->arena, stream->next_start_ms);
	under_way->call->number = stream->drawn++;
	under_way->unnamed = under_way->call->channels;
	end_ms = under_way->call->truth.ended_ms;
	if (end_ms == CALL_NO_TIME) {
		end_ms = stream->world.restart_ms;
		pbx_plan_cut_off(&stream->world, &people);
	}
	pbx_plan_reserve(&plan, &people, end_ms);
	if (under_way->call->truth.end == PBX_END_LEAVES)
		pbx_plan_rest(&plan, &people);
	stream->next_start_ms += pbx_between(&stream->world.random, 0, stream->options.gap_ms * 2);
}

/* Which call has the earliest event; the earlier call among equals. NULL: none has any. */
static struct under_way *earliest(struct pbx_stream *stream)
{
	struct under_way *first = NULL;

	for (unsigned i = 0; i < stream->count; i++) {
		struct under_way *at = &stream->calls[i];

		if (at->next < at->call->count &&
			(first == NULL || at->call->events[at->next].at_ms <
						  first->call->events[first->next].at_ms))
			first = at;
	}
	return first;
}

static bool is_over(const struct under_way *under_way)
{
	return under_way->next == under_way->call->count;
}

static void forget_finished(struct pbx_stream *stream)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < stream->count && !stream->options.keeps; i++) {
		if (is_over(&stream->calls[i]))
			arena_free(&stream->calls[i].arena);
		else
			stream->calls[kept++] = stream->calls[i];
	}
	if (!stream->options.keeps)
		stream->count = kept;
}

/* Now and then the host's queue stands still for some seconds. */
static int64_t post(struct pbx_stream *stream, int64_t at_ms)
{
	struct pbx_random *random = &stream->world.random;

	if (pbx_below(random, 60) == 0)
		stream->lag_ms = pbx_between(
			random, MIN_LAG_MS, pbx_chance(random, 20) ? MAX_LAG_MS : MIN_LAG_MS * 10);
	if (at_ms + stream->lag_ms > stream->posted_ms)
		stream->posted_ms = at_ms + stream->lag_ms;
	return stream->posted_ms;
}

const struct pbx_event *pbx_stream_next(struct pbx_stream *stream)
{
	struct under_way *first;

	forget_finished(stream);
	first = earliest(stream);
	while (stream->drawn < stream->options.calls &&
		(first == NULL ||
			first->call->events[first->next].at_ms >= stream->next_start_ms)) {
		begin_call(stream);
		first = earliest(stream);
	}
	if (first == NULL)
		return NULL;
	name_channels(stream, first->call->events[first->next].at_ms);
	stream->event = first->call->events[first->next++];
	stream->event.call = first->call->number;
	stream->event.posted_ms = post(stream, stream->event.at_ms);
	return &stream->event;
}

const struct pbx_call *pbx_stream_finished(struct pbx_stream *stream)
{
	for (unsigned i = 0; i < stream->count; i++) {
		struct under_way *at = &stream->calls[i];

		if (!is_over(at) || at->told || at->call->count == 0)
			continue;
		at->told = true;
		return at->call;
	}
	return NULL;
}
