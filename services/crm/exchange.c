/*
 * exchange: one request of a job: its turn within the CRM's limits, the request, what the reply means.
 *
 * A flow of its own, so that an answer's memory goes as soon as it was read. Headers are never recorded:
 * they carry the keys.
 */
#include "attempt.h"

#include <stdio.h>

enum {
	ANSWER_BYTES = 1 << 20,
	ANSWER_DEPTH = 32,
	ARENA_BYTES = 4 << 20,
	REQUEST_MS = 10000,
	TURN_MS = 2000, /* how long people's requests wait for their turn */
	BACKGROUND_TURN_MS = 15000,
	FULL_MS = 1000,	  /* when to come again if no place becomes free */
	SLOWER_MS = 1000, /* a limit without a time */
	SLOWER_MAX_MS = 3600000,
};

enum { EXCHANGE_PLACE, EXCHANGE_TURN, EXCHANGE_SEND, EXCHANGE_READ };

struct exchange {
	struct attempt *attempt;
	const struct crm_request *request;
	struct rate *rate;
	bool waits, has_place;
	int64_t turn_until_ms;
	struct http_call call;
	struct http_answer answer;
};

/* -- its turn --------------------------------------------------------------------------------------- */

static void waiting(struct adapter *adapter, struct exchange *exchange, bool waits)
{
	if (waits != exchange->waits)
		metric_add(adapter->meters.waiting, waits ? 1 : -1);
	exchange->waits = waits;
}

static enum flow_status come_later(struct exchange *exchange, int64_t wait_ms)
{
	exchange->attempt->wait_ms = wait_ms;
	attempt_end(exchange->attempt, OUTCOME_SLOWER, "the limit of the CRM is used up");
	return FLOW_END;
}

static enum flow_status exchange_place(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	struct attempt *attempt = exchange->attempt;
	int64_t now_ms = loop_now_ms(flow_loop(flow));

	if (exchange->rate == NULL) {
		int64_t most_ms = attempt->share == RATE_LIVE ? TURN_MS : BACKGROUND_TURN_MS;
		int64_t left_ms = attempt_left_ms(attempt, now_ms);

		exchange->rate = rates_get(adapter->rates,
			str_from(attempt->portal->account.number), exchange->request->limit);
		exchange->turn_until_ms = now_ms + (most_ms < left_ms ? most_ms : left_ms);
	}
	if (exchange->rate->under_way < exchange->rate->at_once) {
		exchange->rate->under_way++;
		exchange->has_place = true;
		return FLOW_NEXT;
	}
	if (now_ms >= exchange->turn_until_ms)
		return come_later(exchange, FULL_MS);
	waiting(adapter, exchange, true);
	(void)flow_goto(flow, EXCHANGE_PLACE);
	return await_queue_for(flow, &exchange->rate->free, exchange->turn_until_ms - now_ms);
}

static unsigned weight_of(const struct crm_request *request)
{
	return request->weight > 0 ? request->weight : 1;
}

static enum flow_status exchange_turn(struct flow *flow)
{
	struct exchange *exchange = flow_state(flow);
	unsigned weight = weight_of(exchange->request);
	int64_t now_ms = loop_now_ms(flow_loop(flow));
	int64_t wait_ms = rate_wait_ms(exchange->rate, exchange->attempt->share, weight, now_ms);

	if (now_ms + wait_ms > exchange->turn_until_ms)
		return come_later(exchange, wait_ms);
	rate_take(exchange->rate, exchange->attempt->share, weight, now_ms);
	waiting(flow_context(flow), exchange, wait_ms > 0);
	return wait_ms > 0 ? await_sleep(flow, wait_ms) : FLOW_NEXT;
}

/* -- the request ------------------------------------------------------------------------------------ */

static enum flow_status exchange_send(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	const struct crm_request *request = exchange->request;
	int64_t now_ms = loop_now_ms(flow_loop(flow));
	int64_t left_ms = attempt_left_ms(exchange->attempt, now_ms);

	waiting(adapter, exchange, false);
	if (rate_is_closed(exchange->rate, now_ms))
		return come_later(exchange, rate_wait_ms(exchange->rate, RATE_LIVE, 1, now_ms));
	record_request(&exchange->attempt->record, &exchange->attempt->portal->mask, request);
	exchange->call = (struct http_call){
		.method = request->method,
		.url = request->url,
		.content_type = request->content_type,
		.body = request->body,
		.timeout_ms = left_ms < 1	     ? 1
			      : left_ms < REQUEST_MS ? left_ms
						     : REQUEST_MS,
		.max_answer_bytes = ANSWER_BYTES,
		.gzip = true,
		.want_headers = true,
	};
	for (int i = 0; i < CRM_MAX_HEADERS && request->headers[i][0] != NULL; i++) {
		exchange->call.headers[i][0] = request->headers[i][0];
		exchange->call.headers[i][1] = request->headers[i][1];
	}
	return await_http(flow, adapter->outside, &exchange->call, &exchange->answer);
}

/* -- the reply -------------------------------------------------------------------------------------- */

