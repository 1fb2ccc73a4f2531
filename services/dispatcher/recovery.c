/*
 * recovery: see recovery.h.
 *
 * A send that the last owner had under way when it ended may or may not have arrived: it is counted
 * as unknown, durably, before anything else is sent (ADR 0005).
 */
#include "recovery.h"

#include "dispatcher.h"
#include "outbox_rows.h"

#include <stdio.h>

#define RECOVERY_ARENA_BYTES ((size_t)256 << 20)
#define PAGE_ROWS	     500
#define RETRY_MS	     500
#define REFILL_MS	     1000

/* What we had marked ourselves and never sent (all that was under way has ended) is simply open. So is
 * a message that would have replaced another: that other one is edited instead. */
static const char sql_settle[] =
	"WITH settled AS (UPDATE outbox SET lease_owner = NULL, updated_at = now(),"
	" state = CASE WHEN lease_owner = $2 OR version > sending_version OR EXISTS (SELECT FROM"
	" telegram_messages m WHERE m.call_id = outbox.call_id AND m.message_id IS NOT NULL"
	" AND outbox.destination = 'telegram:' || m.chat_id) THEN 'queued' ELSE 'unknown' END,"
	" last_error = CASE WHEN lease_owner = $2 THEN last_error"
	" ELSE 'outcome unknown: the sender ended while the message was under way' END"
	" FROM (SELECT id AS old_id, lease_owner AS old_owner FROM outbox"
	" WHERE shard = ANY ($1::smallint[]) AND state = 'sending'"
	" AND destination LIKE 'telegram:%') AS old WHERE id = old_id"
	" RETURNING call_id, destination, enterprise_number, sending_version, trace_id, old_owner),"
	" lost AS (SELECT * FROM settled WHERE old_owner IS DISTINCT FROM $2),"
	" told AS (INSERT INTO delivery_log (call_id, at, destination, what, enterprise_number,"
	" version, outcome, words, trace_id)"
	" SELECT call_id, now(), destination, 'send', enterprise_number, sending_version, "
	"'unknown',"
	" 'the sender ended while the message was under way', trace_id FROM lost"
	" ON CONFLICT DO NOTHING)"
	" INSERT INTO telegram_messages AS m (call_id, chat_id, enterprise_number, unknown_sends)"
	" SELECT call_id, split_part(destination, ':', 2)::bigint, enterprise_number, 1 FROM lost"
	" ON CONFLICT (call_id, chat_id) DO UPDATE SET unknown_sends = m.unknown_sends + 1,"
	" updated_at = now()";

static const char sql_folds[] =
	"SELECT call_id, shard, enterprise_id, state FROM fold_calls"
	" WHERE shard = ANY ($1::smallint[]) AND call_id > $2::bigint"
	" UNION ALL SELECT k.call_id, k.shard, k.enterprise_id, k.state FROM fold_kept k"
	" WHERE k.shard = ANY ($1::smallint[]) AND k.call_id > $2::bigint"
	" AND NOT EXISTS (SELECT FROM fold_calls f WHERE f.call_id = k.call_id)"
	" ORDER BY call_id LIMIT 500";

static const char sql_rows[] =
	"SELECT " OUTBOX_ROWS " WHERE o.shard = ANY ($1::smallint[]) AND o.id > $2::bigint"
	" AND (o.state IN ('queued', 'sending', 'failed') OR (o.state = 'unknown' AND o.final))"
	" AND o.destination LIKE 'telegram:%' ORDER BY o.id LIMIT 500";

enum {
	RECOVERY_WAIT,
	RECOVERY_SETTLE,
	RECOVERY_SETTLED,
	RECOVERY_FOLDS,
	RECOVERY_LOAD,
	RECOVERY_ROWS,
	RECOVERY_QUEUE,
	RECOVERY_READY,
	RECOVERY_AGAIN
};

void recovery_init(struct recovery *recovery)
{
	*recovery = (struct recovery){.arena = arena_new(RECOVERY_ARENA_BYTES)};
	flow_queue_init(&recovery->wake);
}

void recovery_free(struct recovery *recovery)
{
	arena_free(&recovery->arena);
}

