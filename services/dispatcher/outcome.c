/*
 * outcome: what an answer of Telegram (or its absence) means for a delivery.
 *
 * The policy for sends with unknown outcome is ADR 0005: never repeated blindly.
 */
#include "crypto.h"
#include "dispatcher.h"

#include <stdio.h>

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS	 60000
#define GIVE_UP_MS	 ((int64_t)24 * 3600 * 1000)
#define BOT_OFF_MS	 ((int64_t)3600 * 1000)
/* How long an unknown send rests before it may be followed by another: first, later. */
#define UNKNOWN_FIRST_MS 5000
#define UNKNOWN_LATER_MS 60000

/* What happened, with the words for a person. */
struct verdict {
	enum telegram_outcome outcome;
	bool unknown; /* a send that may have arrived */
	struct telegram_reply reply;
	int http_status;
	const char *words;
};

/* Only a send can be unknown: an edit or a deletion that went unanswered is simply done again. */
static void outcome_judge(const struct errand *errand, struct verdict *verdict)
{
	const struct http_answer *answer = &errand->answer;
	*verdict = (struct verdict){.outcome = TELEGRAM_TRY_AGAIN, .words = answer->error.text};
	if (answer->reach == HTTP_ANSWERED) {
		telegram_read(&errand->request, answer->status, answer->body, &verdict->reply);
		verdict->outcome = verdict->reply.outcome;
		verdict->http_status = answer->status;
		verdict->words = verdict->reply.words;
	}
	if (answer->reach == HTTP_UNKNOWN && errand->request.method == TELEGRAM_SEND)
		verdict->outcome = TELEGRAM_UNCLEAR;
	verdict->unknown = verdict->outcome == TELEGRAM_UNCLEAR;
}

/* Backoff with a fifth of jitter, so that a thousand chats do not come back at once. */
static int64_t backoff_ms(unsigned attempts)
{
	int64_t delay = attempts < 7 ? (int64_t)BACKOFF_FIRST_MS << attempts : BACKOFF_MAX_MS;
	uint16_t noise;
	crypto_random(&noise, sizeof(noise));
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	return delay - delay / 5 + delay * 2 / 5 * noise / UINT16_MAX;
}

/* In both clocks: memory goes by the one, a later owner by the other. */
static void delivery_due(struct dispatcher *d, struct delivery *delivery, int64_t delay_ms)
{
	delivery->due_ms = loop_now_ms(d->loop) + delay_ms;
	delivery->report.next_wall_ms = clock_wall_ms() + delay_ms;
}

/* Back in line when there is more to tell. */
static void delivery_go_on(struct dispatcher *d, struct delivery *delivery)
{
	bool more = !delivery->call->orphan && delivery_needs(delivery);
	delivery_enter(d, delivery, more ? DELIVERY_WAITING : DELIVERY_IDLE);
}

/* Given up at `version`; a newer one is tried again. */
static void delivery_die(
	struct dispatcher *d, struct delivery *delivery, int version, const char *words)
{
	metric_add(d->meters.dead, 1);
	delivery->failing_since_ms = 0;
	delivery->attempts = 0;
	delivery->sent_version = version;
	delivery_report(d, delivery, "dead", version, words);
	bool more = !delivery->call->orphan && delivery_behind(delivery);
	delivery_enter(d, delivery, more ? DELIVERY_WAITING : DELIVERY_DEAD);
}

/* Until its old messages are gone the row stays open: whoever takes over goes on there. */
static void delivery_told(
	struct dispatcher *d, struct delivery *delivery, int version, const char *words)
{
	delivery->attempts = 0;
	delivery->failing_since_ms = 0;
	delivery->due_ms = 0;
	delivery_report(d, delivery, delivery->old_count > 0 ? "queued" : "sent", version, words);
	delivery_go_on(d, delivery);
}

/* A new message takes the place of the one that stood there. */
static void outcome_sent(struct delivery *delivery, const struct errand *errand, int64_t message_id)
{
	if (delivery->message_id != 0 && delivery->old_count < DELIVERY_MAX_OLD)
		delivery->old_ids[delivery->old_count++] = delivery->message_id;
	delivery->message_id = message_id;
	delivery->sent_ms = clock_wall_ms();
	delivery->sent_final = errand->final;
}

