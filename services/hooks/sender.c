/*
 * sender: see sender.h. Which messages are next; how each of them goes is sender_send.c.
 */
#include "sender.h"

#include "alloc.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_MS = 1000, AWAY_MS = 500, CLAIM_DEADLINE_MS = 8000 };
#define CLAIM_BYTES	  ((size_t)8 << 20)
#define RESTING_MAX_BYTES ((size_t)1 << 20)

static const char sql_claim[] =
	"SELECT id, enterprise, provider, via, peer, ours, kind, body, media, template, attempts,"
	" doubtful, looks, opted_out, in_window, created_ms, other"
	" FROM text_claim($1::integer, make_interval(secs => $2::integer / 1000.0), $3::text[])";

/* -- lanes ------------------------------------------------------------------------------------------- */

struct sender_lane *sender_lane(struct sender *sender, const char *provider, const char *ours)
{
	char key[128];
	struct sender_lane *lane;

	snprintf(key, sizeof(key), "%s:%s", provider, ours);
	lane = table_get(sender->lanes, str_from(key));
	if (lane == NULL) {
		lane = alloc_zeroed(1, sizeof(*lane));
		table_put(sender->lanes, str_from(key), lane);
	}
	return lane;
}

/* Of a long code Twilio takes one a second; others are said by the enterprise. */
static int64_t interval_ms(const struct sender *sender, const struct text_message *message)
{
	const struct account *account =
		accounts_find(sender->hooks->accounts, str_from(message->enterprise));
	const struct account_integration *found =
		account != NULL ? account_integration(account, str_from(message->provider)) : NULL;
	double rate = 0;

	if (found != NULL)
		rate = json_number(json_member(found->config, "messages_per_second"));
	return rate >= 0.2 && rate <= 1000 ? (int64_t)(1000 / rate) : 1000;
}

int64_t sender_slot(struct sender *sender, const struct text_message *message)
{
	struct sender_lane *lane = sender_lane(sender, message->provider, message->ours);
	int64_t now_ms = loop_now_ms(sender->hooks->loop);
	int64_t slot_ms = lane->next_ms > now_ms ? lane->next_ms : now_ms;

	lane->next_ms = slot_ms + interval_ms(sender, message);
	return slot_ms - now_ms;
}

void sender_pause(struct sender *sender, const struct text_message *message, int64_t pause_ms)
{
	struct sender_lane *lane = sender_lane(sender, message->provider, message->ours);
	int64_t until_ms = loop_now_ms(sender->hooks->loop) + pause_ms;

	if (lane->next_ms < until_ms)
		lane->next_ms = until_ms;
}

/* Those that have no place in the next second: what is leased should soon leave. */
static void put_resting(const struct sender *sender, struct pg_array *resting)
{
	int64_t until_ms = loop_now_ms(sender->hooks->loop) + SENDER_AHEAD_MS;
	struct str key;
	void *value;
	size_t at = 0;

	pg_array_text_init(resting, RESTING_MAX_BYTES);
	while (table_next(sender->lanes, &at, &key, &value)) {
		const struct sender_lane *lane = value;

		if (lane->next_ms > until_ms)
			pg_array_add_str(resting, key);
	}
}

/* -- who waits --------------------------------------------------------------------------------------- */

static struct str id_key(int64_t id, char to[24])
{
	snprintf(to, 24, "%lld", (long long)id);
	return str_from(to);
}

void sender_watch(struct sender *sender, int64_t id, struct sender_wait *wait)
{
	char key[24];

	flow_queue_init(&wait->queue);
	wait->over = false;
	(void)table_put(sender->waiting, id_key(id, key), wait);
}

void sender_unwatch(struct sender *sender, int64_t id, struct sender_wait *wait)
{
	char key[24];

	if (table_get(sender->waiting, id_key(id, key)) == wait)
		(void)table_remove(sender->waiting, id_key(id, key));
}

void sender_over(struct sender *sender, int64_t id)
{
	char key[24];
	struct sender_wait *wait = table_get(sender->waiting, id_key(id, key));

	sender->flying--;
	if (wait != NULL) {
		wait->over = true;
		flow_queue_wake_all(&wait->queue);
	}
	sender_wake(sender);
}

/* -- a round: what is due -------------------------------------------------------------------------- */

struct claim_state {
	struct pg_array resting;
	struct pg_batch *batch;
};

