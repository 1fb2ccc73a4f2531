/*
 * sender_record: what came of a try, written down.
 *
 * What has left and was not answered is looked for three times within a minute; only when the provider's
 * own list does not have it then, it is sent again (docs/adr/0027).
 */
#include "sender_send.h"

#include "backoff.h"

enum { FIRST_MS = 2000, MOST_MS = 900000, AWAY_PAUSE_MS = 1000 };

static const int64_t look_after_ms[] = {3000, 10000, 40000};
enum { LOOKS = sizeof(look_after_ms) / sizeof(look_after_ms[0]) };

/* Each only while it is in the outbox: a callback may have settled it meanwhile. */
static const char sql_sent[] =
	"UPDATE messages SET provider_id = coalesce(provider_id, nullif($2, '')),"
	" status = CASE WHEN next_at IS NOT NULL OR text_moves(status, $3) THEN $3 ELSE status END,"
	" sent_at = coalesce(sent_at, CASE WHEN $3 = 'sent' THEN now() END),"
	" error = CASE WHEN next_at IS NOT NULL THEN '' ELSE error END,"
	" error_code = CASE WHEN next_at IS NOT NULL THEN '' ELSE error_code END,"
	" next_at = NULL, leased_until = NULL, doubtful = false WHERE id = $1::bigint";

/* The first of those that is no other message's. */
static const char sql_found[] =
	"UPDATE messages m SET provider_id = u.sid, status = 'queued', next_at = NULL,"
	" leased_until = NULL, doubtful = false, error = ''"
	" FROM (SELECT c.sid FROM unnest($2::text[]) WITH ORDINALITY AS c (sid, place)"
	" WHERE NOT EXISTS (SELECT FROM messages k WHERE k.provider_id = c.sid)"
	" ORDER BY c.place DESC LIMIT 1) AS u WHERE m.id = $1::bigint AND m.next_at IS NOT NULL";

static const char sql_again[] =
	"UPDATE messages SET status = 'queued', next_at = now() + make_interval(secs =>"
	" $2::bigint / 1000.0), leased_until = NULL, doubtful = false, looks = 0,"
	" error_code = $3, error = $4 WHERE id = $1::bigint AND next_at IS NOT NULL";

static const char sql_doubtful[] =
	"UPDATE messages SET status = 'sending', next_at = now() + make_interval(secs =>"
	" $2::bigint / 1000.0), leased_until = NULL, doubtful = true, looks = $5::integer,"
	" error_code = $3, error = $4 WHERE id = $1::bigint AND next_at IS NOT NULL";

static const char sql_elsewhere[] =
	"UPDATE messages SET status = 'queued', next_at = now(), leased_until = NULL,"
	" provider = other_provider, our_number = coalesce(other_number, ''), other_provider = "
	"NULL,"
	" error_code = '', error = $2 WHERE id = $1::bigint AND next_at IS NOT NULL"
	" AND other_provider IS NOT NULL";

static const char sql_refused[] =
	"UPDATE messages SET status = 'failed', next_at = NULL, leased_until = NULL,"
	" doubtful = false, error_code = $2, error = $3 ||"
	" CASE WHEN $2 = 'expired' AND error <> '' THEN ': ' || error ELSE '' END"
	" WHERE id = $1::bigint AND next_at IS NOT NULL";

static const char sql_stopped[] =
	"INSERT INTO opt_outs (enterprise_number, channel, peer, by) SELECT t.enterprise_number,"
	" t.channel, t.peer, '21610' FROM messages m JOIN threads t ON t.id = m.thread_id"
	" WHERE m.id = $1::bigint ON CONFLICT DO NOTHING";

static struct pg_params params_of(struct flow *flow, const struct send_state *state)
{
	struct pg_params params = {0};

	pg_put_int(&params, flow_arena(flow), state->message.id);
	return params;
}

static void put_error(struct pg_params *params, const struct text_result *result)
{
	pg_put_text(params, result->code);
	pg_put_text(params, result->words);
}

