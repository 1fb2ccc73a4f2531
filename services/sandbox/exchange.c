/*
 * exchange: the story of one request to an outside service: received, met by a fault or not,
 * delayed or not, acted upon, answered. The services themselves know nothing of faults.
 */
#include "sandbox.h"

#include "clock.h"
#include "crm.h"
#include "json.h"
#include "uri.h"

#include <inttypes.h>
#include <stdio.h>

/* The longest reply is a message with its entities (1 MB) and its keyboard; the rest is for
 * escapes. */
#define MAX_REPLY_BYTES (4u << 20)

enum { EXCHANGE_RECEIVE, EXCHANGE_DELAY, EXCHANGE_HOLD, EXCHANGE_ANSWER };

struct exchange {
	struct outside_call call;
	int service;	 /* index in outside_services */
	int64_t note_id; /* in requests */
	struct fault fault;
	int64_t resets; /* of the sandbox when it arrived */
	bool has_fault, acted;
};

static const struct outside_service *service_of(const struct exchange *exchange)
{
	return outside_services[exchange->service];
}

/* Once at most: a fault may have it act before the delay, and the answer follows after it. */
static void act(struct sandbox *sandbox, struct exchange *exchange)
{
	if (exchange->acted)
		return;
	exchange->acted = true;
	service_of(exchange)->act(sandbox->outside[exchange->service], &exchange->call);
	flow_queue_wake_all(&sandbox->changed);
}

/* Before any delay or drop, so that a test can see a request that still hangs. */
static void note(struct sandbox *sandbox, struct exchange *exchange)
{
	struct outside_call *call = &exchange->call;
	struct buf request;

	/* Escaped, control characters take six bytes each: what does not fit then is left out whole,
	 * since half of it would break the listing for every reader. */
	buf_init(&request, MAX_REPLY_BYTES);
	args_write(&call->args, &request);
	exchange->note_id = requests_add(sandbox->requests,
		&(struct requests_note){
			.service = service_of(exchange)->name,
			.method = call->method,
			.path = call->shown_path,
			.request = request.failed ? STR("null") : buf_str(&request),
			.at_ms = call->at_ms,
		});
	buf_free(&request);
}

/* A fault is used up when it meets the request, not when it is answered: two requests that hang
 * at the same time take two of its times. */
static void meet_fault(struct sandbox *sandbox, struct exchange *exchange)
{
	struct fault_subject subject = {
		.service = str_from(service_of(exchange)->name),
		.path = exchange->call.shown_path,
		.method = exchange->call.method,
		.chat_id = exchange->call.chat_id,
	};

	exchange->has_fault =
		faults_meet(sandbox->faults, &subject, exchange->call.arena, &exchange->fault);
	if (exchange->has_fault)
		requests_set_fault(sandbox->requests, exchange->note_id, exchange->fault.id);
}

static enum flow_status receive(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	struct outside_call *call = &exchange->call;
	const struct http_request *request = http_request(flow);

	*call = (struct outside_call){
		.sandbox = sandbox,
		.arena = flow_arena(flow),
		.http_method = request->method,
		.query = request->query,
		.content_type = http_request_header(flow, "Content-Type"),
		.body = request->body,
		.at_ms = clock_wall_ms(),
		.flow = flow,
	};
	exchange->resets = sandbox->resets;
	buf_init(&call->reply, MAX_REPLY_BYTES);
	/* Decoded once, here: outside services compare plain paths. */
	if (!uri_decode(request->path, false, call->arena, &call->path))
		return http_reply_detail(flow, 404, "Not Found");
	exchange->service = outside_find(call->path);
	if (exchange->service < 0)
		return http_reply_detail(flow, 404, "Not Found");
	if (!service_of(exchange)->any_method && !str_equal(call->http_method, STR("GET")) &&
		!str_equal(call->http_method, STR("HEAD")) &&
		!str_equal(call->http_method, STR("POST")))
		return http_reply_detail(flow, 405, "Method Not Allowed");
	service_of(exchange)->read(sandbox->outside[exchange->service], call);
	note(sandbox, exchange);
	meet_fault(sandbox, exchange);
	return FLOW_NEXT;
}

/* The wait is a queue and not a sleep, so that drain and reset can end it early. */
static enum flow_status delay(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct exchange *exchange = flow_state(flow);

	if (!exchange->has_fault)
		return FLOW_NEXT;
	if (exchange->fault.act_first)
		act(sandbox, exchange);
	return exchange->fault.delay_ms > 0
		       ? await_queue_for(flow, &sandbox->delayed, exchange->fault.delay_ms)
		       : FLOW_NEXT;
}

