/*
 * pbx_world: one enterprise: its people, mobiles, lines, whom it telephones with, and its PBX's
 * counters.
 *
 * Nobody talks in two calls at once, but for colleagues who are called while they talk: where
 * that is played, it is on purpose.
 */
#ifndef PBX_WORLD_H
#define PBX_WORLD_H

#include "arena.h"
#include "pbx_random.h"

#include <stddef.h>

#define PBX_MAX_PEOPLE 48
#define PBX_MAX_LINES  6
#define PBX_RECENT     8 /* numbers that may call, or be called, again at once */

struct pbx_person {
	const char *extension;
	const char *mobile;   /* NULL: has none that is rung */
	const char *device;   /* of a FollowMe number: whose phone rings; else the extension */
	int64_t free_ms;      /* busy until then */
	bool may_take_second; /* talks in a plain call until free_ms: a second one may come */
	unsigned cut_off_at;  /* talked when the PBX went down, which had made so many channels */
};

struct pbx_world {
	struct pbx_random random;
	struct arena *arena; /* not owned; all strings of the world */
	struct pbx_person people[PBX_MAX_PEOPLE];
	unsigned person_count;
	struct pbx_person follow_me; /* "300" */
	const char *lines[PBX_MAX_LINES];
	unsigned line_count;
	const char *recent[PBX_RECENT];
	unsigned recent_count;
	unsigned repeat_percent; /* how often a recent number is taken again */
	int64_t restart_ms;	 /* the PBX goes down then; INT64_MAX: never */
	unsigned next_channel, next_device, next_local; /* start again after a restart */
	unsigned flagged; /* so many events more carry ExternalInitiated, whatever they are of */
	bool old_host;	  /* spells as hosts of 2024 do */
};

void pbx_world_init(struct pbx_world *world, uint64_t seed, struct arena *arena);

/* Somebody who is free at that time, and is not to be asked twice for one call; NULL: nobody. */
struct pbx_person *pbx_world_free_person(struct pbx_world *world, int64_t at_ms);
struct pbx_person *pbx_world_free_mobile(struct pbx_world *world, int64_t at_ms);
/* Somebody who talks and whose phone can take a second call; NULL. */
struct pbx_person *pbx_world_busy_person(struct pbx_world *world, int64_t at_ms);
const char *pbx_world_external(struct pbx_world *world, struct arena *arena);
const char *pbx_world_line(struct pbx_world *world);
void pbx_world_restarted(struct pbx_world *world, int64_t next_ms);

#endif
