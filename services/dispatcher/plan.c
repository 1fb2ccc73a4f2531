/*
 * plan: see plan.h.
 */
#include "plan.h"

#include "dispatcher.h"
#include "message.h"

#define MAX_RECIPIENTS 1000

/* The rows of a call's live message and what stands in the chats. */
static const char sql_lookup[] =
	"SELECT o.call_id, o.shard, o.enterprise_number, split_part(o.destination, ':', 2)::bigint,"
	" o.version, coalesce(m.message_id, 0), coalesce(m.sent_version, 0), "
	"coalesce(m.unknown_sends, 0)"
	" FROM outbox o LEFT JOIN telegram_messages m ON m.call_id = o.call_id"
	" AND o.destination = 'telegram:' || m.chat_id"
	" WHERE o.call_id = ANY ($1::bigint[]) AND o.destination LIKE 'telegram:%' AND o.slot = 0"
	" ORDER BY o.call_id, o.id";

bool plan_needs_lookup(const struct dispatcher *d, const struct change *change)
{
	return !change->is_new && outbox_find(&d->outbox, change->call_id) == NULL;
}

void plan_add_lookup(struct pg_batch *batch, struct arena *arena, struct str call_ids)
{
	struct pg_params params = {0};
	pg_put_str(&params, arena, call_ids);
	pg_batch_add(batch, sql_lookup, &params);
}

void plan_take_lookup(struct dispatcher *d, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, 0); row++) {
		struct str enterprise = pg_text(batch, 0, row, 2);
		const struct directory_tenant *tenant = directory_find(&d->directory, enterprise);
		if (tenant == NULL || tenant->bot_token[0] == '\0')
			continue;
		struct live_call *call = outbox_call(&d->outbox, pg_int(batch, 0, row, 0),
			(unsigned)pg_int(batch, 0, row, 1) % SHARD_COUNT, enterprise.data);
		struct bot *bot = bots_get(d, tenant->bot_token);
		struct delivery *delivery =
			live_call_add(d, call, bot_chat(d, bot, pg_int(batch, 0, row, 3)));
		int version = (int)pg_int(batch, 0, row, 4);
		call->version = version > call->version ? version : call->version;
		call->final = true; /* until planned anew: then nothing keeps it in memory */
		delivery->message_id = pg_int(batch, 0, row, 5);
		delivery->sent_version = (int)pg_int(batch, 0, row, 6);
		delivery->unknown_sends = (unsigned)pg_int(batch, 0, row, 7);
	}
}

/* -- whom ----------------------------------------------------------------------------------------- */

/* Each chat once, however many ways lead to it. */
static void plan_add_chat(struct plan *plan, struct chat *chat)
{
	for (unsigned i = 0; i < plan->target_count; i++) {
		if (plan->targets[i].chat->id == chat->id)
			return;
	}
	if (plan->target_count < MAX_RECIPIENTS)
		plan->targets[plan->target_count++].chat = chat;
}

/* The subscribers of now, and chats where the call's message already stands. */
static void plan_recipients(
	struct dispatcher *d, struct plan *plan, const struct live_call *live, struct arena *arena)
{
	int64_t chats[MAX_RECIPIENTS];
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(plan->enterprise));
	unsigned count = 0, standing = 0;
	if (!plan->state.remove)
		count = directory_recipients(&d->directory, tenant, chats, MAX_RECIPIENTS);
	for (const struct delivery *it = live != NULL ? live->deliveries : NULL; it != NULL;
		it = it->next)
		standing++;
	plan->targets = arena_array(arena, count + standing + 1, sizeof(*plan->targets));
	for (const struct delivery *it = live != NULL ? live->deliveries : NULL; it != NULL;
		it = it->next) {
		bool stands = it->message_id != 0 || it->state == DELIVERY_TAKEN;
		if (plan->state.remove || (stands && it->state != DELIVERY_DEAD))
			plan_add_chat(plan, it->chat);
	}
	for (unsigned i = 0; i < count; i++)
		plan_add_chat(plan, bot_chat(d, bots_get(d, tenant->bot_token), chats[i]));
}

/* -- how ------------------------------------------------------------------------------------------ */

/* Nothing was ever sent there, as far as anybody knows: a first message need not ask the writer. */
static bool delivery_untouched(const struct delivery *delivery)
{
	return delivery == NULL || (delivery->state == DELIVERY_IDLE && delivery->message_id == 0 &&
					   delivery->unknown_sends == 0);
}

