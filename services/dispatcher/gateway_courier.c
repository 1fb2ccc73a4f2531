/*
 * gateway_courier: one flow a letter: post it to 8020, see what came of it.
 *
 * 8020 answers once it has stored the event, so nothing waits here for a CRM. When it takes nothing
 * at all, one letter at a time asks whether it is back, and the others do not count their failures.
 */
#include "crypto.h"
#include "dispatcher.h"
#include "gateway_letters.h"

#define AT_ONCE		 32
#define TIMEOUT_MS	 5000
#define URL_MAX_BYTES	 512
#define BODY_MAX_BYTES	 ((size_t)256 << 10)
#define ANSWER_MAX_BYTES ((size_t)16 << 10)
#define WORDS_BYTES	 200
#define PAUSE_FIRST_MS	 100
#define PAUSE_MAX_MS	 5000
#define REST_FIRST_MS	 1000
#define REST_MAX_MS	 60000
#define GIVE_UP_MS	 ((int64_t)24 * 3600 * 1000)
/* An enterprise may be so new that 8020 has not heard of it yet. */
#define UNKNOWN_TRIES 3

struct gateway_courier {
	struct gateway_letter *letter;
	struct buf url, body;
	struct http_call call;
	struct http_answer answer;
	char words[WORDS_BYTES];
};

enum { GATEWAY_SEND, GATEWAY_JUDGE };

static int64_t jittered(int64_t first_ms, int64_t max_ms, unsigned tries)
{
	int64_t delay = tries < 10 ? first_ms << tries : max_ms;
	uint16_t noise;
	crypto_random(&noise, sizeof(noise));
	delay = delay < max_ms ? delay : max_ms;
	return delay - delay / 5 + delay * 2 / 5 * noise / UINT16_MAX;
}

/* Asked right before the request: a process may have been stopped for minutes. */
static bool may_go(const struct dispatcher *d, const struct gateway_letter *letter)
{
	return letter->line != NULL && !d->draining &&
	       shards_lease_holds(&d->shards, loop_now_ms(d->loop));
}

/* The number is a token, too (and no secret): 8020 looks there first. */
static void courier_write(struct dispatcher *d, struct gateway_courier *courier)
{
	const struct gateway_letter *letter = courier->letter;
	struct str base = str_from(d->config->gateway_url), body = str_from(letter->row.body);
	buf_init(&courier->url, URL_MAX_BYTES);
	buf_init(&courier->body, BODY_MAX_BYTES);
	if (str_ends(base, STR("/")))
		base.size--;
	buf_printf(&courier->url, "%.*s/dispatch/call-event", STR_ARG(base));
	buf_add(&courier->body, STR("{\"token\":"));
	json_add_string(&courier->body, str_from(letter->row.enterprise));
	buf_add_char(&courier->body, ',');
	buf_add(&courier->body, str_of(body.data + 1, body.size - 1)); /* without its { */
	courier->call = (struct http_call){.method = "POST",
		.url = courier->url.data,
		.content_type = "application/json",
		.body = buf_str(&courier->body),
		.timeout_ms = TIMEOUT_MS,
		.max_answer_bytes = ANSWER_MAX_BYTES};
}

static enum flow_status courier_send(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway_courier *courier = flow_state(flow);
	const struct gateway_letter *letter = courier->letter;
	if (!may_go(d, letter)) {
		gateway_untake(d, courier->letter);
		courier->letter = NULL;
		return FLOW_END;
	}
	flow_set_enterprise(flow, letter->row.enterprise);
	flow_set_trace(flow, letter->row.trace);
	flow_set_call(flow, arena_printf(flow_arena(flow), "%lld", (long long)letter->row.call_id));
	courier_write(d, courier);
	if (letter->row.since_ms > 0 && letter->row.attempts == 0)
		metric_observe(d->gateway.meters.latency_seconds,
			(double)(clock_wall_ms() - letter->row.since_ms) / 1000);
	return await_http(flow, d->gateway.http, &courier->call, &courier->answer);
}

/* -- what came of it ------------------------------------------------------------------------------ */

struct reply {
	struct str status, detail;
};

static const struct json_field reply_fields[] = {
	JSON_FIELD(struct reply, status, JSON_STRING, 0),
	JSON_FIELD(struct reply, detail, JSON_STRING, JSON_LAX),
	{.name = NULL},
};

/* What it says, where it says it in JSON. */
static void reply_read(struct flow *flow, const struct http_answer *answer, struct reply *reply)
{
	const struct json_limits limits = {ANSWER_MAX_BYTES, 8};
	struct error error;
	*reply = (struct reply){.status = STR("")};
	struct json *json = json_parse(answer->body, limits, &error);
	if (json == NULL || !json_read(json, reply_fields, reply, flow_arena(flow), &error))
		*reply = (struct reply){.status = STR("")};
	if (json != NULL)
		json_free(&json);
}

static enum gateway_result judge(const struct http_answer *answer, const struct reply *reply)
{
	if (answer->reach != HTTP_ANSWERED || answer->status >= 500 || answer->status == 408 ||
		answer->status == 429)
		return GATEWAY_TRY_AGAIN;
	if (answer->status != 200)
		return GATEWAY_REFUSED;
	return str_equal(reply->status, STR("ignored")) ? GATEWAY_DUPLICATE : GATEWAY_DONE;
}

