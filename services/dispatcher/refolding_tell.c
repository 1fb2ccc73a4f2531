/*
 * refolding_tell: a piece of a refold's changes: what of it is told to whom, and its transaction.
 *
 * A call that was never told gets one message, marked as told afterwards. Where a message stands, it is
 * edited as long as Telegram allows it. Nobody gets a second one.
 */
#include "dispatcher.h"

#include "call_row.h"

#define GATEWAY_ROWS_AT 1 /* behind those of messages */

/* A change of the piece; kinds as in refold_changes. */
struct refold_change {
	int64_t n, call_id;
	bool is_new, is_gone;
	bool recovered; /* the call is known by events that came afterwards */
	struct call call;
	bool readable;
};

static void take_change(struct refolding *refolding, const struct pg_batch *batch, int row,
	struct refold_change *to)
{
	struct str kind = pg_text(batch, 0, row, REFOLD_KIND);
	struct error error;
	to->n = pg_int(batch, 0, row, REFOLD_N);
	to->call_id = pg_int(batch, 0, row, REFOLD_CALL);
	to->is_new = str_equal(kind, STR("new"));
	to->is_gone = str_equal(kind, STR("gone"));
	to->recovered = str_equal(pg_text(batch, 0, row, REFOLD_SOURCE), STR("recovery"));
	to->readable = call_row_read(
		pg_text(batch, 0, row, REFOLD_ROW), refolding->piece_arena, &to->call, &error);
}

void refolding_take(struct dispatcher *d, const struct pg_batch *batch)
{
	struct refolding *refolding = &d->refolding;
	refolding->changes_count = pg_rows(batch, 0);
	refolding->changes = arena_array(refolding->piece_arena,
		(size_t)refolding->changes_count + 1, sizeof(*refolding->changes));
	refolding->plans = NULL;
	for (int i = 0; i < refolding->changes_count; i++)
		take_change(refolding, batch, i, &refolding->changes[i]);
}

/* Of calls that were known before: the messages of those that are not in memory, and what CRMs were
 * told of any of them. */
bool refolding_look_up(struct dispatcher *d)
{
	struct refolding *refolding = &d->refolding;
	struct buf ids, known;
	buf_init(&ids, (size_t)64 << 10);
	buf_init(&known, (size_t)64 << 10);
	for (int i = 0; i < refolding->changes_count; i++) {
		const struct refold_change *change = &refolding->changes[i];
		if (change->is_new)
			continue;
		buf_printf(
			&known, "%c%lld", known.size > 0 ? ',' : '{', (long long)change->call_id);
		if (outbox_find(&d->outbox, change->call_id) == NULL)
			buf_printf(&ids, "%c%lld", ids.size > 0 ? ',' : '{',
				(long long)change->call_id);
	}
	bool any = known.size > 0;
	if (any) {
		buf_add(&ids, ids.size > 0 ? STR("}") : STR("{}"));
		buf_add_char(&known, '}');
		refolding->lookup = pg_batch_new(refolding->piece_arena);
		plan_add_lookup(refolding->lookup, refolding->piece_arena, buf_str(&ids));
		gateway_add_rows(refolding->lookup, refolding->piece_arena, buf_str(&known));
	}
	buf_free(&known);
	buf_free(&ids);
	return any;
}

/* -- what is told ----------------------------------------------------------------------------------- */

/* A message that stands and may still be changed, or one that has yet to leave. */
static bool target_stands(const struct live_call *live, const struct plan_target *target)
{
	const struct delivery *delivery = live_call_delivery(live, target->chat->id);
	if (delivery == NULL)
		return false;
	bool young = clock_wall_ms() - delivery->sent_ms < DELIVERY_CHANGE_MS;
	return delivery->state == DELIVERY_WAITING || delivery->state == DELIVERY_TAKEN ||
	       (delivery->message_id != 0 && young);
}

/* Of a call that was told before only what stands is mended. */
static bool keep_standing(struct plan *plan, const struct live_call *live)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < plan->target_count; i++) {
		if (target_stands(live, &plan->targets[i]))
			plan->targets[kept++] = plan->targets[i];
	}
	plan->target_count = kept;
	return kept > 0;
}

