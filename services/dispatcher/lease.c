/*
 * lease: see lease.h. On a connection of its own, so that nothing slow delays a renewal.
 */
#include "lease.h"

#include "dispatcher.h"

#define LEASE_ARENA_BYTES ((size_t)4 << 20)
/* We stop earlier than others may begin. */
#define LEASE_MARGIN_MS	 500
#define RENEWALS_A_LEASE 3
#define LEAVE_POLL_MS	 20

static const char sql_lease[] =
	"SELECT shard, epoch, tx::text, id,"
	" CASE WHEN isfinite(at) THEN (extract(epoch FROM at) * 1000)::bigint END, fair,"
	" (SELECT count(*) FROM fold_cursors WHERE owner <> $1 AND lease_until > clock_timestamp())"
	" FROM fold_lease($1, $2::interval)";
static const char sql_release[] = "SELECT fold_release($1, $2::smallint[])";
static const char sql_goodbye[] = "DELETE FROM dispatchers WHERE name = $1";

enum { LEASE_READY, LEASE_ASK, LEASE_TAKE, LEASE_GIVE, LEASE_GIVEN, LEASE_SLEEP, LEASE_AGAIN };

void lease_init(struct lease *lease)
{
	*lease = (struct lease){.arena = arena_new(LEASE_ARENA_BYTES)};
	flow_queue_init(&lease->wake);
}

void lease_free(struct lease *lease)
{
	arena_free(&lease->arena);
}

static enum flow_status lease_ready(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	return pg_ready(d->lease_pg) ? FLOW_NEXT
				     : await_pg_ready(flow, d->lease_pg, d->config->lease_ms);
}

static enum flow_status lease_ask(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct lease *lease = &d->lease;
	struct pg_params params = {0};
	if (d->draining)
		return flow_goto(flow, LEASE_GIVE);
	arena_reset(lease->arena);
	lease->asked_ms = clock_monotonic_ms();
	lease->batch = pg_batch_new(lease->arena);
	pg_put_text(&params, d->name);
	pg_put_text(&params,
		arena_printf(lease->arena, "%lld milliseconds", (long long)d->config->lease_ms));
	pg_batch_add(lease->batch, sql_lease, &params);
	return await_pg(flow, d->lease_pg, lease->batch);
}

/* The database says it is ours. Where the cursor stands now is where the last owner's last commit left
 * it: nothing of his can follow, fold_advance() refuses it. */
static void shard_hold(struct dispatcher *d, unsigned i, const struct pg_batch *batch, int row)
{
	struct shard *shard = &d->shards.items[i];
	int64_t epoch = pg_int(batch, 0, row, 1);
	if (shard->state == SHARD_FREE) {
		*shard = (struct shard){
			.state = SHARD_LOADING,
			.epoch = epoch,
			.at = {.tx = pg_int(batch, 0, row, 2),
				.id = pg_int(batch, 0, row, 3),
				.at_ms = pg_is_null(batch, 0, row, 4) ? PG_NO_TIME
								      : pg_int(batch, 0, row, 4)},
		};
	} else if (shard->epoch != epoch && shard->state != SHARD_LEAVING) {
		shard->drop = true; /* was somebody else's for a while */
	}
}

/* Compare what the database says with what we believed. */
static void lease_see(struct dispatcher *d, const struct pg_batch *batch)
{
	bool held[SHARD_COUNT] = {false};
	for (int row = 0; row < pg_rows(batch, 0); row++) {
		int64_t i = pg_int(batch, 0, row, 0);
		d->shards.others = pg_int(batch, 0, row, 6) > 0;
		if (pg_is_null(batch, 0, row, 0) || i < 0 || i >= SHARD_COUNT)
			continue;
		held[i] = true;
		shard_hold(d, (unsigned)i, batch, row);
	}
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &d->shards.items[i];
		if (held[i] || shard->state == SHARD_FREE)
			continue;
		shard->give_back = false;
		if (shard->state != SHARD_LEAVING)
			shard->drop = true;
	}
}

/* Shards above our fair part go to others, once nothing of them is under way. */
static void lease_yield(struct dispatcher *d, unsigned fair)
{
	unsigned ours =
		shards_count(&d->shards, SHARD_OWNED) + shards_count(&d->shards, SHARD_LOADING);
	for (unsigned i = SHARD_COUNT; i-- > 0 && ours > fair;) {
		struct shard *shard = &d->shards.items[i];
		if (shard->state != SHARD_OWNED && shard->state != SHARD_LOADING)
			continue;
		shard->drop = true;
		shard->give_back = true;
		ours--;
	}
}

