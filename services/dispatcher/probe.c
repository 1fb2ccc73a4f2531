/*
 * probe: after a send that went unanswered, ask the bot something harmless until it answers.
 *
 * While it does not, no new message of that bot is sent: so an outage of Telegram costs a call one
 * unknown send, not one for each of its states.
 */
#include "dispatcher.h"

#define PROBE_FIRST_MS 200
#define PROBE_MAX_MS   5000

struct probe {
	struct bot *bot;
	struct buf url;
	struct http_call call;
	struct http_answer answer;
};

static void probe_start(struct dispatcher *d, struct bot *bot);

/* One question a flow, so that days of silence do not fill an arena. */
static enum flow_status probe_wait(struct flow *flow)
{
	const struct probe *probe = flow_state(flow);
	unsigned failed = probe->bot->probes;
	int64_t delay = failed < 5 ? (int64_t)PROBE_FIRST_MS << failed : PROBE_MAX_MS;
	return await_sleep(flow, delay);
}

static enum flow_status probe_ask(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct probe *probe = flow_state(flow);
	buf_init(&probe->url, 1024);
	telegram_url(d->config->telegram_url, probe->bot->token, TELEGRAM_GET_ME, &probe->url);
	probe->call = (struct http_call){
		.method = "GET", .url = probe->url.data, .timeout_ms = d->config->send_timeout_ms};
	return await_http(flow, d->http, &probe->call, &probe->answer);
}

static enum flow_status probe_check(struct flow *flow)
{
	struct probe *probe = flow_state(flow);
	const struct telegram_request request = {.method = TELEGRAM_GET_ME};
	struct telegram_reply reply = {.outcome = TELEGRAM_TRY_AGAIN};
	if (probe->answer.reach == HTTP_ANSWERED)
		telegram_read(&request, probe->answer.status, probe->answer.body, &reply);
	/* A refused token is an answer, too: the next request will deal with it. */
	if (reply.outcome == TELEGRAM_DONE || reply.outcome == TELEGRAM_BOT_REFUSED)
		probe->bot->doubtful = false;
	else
		probe->bot->probes++;
	return FLOW_END;
}

static void probe_finally(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct probe *probe = flow_state(flow);
	struct bot *bot = probe->bot;
	buf_free(&probe->url);
	bot->probe = NULL;
	const struct error *error = flow_error(flow);
	if (error != NULL && error->kind == ERROR_INTERNAL)
		return; /* cancelled: the process ends */
	if (bot->doubtful) {
		probe_start(d, bot);
		return;
	}
	bot->probes = 0;
	bot_kick(d, bot);
}

static const struct flow_step probe_steps[] = {
	{"wait", probe_wait},
	{"ask", probe_ask},
	{"check", probe_check},
	{NULL, NULL},
};

static const struct flow_spec probe_flow = {
	.name = "probe",
	.steps = probe_steps,
	.finally = probe_finally,
	.state_bytes = sizeof(struct probe),
	.deadline_ms = 90000,
};

static void probe_start(struct dispatcher *d, struct bot *bot)
{
	bot->probe = flow_spawn(d->root, &probe_flow);
	struct probe *probe = flow_state(bot->probe);
	probe->bot = bot;
}

void bot_doubt(struct dispatcher *d, struct bot *bot)
{
	bot->doubtful = true;
	if (bot->probe == NULL)
		probe_start(d, bot);
}
