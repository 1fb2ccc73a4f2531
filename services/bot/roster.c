/*
 * roster: see roster.h.
 */
#include "bots.h"
#include "telegram_update.h"

#include <stdlib.h>

#define IDLE_WAIT_MS 60000

void roster_init(struct roster *roster)
{
	*roster = (struct roster){.by_token = table_new(), .by_number = table_new()};
	flow_queue_init(&roster->wake);
}

static void bot_free(struct bot *bot)
{
	free(bot->token);
	free(bot->number);
	free(bot->username);
	free(bot->introduced);
	free(bot->trouble);
	free(bot);
}

/* Called when all flows have ended, so no bot is busy. */
void roster_free(struct roster *roster)
{
	size_t at = 0;
	void *value;
	while (table_next(roster->by_token, &at, NULL, &value))
		bot_free(value);
	table_free(&roster->by_token);
	table_free(&roster->by_number);
	free(roster->heap);
}

/* -- the heap: who is next ------------------------------------------------------------------------ */

static void heap_set(struct roster *roster, size_t place, struct bot *bot)
{
	roster->heap[place] = bot;
	bot->place = place;
}

static void heap_up(struct roster *roster, struct bot *bot)
{
	size_t place = bot->place;
	while (place > 1 && roster->heap[place / 2]->due_ms > bot->due_ms) {
		heap_set(roster, place, roster->heap[place / 2]);
		place /= 2;
	}
	heap_set(roster, place, bot);
}

static void heap_down(struct roster *roster, struct bot *bot)
{
	size_t place = bot->place;
	for (;;) {
		size_t child = place * 2;
		if (child > roster->heap_count)
			break;
		if (child < roster->heap_count &&
			roster->heap[child + 1]->due_ms < roster->heap[child]->due_ms)
			child++;
		if (roster->heap[child]->due_ms >= bot->due_ms)
			break;
		heap_set(roster, place, roster->heap[child]);
		place = child;
	}
	heap_set(roster, place, bot);
}

static void heap_add(struct roster *roster, struct bot *bot)
{
	if (roster->heap_count + 2 > roster->heap_capacity) {
		roster->heap_capacity = roster->heap_capacity * 2 + 64;
		roster->heap =
			alloc_resize(roster->heap, roster->heap_capacity * sizeof(struct bot *));
	}
	heap_set(roster, ++roster->heap_count, bot);
	heap_up(roster, bot);
}

static void heap_remove(struct roster *roster, struct bot *bot)
{
	size_t place = bot->place;
	struct bot *last = roster->heap[roster->heap_count--];
	bot->place = 0;
	if (last == bot)
		return;
	heap_set(roster, place, last);
	heap_up(roster, last);
	heap_down(roster, last);
}

/* -- turns ---------------------------------------------------------------------------------------- */

struct bot *roster_pick(struct bots *b, int64_t *wait_ms)
{
	struct roster *roster = &b->roster;
	*wait_ms = IDLE_WAIT_MS;
	if (roster->heap_count == 0 || b->draining || !lease_holds(b))
		return NULL;
	struct bot *bot = roster->heap[1];
	int64_t wait = bot->due_ms - loop_now_ms(b->loop);
	if (wait > 0) {
		*wait_ms = wait < IDLE_WAIT_MS ? wait : IDLE_WAIT_MS;
		return NULL;
	}
	heap_remove(roster, bot);
	return bot;
}

void roster_put_back(struct bots *b, struct bot *bot, int64_t after_ms)
{
	bot->poll = NULL;
	bot->asking = false;
	if (bot->gone) {
		bot_free(bot);
		return;
	}
	if (!bot->mine)
		return;
	bot->due_ms = loop_now_ms(b->loop) + after_ms;
	heap_add(&b->roster, bot);
	flow_queue_wake(&b->roster.wake, 1);
}

bool roster_is_crowded(const struct bots *b)
{
	return b->roster.mine > (size_t)b->config->max_polls;
}

/* A flow that is cancelled puts its bot back, which does not change the table. */
void roster_cut_polls(struct roster *roster)
{
	size_t at = 0;
	void *value;
	while (table_next(roster->by_token, &at, NULL, &value)) {
		struct bot *bot = value;
		if (bot->asking)
			flow_cancel(bot->poll);
	}
}

