/*
 * webhook: updates that Telegram brings: POST /telegram/<enterprise>, answered when they are handled.
 *
 * Whoever does not know the secret learns nothing, not even whether there is such an enterprise.
 */
#include "bots.h"

#include "crypto.h"

#include <stdio.h>

struct webhook {
	struct telegram_update update;
};

void webhook_secret(const struct bots *b, const struct bot *bot, char to[WEBHOOK_SECRET_TEXT])
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	struct buf text;
	buf_init(&text, 4096);
	buf_printf(&text, "telegram-webhook|%s|%s", bot->number, bot->token);
	crypto_hmac_sha256(service_link_key(b->service), buf_str(&text), digest);
	crypto_hex(digest, sizeof(digest), to);
	buf_free(&text);
}

static bool is_telegram(struct flow *flow, const struct bot *bot)
{
	const struct bots *b = flow_context(flow);
	char secret[WEBHOOK_SECRET_TEXT];
	if (b->config->webhook_url[0] == '\0' || bot == NULL)
		return false;
	webhook_secret(b, bot, secret);
	return str_equal_secret(
		http_request_header(flow, "X-Telegram-Bot-Api-Secret-Token"), str_from(secret));
}

static enum flow_status webhook_take(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct webhook *webhook = flow_state(flow);
	const struct http_request *request = http_request(flow);
	const struct bot *bot = roster_of_number(&b->roster, request->tail);
	struct error error;
	if (!is_telegram(flow, bot)) {
		metric_add(b->meters.webhook_refused, 1);
		return http_reply_detail(flow, 401, "Unauthorized");
	}
	flow_set_enterprise(flow, bot->number);
	if (!telegram_update_read(request->body, flow_arena(flow), &webhook->update, &error))
		return flow_fail_error(flow, &error);
	update_start(flow, bot, false, &webhook->update);
	return await_children(flow);
}

/* 503: Telegram brings it again. */
static enum flow_status webhook_answer(struct flow *flow)
{
	if (flow_failed_children(flow) > 0)
		return http_reply_detail(flow, 503, "not now");
	return http_reply(flow, 200, "application/json", STR("{}"));
}

static const struct flow_step webhook_steps[] = {
	{"take", webhook_take},
	{"answer", webhook_answer},
	{NULL, NULL},
};

const struct flow_spec webhook_flow = {
	.name = "webhook",
	.steps = webhook_steps,
	.state_bytes = sizeof(struct webhook),
	.arena_max_bytes = (size_t)16 << 20,
	.deadline_ms = 50000,
};
