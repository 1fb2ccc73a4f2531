/*
 * bots: start and stop of the process's parts; what their flows share.
 */
#include "bots.h"

#include "crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USER_AGENT   "callweave/" CALLWEAVE_VERSION
#define ANSWER_BYTES ((size_t)64 << 10)

/* -- the root flow: waits for ever; the others are its children --------------------------------- */

static enum flow_status root_wait(struct flow *flow)
{
	return await_sleep(flow, 3600000);
}

static enum flow_status root_again(struct flow *flow)
{
	return flow_goto(flow, 0);
}

static const struct flow_step root_steps[] = {
	{"wait", root_wait},
	{"again", root_again},
	{NULL, NULL},
};

static void root_finally(struct flow *flow)
{
	struct bots *b = flow_context(flow);
	b->root = NULL;
}

static const struct flow_spec root_flow = {
	.name = "root", .steps = root_steps, .finally = root_finally, .deadline_ms = FLOW_FOREVER};

/* -- what flows share ----------------------------------------------------------------------------- */

enum flow_status await_telegram(struct flow *flow, struct bot_request *request, const char *token,
	const char *method, struct str body)
{
	struct bots *b = flow_context(flow);
	struct buf url;
	buf_init(&url, 2048);
	telegram_method_url(b->config->telegram_url, token, method, &url);
	request->call = (struct http_call){
		.method = "POST",
		.url = arena_strndup(flow_arena(flow), url.data, url.size),
		.content_type = "application/json",
		.body = str_of(arena_strndup(flow_arena(flow), body.data, body.size), body.size),
		.timeout_ms = b->config->send_timeout_ms + request->wait_ms,
		.max_answer_bytes = request->max_bytes > 0 ? request->max_bytes : ANSWER_BYTES,
	};
	buf_free(&url);
	return await_http(flow, b->http, &request->call, &request->answer);
}

void telegram_reply_of(const struct bot_request *request, struct telegram_reply *reply)
{
	/* Any method that is not a send: what is the matter is all that is asked here. */
	static const struct telegram_request any = {.method = TELEGRAM_GET_ME};
	if (request->answer.reach == HTTP_ANSWERED) {
		telegram_read(&any, request->answer.status, request->answer.body, reply);
		return;
	}
	*reply = (struct telegram_reply){.outcome = TELEGRAM_TRY_AGAIN};
	str_copy(reply->words, sizeof(reply->words), str_from(request->answer.error.text));
}

/* -- start ---------------------------------------------------------------------------------------- */

static void bots_name(struct bots *b)
{
	char host[48] = "", id[CRYPTO_UUID_TEXT];
	(void)gethostname(host, sizeof(host) - 1);
	crypto_uuid4(id);
	snprintf(b->name, sizeof(b->name), "%s/%ld/%.8s", host, (long)getpid(), id);
}

/* Nothing here waits: connections come up in the background, and /readyz tells how far they are. Long
 * polls hold their connections, so answers and commands have some of their own. */
static void bots_connect(struct bots *b)
{
	static const char *const channels[] = {"callweave_config", NULL};
	const struct pg_options pg = {
		.url = service_database_url(b->service),
		.application_name = "callweave-bot",
		.log = b->log,
	};
	unsigned connections =
		(unsigned)(b->config->max_polls + b->config->max_answers + b->config->max_commands);
	const struct http_client_options http = {
		.max_connections = connections,
		.max_connections_per_host = connections,
		.user_agent = USER_AGENT,
	};
	b->pg = pg_new(b->loop, &pg);
	b->lease_pg = pg_new(b->loop, &pg);
	b->listen = pg_listen_new(b->loop, &pg, channels);
	b->schema = schema_new(b->loop, b->lease_pg, &b->log);
	b->http = http_client_new(b->loop, &http);
}

/* Order does not matter: each flow waits for what it needs. */
static void bots_run(struct bots *b)
{
	static const struct flow_spec *const flows[] = {
		&lease_flow, &lease_listen_flow, &housekeeper_flow};
	b->root = flow_start(b->loop, &root_flow, b, &b->log);
	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++)
		(void)flow_spawn(b->root, flows[i]);
	for (int64_t i = 0; i < b->config->max_polls; i++)
		(void)flow_spawn(b->root, &poller_flow);
	worker_start(&b->answers, b->root);
	worker_start(&b->commands, b->root);
}

/* What --check-config shows all the same. */
static bool bots_can_start(struct service *service, struct error *error)
{
	const struct bot_config *config = service_config(service);
	if (service_database_url(service)[0] == '\0')
		return error_set(error, ERROR_INPUT, "DATABASE_URL: is required");
	if (config->webhook_url[0] != '\0' && service_link_key(service).size == 0)
		return error_set(error, ERROR_INPUT,
			"CALLWEAVE_BOT_WEBHOOK_URL needs CALLWEAVE_LINK_KEY: webhooks' secrets are "
			"made of it");
	return true;
}

void *bots_start(struct service *service, struct error *error)
{
	const struct bot_config *config = service_config(service);
	if (!bots_can_start(service, error))
		return NULL;
	struct bots *b = alloc_zeroed(1, sizeof(*b));
	b->service = service;
	b->config = config;
	b->loop = service_loop(service);
	b->log = *service_log(service);
	bots_name(b);
	meters_init(&b->meters, service_metrics(service));
	lease_init(&b->lease);
	roster_init(&b->roster);
	worker_init(&b->answers, &answers_kind, (unsigned)config->max_answers);
	worker_init(&b->commands, &commands_kind, (unsigned)config->max_commands);
	bots_connect(b);
	bots_run(b);
	return b;
}

/* -- drain and stop ------------------------------------------------------------------------------- */

void bots_drain(void *context)
{
	struct bots *b = context;
	b->draining = true;
	roster_cut_polls(&b->roster);
	worker_wake(&b->answers);
	worker_wake(&b->commands);
	flow_queue_wake_all(&b->lease.wake);
}

/* What is under way has ended, and the bots are given back; without PostgreSQL that cannot be told. */
bool bots_drained(void *context)
{
	const struct bots *b = context;
	if (b->handling > 0 || b->answers.active > 0 || b->commands.active > 0)
		return false;
	return b->lease.released || !pg_ready(b->lease_pg);
}

void bots_stop(void *context)
{
	struct bots *b = context;
	if (b->root != NULL)
		flow_cancel(b->root);
	http_client_free(&b->http);
	schema_free(&b->schema);
	pg_listen_free(&b->listen);
	pg_free(&b->lease_pg);
	pg_free(&b->pg);
	worker_free(&b->commands);
	worker_free(&b->answers);
	roster_free(&b->roster);
	lease_free(&b->lease);
	free(b);
}

/* -- readiness ------------------------------------------------------------------------------------ */

const char *bots_why_no_database(void *context)
{
	const struct bots *b = context;
	if (!pg_ready(b->pg))
		return pg_last_error(b->pg);
	return schema_why_not(b->schema);
}

const char *bots_why_no_roster(void *context)
{
	const struct bots *b = context;
	return b->roster.loads > 0 ? NULL : "the bots have not been read yet";
}