static void outcome_done(struct dispatcher *d, struct delivery *delivery,
	const struct errand *errand, const struct verdict *verdict)
{
	if (errand->kind == ERRAND_CLEAR) {
		delivery_drop_old(delivery);
		delivery_told(d, delivery, delivery->sent_version, NULL);
		return;
	}
	if (errand->kind == ERRAND_SEND)
		outcome_sent(delivery, errand, verdict->reply.message_id);
	if (errand->kind == ERRAND_EDIT)
		delivery->sent_final = delivery->sent_final || errand->final;
	if (errand->kind == ERRAND_DELETE)
		delivery->message_id = 0;
	delivery->sent_version = errand->version;
	delivery_told(d, delivery, errand->version, NULL);
}

/* An old message that nobody can delete: the newest state is told, but a person should know. */
static void outcome_not_cleared(struct dispatcher *d, struct delivery *delivery, const char *words)
{
	char text[260];
	snprintf(text, sizeof(text), "a replaced message still stands in the chat: %s", words);
	metric_add(d->meters.dead, 1);
	delivery_drop_old(delivery);
	delivery->attempts = 0;
	delivery->failing_since_ms = 0;
	delivery_report(d, delivery, delivery->old_count > 0 ? "queued" : "dead",
		delivery->sent_version, text);
	delivery_go_on(d, delivery);
}

/* Repeating it is useless, or was tried for long enough. */
static void outcome_give_up(struct dispatcher *d, struct delivery *delivery,
	const struct errand *errand, int version, const char *words)
{
	if (errand->kind == ERRAND_CLEAR)
		outcome_not_cleared(d, delivery, words);
	else
		delivery_die(d, delivery, version, words);
}

static void outcome_failed(
	struct dispatcher *d, struct delivery *delivery, int64_t delay_ms, const char *words)
{
	delivery->attempts++;
	delivery_due(d, delivery, delay_ms);
	delivery_report(d, delivery, "failed", delivery->call->version, words);
	delivery_go_on(d, delivery);
}

static void outcome_try_again(struct dispatcher *d, struct delivery *delivery,
	const struct errand *errand, const char *words)
{
	int64_t now = clock_wall_ms();
	if (delivery->failing_since_ms == 0)
		delivery->failing_since_ms = now;
	if (now - delivery->failing_since_ms > GIVE_UP_MS)
		outcome_give_up(d, delivery, errand, delivery->call->version, words);
	else
		outcome_failed(d, delivery, backoff_ms(delivery->attempts), words);
}

bool delivery_parked(const struct delivery *delivery, int version)
{
	const struct live_call *call = delivery->call;
	if (call->orphan || delivery->unknown_sends >= DELIVERY_MAX_UNKNOWN)
		return true;
	return version >= call->version && !call->final;
}

static void outcome_unknown(struct dispatcher *d, struct delivery *delivery,
	const struct errand *errand, const char *words)
{
	metric_add(d->meters.unknown, 1);
	delivery->unknown_sends++;
	delivery->attempts++;
	bot_doubt(d, delivery->chat->bot);
	if (delivery->message_id != 0) { /* it would have replaced that: now that is edited */
		delivery_due(d, delivery, BACKOFF_FIRST_MS);
		delivery_report(d, delivery, "queued", errand->version, words);
		delivery_go_on(d, delivery);
		return;
	}
	delivery_due(
		d, delivery, delivery->unknown_sends == 1 ? UNKNOWN_FIRST_MS : UNKNOWN_LATER_MS);
	delivery_report(d, delivery, "unknown", errand->version, words);
	bool parked = delivery_parked(delivery, errand->version);
	delivery_enter(d, delivery, parked ? DELIVERY_PARKED : DELIVERY_WAITING);
}

/* Somebody deleted the message. A call that goes on is shown anew; one to take back is taken back; and
 * one that was told to its end is not told again for a correction. */
static void outcome_gone(
	struct dispatcher *d, struct delivery *delivery, const struct errand *errand)
{
	if (errand->kind == ERRAND_CLEAR) {
		delivery_drop_old(delivery);
		delivery_told(d, delivery, delivery->sent_version, NULL);
		return;
	}
	delivery->message_id = 0;
	if (errand->kind == ERRAND_DELETE || delivery->sent_final) {
		delivery->sent_version = errand->version;
		delivery_told(d, delivery, errand->version,
			errand->kind == ERRAND_DELETE ? NULL : "the message is gone");
		return;
	}
	delivery_report(d, delivery, "queued", errand->version, "the message is gone: sent anew");
	delivery_go_on(d, delivery);
}