/* The shards that are in `state`, as a list; false when there are none. */
static bool recovery_choose(struct dispatcher *d, enum shard_state state)
{
	struct recovery *recovery = &d->recovery;
	struct buf list;
	buf_init(&list, sizeof(recovery->list) - 1);
	buf_add_char(&list, '{');
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		const struct shard *shard = &d->shards.items[i];
		recovery->loading[i] = shard->state == state && !shard->drop;
		if (recovery->loading[i])
			buf_printf(&list, "%s%u", list.size > 1 ? "," : "", i);
	}
	buf_add_char(&list, '}');
	(void)str_copy(recovery->list, sizeof(recovery->list), buf_str(&list));
	bool any = list.size > 2;
	buf_free(&list);
	return any;
}

static enum flow_status recovery_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recovery *recovery = &d->recovery;
	int64_t now = loop_now_ms(d->loop);
	bool known = d->directory.loads > 0 && !d->draining;
	recovery->refill = false;
	recovery->after = 0;
	if (known && recovery_choose(d, SHARD_LOADING))
		return FLOW_NEXT;
	bool room = d->outbox.deliveries < d->config->max_deliveries / 2;
	if (known && d->outbox.overflow && room && now - recovery->refilled_ms > REFILL_MS &&
		recovery_choose(d, SHARD_OWNED)) {
		recovery->refill = true;
		recovery->refilled_ms = now;
		d->outbox.overflow = false;
		return flow_goto(flow, RECOVERY_ROWS);
	}
	return await_queue_for(flow, &recovery->wake, RETRY_MS);
}

/* Woken or timed out: look again; chosen: go on. */
static enum flow_status recovery_settle(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recovery *recovery = &d->recovery;
	struct pg_params params = {0};
	if (!recovery_choose(d, SHARD_LOADING))
		return flow_goto(flow, RECOVERY_WAIT);
	recovery->running = true;
	arena_reset(recovery->arena);
	recovery->batch = pg_batch_new(recovery->arena);
	pg_put_text(&params, recovery->list);
	pg_put_text(&params, d->name);
	pg_batch_add(recovery->batch, sql_settle, &params);
	return await_pg(flow, d->side_pg, recovery->batch);
}

/* A page that failed: begin anew; loading twice is harmless as memory is dropped first. */
static enum flow_status recovery_fail(struct flow *flow, const struct error *error)
{
	struct dispatcher *d = flow_context(flow);
	log_warn(flow_log(flow), "recovery: not read back yet: %s", error->text);
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		if (!d->recovery.loading[i] || d->recovery.refill)
			continue;
		folding_drop_shard(&d->folding, i);
		outbox_drop_shard(d, i);
	}
	if (d->recovery.refill)
		d->outbox.overflow = true;
	d->recovery.running = false;
	return flow_goto(flow, RECOVERY_AGAIN);
}

/* From here on nothing of the last owner's is in the dark: known, or counted. */
static enum flow_status recovery_settled(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct error error;
	if (!pg_batch_ok(d->recovery.batch, &error))
		return recovery_fail(flow, &error);
	int64_t unknown = pg_affected(d->recovery.batch, 0);
	metric_add(d->meters.unknown, (double)unknown);
	if (unknown > 0)
		log_warn(flow_log(flow),
			"recovery: %lld messages were under way when their sender ended",
			(long long)unknown);
	d->recovery.after = 0;
	return FLOW_NEXT;
}

static enum flow_status recovery_page(struct flow *flow, const char *sql)
{
	struct dispatcher *d = flow_context(flow);
	struct recovery *recovery = &d->recovery;
	struct pg_params params = {0};
	arena_reset(recovery->arena);
	recovery->batch = pg_batch_new(recovery->arena);
	pg_put_text(&params, recovery->list);
	pg_put_int(&params, recovery->arena, recovery->after);
	pg_batch_add(recovery->batch, sql, &params);
	return await_pg(flow, d->side_pg, recovery->batch);
}

static enum flow_status recovery_folds(struct flow *flow)
{
	return recovery_page(flow, sql_folds);
}

