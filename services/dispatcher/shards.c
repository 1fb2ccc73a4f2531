/*
 * shards: see shards.h.
 */
#include "shards.h"

unsigned shards_count(const struct shards *shards, enum shard_state state)
{
	unsigned count = 0;
	for (unsigned i = 0; i < SHARD_COUNT; i++)
		count += shards->items[i].state == state;
	return count;
}

bool shards_want_drop(const struct shards *shards)
{
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		if (shards->items[i].drop)
			return true;
	}
	return false;
}

bool shards_lease_holds(const struct shards *shards, int64_t now_ms)
{
	return now_ms < shards->lease_until_ms;
}

/* Those that read together, and the place of the one that is furthest back. */
static void group_take(struct shards *shards, bool lagging, struct shard_group *group)
{
	*group = (struct shard_group){.lagging = lagging};
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &shards->items[i];
		if (shard->state != SHARD_OWNED || shard->drop || shard->caught_up == lagging)
			continue;
		if (group->count == 0 || position_before(shard->at, group->from))
			group->from = shard->at;
		group->wanted[i] = true;
		group->count++;
	}
	if (!lagging)
		group->from = shards->main;
}

void shards_group(struct shards *shards, bool prefer_lagging, struct shard_group *group)
{
	struct shard_group lagging, main;
	group_take(shards, true, &lagging);
	group_take(shards, false, &main);
	if (main.count == 0 && lagging.count > 0) {
		/* Nobody to catch up with: they are the main group from here on. */
		shards->main = lagging.from;
		shards_join(shards, &lagging);
		group_take(shards, false, group);
		return;
	}
	*group = lagging.count > 0 && prefer_lagging ? lagging : main;
}

void shards_join(struct shards *shards, const struct shard_group *group)
{
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		if (group->wanted[i])
			shards->items[i].caught_up = true;
	}
}

void shards_forget_all(struct shards *shards)
{
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &shards->items[i];
		if (shard->state == SHARD_OWNED || shard->state == SHARD_LOADING)
			shard->drop = true;
	}
}

const char *shards_owned_list(const struct shards *shards, struct arena *arena)
{
	struct buf list;
	buf_init(&list, 512);
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		const struct shard *shard = &shards->items[i];
		if (shard->state == SHARD_OWNED && !shard->drop)
			buf_printf(&list, "%c%u", list.size > 0 ? ',' : '{', i);
	}
	buf_add(&list, list.size > 0 ? STR("}") : STR("{}"));
	const char *copy = arena_strndup(arena, list.data, list.size);
	buf_free(&list);
	return copy;
}
