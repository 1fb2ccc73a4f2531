/*
 * poller: asks Telegram what people did. So many pollers, so many connections: each takes the bot that
 * is due, asks once, has its updates handled one after the other, and puts it back.
 *
 * With no more bots than pollers each waits long for updates (one request in 25 s for a quiet bot). With
 * more of them nobody waits: quiet bots rest longer and longer between two questions, busy ones do not.
 */
#include "bots.h"

#define QUIET_FIRST_MS	 250
#define QUIET_MAX_MS	 2000
#define FAILED_FIRST_MS	 1000
#define FAILED_MAX_MS	 60000
#define REFUSED_MS	 600000
#define WEBHOOK_LOOK_MS	 3600000
#define POLL_ARENA_BYTES ((size_t)24 << 20) /* the answer, its parts, and what is made of them */
#define POLL_DEADLINE_MS 300000

static const char sql_trouble[] =
	"UPDATE telegram_bots SET last_error = nullif($2, ''), last_error_at = now()"
	" WHERE bot_token = $1";

struct poll {
	struct bot *bot;
	struct bot_request request;
	struct telegram_reply reply; /* what Telegram said; DONE when all is well */
	struct telegram_updates updates;
	size_t next;
	bool asked, stuck; /* stuck: an update could not be handled now */
	struct pg_batch *batch;
};

enum { POLL_BEGIN, POLL_INTRODUCED, POLL_ASK, POLL_READ, POLL_HANDLE, POLL_HANDLED, POLL_TROUBLE };

/* -- one bot, asked once -------------------------------------------------------------------------- */

static enum flow_status poll_begin(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct poll *poll = flow_state(flow);
	if (!introduce_is_due(b, poll->bot))
		return flow_goto(flow, POLL_ASK);
	introduce_start(flow, poll->bot, &poll->reply);
	return await_children(flow);
}

static enum flow_status poll_introduced(struct flow *flow)
{
	const struct poll *poll = flow_state(flow);
	return flow_goto(flow, poll->reply.outcome == TELEGRAM_DONE ? POLL_ASK : POLL_TROUBLE);
}

static enum flow_status poll_ask(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct poll *poll = flow_state(flow);
	int timeout_s = roster_is_crowded(b) ? 0 : (int)b->config->poll_seconds;
	if (b->config->webhook_url[0] != '\0')
		return flow_goto(flow, POLL_TROUBLE); /* updates come by themselves */
	if (b->draining)
		return FLOW_END;
	struct buf body;
	buf_init(&body, 1024);
	telegram_get_updates_body(poll->bot->next_update, poll->bot->limit, timeout_s, &body);
	poll->asked = true;
	poll->bot->asking = true;
	poll->request.wait_ms = (int64_t)timeout_s * 1000;
	poll->request.max_bytes = TELEGRAM_UPDATES_MAX_BYTES;
	enum flow_status status = await_telegram(
		flow, &poll->request, poll->bot->token, "getUpdates", buf_str(&body));
	buf_free(&body);
	return status;
}

/* An answer that is too long, or cannot be read, is asked for again in smaller pieces. */
static enum flow_status poll_read(struct flow *flow)
{
	struct poll *poll = flow_state(flow);
	struct bot *bot = poll->bot;
	const struct http_answer *answer = &poll->request.answer;
	struct error error = {.text = ""};
	bot->asking = false;
	if (answer->reach == HTTP_ANSWERED && answer->status == 200 &&
		telegram_updates_read(answer->body, flow_arena(flow), &poll->updates, &error)) {
		bot->limit = TELEGRAM_UPDATES_AT_ONCE;
		return FLOW_NEXT;
	}
	bot->limit = bot->limit > 1 ? bot->limit / 2 : 1;
	telegram_reply_of(&poll->request, &poll->reply);
	if (poll->reply.outcome == TELEGRAM_DONE) {
		poll->reply.outcome = TELEGRAM_TRY_AGAIN;
		str_copy(poll->reply.words, sizeof(poll->reply.words), str_from(error.text));
	}
	return flow_goto(flow, POLL_TROUBLE);
}

static enum flow_status poll_handle(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct poll *poll = flow_state(flow);
	if (poll->next == poll->updates.count || !poll->bot->mine || b->draining)
		return flow_goto(flow, POLL_TROUBLE);
	update_start(flow, poll->bot, true, &poll->updates.items[poll->next]);
	return await_children(flow);
}

/* In order, and none is passed over: what could not be handled comes again. */
static enum flow_status poll_handled(struct flow *flow)
{
	struct poll *poll = flow_state(flow);
	if (flow_failed_children(flow) > 0) {
		poll->stuck = true;
		return FLOW_END;
	}
	poll->bot->next_update = poll->updates.items[poll->next++].id + 1;
	return flow_goto(flow, POLL_HANDLE);
}