static int64_t again_ms(const struct send_state *state)
{
	struct backoff backoff = {.first_ms = FIRST_MS,
		.max_ms = MOST_MS,
		.tries = state->message.attempts > 0 ? (unsigned)state->message.attempts - 1 : 0};
	int64_t delay = backoff_next_ms(&backoff);

	return state->result.pause_ms > delay ? state->result.pause_ms : delay;
}

/* What the provider told us to wait counts for all that goes out from this number. */
static void rest(struct send_state *state)
{
	int64_t pause_ms = state->result.pause_ms;

	if (pause_ms < 0 && state->answer.reach == HTTP_NOT_SENT)
		pause_ms = AWAY_PAUSE_MS;
	if (pause_ms > 0)
		sender_pause(state->sender, &state->message, pause_ms);
}

static void put_again(struct flow *flow, struct send_state *state)
{
	struct pg_params params = params_of(flow, state);

	rest(state);
	pg_put_int(&params, flow_arena(flow), again_ms(state));
	put_error(&params, &state->result);
	pg_batch_add(state->batch, sql_again, &params);
}

static void put_elsewhere(struct flow *flow, struct send_state *state)
{
	struct pg_params params = params_of(flow, state);

	/* Twilio may not write to who has been silent for a day: then the phone is waited for. */
	if (state->message.other[0] == '\0' ||
		(strcmp(state->message.other, "twilio") == 0 && !state->message.in_window)) {
		put_again(flow, state);
		return;
	}
	pg_put_text(&params, state->result.words);
	pg_batch_add(state->batch, sql_elsewhere, &params);
}

/* The list may be behind: absent counts once it was absent three times. A list that cannot be had says
 * nothing, and is asked for again. */
static void put_doubtful(struct flow *flow, struct send_state *state)
{
	bool absent = state->result.outcome == TEXT_ABSENT;
	int64_t looks = state->message.looks + (absent ? 1 : 0);
	struct pg_params params = params_of(flow, state);

	if (looks >= LOOKS) {
		str_copy(state->result.words, sizeof(state->result.words),
			STR("not in the provider's list: it is sent again"));
		pg_put_int(&params, flow_arena(flow), 0);
		put_error(&params, &state->result);
		pg_batch_add(state->batch, sql_again, &params);
		return;
	}
	pg_put_int(&params, flow_arena(flow), look_after_ms[looks]);
	put_error(&params, &state->result);
	pg_put_int(&params, flow_arena(flow), looks);
	pg_batch_add(state->batch, sql_doubtful, &params);
}

static void put_found(struct flow *flow, struct send_state *state)
{
	struct pg_params params = params_of(flow, state);

	pg_array_clear(&state->candidates);
	for (unsigned i = 0; i < state->result.candidate_count; i++)
		pg_array_add_str(&state->candidates, state->result.candidates[i]);
	pg_put_array(&params, &state->candidates);
	pg_batch_add(state->batch, sql_found, &params);
}

static void put_refused(struct flow *flow, struct send_state *state)
{
	struct pg_params params = params_of(flow, state);

	if (state->result.outcome == TEXT_STOPPED)
		pg_batch_add(state->batch, sql_stopped, &params);
	put_error(&params, &state->result);
	pg_batch_add(state->batch, sql_refused, &params);
}

static void put_sent(struct flow *flow, struct send_state *state)
{
	struct pg_params params = params_of(flow, state);

	pg_put_str(&params, flow_arena(flow), state->result.id);
	pg_put_text(&params, state->result.status);
	pg_batch_add(state->batch, sql_sent, &params);
}

void sender_record(struct flow *flow, struct send_state *state)
{
	static void (*const puts[])(struct flow * flow, struct send_state * state) = {
		[TEXT_SENT] = put_sent,
		[TEXT_AGAIN] = put_again,
		[TEXT_ELSEWHERE] = put_elsewhere,
		[TEXT_REFUSED] = put_refused,
		[TEXT_STOPPED] = put_refused,
		[TEXT_DOUBTFUL] = put_doubtful,
		[TEXT_ABSENT] = put_doubtful,
		[TEXT_FOUND] = put_found,
	};

	puts[state->result.outcome](flow, state);
}
