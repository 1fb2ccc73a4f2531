/*
 * refolding: see refolding.h.
 *
 * One request at a time. It is claimed when the live fold has passed the events that it is about, so
 * that nobody takes a call's beginning for all of it. Calls that the live fold still works on are left alone,
 * and the stretch is looked at again until they have ended.
 */
#include "dispatcher.h"

#include "refold_tenants.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define LOOK_MS	    5000
#define RETRY_MS    2000
/* An event may decide what becomes of those that come a while after it, as long as calls linger. */
#define MARGIN_MS     600000
#define PIECE_CHANGES 100 /* a transaction: the shard's own commits wait for it */
#define MAX_ATTEMPTS  8	  /* then a person has to look: some twenty minutes */
#define MAX_AGE_MS    (24 * 3600 * INT64_C(1000)) /* of one that waits for calls to end */

/* One that broke off with its process, or with the shard's former owner, is taken up at once. */
static const char sql_claim[] =
	"UPDATE refold_requests SET state = 'running', owner = $1, attempts = attempts + 1,"
	" next_at = now() + interval '20 minutes', updated_at = now() WHERE id ="
	" (SELECT r.id FROM refold_requests r JOIN fold_cursors f USING (shard)"
	" WHERE f.owner = $1 AND r.state IN ('queued', 'running')"
	" AND (r.next_at <= now() OR (r.state = 'running' AND r.owner IS DISTINCT FROM $1))"
	" AND NOT EXISTS (SELECT FROM call_events e WHERE (e.tx, e.id) > (f.tx, f.id)"
	" AND e.tx <= r.tx AND e.shard = r.shard AND e.created_at >= f.at - interval '1 day')"
	" ORDER BY r.next_at, r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED)"
	" RETURNING id, shard, enterprise_number, reason, attempts,"
	" (extract(epoch FROM from_at) * 1000)::bigint, (extract(epoch FROM to_at) * 1000)::bigint,"
	" (extract(epoch FROM now() - created_at) * 1000)::bigint";
enum {
	CLAIM_ID,
	CLAIM_SHARD,
	CLAIM_ENTERPRISE,
	CLAIM_REASON,
	CLAIM_ATTEMPTS,
	CLAIM_FROM,
	CLAIM_TO,
	CLAIM_AGE
};

/* What earlier looks at it have changed counts, too. */
static const char sql_record[] = "UPDATE refold_requests SET state = $3, attempts = CASE WHEN "
				 "$4::text IS NULL THEN 0 ELSE attempts END,"
				 " last_error = $4, next_at = now() + make_interval(secs => "
				 "$6::bigint / 1000.0), updated_at = now(),"
				 " result = CASE WHEN $5::jsonb IS NULL THEN result ELSE $5::jsonb"
				 " || (SELECT jsonb_object_agg(k, coalesce((result->>k)::bigint, "
				 "0) + ($5::jsonb->>k)::bigint)"
				 " FROM unnest('{new,changed,gone}'::text[]) k) END"
				 " WHERE id = $1::bigint AND owner = $2 AND state = 'running'";

enum { RESULT_DONE, RESULT_AGAIN, RESULT_FAILED };

void refolding_init(struct refolding *refolding, struct metrics *metrics)
{
	static const char *const results[] = {[RESULT_DONE] = "result=\"done\"",
		[RESULT_AGAIN] = "result=\"again\"",
		[RESULT_FAILED] = "result=\"failed\""};
	static const char *const kinds[] = {"what=\"new\"", "what=\"changed\"", "what=\"gone\""};
	*refolding = (struct refolding){
		.arena = arena_new(ARENA_BYTES), .piece_arena = arena_new(ARENA_BYTES)};
	flow_queue_init(&refolding->wake);
	for (unsigned i = 0; i < 3; i++) {
		refolding->requests[i] =
			metrics_counter(metrics, "callweave_refold_requests_total", results[i],
				"Stretches of the log that were folded again, by what came of it");
		refolding->calls[i] = metrics_counter(metrics, "callweave_refold_calls_total",
			kinds[i], "Calls that came out otherwise when the log was folded again");
	}
}