/* CRMs know calls by ids that stay the same, so what may have arrived may be told again. */
static enum flow_status no_answer(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	const struct http_answer *answer = &exchange->answer;
	struct attempt *attempt = exchange->attempt;

	metric_add(adapter->meters.silent, 1);
	record_silence(&attempt->record, &attempt->portal->mask, answer->error.text);
	attempt->http_status = answer->status;
	if (answer->reach == HTTP_NOT_SENT && answer->error.kind == ERROR_INPUT)
		attempt_end(attempt, OUTCOME_LOCKED, "the CRM's address cannot be used: %s",
			answer->error.text);
	else if (answer->reach == HTTP_NOT_SENT)
		attempt_end(attempt, OUTCOME_AGAIN, "the CRM cannot be reached: %s",
			answer->error.text);
	else
		attempt_end(attempt, OUTCOME_AGAIN, "no answer of the CRM: %s", answer->error.text);
	return FLOW_END;
}

static void fill_reply(struct crm_reply *reply, const struct http_answer *answer)
{
	*reply = (struct crm_reply){
		.status = answer->status,
		.body = answer->body,
		.retry_after_ms = answer->retry_after_ms,
	};
	for (unsigned i = 0; i < answer->header_count && i < CRM_MAX_REPLY_HEADERS; i++) {
		reply->headers[i].name = answer->headers[i].name;
		reply->headers[i].value = answer->headers[i].value;
		reply->header_count++;
	}
}

static void slow_down(struct flow *flow, struct exchange *exchange, int64_t wait_ms)
{
	struct attempt *attempt = exchange->attempt;

	if (wait_ms < 0)
		wait_ms = exchange->answer.retry_after_ms;
	attempt->wait_ms = wait_ms;
	if (wait_ms < 0)
		wait_ms = SLOWER_MS;
	rate_close(exchange->rate, loop_now_ms(flow_loop(flow)),
		wait_ms < SLOWER_MAX_MS ? wait_ms : SLOWER_MAX_MS);
}

static void judge(struct flow *flow, struct exchange *exchange, const struct crm_reply *reply)
{
	struct adapter *adapter = flow_context(flow);
	struct attempt *attempt = exchange->attempt;
	int64_t wait_ms = -1;

	attempt->http_status = reply->status;
	attempt->verdict =
		adapter->driver->read(&attempt->job, attempt->operation, reply, &wait_ms);
	attempt->crm_success = attempt->verdict == CRM_WELL ? 1 : 0;
	metric_add(adapter->meters.verdicts[attempt->verdict], 1);
	metric_observe(adapter->meters.seconds, (double)exchange->answer.took_ms / 1000.0);
	if (attempt->verdict == CRM_AGAIN && exchange->answer.retry_after_ms >= 0)
		attempt->wait_ms = exchange->answer.retry_after_ms;
	if (attempt->verdict == CRM_SLOWER)
		slow_down(flow, exchange, wait_ms);
	log_debug(flow_log(flow), "%s %s: HTTP %d: %s", attempt->portal->account.number,
		exchange->request->name, reply->status, crm_verdict_name(attempt->verdict));
}

static enum flow_status exchange_read(struct flow *flow)
{
	struct exchange *exchange = flow_state(flow);
	struct attempt *attempt = exchange->attempt;
	struct crm_reply *reply = arena_alloc(flow_arena(flow), sizeof(*reply));
	struct json *json;

	if (exchange->answer.reach != HTTP_ANSWERED)
		return no_answer(flow);
	fill_reply(reply, &exchange->answer);
	json = json_parse(reply->body, (struct json_limits){ANSWER_BYTES, ANSWER_DEPTH}, NULL);
	reply->json = json;
	if (attempt->job.task == CRM_AUTHORIZE) /* new tokens are in it */
		mask_add_members(&attempt->portal->mask, json);
	judge(flow, exchange, reply);
	record_reply(&attempt->record, &attempt->portal->mask, reply);
	json_free(&json);
	return FLOW_END;
}

static void exchange_finally(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	struct attempt *attempt = exchange->attempt;

	waiting(adapter, exchange, false);
	if (flow_error(flow) != NULL && !attempt->over)
		attempt_end(attempt, OUTCOME_AGAIN, "%s", flow_error(flow)->text);
	if (!exchange->has_place)
		return;
	exchange->rate->under_way--;
	(void)flow_queue_wake(&exchange->rate->free, 1);
}

static const struct flow_step exchange_steps[] = {
	[EXCHANGE_PLACE] = {"place", exchange_place},
	[EXCHANGE_TURN] = {"turn", exchange_turn},
	[EXCHANGE_SEND] = {"send", exchange_send},
	[EXCHANGE_READ] = {"read", exchange_read},
	{NULL, NULL},
};

static const struct flow_spec exchange_flow = {
	.name = "exchange",
	.steps = exchange_steps,
	.finally = exchange_finally,
	.state_bytes = sizeof(struct exchange),
	.arena_max_bytes = ARENA_BYTES,
	.deadline_ms = ATTEMPT_MS * 2,
};

void exchange_start(struct flow *parent, struct attempt *attempt, const struct crm_request *request)
{
	struct exchange *exchange = flow_state(flow_spawn(parent, &exchange_flow));

	exchange->attempt = attempt;
	exchange->request = request;
}