/* Everything that waits in the chat has nowhere to go. */
static void chat_die(struct dispatcher *d, struct chat *chat, const char *words)
{
	while (chat->first != NULL) {
		struct live_call *call = chat->first->call;
		delivery_die(d, chat->first, call->version, words);
		live_call_settle(d, call);
	}
}

void outcome_bot_off(struct dispatcher *d, struct delivery *delivery)
{
	delivery->claimed = false;
	delivery_die(d, delivery, delivery->call->version, "Telegram refuses the bot's token");
	chat_die(d, delivery->chat, "Telegram refuses the bot's token");
}

void outcome_no_recipient(struct dispatcher *d, struct delivery *delivery, const char *words)
{
	delivery->claimed = false;
	delivery_die(d, delivery, delivery->call->version, words);
}

/* An hour later it is tried once more: a token may have been refused by mistake. */
static void outcome_bot_refused(struct dispatcher *d, struct delivery *delivery, const char *words)
{
	struct bot *bot = delivery->chat->bot;
	if (bot->off_until_ms <= loop_now_ms(d->loop))
		log_error(&d->log, "telegram: the bot of enterprise %s is refused: %s",
			delivery->call->enterprise, words);
	bot->off_until_ms = loop_now_ms(d->loop) + BOT_OFF_MS;
	outcome_bot_off(d, delivery);
}

/* Never the chat's id or the text: what was told to whom is in the database. */
static void outcome_log(struct dispatcher *d, const struct delivery *delivery,
	const struct errand *errand, const struct verdict *verdict)
{
	char id[24];
	snprintf(id, sizeof(id), "%lld", (long long)delivery->call->id);
	struct log_context log = d->log;
	log.enterprise = delivery->call->enterprise;
	log.call = id;
	log.trace = delivery->call->trace;
	enum log_level level = verdict->outcome == TELEGRAM_DONE ? LOG_DEBUG : LOG_WARN;
	log_line(&log, level, "telegram: version %d to one chat: %s%s%s (HTTP %d, %lld ms)",
		errand->version, verdict->unknown ? "unknown outcome" : "",
		verdict->unknown ? ": " : "",
		verdict->outcome == TELEGRAM_DONE ? "done" : verdict->words, verdict->http_status,
		(long long)errand->answer.took_ms);
}

void outcome_apply(struct dispatcher *d, struct delivery *delivery, const struct errand *errand)
{
	struct verdict verdict;
	outcome_judge(errand, &verdict);
	outcome_log(d, delivery, errand, &verdict);
	told_add(d, delivery, errand, verdict.outcome, verdict.words);
	metric_add(d->meters.attempts[verdict.outcome], 1);
	delivery->report.http_status = verdict.http_status;
	switch (verdict.outcome) {
	case TELEGRAM_DONE:
		outcome_done(d, delivery, errand, &verdict);
		break;
	case TELEGRAM_SLOW_DOWN:
		metric_add(d->meters.throttled, 1);
		chat_slow_down(d, delivery->chat, verdict.reply.retry_after_ms);
		outcome_failed(d, delivery, verdict.reply.retry_after_ms, verdict.words);
		break;
	case TELEGRAM_MOVED:
		subscription_move(d, delivery->chat, verdict.reply.new_chat_id);
		outcome_failed(d, delivery, 0, verdict.words);
		break;
	case TELEGRAM_MESSAGE_GONE:
		outcome_gone(d, delivery, errand);
		break;
	case TELEGRAM_CHAT_CLOSED:
		delivery_die(d, delivery, delivery->call->version, verdict.words);
		chat_die(d, delivery->chat, verdict.words);
		subscription_close(d, delivery->chat, verdict.words);
		break;
	case TELEGRAM_BOT_REFUSED:
		outcome_bot_refused(d, delivery, verdict.words);
		break;
	case TELEGRAM_REJECTED:
		outcome_give_up(d, delivery, errand, errand->version, verdict.words);
		break;
	case TELEGRAM_TRY_AGAIN:
		outcome_try_again(d, delivery, errand, verdict.words);
		break;
	case TELEGRAM_UNCLEAR:
		outcome_unknown(d, delivery, errand, verdict.words);
		break;
	}
}
