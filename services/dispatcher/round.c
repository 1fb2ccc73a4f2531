/*
 * round: see round.h. The way of an event through this process begins here.
 *
 * Whenever a commit fails, memory is ahead of the database: it is forgotten as a whole and read
 * back (recovery.c). That is the one answer to lost leases, restarts of PostgreSQL and commits with
 * unknown outcome.
 */
#include "round.h"

#include "dispatcher.h"

#include <stdio.h>

#define ROUND_ARENA_BYTES ((size_t)512 << 20)
#define POLL_MS		  1000
/* Cursors of shards whose events changed nothing are written down now and then. */
#define PERSIST_MS	  5000
#define PERSIST_QUIET_MS  500
#define DIRECTORY_WAIT_MS 2000
#define STRANGER_MS	  1000
#define UNSETTLED_MAX_MS  128
/* After PostgreSQL was away, ingest still brings what it kept: no call is timed out meanwhile. */
#define HOLD_TICKS_MS 10000
#define TICK_MS	      250

/* All statements of this connection go by keys. The planner shall not think otherwise while tables are
 * new and have no statistics, and shall not plan anew over all partitions for each read. */
static const char sql_plans[] =
	"SELECT set_config(name, value, false) FROM (VALUES ('plan_cache_mode', "
	"'force_generic_plan'),"
	" ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'),"
	" ('enable_mergejoin', 'off'), ('enable_sort', 'off'), ('jit', 'off')) AS settings (name, "
	"value)";

enum {
	ROUND_BEGIN,
	ROUND_READ,
	ROUND_LOOK,
	ROUND_FOLD,
	ROUND_PLAN,
	ROUND_COMMIT,
	ROUND_APPLY,
	ROUND_IDLE,
	ROUND_AGAIN
};

void round_init(struct round *round)
{
	*round = (struct round){.arena = arena_new(ROUND_ARENA_BYTES), .idle = true};
	asides_init(&round->asides);
}

void round_free(struct round *round)
{
	changes_end(&round->changes);
	asides_free(&round->asides);
	arena_free(&round->arena);
}

void round_apply_drops(struct dispatcher *d)
{
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &d->shards.items[i];
		/* One that is being read back is dropped when that is over. */
		if (!shard->drop || (shard->state == SHARD_LOADING && d->recovery.running))
			continue;
		shard->drop = false;
		shard->caught_up = false;
		folding_drop_shard(&d->folding, i);
		outbox_drop_shard(d, i);
		gateway_drop_shard(d, i);
		shard->state =
			SHARD_LEAVING; /* lease.c goes on when nothing is under way any more */
	}
}

/* Memory is ahead of the database: all of it goes, under the same lease. */
static void round_forget(struct dispatcher *d)
{
	metric_add(d->meters.reloads, 1);
	shards_forget_all(&d->shards);
	recordings_done(d); /* they are read again */
	d->folding.hold_ticks_until_ms = loop_now_ms(d->loop) + HOLD_TICKS_MS;
	flow_queue_wake_all(&d->lease.wake);
}

/* -- begin ---------------------------------------------------------------------------------------- */

static enum flow_status round_begin(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	struct pg_params none = {0};
	round->idle = false;
	round->more = false;
	round_apply_drops(d);
	bool ready = pg_ready(d->pg) && d->directory.loads > 0;
	if (d->draining || !ready || shards_count(&d->shards, SHARD_OWNED) == 0)
		return flow_goto(flow, ROUND_IDLE);
	arena_reset(round->arena);
	round->batch = pg_batch_new(round->arena);
	if (round->pg_generation == pg_generation(d->pg))
		return FLOW_NEXT;
	round->pg_generation = pg_generation(d->pg);
	pg_batch_add(round->batch, sql_plans, &none);
	return await_pg(flow, d->pg, round->batch);
}

static enum flow_status round_read(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	round->prefer_lagging = !round->prefer_lagging;
	shards_group(&d->shards, round->prefer_lagging, &round->group);
	if (round->group.count == 0)
		return flow_goto(flow, ROUND_IDLE);
	round->next_row = 0;
	round->batch = pg_batch_new(round->arena);
	reader_add_query(round->batch, round->arena, &d->shards, &round->group,
		round->careful ? 1 : READER_MAX_EVENTS);
	return await_pg(flow, d->pg, round->batch);
}

