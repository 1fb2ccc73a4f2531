/*
 * clicks: see clicks.h.
 */
#include "clicks.h"

#include "alloc.h"
#include "buf.h"
#include "table.h"

#include <stdlib.h>

enum { SAME_MS = 3000, MAX_CLICKS = 20000, KEY_MAX_BYTES = 256, MINUTE_MS = 60000 };

/* What an enterprise may still do. */
struct click_desk {
	double tokens; /* at most a sixth of a minute's: nobody clicks faster for long */
	int64_t at_ms;
	int64_t busy; /* connections to its PBX */
};

struct clicks {
	struct clicks_options options;
	struct table *by_key, *desks;
	struct click *first, **last; /* in the order in which they began */
};

struct clicks *clicks_new(const struct clicks_options *options)
{
	struct clicks *clicks = alloc_zeroed(1, sizeof(*clicks));

	clicks->options = *options;
	clicks->by_key = table_new();
	clicks->desks = table_new();
	clicks->last = &clicks->first;
	return clicks;
}

static void click_free(struct click *click)
{
	free(click->key);
	free(click);
}

void clicks_free(struct clicks **clicks)
{
	struct clicks *old = *clicks;
	size_t at = 0;
	void *desk;

	if (old == NULL)
		return;
	for (struct click *click = old->first, *next; click != NULL; click = next) {
		next = click->next;
		click_free(click);
	}
	while (table_next(old->desks, &at, NULL, &desk))
		free(desk);
	table_free(&old->by_key);
	table_free(&old->desks);
	free(old);
	*clicks = NULL;
}

/* The old ones stand in front; one that still rings keeps those behind it for its half minute. */
static void forget_old(struct clicks *clicks, int64_t now_ms)
{
	while (clicks->first != NULL && clicks->first->over && clicks->first->readers == 0 &&
		now_ms - clicks->first->begun_ms >= SAME_MS) {
		struct click *old = clicks->first;

		clicks->first = old->next;
		if (clicks->first == NULL)
			clicks->last = &clicks->first;
		if (table_get(clicks->by_key, str_from(old->key)) == old)
			(void)table_remove(clicks->by_key, str_from(old->key));
		click_free(old);
	}
}

static struct click_desk *desk_of(struct clicks *clicks, struct str enterprise, int64_t now_ms)
{
	struct click_desk *desk = table_get(clicks->desks, enterprise);
	double most = (double)clicks->options.per_minute / 6;

	if (most < 1)
		most = 1;
	if (desk == NULL) {
		desk = alloc_zeroed(1, sizeof(*desk));
		desk->tokens = most;
		desk->at_ms = now_ms;
		(void)table_put(clicks->desks, enterprise, desk);
	}
	desk->tokens +=
		(double)(now_ms - desk->at_ms) * (double)clicks->options.per_minute / MINUTE_MS;
	if (desk->tokens > most)
		desk->tokens = most;
	desk->at_ms = now_ms;
	return desk;
}

static struct click *click_new(
	struct clicks *clicks, struct str key, struct click_desk *desk, int64_t now_ms)
{
	struct click *click = alloc_zeroed(1, sizeof(*click));

	click->key = alloc_zeroed(1, key.size + 1);
	memcpy(click->key, key.data, key.size);
	click->desk = desk;
	click->begun_ms = now_ms;
	flow_queue_init(&click->waiting);
	*clicks->last = click;
	clicks->last = &click->next;
	(void)table_put(clicks->by_key, key, click);
	desk->tokens -= 1;
	desk->busy++;
	return click;
}

static enum clicks_say begin(struct clicks *clicks, struct str enterprise, struct str key,
	int64_t now_ms, struct click **click)
{
	struct click *same = table_get(clicks->by_key, key);
	struct click_desk *desk;

	if (same != NULL && (!same->over || now_ms - same->begun_ms < SAME_MS)) {
		*click = same;
		return CLICKS_SAME;
	}
	desk = desk_of(clicks, enterprise, now_ms);
	if (desk->tokens < 1)
		return CLICKS_TOO_FAST;
	if (desk->busy >= clicks->options.at_once || table_count(clicks->by_key) >= MAX_CLICKS)
		return CLICKS_TOO_MANY;
	*click = click_new(clicks, key, desk, now_ms);
	return CLICKS_FIRST;
}

enum clicks_say clicks_begin(
	struct clicks *clicks, const struct click_key *key, int64_t now_ms, struct click **click)
{
	enum clicks_say say;
	struct buf text;

	*click = NULL;
	forget_old(clicks, now_ms);
	buf_init(&text, KEY_MAX_BYTES);
	(void)buf_printf(&text, "%.*s|%.*s|%.*s", STR_ARG(key->enterprise), STR_ARG(key->extension),
		STR_ARG(key->phone));
	say = text.failed ? CLICKS_TOO_MANY
			  : begin(clicks, key->enterprise, buf_str(&text), now_ms, click);
	buf_free(&text);
	if (*click != NULL)
		(*click)->readers++;
	return say;
}

void clicks_end(struct click *click)
{
	click->over = true;
	click->desk->busy--;
	(void)flow_queue_wake_all(&click->waiting);
}

void clicks_leave(struct click *click)
{
	click->readers--;
}
