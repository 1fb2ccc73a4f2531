/*
 * folding: see folding.h.
 */
#include "folding.h"

#include "alloc.h"
#include "dispatcher.h"

#include <stdlib.h>

#define EVENT_ARENA_BYTES ((size_t)4 << 20)
#define TICK_EVERY_MS	  250
#define MIN_LINGER_MS	  500
#define MAX_REASONS	  20   /* a call and round */
#define TICK_MAX_CHANGES  1000 /* then it goes on in the next round */

void folding_init(struct folding *folding, int64_t linger_ms)
{
	*folding = (struct folding){.enterprises = table_new(), .linger_ms = linger_ms};
}

static void enterprise_free(struct folding *folding, struct enterprise_fold *enterprise)
{
	table_remove(folding->enterprises, str_from(enterprise->number));
	call_fold_free(&enterprise->fold);
	free(enterprise->number);
	free(enterprise);
}

void folding_free(struct folding *folding)
{
	size_t at = 0;
	void *value;
	while (table_next(folding->enterprises, &at, NULL, &value))
		enterprise_free(folding, value);
	table_free(&folding->enterprises);
}

static const struct tenant *tenant_of(const struct dispatcher *d, struct str number)
{
	const struct directory_tenant *found = directory_find(&d->directory, number);
	return found != NULL ? &found->tenant : &d->directory.stranger;
}

static struct enterprise_fold *enterprise_get(
	struct dispatcher *d, unsigned shard, struct str number)
{
	struct enterprise_fold *enterprise = table_get(d->folding.enterprises, number);
	if (enterprise != NULL)
		return enterprise;
	const struct call_fold_rules rules = {
		.country = tenant_of(d, number)->country,
		.numbers = tenant_of(d, number)->numbers,
		.linger_ms = d->folding.linger_ms,
	};
	enterprise = alloc_zeroed(1, sizeof(*enterprise));
	enterprise->number = alloc_text(number);
	enterprise->shard = shard;
	enterprise->fold = call_fold_new(&rules);
	table_put(d->folding.enterprises, number, enterprise);
	return enterprise;
}

/* -- changes -------------------------------------------------------------------------------------- */

void changes_begin(struct changes *changes, struct arena *arena)
{
	*changes = (struct changes){.arena = arena, .by_call = table_new()};
}

void changes_end(struct changes *changes)
{
	if (changes->by_call != NULL)
		table_free(&changes->by_call);
}

static void changes_add(struct changes *changes, struct change *change)
{
	if (changes->count == changes->capacity) {
		changes->capacity = changes->capacity > 0 ? changes->capacity * 2 : 64;
		struct change **items =
			arena_array(changes->arena, changes->capacity, sizeof(*items));
		if (changes->count > 0)
			memcpy(items, changes->items, changes->count * sizeof(*items));
		changes->items = items;
	}
	changes->items[changes->count++] = change;
}

static struct change *change_get(
	struct changes *changes, struct enterprise_fold *enterprise, int64_t call_id)
{
	struct str key = str_of((const char *)&call_id, sizeof(call_id));
	struct change *change = table_get(changes->by_call, key);
	if (change != NULL)
		return change;
	change = arena_alloc(changes->arena, sizeof(*change));
	change->of = enterprise;
	change->call_id = call_id;
	change->trace = "";
	change->data_source = "live";
	change->last_reason = &change->reasons;
	table_put(changes->by_call, key, change);
	changes_add(changes, change);
	return change;
}

/* Bounded a round here, and a call in SQL: a call that never ends must not grow without end. */
static void change_reason(struct changes *changes, struct change *change, const char *words,
	int64_t event_id, int64_t at_ms)
{
	if (words == NULL || words[0] == '\0' || change->reason_count >= MAX_REASONS)
		return;
	struct change_reason *reason = arena_alloc(changes->arena, sizeof(*reason));
	reason->event_id = event_id;
	reason->at_ms = at_ms;
	reason->words = arena_strdup(changes->arena, words);
	*change->last_reason = reason;
	change->last_reason = &reason->next;
	change->reason_count++;
}

const struct call *change_call(const struct change *change)
{
	const struct call *call = call_fold_find(change->of->fold, change->call_id);
	return call != NULL ? call : change->ended;
}

/* A call that ended long before the event at which that is noticed is forgotten with the next one, and
 * yet its end has to be stored. */
static void change_keep_end(struct changes *changes, struct change *change, const struct call *call)
{
	struct buf saved;
	change->ended = NULL;
	if (call->state != CALL_ENDED && call->state != CALL_LOST)
		return;
	buf_init(&saved, (size_t)1 << 20);
	if (call_fold_save(change->of->fold, call->id, &saved)) {
		change->ended = call_copy(call, changes->arena);
		change->ended_saved = arena_strndup(changes->arena, saved.data, saved.size);
	}
	buf_free(&saved);
}