static enum flow_status claim_ask(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct sender *sender = hooks->sender;
	struct claim_state *state = flow_state(flow);
	unsigned room = SENDER_MAX_FLYING - sender->flying;
	struct pg_params params = {0};

	put_resting(sender, &state->resting);
	pg_put_int(&params, flow_arena(flow), room < SENDER_CLAIM ? room : SENDER_CLAIM);
	pg_put_int(&params, flow_arena(flow), SENDER_LEASE_MS);
	pg_put_array(&params, &state->resting);
	return await_pg_query(flow, hooks->pg, &state->batch, sql_claim, &params);
}

static enum flow_status claim_read(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct claim_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail_error(flow, &error);
	for (int row = 0; row < pg_rows(state->batch, 0); row++)
		sender_send(hooks->sender, state->batch, row);
	if (pg_rows(state->batch, 0) > 0)
		hooks->sender->more = true;
	return FLOW_END;
}

static void claim_finally(struct flow *flow)
{
	struct claim_state *state = flow_state(flow);

	if (flow_error(flow) != NULL)
		log_warn(flow_log(flow), "texts: %s", flow_error(flow)->text);
	pg_array_free(&state->resting);
}

static const struct flow_step claim_steps[] = {
	{"ask", claim_ask},
	{"read", claim_read},
	{NULL, NULL},
};

static const struct flow_spec claim_flow = {
	.name = "claim",
	.steps = claim_steps,
	.finally = claim_finally,
	.state_bytes = sizeof(struct claim_state),
	.arena_max_bytes = CLAIM_BYTES,
	.deadline_ms = CLAIM_DEADLINE_MS,
};

/* -- for ever ---------------------------------------------------------------------------------------- */

enum { SENDER_LOOK, SENDER_REST };

static enum flow_status sender_look(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct sender *sender = hooks->sender;

	sender->more = false;
	if (sender->draining || !pg_ready(hooks->pg) || schema_why_not(hooks->schema) != NULL ||
		accounts_why_not(hooks->accounts) != NULL) {
		(void)flow_goto(flow, SENDER_LOOK);
		return await_sleep(flow, AWAY_MS);
	}
	if (sender->flying >= SENDER_MAX_FLYING)
		return FLOW_NEXT;
	(void)flow_spawn(flow, &claim_flow);
	return await_children(flow);
}

static enum flow_status sender_rest(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct sender *sender = hooks->sender;

	(void)flow_goto(flow, SENDER_LOOK);
	return sender->more ? FLOW_NEXT : await_queue_for(flow, &sender->wake, LOOK_MS);
}

static const struct flow_step sender_steps[] = {
	[SENDER_LOOK] = {"look", sender_look},
	[SENDER_REST] = {"rest", sender_rest},
	{NULL, NULL},
};

static const struct flow_spec sender_flow = {
	.name = "sender", .steps = sender_steps, .deadline_ms = FLOW_FOREVER};

void sender_wake(struct sender *sender)
{
	if (sender == NULL)
		return;
	sender->more = true;
	flow_queue_wake_all(&sender->wake);
}

/* What is leased and cannot be sent any more would be in doubt: so it is finished. */
void sender_drain(struct sender *sender)
{
	if (sender != NULL)
		sender->draining = true;
}

bool sender_idle(const struct sender *sender)
{
	return sender == NULL || sender->flying == 0;
}

static struct metric *meter(struct sender *sender, const char *outcome)
{
	char label[64];

	snprintf(label, sizeof(label), "outcome=\"%s\"", outcome);
	return metrics_counter(service_metrics(sender->hooks->service), "callweave_texts_total",
		label, "Tries to send a text, by what came of them");
}

struct sender *sender_new(struct hooks *hooks)
{
	struct sender *sender = alloc_zeroed(1, sizeof(*sender));

	sender->hooks = hooks;
	sender->lanes = table_new();
	sender->waiting = table_new();
	flow_queue_init(&sender->wake);
	sender->sent = meter(sender, "sent");
	sender->failed = meter(sender, "failed");
	sender->again = meter(sender, "again");
	sender->doubtful = meter(sender, "unknown");
	sender->flow = flow_start(hooks->loop, &sender_flow, hooks, service_log(hooks->service));
	return sender;
}

void sender_free(struct sender **sender)
{
	size_t at = 0;
	void *lane;

	if (*sender == NULL)
		return;
	while (table_next((*sender)->lanes, &at, NULL, &lane))
		free(lane);
	table_free(&(*sender)->lanes);
	table_free(&(*sender)->waiting);
	free(*sender);
	*sender = NULL;
}