/* When its deliveries have been cleaned away nobody knows any more whether it was told. */
static bool may_be_new(const struct dispatcher *d, const struct refold_change *change)
{
	int64_t days_ms = d->config->sent_days * 24 * 3600 * INT64_C(1000);
	return change->is_new || (!change->is_gone && change->call.started_ms != CALL_NO_TIME &&
					 clock_wall_ms() - change->call.started_ms < days_ms);
}

static struct plan *change_plan(struct dispatcher *d, const struct refold_change *change)
{
	struct refolding *refolding = &d->refolding;
	const struct refold_request *request = &refolding->request;
	const struct live_call *live = outbox_find(&d->outbox, change->call_id);
	const struct plan_wish wish = {.call_id = change->call_id,
		.shard = request->shard,
		.enterprise = request->enterprise,
		.call = change->is_gone ? NULL : &change->call,
		.trace = "",
		.since_ms = clock_wall_ms(),
		.recovered = change->recovered};
	if (!change->readable || (live == NULL && !may_be_new(d, change)))
		return NULL;
	struct plan *plan = plan_wished(d, &wish, refolding->piece_arena);
	return plan == NULL || live == NULL || keep_standing(plan, live) ? plan : NULL;
}

/* CRMs are told of it as of a recovered one, in their journals alone. */
static void change_tell_crms(struct dispatcher *d, const struct refold_change *change)
{
	struct refolding *refolding = &d->refolding;
	const struct gateway_past past = {.enterprise = refolding->request.enterprise,
		.shard = refolding->request.shard,
		.call_id = change->call_id,
		.call = &change->call,
		.batch = change->is_new ? NULL : refolding->lookup,
		.at = GATEWAY_ROWS_AT};
	if (change->readable && !change->is_gone && may_be_new(d, change))
		gateway_plan_past(d, &past, &refolding->gateway);
}

bool refolding_store(struct dispatcher *d, struct pg_batch *batch, struct error *error)
{
	struct refolding *refolding = &d->refolding;
	const struct refold_change *changes = refolding->changes;
	struct plan **last = &refolding->plans;
	struct store store;
	store_begin(&store, refolding->piece_arena);
	gateway_plan_begin(&refolding->gateway, refolding->piece_arena);
	for (int i = 0; i < refolding->changes_count; i++) {
		change_tell_crms(d, &changes[i]);
		struct plan *plan = change_plan(d, &changes[i]);
		if (plan == NULL)
			continue;
		store_plan(&store, plan);
		*last = plan;
		last = &plan->next;
	}
	store_gateway(&store, &refolding->gateway);
	/* Its first statement refuses the commit when the shard is not ours any more. */
	struct shard shard = d->shards.items[refolding->request.shard];
	shard.epoch = refolding->request.epoch;
	store_position(&store, refolding->request.shard, &shard);
	bool ok = store_batch(&store, d->name, batch, error);
	store_end(&store);
	const struct refold_piece piece = {.first = changes[0].n,
		.last = changes[refolding->changes_count - 1].n,
		.why = refolding->request.reason,
		.whole = true};
	refold_add_apply(batch, refolding->piece_arena, &piece);
	return ok;
}

static bool shard_stays(const struct dispatcher *d)
{
	const struct refold_request *request = &d->refolding.request;
	const struct shard *shard = &d->shards.items[request->shard];
	return shard->state == SHARD_OWNED && !shard->drop && shard->epoch == request->epoch;
}

/* A shard that was lost meanwhile: its next owner reads the rows from the table. */
void refolding_told(struct dispatcher *d, bool committed)
{
	struct refolding *refolding = &d->refolding;
	const struct plan *plan = committed && shard_stays(d) ? refolding->plans : NULL;
	for (; plan != NULL; plan = plan->next)
		plan_apply(d, plan);
	for (int i = 0; i < refolding->changes_count && committed && shard_stays(d); i++)
		folding_forget(
			d, str_from(refolding->request.enterprise), refolding->changes[i].call_id);
	if (committed && shard_stays(d))
		gateway_apply(d, &refolding->gateway, refolding->batch, STORE_GATEWAY_AT);
	for (int i = 0; i < refolding->changes_count; i++) {
		gateway_told_forget(d, refolding->changes[i].call_id);
		struct live_call *live = outbox_find(&d->outbox, refolding->changes[i].call_id);
		if (live != NULL)
			live_call_settle(d, live);
	}
	refolding->plans = NULL;
	refolding->changes_count = 0;
}