static enum flow_status lease_take(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct lease *lease = &d->lease;
	struct error error;
	if (!pg_batch_ok(lease->batch, &error)) {
		log_warn(flow_log(flow), "lease: not renewed: %s", error.text);
		return flow_goto(flow, LEASE_SLEEP);
	}
	bool lapsed = !shards_lease_holds(&d->shards, clock_monotonic_ms());
	unsigned before = shards_count(&d->shards, SHARD_OWNED);
	d->shards.lease_until_ms = lease->asked_ms + d->config->lease_ms - LEASE_MARGIN_MS;
	lease_see(d, lease->batch);
	lease_yield(d, (unsigned)pg_int(lease->batch, 0, 0, 5));
	metric_set(d->meters.shards, before);
	if (shards_count(&d->shards, SHARD_LOADING) > 0)
		flow_queue_wake_all(&d->recovery.wake);
	if (lapsed)
		bots_kick(d);
	return FLOW_NEXT;
}

/* Shards that have left: free at once when they are lost, else to be given back. */
static unsigned lease_collect(struct dispatcher *d)
{
	struct lease *lease = &d->lease;
	lease->given_count = 0;
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &d->shards.items[i];
		if (shard->state != SHARD_LEAVING || shard->busy > 0)
			continue;
		if (shard->give_back)
			lease->given[lease->given_count++] = i;
		else
			shard->state = SHARD_FREE;
	}
	return lease->given_count;
}

/* A drain: the others need not wait for the leases to run out. */
static void lease_leave_all(struct dispatcher *d)
{
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &d->shards.items[i];
		if (shard->state == SHARD_FREE)
			continue;
		shard->give_back = true;
		shard->drop = shard->state != SHARD_LEAVING;
	}
}

static enum flow_status lease_give(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct lease *lease = &d->lease;
	struct pg_params params = {0};
	if (d->draining)
		lease_leave_all(d);
	if (d->round.idle)
		round_apply_drops(d);
	bool goodbye = d->draining && shards_count(&d->shards, SHARD_FREE) == SHARD_COUNT;
	if (lease_collect(d) == 0 && !goodbye)
		return flow_goto(flow, LEASE_SLEEP);
	arena_reset(lease->arena);
	lease->batch = pg_batch_new(lease->arena);
	pg_put_text(&params, d->name);
	if (goodbye) {
		pg_batch_add(lease->batch, sql_goodbye, &params);
		return await_pg(flow, d->lease_pg, lease->batch);
	}
	struct buf list;
	buf_init(&list, 1024);
	for (unsigned i = 0; i < lease->given_count; i++)
		buf_printf(&list, "%c%u", i > 0 ? ',' : '{', lease->given[i]);
	buf_add_char(&list, '}');
	pg_put_str(&params, lease->arena, buf_str(&list));
	buf_free(&list);
	pg_batch_add(lease->batch, sql_release, &params);
	return await_pg(flow, d->lease_pg, lease->batch);
}

static enum flow_status lease_given(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct lease *lease = &d->lease;
	struct error error;
	if (!pg_batch_ok(lease->batch, &error)) {
		log_warn(flow_log(flow), "lease: shards are not given back yet: %s", error.text);
		return FLOW_NEXT;
	}
	lease->released = d->draining && shards_count(&d->shards, SHARD_FREE) == SHARD_COUNT;
	for (unsigned i = 0; i < lease->given_count; i++)
		d->shards.items[lease->given[i]] = (struct shard){.state = SHARD_FREE};
	return lease->released ? FLOW_END : FLOW_NEXT;
}

/* Short while shards leave: somebody waits for them. */
static enum flow_status lease_sleep(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	bool leaving = shards_count(&d->shards, SHARD_LEAVING) > 0 || shards_want_drop(&d->shards);
	int64_t wait =
		leaving || d->draining ? LEAVE_POLL_MS : d->config->lease_ms / RENEWALS_A_LEASE;
	return await_queue_for(flow, &d->lease.wake, wait);
}

/* Renew in time; in between only look after those that leave. */
static enum flow_status lease_again(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	int64_t since = clock_monotonic_ms() - d->lease.asked_ms;
	bool leaving = shards_count(&d->shards, SHARD_LEAVING) > 0 || shards_want_drop(&d->shards);
	bool renew = since >= d->config->lease_ms / RENEWALS_A_LEASE || !leaving;
	return flow_goto(flow, renew && !d->draining ? LEASE_READY : LEASE_GIVE);
}

static const struct flow_step lease_steps[] = {
	[LEASE_READY] = {"ready", lease_ready},
	[LEASE_ASK] = {"ask", lease_ask},
	[LEASE_TAKE] = {"take", lease_take},
	[LEASE_GIVE] = {"give", lease_give},
	[LEASE_GIVEN] = {"given", lease_given},
	[LEASE_SLEEP] = {"sleep", lease_sleep},
	[LEASE_AGAIN] = {"again", lease_again},
	{NULL, NULL},
};

const struct flow_spec lease_flow = {
	.name = "lease", .steps = lease_steps, .deadline_ms = FLOW_FOREVER};