/* A first message to a free chat is claimed in the fold's own commit: it leaves one commit earlier. */
static void plan_target(struct dispatcher *d, const struct plan *plan, const struct live_call *live,
	struct plan_target *target)
{
	const struct delivery *delivery =
		live != NULL ? live_call_delivery(live, target->chat->id) : NULL;
	int64_t now = loop_now_ms(d->loop);
	target->state = "queued";
	target->kept = delivery != NULL || d->outbox.deliveries < d->config->max_deliveries;
	if (!target->kept) {
		d->outbox.overflow = true;
		return;
	}
	if (delivery != NULL && delivery->message_id == 0 &&
		delivery->unknown_sends >= DELIVERY_MAX_UNKNOWN)
		target->state = "unknown";
	if (plan->state.remove || !delivery_untouched(delivery) || !chat_free(d, target->chat, now))
		return;
	if (!shards_lease_holds(&d->shards, now))
		return;
	chat_take(target->chat, now);
	target->claimed = true;
	target->state = "sending";
}

/* The text of a call as it is now; false when that is not shown. */
static bool plan_render(struct dispatcher *d, const struct change *change, const struct call *call,
	struct arena *arena, struct live_state *state)
{
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(change->of->number));
	if (tenant == NULL)
		return false;
	struct buf html;
	buf_init(&html, MESSAGE_MAX_BYTES);
	const struct message_view view = {
		.call = call, .tenant = &tenant->tenant, .recording_url = "", .details_url = ""};
	bool shown = message_render(&view, &html) && !html.failed;
	if (shown)
		state->html = str_of(arena_strndup(arena, html.data, html.size), html.size);
	buf_free(&html);
	state->version = (int)call->version;
	state->final = call->state == CALL_ENDED || call->state == CALL_LOST;
	return shown;
}

/* Would an edit to `state` change nothing? */
static bool live_call_shows(const struct live_call *live, const struct live_state *state)
{
	return live != NULL && live->html != NULL && live->final == state->final &&
	       str_equal(str_from(live->html), state->html);
}

struct plan *plan_make(struct dispatcher *d, const struct change *change, const struct call *call,
	struct arena *arena)
{
	const struct live_call *live = outbox_find(&d->outbox, change->call_id);
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	plan->call_id = change->call_id;
	plan->shard = change->of->shard;
	plan->enterprise = change->of->number;
	plan->state = (struct live_state){.trace = change->trace, .since_ms = change->since_ms};
	if (change->merged_into != 0) {
		if (live == NULL)
			return NULL;
		plan->state.version = live->version + 1;
		plan->state.final = plan->state.remove = true;
	} else {
		bool newer = live == NULL || (int)call->version > live->version;
		if (!newer || !plan_render(d, change, call, arena, &plan->state) ||
			live_call_shows(live, &plan->state))
			return NULL;
	}
	plan_recipients(d, plan, live, arena);
	for (unsigned i = 0; i < plan->target_count; i++)
		plan_target(d, plan, live, &plan->targets[i]);
	return plan->target_count > 0 ? plan : NULL;
}

/* -- after the commit ----------------------------------------------------------------------------- */

static void target_apply(
	struct dispatcher *d, struct live_call *call, const struct plan_target *target)
{
	struct delivery *delivery = live_call_add(d, call, target->chat);
	delivery->claimed = delivery->claimed || target->claimed;
	if (delivery->state == DELIVERY_TAKEN || delivery->state == DELIVERY_WAITING)
		return; /* what it tells is the newest, whenever it goes */
	if (delivery->unknown_sends >= DELIVERY_MAX_UNKNOWN && delivery->message_id == 0)
		return;
	delivery_enter(d, delivery, DELIVERY_WAITING);
}

void plan_apply(struct dispatcher *d, const struct plan *plan)
{
	bool kept = outbox_find(&d->outbox, plan->call_id) != NULL;
	for (unsigned i = 0; i < plan->target_count; i++)
		kept = kept || plan->targets[i].kept;
	if (!kept)
		return;
	struct live_call *call =
		outbox_call(&d->outbox, plan->call_id, plan->shard, plan->enterprise);
	live_call_set(call, &plan->state);
	for (unsigned i = 0; i < plan->target_count; i++) {
		if (plan->targets[i].kept)
			target_apply(d, call, &plan->targets[i]);
	}
	live_call_settle(d, call);
}
