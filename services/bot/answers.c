/*
 * answers: tells people what came of what they wrote or pressed: rows of bot_answers, one flow a row.
 *
 * A row goes when it is told. A process that ends in between leaves it to the next one, so an answer may
 * be told twice, and is never forgotten; one that was suspended does not send what another has claimed
 * since. A press that Telegram has forgotten is answered by a message.
 */
#include "bots.h"
#include "clock.h"
#include "texts.h"

#define TEXT_MAX_BYTES	   ((size_t)8 << 10)
#define ANSWER_DEADLINE_MS 30000
#define CLAIM_MS	   15000 /* in SQL 20 s: we stop earlier than others begin */
#define AGAIN_FIRST_MS	   1000
#define AGAIN_MOST	   6 /* tries; some two minutes */

static const char sql_claim[] = "SELECT id, bot_token, chat_id, coalesce(callback_id, ''), locale, "
				"code, args::text, attempts"
				" FROM bot_answers_claim($1::integer) ORDER BY id";
static const char sql_told[] = "DELETE FROM bot_answers WHERE id = $1::bigint";
static const char sql_moved[] = "UPDATE bot_answers SET chat_id = $2::bigint, next_at = now()"
				" WHERE id = $1::bigint AND attempts = $3::integer";
static const char sql_again[] =
	"UPDATE bot_answers SET next_at = now() + $2::bigint * interval '1 millisecond'"
	" WHERE id = $1::bigint AND attempts = $3::integer";

struct answer {
	int64_t id, chat_id, attempts; /* attempts: the number of the claim, too */
	int64_t claimed_ms;
	const char *token;
	struct str callback_id, locale, code; /* callback_id empty: a message */
	struct text_args args;
	struct bot_request request;
	struct telegram_reply reply;
	struct pg_batch *batch;
};

enum { ANSWER_SEND, ANSWER_READ, ANSWER_RECORD };

static void answers_fill(struct flow *flow, const struct pg_batch *batch, int row)
{
	const struct bots *b = flow_context(flow);
	struct answer *answer = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct str texts[8];
	for (int i = 0; i < 8; i++) {
		struct str text = pg_text(batch, 0, row, i);
		texts[i] = str_of(arena_strndup(arena, text.data, text.size), text.size);
	}
	answer->claimed_ms = b->answers.asked_ms;
	answer->id = pg_int(batch, 0, row, 0);
	answer->token = texts[1].data;
	answer->chat_id = pg_int(batch, 0, row, 2);
	answer->callback_id = texts[3];
	answer->locale = texts[4];
	answer->code = texts[5];
	answer->attempts = pg_int(batch, 0, row, 7);
	if (!text_args_read(texts[6], arena, &answer->args))
		log_warn(flow_log(flow), "answer: its arguments cannot be read");
}

static const char *write_answer(const struct answer *answer, struct buf *body)
{
	struct buf text, html;
	buf_init(&text, TEXT_MAX_BYTES);
	buf_init(&html, 6 * TEXT_MAX_BYTES); /* each character an entity */
	text_write(answer->code, answer->locale, &answer->args, &text);
	buf_add_html(&html, buf_str(&text));
	bool pressed = answer->callback_id.size > 0;
	if (pressed)
		telegram_answer_press_body(
			answer->callback_id, buf_str(&text), text_is_alert(answer->code), body);
	else
		telegram_body(&(struct telegram_request){.method = TELEGRAM_SEND,
				      .chat_id = answer->chat_id,
				      .html = buf_str(&html)},
			body);
	buf_free(&html);
	buf_free(&text);
	return pressed ? "answerCallbackQuery" : "sendMessage";
}

static enum flow_status answer_send(struct flow *flow)
{
	struct answer *answer = flow_state(flow);
	struct buf body;
	/* By the clock of now: the process may have been suspended within this very turn. */
	if (clock_monotonic_ms() - answer->claimed_ms > CLAIM_MS)
		return FLOW_END;
	buf_init(&body, 8 * TEXT_MAX_BYTES);
	const char *method = write_answer(answer, &body);
	enum flow_status status =
		await_telegram(flow, &answer->request, answer->token, method, buf_str(&body));
	buf_free(&body);
	return status;
}

/* Pressed too long ago, or answered by a process that ended right after. */
static bool press_is_forgotten(const struct answer *answer)
{
	return answer->callback_id.size > 0 && answer->reply.outcome == TELEGRAM_REJECTED &&
	       strstr(answer->reply.words, "query is too old") != NULL;
}

static enum flow_status answer_read(struct flow *flow)
{
	struct answer *answer = flow_state(flow);
	telegram_reply_of(&answer->request, &answer->reply);
	if (press_is_forgotten(answer)) {
		answer->callback_id = (struct str){0};
		return flow_goto(flow, ANSWER_SEND);
	}
	return FLOW_NEXT;
}

/* Never at once again: this may be a chat at its limit. */
static int64_t again_ms(const struct answer *answer)
{
	if (answer->reply.outcome == TELEGRAM_SLOW_DOWN)
		return answer->reply.retry_after_ms;
	return answer->attempts < AGAIN_MOST ? (int64_t)AGAIN_FIRST_MS << answer->attempts : 0;
}

static const char *put_outcome(struct flow *flow, struct pg_params *params)
{
	struct bots *b = flow_context(flow);
	const struct answer *answer = flow_state(flow);
	enum telegram_outcome outcome = answer->reply.outcome;
	int64_t wait = again_ms(answer);
	bool again = (outcome == TELEGRAM_SLOW_DOWN || outcome == TELEGRAM_TRY_AGAIN) && wait > 0;
	pg_put_int(params, flow_arena(flow), answer->id);
	if (outcome == TELEGRAM_MOVED) {
		pg_put_int(params, flow_arena(flow), answer->reply.new_chat_id);
		pg_put_int(params, flow_arena(flow), answer->attempts);
		return sql_moved;
	}
	if (again) {
		metric_add(b->meters.answers[ANSWER_AGAIN], 1);
		pg_put_int(params, flow_arena(flow), wait);
		pg_put_int(params, flow_arena(flow), answer->attempts);
		return sql_again;
	}
	if (outcome != TELEGRAM_DONE)
		log_warn(flow_log(flow), "answer %.*s is not told: %s", STR_ARG(answer->code),
			answer->reply.words);
	metric_add(b->meters.answers[outcome == TELEGRAM_DONE ? ANSWER_TOLD : ANSWER_DROPPED], 1);
	return sql_told;
}

/* Not recorded: it comes again in 20 seconds. */
static enum flow_status answer_record(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct answer *answer = flow_state(flow);
	struct pg_params params = {0};
	const char *sql = put_outcome(flow, &params);
	return await_pg_query(flow, b->pg, &answer->batch, sql, &params);
}

static void answer_finally(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	worker_child_ended(&b->answers);
}

static const struct flow_step answer_steps[] = {
	[ANSWER_SEND] = {"send", answer_send},
	[ANSWER_READ] = {"read", answer_read},
	[ANSWER_RECORD] = {"record", answer_record},
	{NULL, NULL},
};

static const struct flow_spec answer_flow = {
	.name = "answer",
	.steps = answer_steps,
	.finally = answer_finally,
	.state_bytes = sizeof(struct answer),
	.deadline_ms = ANSWER_DEADLINE_MS,
};

const struct worker_kind answers_kind = {
	.name = "answers", .claim = sql_claim, .child = &answer_flow, .fill = answers_fill};