static enum flow_status recovery_load(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recovery *recovery = &d->recovery;
	struct error error;
	if (!pg_batch_ok(recovery->batch, &error))
		return recovery_fail(flow, &error);
	int rows = pg_rows(recovery->batch, 0);
	for (int row = 0; row < rows; row++) {
		unsigned shard = (unsigned)pg_int(recovery->batch, 0, row, 1) % SHARD_COUNT;
		struct str enterprise = pg_text(recovery->batch, 0, row, 2);
		recovery->after = pg_int(recovery->batch, 0, row, 0);
		if (!folding_load(
			    d, shard, enterprise, pg_text(recovery->batch, 0, row, 3), &error))
			log_error(flow_log(flow),
				"recovery: call %lld begins anew: its memory cannot be read: %s",
				(long long)recovery->after, error.text);
		else
			people_expect(d, enterprise, recovery->after);
	}
	if (rows == PAGE_ROWS)
		return flow_goto(flow, RECOVERY_FOLDS);
	recovery->after = 0;
	return FLOW_NEXT;
}

static enum flow_status recovery_rows(struct flow *flow)
{
	return recovery_page(flow, sql_rows);
}

/* -- outbox rows ---------------------------------------------------------------------------------- */

/* A row goes on where it was: with its attempts, its pause, and the message that stands. */
static void queue_row(struct dispatcher *d, const struct pg_batch *batch, int row)
{
	struct outbox_row look;
	outbox_row_look(batch, row, &look);
	if (d->recovery.refill && outbox_find(&d->outbox, look.call_id) != NULL)
		return;
	enum shard_state held = d->shards.items[look.shard].state;
	if (held != SHARD_LOADING && held != SHARD_OWNED)
		return; /* lost meanwhile */
	struct delivery *delivery = outbox_row_load(d, batch, row);
	if (delivery == NULL)
		return; /* nobody to send it by: it ends as dead */
	bool unknown = delivery->message_id == 0 && delivery->unknown_sends > 0;
	if (unknown && delivery->unknown_sends >= DELIVERY_MAX_UNKNOWN) {
		struct live_call *call = delivery->call;
		delivery_enter(d, delivery, DELIVERY_PARKED);
		live_call_settle(d, call);
		return;
	}
	if (unknown)
		bot_doubt(d, delivery->chat->bot); /* not blindly: first it has to answer */
	delivery_enter(d, delivery, DELIVERY_WAITING);
}

static enum flow_status recovery_queue(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recovery *recovery = &d->recovery;
	struct error error;
	if (!pg_batch_ok(recovery->batch, &error))
		return recovery_fail(flow, &error);
	int rows = pg_rows(recovery->batch, 0);
	for (int row = 0; row < rows; row++) {
		struct outbox_row look;
		outbox_row_look(recovery->batch, row, &look);
		recovery->after = look.id;
		if (d->outbox.deliveries >= d->config->max_deliveries) {
			d->outbox.overflow = true;
			return FLOW_NEXT;
		}
		queue_row(d, recovery->batch, row);
	}
	return rows == PAGE_ROWS ? flow_goto(flow, RECOVERY_ROWS) : FLOW_NEXT;
}

static enum flow_status recovery_ready(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	unsigned taken = 0;
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &d->shards.items[i];
		if (d->recovery.refill || !d->recovery.loading[i] || shard->state != SHARD_LOADING)
			continue;
		shard->state = SHARD_OWNED;
		taken++;
	}
	d->recovery.running = false;
	if (taken > 0)
		log_info(flow_log(flow), "recovery: %u partitions taken over", taken);
	gateway_want(d);
	recordings_want(d); /* those of calls that were another's until now */
	bots_kick(d);
	return flow_goto(flow, RECOVERY_WAIT);
}

static enum flow_status recovery_again(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	return await_pg_again(flow, d->side_pg, RETRY_MS);
}

static enum flow_status recovery_anew(struct flow *flow)
{
	return flow_goto(flow, RECOVERY_WAIT);
}

static const struct flow_step recovery_steps[] = {
	[RECOVERY_WAIT] = {"wait", recovery_wait},
	[RECOVERY_SETTLE] = {"settle", recovery_settle},
	[RECOVERY_SETTLED] = {"settled", recovery_settled},
	[RECOVERY_FOLDS] = {"folds", recovery_folds},
	[RECOVERY_LOAD] = {"load", recovery_load},
	[RECOVERY_ROWS] = {"rows", recovery_rows},
	[RECOVERY_QUEUE] = {"queue", recovery_queue},
	[RECOVERY_READY] = {"ready", recovery_ready},
	[RECOVERY_AGAIN] = {"again", recovery_again},
	{"anew", recovery_anew},
	{NULL, NULL},
};

const struct flow_spec recovery_flow = {
	.name = "recovery", .steps = recovery_steps, .deadline_ms = FLOW_FOREVER};