static void refolding_end_run(struct refolding *refolding)
{
	refold_free(&refolding->refold);
	refold_tenants_free(&refolding->tenants);
}

void refolding_free(struct refolding *refolding)
{
	refolding_end_run(refolding);
	arena_free(&refolding->piece_arena);
	arena_free(&refolding->arena);
}

void refolding_want(struct dispatcher *d, const char *payload)
{
	flow_queue_wake_all(&d->refolding.wake);
}

/* -- which ------------------------------------------------------------------------------------------- */

enum {
	REFOLD_WAIT,
	REFOLD_CLAIM,
	REFOLD_TAKE,
	REFOLD_RUN,
	REFOLD_RAN,
	REFOLD_PIECE,
	REFOLD_LOOK_UP,
	REFOLD_STORE,
	REFOLD_APPLIED,
	REFOLD_RECORD,
	REFOLD_RECORDED,
};

static enum flow_status refold_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	refolding_end_run(&d->refolding);
	return await_queue_for(flow, &d->refolding.wake, LOOK_MS);
}

static enum flow_status refold_claim(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	struct pg_params params = {0};
	bool ready = pg_ready(refolding->pg) && d->directory.loads > 0 &&
		     shards_count(&d->shards, SHARD_OWNED) > 0;
	if (d->draining || !ready)
		return flow_goto(flow, REFOLD_WAIT);
	arena_reset(refolding->arena);
	arena_reset(refolding->piece_arena);
	refolding->error = (struct error){.kind = ERROR_NONE};
	refolding->batch = pg_batch_new(refolding->arena);
	pg_put_text(&params, d->name);
	pg_batch_add(refolding->batch, sql_claim, &params);
	return await_pg(flow, refolding->pg, refolding->batch);
}

static const char *row_text(struct refolding *refolding, int column)
{
	struct str text = pg_text(refolding->batch, 0, 0, column);
	return arena_strndup(refolding->arena, text.size > 0 ? text.data : "", text.size);
}

static enum flow_status refold_take(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	const struct pg_batch *batch = refolding->batch;
	struct error error;
	if (!pg_batch_ok(batch, &error))
		log_warn(flow_log(flow), "refold: requests are not read: %s", error.text);
	if (pg_rows(batch, 0) == 0)
		return flow_goto(flow, REFOLD_WAIT);
	unsigned shard = (unsigned)pg_int(batch, 0, 0, CLAIM_SHARD) % SHARD_COUNT;
	refolding->request = (struct refold_request){
		.id = pg_int(batch, 0, 0, CLAIM_ID),
		.shard = shard,
		.epoch = d->shards.items[shard].epoch,
		.from_ms = pg_int(batch, 0, 0, CLAIM_FROM),
		.to_ms = pg_int(batch, 0, 0, CLAIM_TO),
		.attempts = pg_int(batch, 0, 0, CLAIM_ATTEMPTS),
		.age_ms = pg_int(batch, 0, 0, CLAIM_AGE),
		.enterprise = row_text(refolding, CLAIM_ENTERPRISE),
		.reason = row_text(refolding, CLAIM_REASON),
	};
	refolding->done = 0;
	refolding->batch = pg_batch_new(refolding->arena);
	refold_tenants_query(refolding->batch, refolding->arena, refolding->request.enterprise);
	return await_pg(flow, refolding->pg, refolding->batch);
}

/* -- the run ------------------------------------------------------------------------------------------- */

/* Gives up for this time; what is applied already stays, for it is right. */
static enum flow_status refold_give_up(struct flow *flow, const struct error *error)
{
	struct dispatcher *d = flow_context(flow);
	d->refolding.error = *error;
	return flow_goto(flow, REFOLD_RECORD);
}

static enum flow_status refold_run(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	const struct refold_request *request = &refolding->request;
	struct error error;
	if (!pg_batch_ok(refolding->batch, &error))
		return refold_give_up(flow, &error);
	refolding->tenants = refold_tenants_take(refolding->batch, refolding->arena);
	const struct refold_options options = {
		.pg = refolding->pg,
		.tenants = refolding->tenants,
		.enterprise = request->enterprise,
		.from_ms = request->from_ms - MARGIN_MS,
		.to_ms = request->to_ms + MARGIN_MS,
		.linger_ms = d->config->linger_seconds * 1000,
	};
	refolding->refold = refold_new(&options);
	refold_spawn(flow, refolding->refold);
	return await_children(flow);
}