/* A person sees in telegram_bots why a bot is silent; written when it changes. */
static enum flow_status poll_trouble(struct flow *flow)
{
	const struct bots *b = flow_context(flow);
	struct poll *poll = flow_state(flow);
	struct bot *bot = poll->bot;
	struct pg_params params = {0};
	const char *words = poll->reply.outcome == TELEGRAM_DONE ? "" : poll->reply.words;
	if (str_equal(str_from(words), str_from(bot->trouble)))
		return FLOW_END;
	if (words[0] != '\0')
		log_warn(flow_log(flow), "bot: %s does not listen: %s", bot->number, words);
	roster_set_text(&bot->trouble, str_from(words));
	pg_put_text(&params, bot->token);
	pg_put_text(&params, arena_strdup(flow_arena(flow), words));
	return await_pg_query(flow, b->pg, &poll->batch, sql_trouble, &params);
}

/* -- when it is asked again ----------------------------------------------------------------------- */

static int64_t failed_wait_ms(struct bot *bot)
{
	int64_t wait =
		bot->failures < 6 ? (int64_t)FAILED_FIRST_MS << bot->failures : FAILED_MAX_MS;
	bot->failures++;
	return wait;
}

/* Between bots that take turns: those that were busy a moment ago come first. */
static int64_t quiet_wait_ms(const struct bots *b, const struct poll *poll)
{
	struct bot *bot = poll->bot;
	bot->failures = 0;
	if (poll->updates.count > 0 || !roster_is_crowded(b)) {
		bot->rest_ms = 0;
		return 0;
	}
	bot->rest_ms = bot->rest_ms == 0 ? QUIET_FIRST_MS : bot->rest_ms * 2;
	if (bot->rest_ms > QUIET_MAX_MS)
		bot->rest_ms = QUIET_MAX_MS;
	return bot->rest_ms;
}

static void count_poll(struct bots *b, const struct poll *poll)
{
	enum meter_poll result = poll->updates.count > 0 ? POLL_UPDATES : POLL_QUIET;
	if (!poll->asked)
		return;
	if (poll->reply.outcome == TELEGRAM_BOT_REFUSED)
		result = POLL_REFUSED;
	else if (poll->reply.outcome != TELEGRAM_DONE)
		result = poll->request.answer.status == 409 ? POLL_CONFLICT : POLL_FAILED;
	metric_add(b->meters.polls[result], 1);
}

static int64_t wait_ms(const struct bots *b, struct poll *poll)
{
	switch (poll->reply.outcome) {
	case TELEGRAM_DONE:
		return b->config->webhook_url[0] != '\0' ? WEBHOOK_LOOK_MS : quiet_wait_ms(b, poll);
	case TELEGRAM_SLOW_DOWN:
		return poll->reply.retry_after_ms;
	case TELEGRAM_BOT_REFUSED:
		return REFUSED_MS;
	default:
		return failed_wait_ms(poll->bot);
	}
}

/* A webhook that somebody set meanwhile: it is taken away again, as at the first time. */
static void forget_introduction(struct poll *poll)
{
	static const char words[] = "webhook is active";
	if (strstr(poll->reply.words, words) != NULL)
		roster_set_text(&poll->bot->introduced, STR(""));
}

static void poll_finally(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	struct poll *poll = flow_state(flow);
	const struct error *error = flow_error(flow);
	if (error != NULL && error->kind == ERROR_INTERNAL) { /* cut short: it asks again */
		roster_put_back(b, poll->bot, 0);
		return;
	}
	count_poll(b, poll);
	forget_introduction(poll);
	bool failed = error != NULL || poll->stuck;
	roster_put_back(b, poll->bot, failed ? failed_wait_ms(poll->bot) : wait_ms(b, poll));
}

static const struct flow_step poll_steps[] = {
	[POLL_BEGIN] = {"begin", poll_begin},
	[POLL_INTRODUCED] = {"introduced", poll_introduced},
	[POLL_ASK] = {"ask", poll_ask},
	[POLL_READ] = {"read", poll_read},
	[POLL_HANDLE] = {"handle", poll_handle},
	[POLL_HANDLED] = {"handled", poll_handled},
	[POLL_TROUBLE] = {"trouble", poll_trouble},
	{NULL, NULL},
};

static const struct flow_spec poll_flow = {
	.name = "poll",
	.steps = poll_steps,
	.finally = poll_finally,
	.state_bytes = sizeof(struct poll),
	.arena_max_bytes = POLL_ARENA_BYTES,
	.deadline_ms = POLL_DEADLINE_MS,
};

/* -- pollers -------------------------------------------------------------------------------------- */

enum { POLLER_PICK, POLLER_AGAIN };

static enum flow_status poller_pick(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	int64_t wait;
	struct bot *bot = roster_pick(b, &wait);
	if (bot == NULL)
		return await_queue_for(flow, &b->roster.wake, wait);
	bot->poll = flow_spawn(flow, &poll_flow);
	struct poll *poll = flow_state(bot->poll);
	poll->bot = bot;
	flow_set_enterprise(bot->poll, bot->number);
	return await_children(flow);
}

static enum flow_status poller_again(struct flow *flow)
{
	return flow_goto(flow, POLLER_PICK);
}

static const struct flow_step poller_steps[] = {
	[POLLER_PICK] = {"pick", poller_pick},
	[POLLER_AGAIN] = {"again", poller_again},
	{NULL, NULL},
};

const struct flow_spec poller_flow = {
	.name = "poller", .steps = poller_steps, .deadline_ms = FLOW_FOREVER};