/* An enterprise that is so new that the directory does not know it yet. */
static bool round_has_stranger(const struct dispatcher *d)
{
	const struct round *round = &d->round;
	for (unsigned row = 0; row < round->reading.rows; row++) {
		struct log_event event;
		reader_event(round->batch, row, round->arena, &event);
		if (directory_find(&d->directory, event.enterprise) == NULL)
			return true;
	}
	return false;
}

static enum flow_status round_look(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	struct error error;
	if (!pg_batch_ok(round->batch, &error)) {
		log_warn(flow_log(flow), "fold: events are not read: %s", error.text);
		return flow_goto(flow, ROUND_IDLE);
	}
	reader_look(round->batch, &round->reading);
	horizon_watch(d, &round->reading);
	round->unsettled = round->reading.unsettled ? round->unsettled + 1 : 0;
	int64_t now = loop_now_ms(d->loop);
	if (now - round->asked_ms < STRANGER_MS || !round_has_stranger(d))
		return FLOW_NEXT;
	round->asked_ms = now;
	directory_want(d);
	return await_queue_for(flow, &d->directory.loaded, DIRECTORY_WAIT_MS);
}

/* -- fold ----------------------------------------------------------------------------------------- */

/* Events that lie so far apart in time that a call could end and be forgotten between two of them
 * do not share a commit. */
static bool round_spans(struct dispatcher *d, int64_t received_ms, int64_t *low, int64_t *high)
{
	int64_t span = d->folding.linger_ms / 2;
	*low = received_ms < *low ? received_ms : *low;
	*high = received_ms > *high ? received_ms : *high;
	return *high - *low > span;
}

/* Ours, and not folded before. */
static bool round_folds(const struct dispatcher *d, const struct log_event *event)
{
	const struct shard *shard = &d->shards.items[event->shard];
	return d->round.group.wanted[event->shard] && !shard->drop &&
	       position_before(shard->at, event->at);
}

static void round_skip(struct dispatcher *d, const struct log_event *event)
{
	metric_add(d->meters.skipped, 1);
	log_error(&d->log,
		"fold: event %lld is skipped: what it makes of its call cannot be stored",
		(long long)event->at.id);
	d->round.persist = true;
}

static void round_fold_rows(struct dispatcher *d, struct round *round)
{
	int64_t low = INT64_MAX, high = INT64_MIN;
	for (; round->next_row < round->reading.rows; round->next_row++) {
		struct log_event event;
		reader_event(round->batch, round->next_row, round->arena, &event);
		bool late = log_event_is_late(&event);
		if (!late && round_spans(d, event.received_ms, &low, &high) && low < high &&
			round->changes.count > 0)
			return;
		round->last = event.at;
		if (!late)
			round->last_received_ms = event.received_ms;
		if (!round_folds(d, &event))
			continue;
		round->touched[event.shard] = true;
		if (event.at.id == round->skip_id)
			round_skip(d, &event);
		else if (!asides_take(d, &event))
			folding_event(d, &event, &round->changes);
	}
}

/* What stands in the chats for calls that are not in memory: needed before anything is told. */
static void round_look_up_messages(struct dispatcher *d, struct round *round)
{
	struct buf ids;
	round->lookup_messages = false;
	buf_init(&ids, (size_t)1 << 20);
	for (unsigned i = 0; i < round->changes.count; i++) {
		if (plan_needs_lookup(d, round->changes.items[i]))
			buf_printf(&ids, "%c%lld", ids.size > 0 ? ',' : '{',
				(long long)round->changes.items[i]->call_id);
	}
	recordings_look_up(d, &ids);
	if (ids.size > 0) {
		buf_add_char(&ids, '}');
		round->lookup = pg_batch_new(round->arena);
		round->lookup_messages = true;
		plan_add_lookup(round->lookup, round->arena, buf_str(&ids));
	}
	buf_free(&ids);
}

static enum flow_status round_fold(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	changes_end(&round->changes);
	changes_begin(&round->changes, round->arena);
	asides_begin(d);
	memset(round->touched, 0, sizeof(round->touched));
	round->last = round->group.from;
	int64_t age = loop_now_ms(d->loop) - round->persisted_ms;
	bool quiet = round->reading.rows == 0;
	round->persist = round->unpersisted && age > (quiet ? PERSIST_QUIET_MS : PERSIST_MS);
	if (round->reading.rows > 0)
		round_fold_rows(d, round);
	else if (!round->group.lagging && !round->reading.unsettled)
		folding_tick(d, &round->changes);
	people_renew(d, &round->changes);
	round->lookup = NULL;
	round_look_up_messages(d, round);
	people_add_lookup(d, &round->changes, round->arena, &round->lookup);
	gateway_add_lookup(d, &round->changes, round->arena, &round->lookup,
		(int)round->lookup_messages + (d->people.lookup >= 0));
	return round->lookup != NULL ? await_pg(flow, d->pg, round->lookup) : FLOW_NEXT;
}