static enum flow_status refold_ran(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct error error;
	return refold_ok(d->refolding.refold, &error) ? FLOW_NEXT : refold_give_up(flow, &error);
}

/* -- its changes, piece by piece ------------------------------------------------------------------------ */

static enum flow_status refold_piece(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	if (refolding->done >= refold_changes_count(refolding->refold) || d->draining)
		return flow_goto(flow, REFOLD_RECORD);
	arena_reset(refolding->piece_arena);
	refolding->batch = pg_batch_new(refolding->piece_arena);
	refold_add_changes(refolding->batch, refolding->piece_arena, refolding->done + 1,
		refolding->done + PIECE_CHANGES);
	return await_pg(flow, refolding->pg, refolding->batch);
}

static enum flow_status refold_look_up(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	struct error error;
	if (!pg_batch_ok(refolding->batch, &error))
		return refold_give_up(flow, &error);
	refolding_take(d, refolding->batch);
	if (refolding->changes_count == 0)
		return flow_goto(flow, REFOLD_RECORD);
	refolding->lookup = NULL;
	if (!refolding_look_up(d))
		return FLOW_NEXT;
	return await_pg(flow, refolding->pg, refolding->lookup);
}

static enum flow_status refold_store(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	struct error error;
	if (refolding->lookup != NULL && !pg_batch_ok(refolding->lookup, &error))
		return refold_give_up(flow, &error);
	if (refolding->lookup != NULL)
		plan_take_lookup(d, refolding->lookup);
	refolding->batch = pg_batch_new(refolding->piece_arena);
	if (!refolding_store(d, refolding->batch, &error)) {
		refolding_told(d, false);
		return refold_give_up(flow, &error);
	}
	return await_pg(flow, refolding->pg, refolding->batch);
}

static enum flow_status refold_applied(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	struct error error;
	bool ok = pg_batch_ok(refolding->batch, &error);
	refolding_told(d, ok);
	if (!ok)
		return refold_give_up(flow, &error);
	refolding->done += PIECE_CHANGES;
	return flow_goto(flow, REFOLD_PIECE);
}

/* -- the end ---------------------------------------------------------------------------------------------- */

/* What came of it: the state to record, when to look again, and words for who reads the table. */
struct refold_end {
	const char *state, *words;
	int64_t next_ms;
	int result;
};

static struct refold_end refold_end_failed(
	struct dispatcher *d, const struct refold_request *request)
{
	struct refolding *refolding = &d->refolding;
	bool last = request->attempts >= MAX_ATTEMPTS;
	return (struct refold_end){.state = last ? "failed" : "queued",
		.words = arena_printf(refolding->arena, "attempt %lld: %s",
			(long long)request->attempts, refolding->error.text),
		.next_ms = RETRY_MS << request->attempts,
		.result = last ? RESULT_FAILED : RESULT_AGAIN};
}

/* The more often it was looked at, the longer the pause. */
static struct refold_end refold_end_well(struct dispatcher *d, const struct refold_request *request)
{
	const struct refold_counts *counts = refold_counts(d->refolding.refold);
	int64_t pause_ms = request->age_ms / 4, least_ms = d->config->linger_seconds * 1000 / 2;
	bool unfinished = d->refolding.done < refold_changes_count(d->refolding.refold);
	if (unfinished)
		return (struct refold_end){.state = "queued", .result = RESULT_AGAIN};
	if (counts->waiting == 0 || request->age_ms > MAX_AGE_MS)
		return (struct refold_end){.state = "done", .result = RESULT_DONE};
	pause_ms = pause_ms < 600000 ? pause_ms : 600000;
	return (struct refold_end){.state = "queued",
		.next_ms = pause_ms > least_ms ? pause_ms : least_ms,
		.result = RESULT_AGAIN};
}