/* Nobody is there, or nobody who can store anything: it is not this letter's fault. */
static bool nobody_home(const struct http_answer *answer)
{
	return answer->reach != HTTP_ANSWERED || answer->status == 503;
}

static const char *courier_words(struct gateway_courier *courier, const struct reply *reply)
{
	const struct http_answer *answer = &courier->answer;
	if (answer->reach != HTTP_ANSWERED)
		return answer->error.text;
	struct buf words;
	buf_init(&words, WORDS_BYTES - 1);
	buf_printf(&words, "HTTP %d", answer->status);
	if (reply->detail.size > 0 && reply->detail.size < WORDS_BYTES / 2)
		buf_printf(&words, ": %.*s", STR_ARG(reply->detail));
	(void)str_copy(courier->words, sizeof(courier->words), buf_str(&words));
	buf_free(&words);
	return courier->words;
}

static void gateway_pause(struct flow *flow, const char *words)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway *gateway = &d->gateway;
	int64_t now = loop_now_ms(d->loop);
	if (now < gateway->paused_until_ms)
		return; /* those that were under way with the first */
	if (gateway->failures == 0)
		log_warn(flow_log(flow), "gateway: CRMs are told nothing for now: %s", words);
	gateway->paused_until_ms = now + jittered(PAUSE_FIRST_MS, PAUSE_MAX_MS, gateway->failures);
	gateway->failures++;
}

static void gateway_back(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	if (d->gateway.failures > 0)
		log_info(flow_log(flow), "gateway: 8020 answers again");
	d->gateway.failures = 0;
	d->gateway.paused_until_ms = 0;
}

static void courier_failed(struct flow *flow, const char *words, bool refused)
{
	struct dispatcher *d = flow_context(flow);
	const struct gateway_courier *courier = flow_state(flow);
	const struct http_answer *answer = &courier->answer;
	struct gateway_letter *letter = courier->letter;
	bool new_there = refused && answer->status == 404 && letter->row.attempts < UNKNOWN_TRIES;
	bool old = clock_wall_ms() - letter->row.made_ms > GIVE_UP_MS;
	struct gateway_outcome outcome = {.state = "failed",
		.http_status = answer->reach == HTTP_ANSWERED ? answer->status : 0,
		.words = words};
	if ((refused && !new_there) || old) {
		outcome.state = "dead";
		metric_add(d->gateway.meters.dead, 1);
		log_error(flow_log(flow), "gateway: an event is given up: %s", words);
	} else if (nobody_home(answer)) {
		gateway_pause(flow, words);
		outcome.delay_ms = d->gateway.paused_until_ms - loop_now_ms(d->loop);
	} else {
		outcome.delay_ms = jittered(REST_FIRST_MS, REST_MAX_MS, letter->row.attempts);
		if (answer->retry_after_ms > outcome.delay_ms)
			outcome.delay_ms = answer->retry_after_ms;
		log_warn(flow_log(flow), "gateway: tried again later: %s", words);
	}
	gateway_tried(d, letter, &outcome);
}

static enum flow_status courier_judge(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway_courier *courier = flow_state(flow);
	struct gateway_letter *letter = courier->letter;
	struct reply reply;
	reply_read(flow, &courier->answer, &reply);
	enum gateway_result result = judge(&courier->answer, &reply);
	metric_add(d->gateway.meters.attempts[result], 1);
	if (!nobody_home(&courier->answer))
		gateway_back(flow);
	if (result == GATEWAY_DONE || result == GATEWAY_DUPLICATE) {
		log_debug(flow_log(flow), "gateway: taken (%lld ms)",
			(long long)courier->answer.took_ms);
		gateway_tried(d, letter,
			&(struct gateway_outcome){
				.state = "sent", .http_status = courier->answer.status});
	} else {
		courier_failed(flow, courier_words(courier, &reply), result == GATEWAY_REFUSED);
	}
	courier->letter = NULL;
	return FLOW_END;
}

static void courier_finally(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway_courier *courier = flow_state(flow);
	buf_free(&courier->url);
	buf_free(&courier->body);
	if (courier->letter != NULL)
		gateway_untake(d, courier->letter);
	if (flow_error(flow) == NULL)
		gateway_kick(d);
}

static const struct flow_step courier_steps[] = {
	[GATEWAY_SEND] = {"send", courier_send},
	[GATEWAY_JUDGE] = {"judge", courier_judge},
	{NULL, NULL},
};

static const struct flow_spec courier_flow = {
	.name = "gateway courier",
	.steps = courier_steps,
	.finally = courier_finally,
	.state_bytes = sizeof(struct gateway_courier),
	.deadline_ms = FLOW_FOREVER, /* its one wait has an end of its own */
};

void gateway_kick(struct dispatcher *d)
{
	struct gateway *gateway = &d->gateway;
	int64_t now = loop_now_ms(d->loop);
	unsigned at_once = gateway->failures > 0 ? 1 : AT_ONCE;
	if (d->draining || now < gateway->paused_until_ms || !shards_lease_holds(&d->shards, now))
		return;
	while (gateway->sending < at_once) {
		struct gateway_letter *letter = gateway_take(d);
		if (letter == NULL)
			return;
		struct flow *flow = flow_spawn(d->root, &courier_flow);
		((struct gateway_courier *)flow_state(flow))->letter = letter;
	}
}