/* Take over what one step of a fold changed; `event` is NULL when time passed. */
static void changes_take(struct changes *changes, struct enterprise_fold *enterprise,
	const struct call_changes *made, const struct log_event *event, int64_t now_ms)
{
	for (unsigned i = 0; i < made->count; i++) {
		const struct call_change *item = &made->items[i];
		struct change *change = change_get(changes, enterprise, item->call->id);
		if (item->merged_into != 0)
			change->merged_into = item->merged_into;
		change->since_ms = now_ms;
		change_keep_end(changes, change, item->call);
		if (event != NULL) {
			change->is_new = change->is_new || item->call->id == event->at.id;
			change->trace = event->trace;
			change->data_source = arena_strndup(
				changes->arena, event->data_source.data, event->data_source.size);
		}
		change_reason(
			changes, change, item->reason, event != NULL ? event->at.id : 0, now_ms);
	}
}

/* -- events and time ------------------------------------------------------------------------------ */

static void event_fold(struct dispatcher *d, const struct log_event *from,
	const struct call_event *event, struct changes *changes)
{
	struct enterprise_fold *enterprise = enterprise_get(d, from->shard, from->enterprise);
	struct log_context log = d->log;
	struct call_changes made = {0};
	call_fold_event(enterprise->fold, event, &made);
	changes_take(changes, enterprise, &made, from, from->received_ms);
	log.enterprise = enterprise->number;
	log.trace = from->trace;
	if (made.warning != NULL)
		log_warn(&log, "fold: event %lld: %s", (long long)from->at.id, made.warning);
	metric_add(d->meters.folded, 1);
}

/* What cannot be read now will not be readable later either: it is said, and nobody waits for it. */
static void event_skip(
	struct dispatcher *d, const struct log_event *from, const struct error *error)
{
	struct log_context log = d->log;
	char number[64];
	(void)str_copy(number, sizeof(number), from->enterprise);
	log.enterprise = number;
	log.trace = from->trace;
	log_warn(&log, "fold: event %lld is skipped: %s", (long long)from->at.id, error->text);
	metric_add(d->meters.skipped, 1);
}

/* What came afterwards is the refold's business, at its own time (ADR 0012). Only an end that never came
 * is taken here, too: the call that waits for it is over now. */
static bool event_is_ours(
	struct dispatcher *d, const struct log_event *from, const struct call_event *event)
{
	bool ends = event->type == EVENT_HANGUP || event->type == EVENT_BRIDGE_LEAVE ||
		    event->type == EVENT_BRIDGE_DESTROY;
	if (!log_event_is_late(from))
		return true;
	const struct enterprise_fold *enterprise =
		table_get(d->folding.enterprises, from->enterprise);
	return ends && enterprise != NULL &&
	       call_fold_has_open(enterprise->fold, event->unique_id, event->bridge_id);
}

void folding_event(struct dispatcher *d, const struct log_event *from, struct changes *changes)
{
	struct arena *arena = arena_new(EVENT_ARENA_BYTES);
	const struct call_event_text text = {
		from->type, from->body, tenant_of(d, from->enterprise)->zone};
	struct call_event event;
	struct error error;
	bool ok = call_event_from_text(&text, arena, &event, &error);
	/* Not of the body: the log knows better when it came and in which order. */
	event.id = from->at.id;
	event.at_ms = from->received_ms;
	if (!ok)
		event_skip(d, from, &error);
	else if (event_is_ours(d, from, &event))
		event_fold(d, from, &event, changes);
	arena_free(&arena);
}

void folding_tick(struct dispatcher *d, struct changes *changes)
{
	struct folding *folding = &d->folding;
	int64_t monotonic = loop_now_ms(d->loop), now = clock_wall_ms();
	if (monotonic - folding->ticked_ms < TICK_EVERY_MS ||
		monotonic < folding->hold_ticks_until_ms)
		return;
	folding->ticked_ms = monotonic;
	size_t at = 0;
	void *value;
	while (table_next(folding->enterprises, &at, NULL, &value)) {
		struct enterprise_fold *enterprise = value;
		const struct shard *shard = &d->shards.items[enterprise->shard];
		if (shard->state != SHARD_OWNED || !shard->caught_up ||
			changes->count > TICK_MAX_CHANGES)
			continue;
		if (call_fold_due_ms(enterprise->fold) > now)
			continue;
		struct call_changes made = {0};
		call_fold_tick(enterprise->fold, now, &made);
		changes_take(changes, enterprise, &made, NULL, now);
	}
}