/* -- plan and commit ------------------------------------------------------------------------------ */

static void round_store_change(
	struct dispatcher *d, struct store *store, const struct change *change, struct buf *saved)
{
	struct round *round = &d->round;
	const struct call *call = NULL;
	buf_clear(saved);
	if (change->merged_into == 0) {
		call = call_fold_find(change->of->fold, change->call_id);
		if (call != NULL && !call_fold_save(change->of->fold, change->call_id, saved))
			return;
		if (call == NULL && change->ended != NULL)
			buf_add(saved, str_from(change->ended_saved));
		call = call != NULL ? call : change->ended;
		if (call == NULL)
			return;
	}
	struct plan *plan = plan_make(d, change, call, round->arena);
	if (plan != NULL) {
		store_plan(store, plan);
		*round->last_plan = plan;
		round->last_plan = &plan->next;
	}
	gateway_plan_change(d, change, call, &round->gateway);
	store_call(store, d, change, call, buf_str(saved));
}

/* Cursors of shards with changes go with them; the others' when the round is meant for it. */
static void round_positions(struct dispatcher *d, struct store *store)
{
	struct round *round = &d->round;
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard shard = d->shards.items[i];
		bool changed = round->touched[i];
		for (unsigned c = 0; c < round->changes.count && !changed; c++)
			changed = round->changes.items[c]->of->shard == i;
		if (!changed && !(round->persist && round->group.wanted[i]))
			continue;
		if (round->group.wanted[i] && position_before(shard.at, round->last))
			shard.at = round->last;
		store_position(store, i, &shard);
	}
}

/* The round is lost. When it is its data that PostgreSQL refuses, it is done again event by event, and
 * the one event that cannot be stored is passed over: nobody else's calls wait for it. */
static void round_fail(struct dispatcher *d, const struct error *error)
{
	struct round *round = &d->round;
	bool data = error->kind == ERROR_INPUT || error->kind == ERROR_INTERNAL;
	if (data && round->careful && round->reading.rows > 0)
		round->skip_id = round->last.id;
	if (data && !round->careful) {
		round->careful = true;
		round->careful_until = round->last;
	}
	round_forget(d);
}

static enum flow_status round_plan(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	struct store store;
	struct error error = {.kind = ERROR_NONE};
	struct buf saved;
	round->plans = NULL;
	round->last_plan = &round->plans;
	gateway_plan_begin(&round->gateway, round->arena);
	round->commit = NULL;
	if (round->lookup != NULL && !pg_batch_ok(round->lookup, &error)) {
		log_warn(
			flow_log(flow), "fold: messages or customers are not read: %s", error.text);
		round_forget(d);
		return flow_goto(flow, ROUND_IDLE);
	}
	if (round->lookup_messages)
		plan_take_lookup(d, round->lookup);
	people_take_lookup(d, round->lookup);
	gateway_take_lookup(d, &round->changes, round->lookup, round->arena);
	if (round->changes.count == 0 && round->asides.count == 0 && !round->persist &&
		!d->recordings.in_round)
		return flow_goto(flow, ROUND_APPLY);
	store_begin(&store, round->arena);
	buf_init(&saved, (size_t)1 << 20);
	for (unsigned i = 0; i < round->changes.count; i++)
		round_store_change(d, &store, round->changes.items[i], &saved);
	asides_plan(d, &store);
	recordings_plan(d, &store, &round->gateway);
	store_gateway(&store, &round->gateway);
	round_positions(d, &store);
	buf_free(&saved);
	bool any = store.positions.size > 0;
	round->commit = any ? pg_batch_new(round->arena) : NULL;
	bool ok = !any || store_batch(&store, d->name, round->commit, &error);
	if (ok && any) {
		people_add_count(&round->changes, round->arena, round->commit);
		asides_add_recordings(d, round->commit);
	}
	store_end(&store);
	if (ok)
		return any ? FLOW_NEXT : flow_goto(flow, ROUND_APPLY);
	log_error(flow_log(flow), "fold: %s", error.text);
	round_fail(d, &error);
	return flow_goto(flow, ROUND_IDLE);
}