struct bot *roster_of_number(const struct roster *roster, struct str number)
{
	return table_get(roster->by_number, number);
}

/* -- loading -------------------------------------------------------------------------------------- */

enum {
	COLUMN_TOKEN,
	COLUMN_NUMBER,
	COLUMN_USERNAME,
	COLUMN_INTRODUCED,
	COLUMN_NEXT,
	COLUMN_MINE,
	COLUMN_ERROR
};

void roster_set_text(char **text, struct str to)
{
	free(*text);
	*text = alloc_text(to);
}

static struct bot *bot_of(struct roster *roster, struct str token)
{
	struct bot *bot = table_get(roster->by_token, token);
	if (bot != NULL)
		return bot;
	bot = alloc_zeroed(1, sizeof(*bot));
	bot->token = alloc_text(token);
	bot->limit = TELEGRAM_UPDATES_AT_ONCE;
	table_put(roster->by_token, token, bot);
	return bot;
}

/* Where a bot that stays ours has got to is known better here than in a row read earlier. */
static void bot_become_mine(struct bots *b, struct bot *bot, const struct pg_batch *batch, int row)
{
	bot->mine = true;
	bot->next_update = pg_int(batch, 0, row, COLUMN_NEXT);
	bot->failures = 0;
	bot->rest_ms = 0;
	if (bot->poll == NULL)
		roster_put_back(b, bot, 0);
}

/* What is under way of it comes to nothing: its writes are refused by the database. */
static void bot_become_foreign(struct bots *b, struct bot *bot)
{
	bot->mine = false;
	if (bot->place != 0)
		heap_remove(&b->roster, bot);
	if (bot->asking)
		flow_cancel(bot->poll);
}

static void load_row(struct bots *b, const struct pg_batch *batch, int row)
{
	struct bot *bot = bot_of(&b->roster, pg_text(batch, 0, row, COLUMN_TOKEN));
	bool mine = pg_bool(batch, 0, row, COLUMN_MINE);
	bot->seen = b->roster.loads;
	roster_set_text(&bot->number, pg_text(batch, 0, row, COLUMN_NUMBER));
	roster_set_text(&bot->username, pg_text(batch, 0, row, COLUMN_USERNAME));
	roster_set_text(&bot->introduced, pg_text(batch, 0, row, COLUMN_INTRODUCED));
	roster_set_text(&bot->trouble, pg_text(batch, 0, row, COLUMN_ERROR));
	table_put(b->roster.by_number, str_from(bot->number), bot);
	if (mine && !bot->mine)
		bot_become_mine(b, bot, batch, row);
	else if (!mine && bot->mine)
		bot_become_foreign(b, bot);
	b->roster.mine += mine;
}

static void drop_unseen(struct bots *b)
{
	struct roster *roster = &b->roster;
	struct str token;
	size_t at = 0;
	void *value;
	while (table_next(roster->by_token, &at, &token, &value)) {
		struct bot *bot = value;
		if (bot->seen == roster->loads)
			continue;
		table_remove(roster->by_token, token);
		bool busy = bot->poll != NULL;
		bot->gone = busy;
		bot_become_foreign(b, bot);
		if (!busy)
			bot_free(bot);
	}
}

static void count_troubled(struct bots *b)
{
	double troubled = 0;
	size_t at = 0;
	void *value;
	while (table_next(b->roster.by_token, &at, NULL, &value)) {
		const struct bot *bot = value;
		troubled += bot->mine && bot->trouble[0] != '\0';
	}
	metric_set(b->meters.owned, (double)b->roster.mine);
	metric_set(b->meters.troubled, troubled);
}

void roster_load(struct bots *b, const struct pg_batch *batch)
{
	struct roster *roster = &b->roster;
	bool was_crowded = roster_is_crowded(b);
	roster->loads++;
	roster->mine = 0;
	table_free(&roster->by_number);
	roster->by_number = table_new();
	for (int row = 0; row < pg_rows(batch, 0); row++)
		load_row(b, batch, row);
	drop_unseen(b);
	if (!was_crowded && roster_is_crowded(b))
		roster_cut_polls(roster);
	count_troubled(b);
	flow_queue_wake_all(&roster->wake);
}
