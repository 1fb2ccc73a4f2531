/*
 * recordings: see recordings.h.
 */
#include "recordings.h"

#include "dispatcher.h"
#include "gateway_told.h"
#include "outbox_rows.h"

#define RECORDINGS_ARENA_BYTES ((size_t)4 << 20)
#define LOOK_MS		       30000 /* announcements may be missed */
#define LEFT_MS		       1000
#define RETRY_MS	       1000

/* A recording of a call that goes on waits for its end: only final messages show it. */
static const char sql_look[] =
	"SELECT r.call_id, r.shard, r.changes, coalesce(c.call_url, ''),"
	" c.recorded_at IS NOT NULL, c.uuid_token::text"
	" FROM recording_requests r LEFT JOIN calls c ON c.id = r.call_id"
	" WHERE r.shard = ANY ($1::smallint[]) AND (c.id IS NULL OR c.state IN ('ended', 'lost'))"
	" ORDER BY r.created_at LIMIT 200";
static const char sql_left[] =
	"SELECT EXISTS (SELECT FROM recording_requests WHERE shard = ANY ($1::smallint[]))";

enum { RECORDINGS_WAIT, RECORDINGS_QUERY, RECORDINGS_TAKE };

void recordings_init(struct recordings *recordings)
{
	*recordings =
		(struct recordings){.arena = arena_new(RECORDINGS_ARENA_BYTES), .wanted = true};
	flow_queue_init(&recordings->wake);
}

void recordings_free(struct recordings *recordings)
{
	arena_free(&recordings->arena);
}

void recordings_want(struct dispatcher *d)
{
	d->recordings.wanted = true;
	flow_queue_wake_all(&d->recordings.wake);
}

/* -- reading them --------------------------------------------------------------------------------- */

static enum flow_status recordings_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recordings *recordings = &d->recordings;
	if (recordings->count > 0)
		return await_queue_for(flow, &recordings->wake, LEFT_MS);
	if (recordings->wanted)
		return FLOW_NEXT;
	return await_queue_for(flow, &recordings->wake, recordings->left ? LEFT_MS : LOOK_MS);
}

static enum flow_status recordings_query(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recordings *recordings = &d->recordings;
	struct pg_params params = {0};
	if (recordings->count > 0) /* the round has not come to them yet */
		return flow_goto(flow, RECORDINGS_WAIT);
	recordings->wanted = false;
	arena_reset(recordings->arena);
	recordings->batch = pg_batch_new(recordings->arena);
	pg_put_text(&params, shards_owned_list(&d->shards, recordings->arena));
	pg_batch_add(recordings->batch, sql_look, &params);
	pg_batch_add(recordings->batch, sql_left, &params);
	return await_pg(flow, d->side_pg, recordings->batch);
}

static enum flow_status recordings_take(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct recordings *recordings = &d->recordings;
	const struct pg_batch *batch = recordings->batch;
	struct error error;
	if (!pg_batch_ok(batch, &error)) {
		log_warn(flow_log(flow), "recordings: not read yet: %s", error.text);
		recordings->wanted = true;
		(void)flow_goto(flow, RECORDINGS_WAIT);
		return await_pg_again(flow, d->side_pg, RETRY_MS);
	}
	unsigned rows = (unsigned)pg_rows(batch, 0);
	recordings->items = arena_array(recordings->arena, rows + 1, sizeof(*recordings->items));
	recordings->count = rows;
	recordings->left = pg_bool(batch, 1, 0, 0);
	for (unsigned i = 0; i < rows; i++) {
		int row = (int)i;
		recordings->items[i] = (struct recording){.call_id = pg_int(batch, 0, row, 0),
			.shard = (unsigned)pg_int(batch, 0, row, 1) % SHARD_COUNT,
			.changes = pg_int(batch, 0, row, 2),
			.url = recording_url(d, pg_text(batch, 0, row, 3),
				pg_bool(batch, 0, row, 4), pg_text(batch, 0, row, 5),
				recordings->arena)};
	}
	if (rows > 0)
		redis_wake(d->redis); /* a round takes them */
	return flow_goto(flow, RECORDINGS_WAIT);
}

static const struct flow_step recordings_steps[] = {
	[RECORDINGS_WAIT] = {"wait", recordings_wait},
	[RECORDINGS_QUERY] = {"query", recordings_query},
	[RECORDINGS_TAKE] = {"take", recordings_take},
	{NULL, NULL},
};

const struct flow_spec recordings_flow = {
	.name = "recordings", .steps = recordings_steps, .deadline_ms = FLOW_FOREVER};

/* -- telling them, in a round --------------------------------------------------------------------- */

static bool recording_ours(const struct dispatcher *d, const struct recording *recording)
{
	const struct shard *shard = &d->shards.items[recording->shard];
	return shard->state == SHARD_OWNED && !shard->drop;
}

void recordings_look_up(struct dispatcher *d, struct buf *ids)
{
	d->recordings.in_round = d->recordings.count > 0;
	for (unsigned i = 0; i < d->recordings.count; i++) {
		const struct recording *recording = &d->recordings.items[i];
		if (!recording_ours(d, recording))
			continue;
		d->round.touched[recording->shard] = true; /* its commit is fenced by the cursor */
		if (outbox_find(&d->outbox, recording->call_id) == NULL)
			buf_printf(ids, "%c%lld", ids->size > 0 ? ',' : '{',
				(long long)recording->call_id);
	}
}

/* A call that changes in this very round takes its turn in the next. */
static bool recording_waits(const struct dispatcher *d, const struct recording *recording)
{
	struct str key = str_of((const char *)&recording->call_id, sizeof(recording->call_id));
	const struct live_call *live = outbox_find(&d->outbox, recording->call_id);
	return !recording_ours(d, recording) || table_get(d->round.changes.by_call, key) != NULL ||
	       (live != NULL && !live->final);
}

void recordings_plan(struct dispatcher *d, struct store *store, struct gateway_plan *gateway)
{
	struct round *round = &d->round;
	unsigned count = d->recordings.in_round ? d->recordings.count : 0;
	for (unsigned i = 0; i < count; i++) {
		const struct recording *recording = &d->recordings.items[i];
		const struct live_call *live = outbox_find(&d->outbox, recording->call_id);
		struct plan *plan = NULL;
		if (recording_waits(d, recording))
			continue;
		if (live != NULL && recording->url[0] != '\0')
			plan = plan_recording(d, live, recording->url, round->arena);
		store_recording(store, recording);
		gateway_plan_recording(d, recording, gateway);
		if (plan == NULL)
			continue; /* it was never told, or too long ago */
		store_plan(store, plan);
		*round->last_plan = plan;
		round->last_plan = &plan->next;
	}
}

/* Calls that were read for it alone are let go; the flow sees what is left. */
void recordings_done(struct dispatcher *d)
{
	struct recordings *recordings = &d->recordings;
	if (!recordings->in_round)
		return;
	for (unsigned i = 0; i < recordings->count; i++) {
		struct live_call *live = outbox_find(&d->outbox, recordings->items[i].call_id);
		if (live != NULL)
			live_call_settle(d, live);
	}
	recordings->count = 0;
	recordings->in_round = false;
	recordings->wanted = true;
	flow_queue_wake_all(&recordings->wake);
}
