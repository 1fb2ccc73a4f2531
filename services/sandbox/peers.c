/*
 * peers: three tables that grow as bots and chats are spoken of. Bounded each: a load test with
 * random ids must end in an error, not in the memory of the machine.
 */
#include "peers.h"

#include "alloc.h"
#include "json_put.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Twice the ten thousand bots that the dispatcher serves from one process. */
#define MAX_BOTS  20000
#define MAX_CHATS 100000
#define MAX_RATES 20000

struct peers {
	struct table *bots, *chats, *rates;
};

struct peers *peers_new(void)
{
	struct peers *peers = alloc_zeroed(1, sizeof(*peers));

	peers->bots = table_new();
	peers->chats = table_new();
	peers->rates = table_new();
	return peers;
}

/* table_next() allows to remove the key that it stands on. */
static void empty(struct table *table)
{
	size_t at = 0;
	struct str key;
	void *value;

	while (table_next(table, &at, &key, &value)) {
		table_remove(table, key);
		free(value);
	}
}

void peers_free(struct peers **peers)
{
	struct table **tables[] = {&(*peers)->bots, &(*peers)->chats, &(*peers)->rates};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		empty(*tables[i]);
		table_free(tables[i]);
	}
	free(*peers);
	*peers = NULL;
}

/* What stands under the key; made, zeroed, when nothing does. NULL at the bound: anybody may speak of
 * any id, and each costs memory until the next reset. */
static void *find_or_make(struct table *table, const char *key, size_t size_bytes, size_t max)
{
	void *value = table_get(table, str_from(key));

	if (value != NULL || table_count(table) >= max)
		return value;
	value = alloc_zeroed(1, size_bytes);
	table_put(table, str_from(key), value);
	return value;
}

static void *of_id(struct table *table, int64_t id, size_t size_bytes, size_t max)
{
	char key[24];

	snprintf(key, sizeof(key), "%" PRId64, id);
	return find_or_make(table, key, size_bytes, max);
}

struct bot *peers_bot(struct peers *peers, int64_t bot_id)
{
	struct bot *bot = of_id(peers->bots, bot_id, sizeof(*bot), MAX_BOTS);

	if (bot != NULL)
		bot->id = bot_id;
	return bot;
}

struct chat *peers_chat(struct peers *peers, int64_t chat_id)
{
	struct chat *chat = of_id(peers->chats, chat_id, sizeof(*chat), MAX_CHATS);

	if (chat != NULL)
		chat->id = chat_id;
	return chat;
}

const struct chat *peers_known_chat(const struct peers *peers, int64_t chat_id)
{
	char key[24];

	snprintf(key, sizeof(key), "%" PRId64, chat_id);
	return table_get(peers->chats, str_from(key));
}

struct rate_chat *peers_rate(struct peers *peers, int64_t bot_id, int64_t chat_id)
{
	char key[48];

	/* Starting anew forgives a few messages, once in twenty thousand chats. */
	if (table_count(peers->rates) >= MAX_RATES)
		empty(peers->rates);
	snprintf(key, sizeof(key), "%" PRId64 ":%" PRId64, bot_id, chat_id);
	return find_or_make(peers->rates, key, sizeof(struct rate_chat), MAX_RATES);
}

bool chat_state_from(struct str name, enum chat_state *state)
{
	static const char *const names[] = {
		[CHAT_OK] = "ok",
		[CHAT_BLOCKED] = "blocked",
		[CHAT_KICKED] = "kicked",
		[CHAT_DEACTIVATED] = "deactivated",
		[CHAT_MISSING] = "missing",
		[CHAT_MIGRATED] = "migrated",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!str_equal(name, str_from(names[i])))
			continue;
		*state = (enum chat_state)i;
		return true;
	}
	return false;
}

/* core.telegram.org/bots/api#message: unique inside the chat; in private chats the real server
 * counts over all chats of a bot. */
int64_t peers_next_message_id(struct bot *bot, struct chat *chat)
{
	return chat->id < 0 ? ++chat->last_message_id : ++bot->last_message_id;
}

/* Summed when a page asks, not kept: counters that are written in one place cannot disagree. */
struct peers_totals peers_totals(const struct peers *peers)
{
	struct peers_totals totals = {0, 0};
	size_t at = 0;
	void *value;

	while (table_next(peers->bots, &at, NULL, &value)) {
		const struct bot *bot = value;
		totals.calls += bot->sends + bot->edits + bot->deletes + bot->refused;
		totals.violations += bot->violations;
	}
	return totals;
}

void peers_write_bots(const struct peers *peers, struct buf *to)
{
	struct json_writer writer;
	size_t at = 0;
	void *value;

	json_begin(&writer, to);
	json_open_array(&writer);
	while (table_next(peers->bots, &at, NULL, &value)) {
		const struct bot *bot = value;
		const struct {
			const char *name;
			int64_t value;
		} counters[] = {{"bot_id", bot->id}, {"sends", bot->sends}, {"edits", bot->edits},
			{"deletes", bot->deletes}, {"refused", bot->refused},
			{"violations", bot->violations}};
		json_open_object(&writer);
		for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
			json_put_member_int(&writer, counters[i].name, counters[i].value);
		}
		json_put_member_bool(&writer, "revoked", bot->revoked);
		json_close_object(&writer);
	}
	json_close_array(&writer);
}
