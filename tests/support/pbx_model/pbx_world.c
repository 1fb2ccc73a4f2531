/*
 * pbx_world: an enterprise is drawn once; its people are busy and free as its calls go.
 */
#include "pbx_world.h"

#include <string.h>

enum { MIN_PEOPLE = 12, TRIES = 12, RESERVED_MS = 1, MARGIN = 300 };

static bool is_taken(const struct pbx_world *world, const char *extension)
{
	for (unsigned i = 0; i < world->person_count; i++) {
		if (strcmp(world->people[i].extension, extension) == 0)
			return true;
	}
	return false;
}

/* Some enterprises have three digits, some four. 300 and 9xx are services. */
static const char *new_extension(struct pbx_world *world, unsigned low, unsigned span)
{
	const char *extension;

	do
		extension = arena_printf(world->arena, "%u", low + pbx_below(&world->random, span));
	while (is_taken(world, extension));
	return extension;
}

static const char *new_mobile(struct pbx_world *world)
{
	static const char *const codes[] = {"29", "33", "44", "25"};

	return arena_printf(world->arena, "375%s%07u", codes[pbx_below(&world->random, 4)],
		1000000 + pbx_below(&world->random, 8999999));
}

static void draw_people(struct pbx_world *world)
{
	bool four = pbx_chance(&world->random, 20);
	unsigned low = four ? 1000 : 100;
	unsigned span = four ? 900 : 190;
	unsigned count = MIN_PEOPLE + pbx_below(&world->random, PBX_MAX_PEOPLE - MIN_PEOPLE + 1);

	for (unsigned i = 0; i < count; i++) {
		struct pbx_person *person = &world->people[i];

		person->extension = person->device = new_extension(world, low, span);
		person->mobile = pbx_chance(&world->random, 35) ? new_mobile(world) : NULL;
		world->person_count++;
	}
	world->follow_me.extension = world->follow_me.device = "300";
	if (pbx_chance(&world->random, 40))
		world->follow_me.device = new_extension(world, low, span); /* as in 2-23/raw */
	world->follow_me.mobile = new_mobile(world);
}

void pbx_world_init(struct pbx_world *world, uint64_t seed, struct arena *arena)
{
	*world = (struct pbx_world){.random = {seed}, .arena = arena, .restart_ms = INT64_MAX};
	draw_people(world);
	world->line_count = 2 + pbx_below(&world->random, PBX_MAX_LINES - 1);
	for (unsigned i = 0; i < world->line_count; i++)
		world->lines[i] = pbx_chance(&world->random, 75)
					  ? arena_printf(arena, "0001%u%02u",
						    3 + pbx_below(&world->random, 6), i * 7 + 3)
					  : arena_printf(arena, "38800%02u",
						    10 * i + pbx_below(&world->random, 10));
	world->repeat_percent = pbx_chance(&world->random, 20) ? 40 : 5;
	world->old_host = pbx_chance(&world->random, 5);
	world->next_channel = pbx_below(&world->random, 20000);
}

/* Nothing says that a call is over which the PBX dropped as it went down, but that its channels are
 * counted from the beginning: once as many have been made again, who talked in it keeps still. */
static bool is_free(const struct pbx_world *world, const struct pbx_person *person, int64_t at_ms)
{
	bool told = person->cut_off_at == 0 || world->next_channel + MARGIN < person->cut_off_at;

	return person->free_ms <= at_ms && told;
}

static struct pbx_person *draw_free(struct pbx_world *world, int64_t at_ms, bool with_mobile)
{
	for (int i = 0; i < TRIES; i++) {
		struct pbx_person *person =
			&world->people[pbx_below(&world->random, world->person_count)];

		if (!is_free(world, person, at_ms) || (with_mobile && person->mobile == NULL))
			continue;
		person->free_ms = at_ms + RESERVED_MS;
		person->may_take_second = false;
		return person;
	}
	return NULL;
}

struct pbx_person *pbx_world_free_person(struct pbx_world *world, int64_t at_ms)
{
	return draw_free(world, at_ms, false);
}

struct pbx_person *pbx_world_free_mobile(struct pbx_world *world, int64_t at_ms)
{
	return draw_free(world, at_ms, true);
}

struct pbx_person *pbx_world_busy_person(struct pbx_world *world, int64_t at_ms)
{
	unsigned first = pbx_below(&world->random, world->person_count);

	for (unsigned i = 0; i < world->person_count; i++) {
		struct pbx_person *person = &world->people[(first + i) % world->person_count];

		if (person->free_ms > at_ms && person->may_take_second) {
			person->may_take_second = false;
			return person;
		}
	}
	return NULL;
}

/* Mostly somebody new; now and then somebody whose other call may still be going on. */
const char *pbx_world_external(struct pbx_world *world, struct arena *arena)
{
	static const char *const codes[] = {"37529", "37533", "37544", "37517", "7926", "4822"};
	const char *number;

	if (world->recent_count == PBX_RECENT && pbx_chance(&world->random, world->repeat_percent))
		return arena_strdup(arena, world->recent[pbx_below(&world->random, PBX_RECENT)]);
	number = arena_printf(world->arena, "%s%07u",
		codes[pbx_chance(&world->random, 90) ? pbx_below(&world->random, 4)
						     : 4 + pbx_below(&world->random, 2)],
		1000000 + pbx_below(&world->random, 8999999));
	if (world->recent_count < PBX_RECENT)
		world->recent[world->recent_count++] = number;
	else
		world->recent[pbx_below(&world->random, PBX_RECENT)] = number;
	return number;
}

const char *pbx_world_line(struct pbx_world *world)
{
	return world->lines[pbx_below(&world->random, world->line_count)];
}

/* Nobody talks any more, and names of channels come again. */
void pbx_world_restarted(struct pbx_world *world, int64_t next_ms)
{
	world->next_channel = world->next_device = world->next_local = 0;
	world->restart_ms = next_ms;
}
