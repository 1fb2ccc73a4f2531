/*
 * deliver_outcome: what an adapter's answer means for the delivery, for its channel, for the journal.
 *
 * The table of outcomes is in docs/protocol/integrations.md; here is what we do about each. When the
 * next try is due is decided by whoever knows best: the CRM, else the number of attempts.
 */
#include "deliver.h"

#include "crm_call.h"
#include "json.h"

#include <stdio.h>

enum {
	AGAIN_FIRST_MS = 1000,
	AGAIN_MAX_MS = 900000,
	SLOWER_FIRST_MS = 500,
	SLOWER_MAX_MS = 60000,
	AWAY_FIRST_MS = 250,
	AWAY_MAX_MS = 5000,
	LOCKED_MS = 900000,
	PAUSE_MAX_MS = 900000, /* of a whole channel, whatever the CRM said */
	ANSWER_DEPTH = 64,
};
#define GIVE_UP_MS	 ((int64_t)24 * 3600 * 1000)
#define ANSWER_MAX_BYTES ((size_t)256 << 10)

const char *gateway_outcome_name(enum gateway_outcome outcome)
{
	static const char *const names[OUTCOMES] = {
		[OUTCOME_DONE] = "done",
		[OUTCOME_SKIPPED] = "skipped",
		[OUTCOME_AGAIN] = "again",
		[OUTCOME_SLOWER] = "slower",
		[OUTCOME_LOCKED] = "locked",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_GONE] = "gone",
		[OUTCOME_AWAY] = "away",
	};

	return (unsigned)outcome < OUTCOMES ? names[outcome] : "?";
}

/* -- reading ---------------------------------------------------------------------------------------- */

struct verdict {
	enum gateway_outcome outcome;
	struct str word, reason;
	int64_t wait_ms; /* -1: nobody said */
	int64_t http_status, took_ms;
	const struct json *crm_success, *memory, *requests, *replies;
};

static const struct json_field verdict_fields[] = {
	JSON_FIELD_AS(struct verdict, word, "outcome", JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct verdict, reason, JSON_STRING, 0),
	JSON_FIELD(struct verdict, wait_ms, JSON_INT64, 0),
	JSON_FIELD(struct verdict, http_status, JSON_INT64, 0),
	JSON_FIELD(struct verdict, crm_success, JSON_RAW, 0),
	JSON_FIELD(struct verdict, took_ms, JSON_INT64, 0),
	JSON_FIELD(struct verdict, memory, JSON_RAW, 0),
	JSON_FIELD(struct verdict, requests, JSON_RAW, 0),
	JSON_FIELD(struct verdict, replies, JSON_RAW, 0),
	{0},
};

static bool read_word(struct verdict *verdict, struct error *error)
{
	for (unsigned i = 0; i < OUTCOME_AWAY; i++) {
		if (str_equal(verdict->word, str_from(gateway_outcome_name(i)))) {
			verdict->outcome = (enum gateway_outcome)i;
			return true;
		}
	}
	return error_set(error, ERROR_UPSTREAM, "outcome: unknown");
}

static struct str json_copy(const struct json *json, enum json_kind kind, struct arena *arena)
{
	struct str text = {0};
	struct buf buf;

	if (json == NULL || json_kind(json) != kind)
		return text;
	buf_init(&buf, ANSWER_MAX_BYTES * 2);
	json_print(&buf, json, false);
	if (!buf.failed)
		text = str_of(arena_strndup(arena, buf.data, buf.size), buf.size);
	buf_free(&buf);
	return text;
}

static bool read_answer(
	struct attempt *attempt, struct arena *arena, struct verdict *verdict, struct error *error)
{
	struct report *report = &attempt->report;
	struct json *json = json_parse(
		attempt->answer.body, (struct json_limits){ANSWER_MAX_BYTES, ANSWER_DEPTH}, error);
	bool ok = json != NULL && json_read(json, verdict_fields, verdict, arena, error) &&
		  read_word(verdict, error);

	if (ok) {
		report->memory = json_copy(verdict->memory, JSON_OBJECT, arena);
		report->requests = json_copy(verdict->requests, JSON_ARRAY, arena);
		report->replies = json_copy(verdict->replies, JSON_ARRAY, arena);
		report->crm_success = json_copy(verdict->crm_success, JSON_BOOLEAN, arena);
		if (json_count(verdict->requests) == 0)
			report->requests = str_of(NULL, 0);
	}
	json_free(&json);
	return ok;
}

/* No answer, or none that says anything. Whether the CRM was asked, we only know when the adapter was
 * never reached: then nobody was. */
static void read_failure(struct attempt *attempt, struct arena *arena, struct verdict *verdict)
{
	const struct http_answer *answer = &attempt->answer;
	bool away = answer->reach == HTTP_NOT_SENT ||
		    (answer->reach == HTTP_ANSWERED && answer->status == 503);
	const char *words =
		answer->reach == HTTP_ANSWERED
			? arena_printf(arena, "the adapter answered %d", answer->status)
			: arena_printf(arena, "the adapter did not answer: %s", answer->error.text);

	*verdict = (struct verdict){
		.outcome = away ? OUTCOME_AWAY : OUTCOME_AGAIN,
		.reason = str_from(words),
		.wait_ms = -1,
		.took_ms = answer->took_ms,
	};
}