bool folding_renew(
	struct dispatcher *d, struct str enterprise, int64_t call_id, struct changes *changes)
{
	struct enterprise_fold *of = table_get(d->folding.enterprises, enterprise);
	struct call_changes made = {0};
	if (of == NULL || d->shards.items[of->shard].state != SHARD_OWNED ||
		!call_fold_renew(of->fold, call_id, "the customer's name is another", &made))
		return false;
	changes_take(changes, of, &made, NULL, clock_wall_ms());
	return true;
}

const struct call *folding_find(const struct dispatcher *d, struct str enterprise, int64_t call_id)
{
	const struct enterprise_fold *of = table_get(d->folding.enterprises, enterprise);
	return of != NULL ? call_fold_find(of->fold, call_id) : NULL;
}

void folding_forget(struct dispatcher *d, struct str enterprise, int64_t call_id)
{
	const struct enterprise_fold *of = table_get(d->folding.enterprises, enterprise);
	if (of != NULL)
		call_fold_forget(of->fold, call_id);
}

bool folding_remembers(const struct dispatcher *d, struct str enterprise, int64_t call_id)
{
	const struct enterprise_fold *of = table_get(d->folding.enterprises, enterprise);
	return of != NULL && call_fold_has(of->fold, call_id);
}

/* -- numbering rules ------------------------------------------------------------------------------ */

void folding_retire_numbers(struct dispatcher *d)
{
	size_t at = 0;
	void *value;
	while (table_next(d->folding.enterprises, &at, NULL, &value))
		call_fold_retire_numbers(((struct enterprise_fold *)value)->fold);
}

void folding_set_numbers(struct dispatcher *d)
{
	size_t at = 0;
	void *value;
	while (table_next(d->folding.enterprises, &at, NULL, &value)) {
		struct enterprise_fold *of = value;
		const struct tenant *tenant = tenant_of(d, str_from(of->number));
		call_fold_set_numbers(of->fold, tenant->country, tenant->numbers);
	}
}

/* -- memory --------------------------------------------------------------------------------------- */

bool folding_load(struct dispatcher *d, unsigned shard, struct str enterprise, struct str saved,
	struct error *error)
{
	return call_fold_load(enterprise_get(d, shard, enterprise)->fold, saved, error);
}

void folding_drop_shard(struct folding *folding, unsigned shard)
{
	size_t at = 0;
	void *value;
	while (table_next(folding->enterprises, &at, NULL, &value)) {
		struct enterprise_fold *enterprise = value;
		if (enterprise->shard == shard)
			enterprise_free(folding, enterprise);
	}
}

/* By how many there are, the time for which they are remembered: 1500 calls that ended within 10 s
 * stay for 10 s. It comes back slowly. */
static int64_t linger_for(const struct dispatcher *d, unsigned ended)
{
	int64_t full = d->config->linger_seconds * 1000, now = d->folding.linger_ms;
	if (ended > 0 && ended > d->config->max_lingering)
		now = now * d->config->max_lingering / ended;
	else
		now = now + now / 16 + 1;
	if (now < MIN_LINGER_MS)
		now = MIN_LINGER_MS;
	return now < full ? now : full;
}

void folding_press(struct dispatcher *d)
{
	struct folding *folding = &d->folding;
	int64_t now = loop_now_ms(d->loop);
	unsigned ended = 0;
	size_t at = 0;
	void *value;
	if (now - folding->pressed_ms < TICK_EVERY_MS)
		return;
	folding->pressed_ms = now;
	while (table_next(folding->enterprises, &at, NULL, &value)) {
		const struct enterprise_fold *enterprise = value;
		ended += call_fold_lingering(enterprise->fold);
	}
	int64_t linger = linger_for(d, ended);
	if (linger == folding->linger_ms)
		return;
	folding->linger_ms = linger;
	at = 0;
	while (table_next(folding->enterprises, &at, NULL, &value)) {
		struct enterprise_fold *enterprise = value;
		call_fold_set_linger(enterprise->fold, linger);
	}
}

void folding_sweep(struct dispatcher *d)
{
	unsigned open = 0, remembered = 0;
	size_t at = 0;
	void *value;
	while (table_next(d->folding.enterprises, &at, NULL, &value)) {
		struct enterprise_fold *enterprise = value;
		open += call_fold_open(enterprise->fold);
		remembered += call_fold_remembered(enterprise->fold);
		if (call_fold_remembered(enterprise->fold) == 0)
			enterprise_free(&d->folding, enterprise);
	}
	metric_set(d->meters.open_calls, open);
	metric_set(d->meters.remembered_calls, remembered);
}
