/*
 * webhook: carries updates to the bots that want them by webhook: in order, again until they are taken.
 *
 * The real server tries again for a day and waits longer and longer; here a few seconds are the most,
 * since tests wait for it.
 */
#include "http_client.h"
#include "sandbox.h"
#include "telegram.h"

#include <stdio.h>

enum { TIMEOUT_MS = 10000, FIRST_WAIT_MS = 100, LONGEST_WAIT_MS = 2000 };
enum { WEBHOOK_SEND, WEBHOOK_READ };

struct webhook {
	struct listener *listener;
	struct http_call call;
	struct http_answer answer;
	int64_t sent_id, wait_ms;
};

/* One delivery a flow: a bot that never takes anything must not fill an arena. */
static enum flow_status webhook_send(struct flow *flow)
{
	struct sandbox *sandbox = flow_context(flow);
	struct webhook *webhook = flow_state(flow);
	const struct listener *listener = webhook->listener;

	if (listener->webhook == NULL || listener->first == NULL)
		return FLOW_END;
	webhook->sent_id = listener->first->id;
	webhook->call = (struct http_call){
		.method = "POST",
		.url = arena_strdup(flow_arena(flow), listener->webhook),
		.content_type = "application/json",
		.body = str_from(arena_strdup(flow_arena(flow), listener->first->json)),
		.timeout_ms = TIMEOUT_MS,
	};
	if (listener->secret != NULL) {
		webhook->call.headers[0][0] = "X-Telegram-Bot-Api-Secret-Token";
		webhook->call.headers[0][1] = arena_strdup(flow_arena(flow), listener->secret);
	}
	return await_http(flow, sandbox->http, &webhook->call, &webhook->answer);
}

static enum flow_status webhook_read(struct flow *flow)
{
	struct webhook *webhook = flow_state(flow);
	struct listener *listener = webhook->listener;
	int status = webhook->answer.reach == HTTP_ANSWERED ? webhook->answer.status : 0;
	char words[80];

	if (status >= 200 && status < 300) {
		updates_confirm(listener, webhook->sent_id + 1);
		listener_set_trouble(listener, NULL);
		webhook->wait_ms = 0;
		return FLOW_END;
	}
	snprintf(words, sizeof(words), "Wrong response from the webhook: %d", status);
	listener_set_trouble(listener, status != 0 ? words : "Connection failed");
	webhook->wait_ms = webhook->wait_ms * 2 + FIRST_WAIT_MS;
	if (webhook->wait_ms > LONGEST_WAIT_MS)
		webhook->wait_ms = LONGEST_WAIT_MS;
	return await_sleep(flow, webhook->wait_ms);
}

static void webhook_start(struct sandbox *sandbox, struct listener *listener, int64_t wait_ms);

/* Cancelled (a reset, the end): nobody goes on. */
static void webhook_finally(struct flow *flow)
{
	struct webhook *webhook = flow_state(flow);
	struct listener *listener = webhook->listener;
	const struct error *error = flow_error(flow);

	listener->sender = NULL;
	if (error == NULL || error->kind != ERROR_INTERNAL)
		webhook_start(flow_context(flow), listener, webhook->wait_ms);
}

static const struct flow_step webhook_steps[] = {
	[WEBHOOK_SEND] = {"send", webhook_send},
	[WEBHOOK_READ] = {"read", webhook_read},
	{NULL, NULL},
};

static const struct flow_spec webhook_flow = {
	.name = "webhook",
	.steps = webhook_steps,
	.finally = webhook_finally,
	.state_bytes = sizeof(struct webhook),
	.deadline_ms = TIMEOUT_MS + LONGEST_WAIT_MS + 1000,
};

static void webhook_start(struct sandbox *sandbox, struct listener *listener, int64_t wait_ms)
{
	struct webhook *webhook;

	if (listener->webhook == NULL || listener->first == NULL || sandbox->draining)
		return;
	listener->sender = flow_start(service_loop(sandbox->service), &webhook_flow, sandbox,
		service_log(sandbox->service));
	webhook = flow_state(listener->sender);
	webhook->listener = listener;
	webhook->wait_ms = wait_ms;
}

void webhook_kick(struct sandbox *sandbox, struct listener *listener)
{
	if (listener->sender == NULL)
		webhook_start(sandbox, listener, 0);
}