/* -- what is done about it -------------------------------------------------------------------------- */

static void pause_channel(struct gateway *gateway, struct channel *channel, int64_t wait_ms)
{
	int64_t until_ms =
		loop_now_ms(gateway->loop) + (wait_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : wait_ms);

	if (until_ms > channel->paused_ms)
		channel->paused_ms = until_ms;
}

static int64_t at_least(int64_t wait_ms, int64_t backoff_ms)
{
	return wait_ms > backoff_ms ? wait_ms : backoff_ms;
}

/* It failed and is to be tried again, unless it was tried for long enough. */
static void try_later(struct attempt *attempt, const char *state, int64_t wait_ms)
{
	struct report *report = &attempt->report;

	report->state = str_from(state);
	report->wait_ms = wait_ms;
	if (attempt->given_ms >= GIVE_UP_MS)
		report->state = STR("dead");
}

static void settle_again(
	struct gateway *gateway, struct attempt *attempt, const struct verdict *verdict)
{
	struct channel *channel = attempt->channel;
	int64_t now_ms = loop_now_ms(gateway->loop);
	enum breaker_state before = channel->breaker.state;

	attempt->report.attempts++;
	try_later(attempt, "failed",
		at_least(verdict->wait_ms, gateway_backoff_ms(attempt->delivery->attempts,
						   AGAIN_FIRST_MS, AGAIN_MAX_MS)));
	if (verdict->wait_ms > 0)
		pause_channel(gateway, channel, verdict->wait_ms);
	(void)breaker_bad(&channel->breaker, attempt->trial, now_ms);
	channel_changed(gateway, channel, attempt->report.reason.data);
	if (before == BREAKER_CLOSED && channel->breaker.state == BREAKER_OPEN)
		log_warn(gateway->log, "%s of enterprise %s: closed for a while: %s", channel->crm,
			channel->enterprise, channel->reason);
}

/* Neither the delivery's fault nor the CRM's: it does not count as an attempt. */
static void settle_slower(
	struct gateway *gateway, struct attempt *attempt, const struct verdict *verdict)
{
	struct channel *channel = attempt->channel;
	int64_t wait_ms = verdict->wait_ms > 0 ? verdict->wait_ms
					       : gateway_backoff_ms(channel->slowed++,
							 SLOWER_FIRST_MS, SLOWER_MAX_MS);

	try_later(attempt, "failed", wait_ms);
	pause_channel(gateway, channel, wait_ms);
	breaker_unsaid(&channel->breaker, attempt->trial);
}

static void settle_away(struct gateway *gateway, struct attempt *attempt)
{
	struct channel *channel = attempt->channel;
	int64_t wait_ms = gateway_backoff_ms(channel->away++, AWAY_FIRST_MS, AWAY_MAX_MS);

	try_later(attempt, "queued", wait_ms);
	pause_channel(gateway, channel, wait_ms);
	breaker_unsaid(&channel->breaker, attempt->trial);
	if (channel->away == 1)
		channel_changed(gateway, channel, attempt->report.reason.data);
}

/* A person must act. One is tried now and then all the same, but not for one that left for good. */
static void settle_locked(struct gateway *gateway, struct attempt *attempt, bool for_good)
{
	struct channel *channel = attempt->channel;
	int64_t until_ms =
		for_good ? BREAKER_NEVER : loop_now_ms(gateway->loop) + (int64_t)LOCKED_MS;

	attempt->report.attempts++;
	if (for_good)
		attempt->report.state = STR("dead");
	else
		try_later(attempt, "failed", 0);
	(void)breaker_lock(&channel->breaker, until_ms);
	channel->locked_with =
		channel_config_sum(accounts_find(gateway->accounts, str_from(channel->enterprise)),
			str_from(channel->crm));
	channel_changed(gateway, channel, attempt->report.reason.data);
	log_warn(gateway->log, "%s of enterprise %s: locked until its settings change: %s",
		channel->crm, channel->enterprise, channel->reason);
}

/* Over, well or not: the CRM works. */
static void settle_over(struct gateway *gateway, struct attempt *attempt, const char *state)
{
	struct channel *channel = attempt->channel;

	attempt->report.attempts++;
	attempt->report.state = str_from(state);
	if (breaker_good(&channel->breaker, attempt->trial) || channel->reason[0] != '\0')
		channel_changed(gateway, channel,
			channel->breaker.state == BREAKER_LOCKED ? channel->reason : "");
}

