/*
 * courier: one flow an errand: pick a delivery, claim it, send it, see what came of it.
 *
 * A chat has one courier at a time, so what it shows never goes back to an older state. Before a
 * new message leaves, 'sending' is durable: after a crash we know that its outcome is unknown.
 * Edits may be repeated freely and need no such mark.
 */
#include "courier.h"

#include "dispatcher.h"

#define URL_MAX_BYTES  1024
#define BODY_MAX_BYTES ((size_t)64 << 10)

struct courier {
	struct chat *chat;
	struct delivery *delivery;
	bool worked; /* look for more at the end */
	struct buf url, body;
	struct http_call call;
	struct errand errand;
};

enum {
	COURIER_PICK,
	COURIER_AGAIN,
	COURIER_BOT,
	COURIER_CLAIM,
	COURIER_HOLD,
	COURIER_HELD,
	COURIER_SEND,
	COURIER_DONE
};

/* Give the delivery up without having sent anything. */
static enum flow_status courier_let_go(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct delivery *delivery = courier->delivery;
	bool wait = !delivery->call->orphan && delivery_needs(delivery);
	courier->delivery = NULL;
	delivery_unclaim(d, delivery);
	if (delivery->state == DELIVERY_TAKEN) /* else it has ended meanwhile */
		delivery_enter(d, delivery, wait ? DELIVERY_WAITING : DELIVERY_IDLE);
	live_call_settle(d, delivery->call);
	return FLOW_END;
}

/* So that one grep for a call or a trace finds its requests, too. */
static void courier_know(struct flow *flow, const struct live_call *call)
{
	flow_set_enterprise(flow, call->enterprise);
	flow_set_trace(flow, call->trace);
	flow_set_call(flow, arena_printf(flow_arena(flow), "%lld", (long long)call->id));
}

static enum flow_status courier_pick(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct chat *chat = courier->chat;
	struct pick pick = chat_pick(d, chat);
	if (pick.delivery == NULL)
		return pick.wait_ms < 0 ? FLOW_END
					: await_queue_for(flow, &chat->wake, pick.wait_ms);
	courier->delivery = pick.delivery;
	courier->worked = true;
	delivery_enter(d, pick.delivery, DELIVERY_TAKEN);
	courier_know(flow, pick.delivery->call);
	return flow_goto(flow, COURIER_BOT);
}

static enum flow_status courier_again(struct flow *flow)
{
	return flow_goto(flow, COURIER_PICK);
}

/* The bot's own limit: slots are promised in the order of asking, so no chat overtakes another. */
static enum flow_status courier_bot(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct chat *chat = courier->chat;
	int64_t now = loop_now_ms(d->loop);
	if (chat->bot->off_until_ms > now) {
		outcome_bot_off(d, courier->delivery);
		return courier_let_go(flow);
	}
	if (courier->delivery->claimed)
		return FLOW_NEXT;
	bool clears = delivery_next(courier->delivery) == ERRAND_CLEAR;
	int64_t when = clears ? bot_take(chat->bot, now) : chat_take(chat, now);
	return when > now ? await_sleep(flow, when - now) : FLOW_NEXT;
}

/* Asked before the claim and again before the request: in between shards may be lost, and a process may
 * have been stopped for minutes. */
static bool courier_may_go(const struct dispatcher *d, const struct delivery *delivery)
{
	return !delivery->call->orphan && !d->draining &&
	       shards_lease_holds(&d->shards, loop_now_ms(d->loop));
}

/* It came to nothing while it waited: what it would tell has been told, or is not wanted any more. */
static enum flow_status courier_nothing(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct delivery *delivery = courier->delivery;
	delivery->claimed = false;
	delivery->sent_version = delivery->call->version;
	delivery_report(d, delivery, "sent", delivery->call->version, NULL);
	return courier_let_go(flow);
}

static enum flow_status courier_claim(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct delivery *delivery = courier->delivery;
	enum errand_kind next = delivery_next(delivery);
	if (!courier_may_go(d, delivery))
		return courier_let_go(flow);
	if (next == ERRAND_NONE)
		return courier_nothing(flow);
	const char *why_not = next == ERRAND_SEND ? subscription_why_not(d, delivery) : NULL;
	if (why_not != NULL) {
		outcome_no_recipient(d, delivery, why_not);
		return courier_let_go(flow);
	}
	if (next != ERRAND_SEND || delivery->claimed)
		return flow_goto(flow, COURIER_SEND);
	delivery->report.claim = true;
	delivery->report.granted = false;
	delivery_report(d, delivery, "sending", delivery->call->version, NULL);
	return FLOW_NEXT;
}

static enum flow_status courier_hold(struct flow *flow)
{
	struct courier *courier = flow_state(flow);
	return courier->delivery->report.claim ? await_queue(flow, &courier->chat->wake)
					       : FLOW_NEXT;
}

