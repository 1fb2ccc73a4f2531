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
		number_rules_free(&tenant->numbers);
		if (tenant->users != NULL)
			table_free(&tenant->users);
	}
	at = 0;
	while (table_next(directory->bots, &at, NULL, &value)) {
		struct directory_bot *bot = value;
		table_free(&bot->by_chat);
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

static struct str chat_key(const int64_t *chat_id)
{
	return str_of((const char *)chat_id, sizeof(*chat_id));
}

static bool is_owner(const struct directory_tenant *tenant, int64_t chat_id)
{
	for (unsigned i = 0; i < DIRECTORY_OWNER_CHATS; i++) {
		if (tenant->owner_chats[i] == chat_id)
			return true;
	}
	return false;
}

struct directory_recipient directory_reader(const struct directory_tenant *tenant, int64_t chat_id)
{
	struct directory_recipient reader = {.chat_id = chat_id};
	reader.owner = is_owner(tenant, chat_id);
	if (!reader.owner && tenant->users != NULL)
		reader.user = table_get(tenant->users, chat_key(&chat_id));
	return reader;
}

bool directory_has_bot(const struct directory_tenant *tenant)
{
	return tenant != NULL && tenant->active && tenant->bot_token[0] != '\0';
}

/* The owner is often a subscriber, too, and must not be told twice. Subscribers of a bot are unique. */
unsigned directory_recipients(const struct directory *directory,
	const struct directory_tenant *tenant, struct directory_recipient *to, unsigned capacity)
{
	unsigned count = 0;
	if (!directory_has_bot(tenant))
		return 0;
	for (unsigned i = 0; i < DIRECTORY_OWNER_CHATS; i++) {
		int64_t chat_id = tenant->owner_chats[i];
		bool again = i > 0 && chat_id == tenant->owner_chats[0];
		if (chat_id != 0 && !again && count < capacity)
			to[count++] = directory_reader(tenant, chat_id);
	}
	const struct directory_bot *bot = table_get(directory->bots, str_from(tenant->bot_token));
	for (unsigned i = 0; bot != NULL && i < bot->count && count < capacity; i++) {
		if (is_owner(tenant, bot->chats[i].id))
			continue;
		to[count] = directory_reader(tenant, bot->chats[i].id);
		to[count++].only_mine = bot->chats[i].only_mine;
	}
	return count;
}

bool directory_tells(
	const struct directory *directory, const struct directory_tenant *tenant, int64_t chat_id)
{
	if (!directory_has_bot(tenant) || chat_id == 0)
		return false;
	const struct directory_bot *bot = table_get(directory->bots, str_from(tenant->bot_token));
	return is_owner(tenant, chat_id) ||
	       (bot != NULL && table_get(bot->by_chat, chat_key(&chat_id)) != NULL);
}

/* -- whose call it is ----------------------------------------------------------------------------- */

/* Enough of a mobile's digits to know it, whatever way its country and trunk prefix are written. */
#define MOBILE_DIGITS 9

/* `phone` has digits only; the call's number may begin with +. */
static bool same_phone(const char *phone, const char *number)
{
	struct str own = str_from(phone), other = str_from(number);
	if (str_starts(other, STR("+")))
		other = str_of(other.data + 1, other.size - 1);
	if (own.size == 0 || other.size < MOBILE_DIGITS || own.size < MOBILE_DIGITS)
		return own.size > 0 && str_equal(own, other);
	return memcmp(own.data + own.size - MOBILE_DIGITS, other.data + other.size - MOBILE_DIGITS,
		       MOBILE_DIGITS) == 0;
}

static bool is_of(const struct directory_user *user, const char *number)
{
	if (number[0] == '\0')
		return false;
	for (unsigned i = 0; i < user->count; i++) {
		if (same_phone(user->phones[i], number))
			return true;
	}
	return same_phone(user->follow_me, number);
}

static bool any_is_of(const struct directory_user *user, const struct call_numbers *numbers)
{
	for (unsigned i = 0; i < numbers->count; i++) {
		if (is_of(user, numbers->items[i]))
			return true;
	}
	return false;
}

bool directory_takes_part(const struct directory_user *user, const struct call *call)
{
	if (user == NULL)
		return false;
	/* An outgoing call's callee is the other side. */
	bool callee = call->direction == CALL_INTERNAL && is_of(user, call->callee);
	if (callee || is_of(user, call->caller) || is_of(user, call->talking) ||
		any_is_of(user, &call->rang) || any_is_of(user, &call->talkers))
		return true;
	for (unsigned i = 0; i < call->transfer_count; i++) {
		if (is_of(user, call->transfers[i].to) || is_of(user, call->transfers[i].taker))
			return true;
	}
	for (unsigned i = 0; i < call->leg_count; i++) {
		if (is_of(user, call->legs[i].number))
			return true;
	}
	return false;
}

/* -- copies --------------------------------------------------------------------------------------- */

void directory_want(struct dispatcher *d)
{
	d->directory.wanted = true;
	flow_queue_wake_all(&d->directory.wake);
}