static enum flow_status round_commit(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	d->round.commit_us = clock_monotonic_us();
	return await_pg(flow, d->pg, d->round.commit);
}

/* -- after the commit ----------------------------------------------------------------------------- */

/* Committed, or nothing to commit: the places from which to read on. */
static void round_advance(struct dispatcher *d, struct round *round)
{
	struct shards *shards = &d->shards;
	unsigned limit = round->careful ? 1 : READER_MAX_EVENTS;
	bool whole = round->next_row == round->reading.rows;
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &shards->items[i];
		if (round->group.wanted[i] && position_before(shard->at, round->last))
			shard->at = round->last;
	}
	if (!round->group.lagging && position_before(shards->main, round->last))
		shards->main = round->last;
	if (round->group.lagging && whole && round->reading.rows < limit)
		shards_join(shards, &round->group);
	round->unpersisted = round->unpersisted || round->reading.rows > 0;
	if (round->persist && !round->group.lagging) {
		round->persisted_ms = loop_now_ms(d->loop);
		round->unpersisted = false;
	}
	if (round->careful && !position_before(round->last, round->careful_until))
		round->careful = false;
	round->more = round->reading.rows > 0 || round->group.lagging;
	int64_t lag = round->more ? clock_wall_ms() - round->last_received_ms : 0;
	metric_set(d->meters.lag_seconds, (double)lag / 1000);
}

/* Only now does memory follow, and couriers learn of what is to tell. */
static enum flow_status round_apply(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	struct error error;
	if (round->commit != NULL && !pg_batch_ok(round->commit, &error)) {
		log_warn(flow_log(flow), "fold: a round is not stored, it is read back: %s",
			error.text);
		round_fail(d, &error);
		return flow_goto(flow, ROUND_IDLE);
	}
	if (round->commit != NULL) {
		metric_add(d->meters.commits, 1);
		metric_observe(d->meters.commit_seconds,
			(double)(clock_monotonic_us() - round->commit_us) / 1e6);
	}
	for (const struct plan *plan = round->plans; plan != NULL; plan = plan->next)
		plan_apply(d, plan);
	if (round->commit != NULL)
		gateway_apply(d, &round->gateway, round->commit, STORE_GATEWAY_AT);
	for (unsigned i = 0; i < round->changes.count; i++) {
		struct live_call *call = outbox_find(&d->outbox, round->changes.items[i]->call_id);
		if (call != NULL)
			live_call_settle(d, call);
	}
	recordings_done(d);
	folding_press(d);
	round_advance(d, round);
	if (round->next_row < round->reading.rows)
		return flow_goto(flow, ROUND_FOLD);
	return FLOW_NEXT;
}

/* -- between rounds ------------------------------------------------------------------------------- */

static int64_t round_wait_ms(const struct dispatcher *d)
{
	const struct round *round = &d->round;
	if (round->unsettled > 0) {
		int64_t wait =
			round->unsettled < 7 ? (int64_t)1 << round->unsettled : UNSETTLED_MAX_MS;
		return wait;
	}
	return table_count(d->folding.enterprises) > 0 ? TICK_MS : POLL_MS;
}

/* Redis wakes; without it the clock does, and often enough for what is due in the folds. */
static enum flow_status round_idle(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct round *round = &d->round;
	changes_end(&round->changes);
	if (round->more)
		return FLOW_NEXT;
	round->idle = true;
	if (!pg_ready(d->pg))
		return await_pg_ready(flow, d->pg, POLL_MS);
	return await_redis_message(flow, d->redis, round_wait_ms(d));
}

static enum flow_status round_again(struct flow *flow)
{
	return flow_goto(flow, ROUND_BEGIN);
}

static const struct flow_step round_steps[] = {
	[ROUND_BEGIN] = {"begin", round_begin},
	[ROUND_READ] = {"read", round_read},
	[ROUND_LOOK] = {"look", round_look},
	[ROUND_FOLD] = {"fold", round_fold},
	[ROUND_PLAN] = {"plan", round_plan},
	[ROUND_COMMIT] = {"commit", round_commit},
	[ROUND_APPLY] = {"apply", round_apply},
	[ROUND_IDLE] = {"idle", round_idle},
	[ROUND_AGAIN] = {"again", round_again},
	{NULL, NULL},
};

const struct flow_spec round_flow = {
	.name = "fold", .steps = round_steps, .deadline_ms = FLOW_FOREVER};