/* Woken by the writer, or by a newcomer in the chat's line. */
static enum flow_status courier_held(struct flow *flow)
{
	struct courier *courier = flow_state(flow);
	struct delivery *delivery = courier->delivery;
	if (delivery->report.claim)
		return flow_goto(flow, COURIER_HOLD);
	delivery->claimed = delivery->report.granted;
	return delivery->claimed ? FLOW_NEXT : courier_let_go(flow);
}

/* The newest state, whatever it was when the delivery was picked: what came meanwhile needs no edit. */
static void errand_make(struct errand *errand, const struct delivery *delivery)
{
	static const enum telegram_method methods[] = {[ERRAND_SEND] = TELEGRAM_SEND,
		[ERRAND_EDIT] = TELEGRAM_EDIT,
		[ERRAND_DELETE] = TELEGRAM_DELETE,
		[ERRAND_CLEAR] = TELEGRAM_DELETE};
	const struct live_call *call = delivery->call;
	errand->version = call->version;
	errand->final = call->final;
	errand->kind = delivery_next(delivery);
	errand->request = (struct telegram_request){
		.method = methods[errand->kind],
		.chat_id = delivery->chat->id,
		.message_id =
			errand->kind == ERRAND_CLEAR ? delivery->old_ids[0] : delivery->message_id,
		.html = str_from(call->html),
		.markup = str_from(delivery_markup(delivery)),
		.silent = call->silent && !call->final,
	};
}

static void courier_write(struct dispatcher *d, struct courier *courier)
{
	struct live_call *call = courier->delivery->call;
	struct errand *errand = &courier->errand;
	buf_init(&courier->url, URL_MAX_BYTES);
	buf_init(&courier->body, BODY_MAX_BYTES);
	telegram_url(d->config->telegram_url, courier->chat->bot->token, errand->request.method,
		&courier->url);
	telegram_body(&errand->request, &courier->body);
	errand->request.html = errand->request.markup = STR(""); /* they may change under way */
	courier->call = (struct http_call){
		.method = "POST",
		.url = courier->url.data,
		.content_type = "application/json",
		.body = buf_str(&courier->body),
		.timeout_ms = d->config->send_timeout_ms,
	};
	if (errand->kind == ERRAND_CLEAR)
		return; /* tells nothing */
	if (call->told_version < call->version)
		metric_observe(d->meters.latency_seconds,
			(double)(clock_wall_ms() - call->since_ms) / 1000);
	call->told_version = call->version;
}

/* What is next may be another errand than it was at the claim; none of them is a send that was not
 * claimed. */
static enum flow_status courier_send(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct delivery *delivery = courier->delivery;
	enum errand_kind next = delivery_next(delivery);
	if (!courier_may_go(d, delivery))
		return courier_let_go(flow);
	if (next == ERRAND_NONE)
		return courier_nothing(flow);
	if (next == ERRAND_SEND && !delivery->claimed)
		return flow_goto(flow, COURIER_CLAIM);
	errand_make(&courier->errand, delivery);
	courier_write(d, courier);
	return await_http(flow, d->http, &courier->call, &courier->errand.answer);
}

static enum flow_status courier_done(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct delivery *delivery = courier->delivery;
	courier->delivery = NULL;
	delivery->claimed = false;
	outcome_apply(d, delivery, &courier->errand);
	live_call_settle(d, delivery->call);
	return FLOW_END;
}

/* One errand a flow: its arena does not grow with the number of messages of a busy chat. */
static void courier_finally(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct courier *courier = flow_state(flow);
	struct chat *chat = courier->chat;
	buf_free(&courier->url);
	buf_free(&courier->body);
	chat->courier = NULL;
	chat->used_ms = loop_now_ms(d->loop);
	if (courier->worked && chat->waiting > 0 && flow_error(flow) == NULL)
		couriers_kick(d, chat);
}

static const struct flow_step courier_steps[] = {
	[COURIER_PICK] = {"pick", courier_pick},
	[COURIER_AGAIN] = {"again", courier_again},
	[COURIER_BOT] = {"bot", courier_bot},
	[COURIER_CLAIM] = {"claim", courier_claim},
	[COURIER_HOLD] = {"hold", courier_hold},
	[COURIER_HELD] = {"held", courier_held},
	[COURIER_SEND] = {"send", courier_send},
	[COURIER_DONE] = {"done", courier_done},
	{NULL, NULL},
};

static const struct flow_spec courier_flow = {
	.name = "courier",
	.steps = courier_steps,
	.finally = courier_finally,
	.state_bytes = sizeof(struct courier),
	.deadline_ms = FLOW_FOREVER, /* each of its waits has an end of its own */
};

void couriers_kick(struct dispatcher *d, struct chat *chat)
{
	if (chat->courier != NULL) {
		flow_queue_wake_all(&chat->wake);
		return;
	}
	chat->courier = flow_spawn(d->root, &courier_flow);
	struct courier *courier = flow_state(chat->courier);
	courier->chat = chat;
}