static const char *refold_result(struct dispatcher *d)
{
	struct refolding *refolding = &d->refolding;
	if (refolding->refold == NULL || refolding->error.kind != ERROR_NONE)
		return NULL;
	const struct refold_counts *counts = refold_counts(refolding->refold);
	return arena_printf(refolding->arena,
		"{\"events\":%lld,\"calls\":%lld,\"new\":%lld,\"changed\":%lld,\"gone\":%lld,"
		"\"waiting\":%lld,\"cut\":%lld,\"unreadable\":%lld}",
		(long long)counts->events, (long long)counts->calls, (long long)counts->fresh,
		(long long)counts->changed, (long long)counts->gone, (long long)counts->waiting,
		(long long)counts->cut, (long long)counts->unreadable);
}

static void refold_say(struct flow *flow, const struct refold_end *end)
{
	struct dispatcher *d = flow_context(flow);
	const struct refold_request *request = &d->refolding.request;
	const char *result = refold_result(d);
	struct log_context log = *flow_log(flow);
	log.enterprise = request->enterprise;
	metric_add(d->refolding.requests[end->result], 1);
	if (end->result == RESULT_FAILED)
		log_error(&log, "refold: request %lld is given up: %s", (long long)request->id,
			end->words);
	else if (end->words != NULL)
		log_warn(&log, "refold: request %lld is tried again: %s", (long long)request->id,
			end->words);
	else
		log_info(&log, "refold: request %lld (%s): %s, %s", (long long)request->id,
			request->reason, end->state, result != NULL ? result : "");
}

static void refold_count(struct dispatcher *d)
{
	const struct refold_counts *counts = refold_counts(d->refolding.refold);
	metric_add(d->refolding.calls[0], (double)counts->fresh);
	metric_add(d->refolding.calls[1], (double)counts->changed);
	metric_add(d->refolding.calls[2], (double)counts->gone);
}

static enum flow_status refold_record(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct refolding *refolding = &d->refolding;
	const struct refold_request *request = &refolding->request;
	struct pg_params params = {0};
	bool failed = refolding->error.kind != ERROR_NONE;
	struct refold_end end =
		failed ? refold_end_failed(d, request) : refold_end_well(d, request);
	refold_say(flow, &end);
	if (!failed)
		refold_count(d);
	refolding->batch = pg_batch_new(refolding->arena);
	pg_put_int(&params, refolding->arena, request->id);
	pg_put_text(&params, d->name);
	pg_put_text(&params, end.state);
	pg_put_text(&params, end.words);
	pg_put_text(&params, refold_result(d));
	pg_put_int(&params, refolding->arena, end.next_ms);
	pg_batch_add(refolding->batch, sql_record, &params);
	return await_pg(flow, refolding->pg, refolding->batch);
}

/* One that cannot be recorded is taken up again when its time is over, and changes nothing then. */
static enum flow_status refold_recorded(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct error error;
	refolding_end_run(&d->refolding);
	if (pg_batch_ok(d->refolding.batch, &error))
		return flow_goto(flow, REFOLD_CLAIM);
	log_warn(flow_log(flow), "refold: the end of a request is not recorded: %s", error.text);
	(void)flow_goto(flow, REFOLD_WAIT);
	return await_pg_again(flow, d->refolding.pg, RETRY_MS);
}

static const struct flow_step refolding_steps[] = {
	[REFOLD_WAIT] = {"wait", refold_wait},
	[REFOLD_CLAIM] = {"claim", refold_claim},
	[REFOLD_TAKE] = {"take", refold_take},
	[REFOLD_RUN] = {"run", refold_run},
	[REFOLD_RAN] = {"ran", refold_ran},
	[REFOLD_PIECE] = {"piece", refold_piece},
	[REFOLD_LOOK_UP] = {"look up", refold_look_up},
	[REFOLD_STORE] = {"store", refold_store},
	[REFOLD_APPLIED] = {"applied", refold_applied},
	[REFOLD_RECORD] = {"record", refold_record},
	[REFOLD_RECORDED] = {"recorded", refold_recorded},
	{NULL, NULL},
};

const struct flow_spec refolding_flow = {
	.name = "refolding", .steps = refolding_steps, .deadline_ms = FLOW_FOREVER};