static void settle(struct gateway *gateway, struct attempt *attempt, const struct verdict *verdict)
{
	struct channel *channel = attempt->channel;

	if (verdict->outcome != OUTCOME_AWAY)
		channel->away = 0;
	if (verdict->outcome != OUTCOME_SLOWER && verdict->outcome != OUTCOME_AWAY)
		channel->slowed = 0;
	switch (verdict->outcome) {
	case OUTCOME_DONE:
		settle_over(gateway, attempt, "done");
		break;
	case OUTCOME_REFUSED:
		settle_over(gateway, attempt, "dead");
		break;
	case OUTCOME_SKIPPED:
		attempt->report.state = STR("skipped");
		breaker_unsaid(&channel->breaker, attempt->trial);
		break;
	case OUTCOME_AGAIN:
		settle_again(gateway, attempt, verdict);
		break;
	case OUTCOME_SLOWER:
		settle_slower(gateway, attempt, verdict);
		break;
	case OUTCOME_LOCKED:
	case OUTCOME_GONE:
		settle_locked(gateway, attempt, verdict->outcome == OUTCOME_GONE);
		break;
	case OUTCOME_AWAY:
		settle_away(gateway, attempt);
		break;
	}
}

/* -- the record ------------------------------------------------------------------------------------- */

static int64_t call_id_of(struct str payload)
{
	struct json *json =
		json_parse(payload, (struct json_limits){payload.size, ANSWER_DEPTH}, NULL);
	const struct json *id = json != NULL ? json_member(json, "call_id") : NULL;
	double number = id != NULL ? json_number(id) : 0;

	json_free(&json);
	return number > 0 && number < 9e15 ? (int64_t)number : 0;
}

/* What an adapter did not even ask the CRM is no attempt, and would only fill the journal. */
static const char *logged_as(const struct report *report, enum gateway_outcome outcome)
{
	if (outcome == OUTCOME_AWAY || (outcome == OUTCOME_SLOWER && report->requests.size == 0))
		return "";
	if (outcome == OUTCOME_SKIPPED)
		return "skipped";
	return outcome == OUTCOME_DONE ? "success" : "error";
}

static void conclude(struct gateway *gateway, struct attempt *attempt, struct arena *arena,
	const struct verdict *verdict)
{
	const struct delivery *delivery = attempt->delivery;
	struct report *report = &attempt->report;

	report->id = delivery->id;
	report->epoch = attempt->channel->epoch;
	report->enterprise = delivery->enterprise;
	report->crm = delivery->crm;
	report->call_key = delivery->call_key;
	report->kind = delivery->kind;
	report->trace = delivery->trace;
	report->call_id = call_id_of(delivery->payload);
	report->reason =
		str_of(arena_strndup(arena, verdict->reason.size > 0 ? verdict->reason.data : "",
			       verdict->reason.size),
			verdict->reason.size);
	report->attempts = delivery->attempts;
	report->attempt = delivery->attempts + 1;
	report->http_status = verdict->http_status;
	report->took_ms = verdict->took_ms;
	report->logged = str_from(logged_as(report, verdict->outcome));
	settle(gateway, attempt, verdict);
	if (str_equal(report->state, STR("dead")))
		log_warn(gateway->log, "delivery %lld of enterprise %s to %s is dead: %s",
			(long long)delivery->id, attempt->channel->enterprise,
			attempt->channel->crm, report->reason.data);
	attempt->over = !str_equal(report->state, STR("failed")) &&
			!str_equal(report->state, STR("queued"));
	attempt->delivery->attempts = (unsigned)report->attempts;
	attempt->delivery->due_ms = loop_now_ms(gateway->loop) + report->wait_ms;
	metric_add(gateway->meters.outcomes[verdict->outcome], 1);
}

void deliver_judge(struct gateway *gateway, struct attempt *attempt, struct arena *arena)
{
	const struct http_answer *answer = &attempt->answer;
	struct verdict verdict = {.wait_ms = -1};
	struct error error;

	if (answer->reach != HTTP_ANSWERED || answer->status != 200) {
		read_failure(attempt, arena, &verdict);
	} else if (!read_answer(attempt, arena, &verdict, &error)) {
		verdict = (struct verdict){
			.outcome = OUTCOME_AGAIN,
			.wait_ms = -1,
			.took_ms = answer->took_ms,
			.reason = str_from(arena_printf(
				arena, "the adapter's answer is unreadable: %s", error.text)),
		};
	}
	conclude(gateway, attempt, arena, &verdict);
}

void deliver_skip(
	struct gateway *gateway, struct attempt *attempt, struct arena *arena, const char *reason)
{
	const struct verdict verdict = {
		.outcome = OUTCOME_SKIPPED, .reason = str_from(reason), .took_ms = -1};

	conclude(gateway, attempt, arena, &verdict);
}

void deliver_away(
	struct gateway *gateway, struct attempt *attempt, struct arena *arena, const char *reason)
{
	const struct verdict verdict = {
		.outcome = OUTCOME_AWAY, .reason = str_from(reason), .wait_ms = -1, .took_ms = -1};

	conclude(gateway, attempt, arena, &verdict);
}