/* A long poll; a fault that answers does not wait. Without a limit of loops: each is a wake. */
static enum flow_status hold(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	const struct fault *fault = &exchange->fault;
	bool answers = exchange->has_fault && (fault->status != 0 || fault->drop != FAULT_ANSWER);
	int64_t wait_ms = 0;

	if (service_of(exchange)->hold_ms != NULL && !answers && !sandbox->draining &&
		exchange->resets == sandbox->resets)
		wait_ms = service_of(exchange)->hold_ms(
			sandbox->outside[exchange->service], &exchange->call);
	if (wait_ms <= 0)
		return FLOW_NEXT;
	(void)flow_goto(flow, EXCHANGE_HOLD);
	return await_queue_for(flow, &sandbox->held, wait_ms);
}

/* A body of its own wins over the usual words, but the status stays the fault's. */
static void refuse(struct exchange *exchange)
{
	const struct fault *fault = &exchange->fault;
	struct outside_call *call = &exchange->call;

	service_of(exchange)->refuse(
		call, fault->status, fault->retry_after_s, str_from(fault->words));
	if (fault->body == NULL)
		return;
	buf_clear(&call->reply);
	buf_add(&call->reply, str_from(fault->body));
}

/* For the notes an answer is JSON, whatever it was. */
static void finish_note(struct sandbox *sandbox, struct exchange *exchange)
{
	struct str reply = buf_str(&exchange->call.reply);
	struct buf quoted;

	buf_init(&quoted, (size_t)2 * MAX_REPLY_BYTES);
	if (exchange->call.reply_type != NULL) {
		json_add_string(&quoted, str_from(exchange->call.reply_type));
		reply = buf_str(&quoted);
	} else if (exchange->call.secret_reply) {
		reply = STR("\"***\"");
	} else if (exchange->has_fault && exchange->fault.body != NULL) {
		json_add_string(&quoted, reply);
		reply = buf_str(&quoted);
	}
	requests_finish(sandbox->requests, exchange->note_id, exchange->call.status, reply);
	buf_free(&quoted);
}

static enum flow_status send_reply(struct flow *flow, struct outside_call *call)
{
	enum flow_status status;
	char seconds[24];
	struct buf packed;

	/* Telegram says it in the body; proxies and other services' clients look for the header.
	 * Both are there, as behind a real gateway. */
	if (call->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%" PRId64, call->retry_after_s);
		http_reply_header(flow, "Retry-After", seconds);
	}
	for (int i = 0; call->headers[i][0] != NULL; i++)
		http_reply_header(flow, call->headers[i][0], call->headers[i][1]);
	if (call->reply_type != NULL)
		return http_reply(flow, call->status, call->reply_type, buf_str(&call->reply));
	if (!call->gzip || call->reply.size == 0)
		return http_reply_json(flow, call->status, &call->reply);
	buf_init(&packed, MAX_REPLY_BYTES);
	crm_gzip(buf_str(&call->reply), &packed);
	http_reply_header(flow, "Content-Encoding", "gzip");
	status = http_reply_json(flow, call->status, &packed);
	buf_free(&packed);
	return status;
}

static enum flow_status answer(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct exchange *exchange = flow_state(flow);
	struct outside_call *call = &exchange->call;
	bool is_cut_short =
		exchange->resets != sandbox->resets ||
		(exchange->has_fault && exchange->fault.delay_ms > 0 && sandbox->draining);

	if (is_cut_short || (exchange->has_fault && exchange->fault.drop != FAULT_ANSWER)) {
		requests_finish(sandbox->requests, exchange->note_id, 0, (struct str){0});
		return http_drop(flow);
	}
	if (exchange->has_fault && exchange->fault.status != 0)
		refuse(exchange);
	else
		act(sandbox, exchange);
	finish_note(sandbox, exchange);
	return send_reply(flow, call);
}

/* A client that did not wait for the answer: noted as unanswered. */
static void forget(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct exchange *exchange = flow_state(flow);

	requests_finish(sandbox->requests, exchange->note_id, 0, (struct str){0});
	if (exchange->note_id != 0 && service_of(exchange)->over != NULL)
		service_of(exchange)->over(sandbox->outside[exchange->service], &exchange->call);
	buf_free(&exchange->call.reply);
}

static const struct flow_step exchange_steps[] = {
	[EXCHANGE_RECEIVE] = {"receive", receive},
	[EXCHANGE_DELAY] = {"delay", delay},
	[EXCHANGE_HOLD] = {"hold", hold},
	[EXCHANGE_ANSWER] = {"answer", answer},
	{NULL, NULL},
};

const struct flow_spec exchange_flow = {
	.name = "exchange",
	.steps = exchange_steps,
	.finally = forget,
	.state_bytes = sizeof(struct exchange),
	.arena_max_bytes = 32u << 20,
	.deadline_ms = FLOW_FOREVER, /* a delay may be longer than any client waits */
};
