/*
 * bots: the process's own struct: what all its parts share.
 *
 * lease and roster (which bots are ours) -> pollers (or the webhook's route) -> update (one update, one
 * transaction) -> answers and commands: queues in PostgreSQL that workers empty.
 */
#ifndef BOT_BOTS_H
#define BOT_BOTS_H

#include "alloc.h"
#include "clock.h"
#include "http_client.h"
#include "http_server.h"
#include "lease.h"
#include "meters.h"
#include "pg.h"
#include "pg_listen.h"
#include "roster.h"
#include "schema.h"
#include "service.h"
#include "settings.h"
#include "telegram.h"
#include "telegram_update.h"
#include "worker.h"

struct bots {
	const struct bot_config *config;
	struct service *service;
	struct loop *loop;
	struct log_context log;
	char name[96];	     /* of this instance, unlike any other, also of its own past */
	struct pg *pg;	     /* updates, answers, commands */
	struct pg *lease_pg; /* leases and the roster: nothing delays a renewal */
	struct pg_listen *listen;
	struct schema *schema;
	struct http_client *http;
	struct meters meters;
	struct lease lease;
	struct roster roster;
	struct worker answers, commands;
	struct flow *root; /* parent of all flows but those of requests */
	unsigned handling; /* updates under way */
	bool draining;
};

/* A request of a flow to the Bot API: URL and body are copied into the flow's arena. */
struct bot_request {
	int64_t wait_ms;  /* that Telegram may wait by itself, above the usual time */
	size_t max_bytes; /* of the answer; 0: 64 KiB */
	struct http_call call;
	struct http_answer answer;
};
enum flow_status await_telegram(struct flow *flow, struct bot_request *request, const char *token,
	const char *method, struct str body);
/* What came of it; of an unanswered one: TELEGRAM_TRY_AGAIN with words. */
void telegram_reply_of(const struct bot_request *request, struct telegram_reply *reply);

extern const struct flow_spec poller_flow;	/* poller.c */
extern const struct flow_spec webhook_flow;	/* webhook.c */
extern const struct flow_spec housekeeper_flow; /* housekeeper.c */

/* introduce.c: a child of the present flow, that tells Telegram how the bot listens. What came of it is
 * in `reply`, which belongs to the parent: TELEGRAM_DONE, or why not. */
bool introduce_is_due(const struct bots *b, const struct bot *bot);
void introduce_start(struct flow *parent, struct bot *bot, struct telegram_reply *reply);

/* update.c: a child of the present flow, that handles one update. It fails when that cannot be done
 * now. `polled`: the bot must still be ours. The update's texts are the parent's. */
void update_start(struct flow *parent, const struct bot *bot, bool polled,
	const struct telegram_update *update);

/* webhook.c: 64 hex digits; what Telegram must send with each update of this bot. */
#define WEBHOOK_SECRET_TEXT 65
void webhook_secret(const struct bots *b, const struct bot *bot, char to[WEBHOOK_SECRET_TEXT]);

extern const struct worker_kind answers_kind;  /* answers.c */
extern const struct worker_kind commands_kind; /* commands.c */

void *bots_start(struct service *service, struct error *error);
void bots_drain(void *context);
bool bots_drained(void *context);
void bots_stop(void *context);

/* Readiness: NULL, or why not. */
const char *bots_why_no_database(void *context);
const char *bots_why_no_roster(void *context);

#endif
