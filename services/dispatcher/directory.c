/*
 * directory: see directory.h. Looking things up; directory_load.c reads them.
 */
#include "directory.h"

#include "dispatcher.h"

void directory_init(struct directory *directory)
{
	*directory = (struct directory){
		.tenants = table_new(),
		.bots = table_new(),
		.zones = table_new(),
		.wanted = true,
		.stranger = {.number = "",
			.name = "",
			.locale = "ru",
			.country = "BY",
			.recording_base = ""},
	};
	flow_queue_init(&directory->wake);
	flow_queue_init(&directory->loaded);
}

/* The tables of a copy; its structs are in its arena. */
static void directory_free_copy(struct directory *directory)
{
	size_t at = 0;
	void *value;
	while (table_next(directory->tenants, &at, NULL, &value)) {
		struct directory_tenant *tenant = value;
		if (tenant->managers != NULL)
			table_free(&tenant->managers);
		if (tenant->lines != NULL)
			table_free(&tenant->lines);
	}
	table_free(&directory->tenants);
	table_free(&directory->bots);
	arena_free(&directory->arena);
}

/* Whoever waits for a newer copy looks again, whether or not it holds what he misses. */
void directory_replace(struct directory *directory, const struct directory *copy)
{
	directory_free_copy(directory);
	directory->arena = copy->arena;
	directory->tenants = copy->tenants;
	directory->bots = copy->bots;
	directory->loads++;
	flow_queue_wake_all(&directory->loaded);
}

void directory_free(struct directory *directory)
{
	directory_free_copy(directory);
	size_t at = 0;
	void *value;
	while (table_next(directory->zones, &at, NULL, &value)) {
		struct clock_zone *zone = value;
		clock_zone_free(&zone);
	}
	table_free(&directory->zones);
}

const struct directory_tenant *directory_find(const struct directory *directory, struct str number)
{
	return table_get(directory->tenants, number);
}

/* The owner is often a subscriber, too, and must not be told twice. */
static unsigned add_once(int64_t *to, unsigned count, unsigned capacity, int64_t chat)
{
	for (unsigned i = 0; i < count; i++) {
		if (to[i] == chat)
			return count;
	}
	if (count < capacity)
		to[count++] = chat;
	return count;
}

unsigned directory_recipients(const struct directory *directory,
	const struct directory_tenant *tenant, int64_t *to, unsigned capacity)
{
	unsigned count = 0;
	if (tenant == NULL || !tenant->active || tenant->bot_token[0] == '\0')
		return 0;
	if (tenant->owner_chat != 0)
		count = add_once(to, count, capacity, tenant->owner_chat);
	const struct directory_bot *bot = table_get(directory->bots, str_from(tenant->bot_token));
	for (unsigned i = 0; bot != NULL && i < bot->count; i++)
		count = add_once(to, count, capacity, bot->chats[i]);
	return count;
}

void directory_want(struct dispatcher *d)
{
	d->directory.wanted = true;
	flow_queue_wake_all(&d->directory.wake);
}
