/*
 * hooks: webhooks of Twilio, Baileys and payments, and the API that sends texts. Answers at once,
 * works afterwards.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include "accounts.h"
#include "address.h"
#include "http_client.h"
#include "http_server.h"
#include "pg.h"
#include "redis.h"
#include "schema.h"
#include "service.h"
#include "settings.h"
#include "twilio_form.h"

struct menu;
struct repeats;	     /* repeats.h */
struct hook_numbers; /* hook_numbers.c: the table in memory, followed by NOTIFY */
struct hook_prompts; /* prompts.c: audio of menus, made by speech */
struct hook_log;     /* hook_log.c: hook_requests, written in the background, bounded */
struct sender;	     /* sender.c: the outbox of messages */
struct later;	     /* later.c: what is stored although PostgreSQL is away */

struct hooks {
	struct service *service;
	const struct hooks_settings *settings;
	struct loop *loop;
	struct pg *pg;
	struct redis *redis;
	struct http_client *http;
	struct accounts *accounts;
	struct schema *schema;
	struct address_list trusted; /* settings->trusted_proxies */
	struct hook_numbers *numbers;
	struct hook_prompts *prompts;
	struct repeats *repeats;
	struct hook_log *log;
	struct sender *sender;
	struct later *later;
};

struct hook_numbers *hook_numbers_new(struct hooks *hooks);
void hook_numbers_free(struct hook_numbers **numbers);
const char *hook_numbers_why_not(
	const struct hook_numbers *numbers); /* NULL, or why there is no table */
/* Walk: `size_t at = 0; while ((number = hook_numbers_next(hooks, &at)) != NULL)`. */
const struct hook_number *hook_numbers_next(const struct hooks *hooks, size_t *at);
/* Woken after each load; grows with each. */
struct flow_queue *hook_numbers_loaded(struct hook_numbers *numbers);
unsigned hook_numbers_loads(const struct hook_numbers *numbers);

/* -- routes: one table a room, joined and checked for duplicates at the start (routes.c) ---------- */

extern const struct http_route voice_routes[];	 /* voice*.c */
extern const struct http_route text_routes[];	 /* texts*.c, whatsapp*.c: webhooks and /api */
extern const struct http_route payment_routes[]; /* payments*.c */
extern const struct http_route about_routes[];	 /* about.c: / selfcheck static openapi */

enum { HOOK_MAX_ROUTES = 128 };
/* Joined into `to`, ended by an empty one. False with words: the same twice, or one that no request can
 * reach (a doubled or last slash, a path of the skeleton). */
bool hook_routes_join(
	const struct http_route *const *tables, struct http_route *to, struct error *error);

/* -- who asks (caller.c): the first step of every webhook's flow ----------------------------------- */

struct hook_number {
	const char *number, *enterprise, *line, *voice, *menu, *engine, *dialogue, *language,
		*operator;
	bool own_confirmation, whatsapp;
};
/* Our number by its E.164 form ("whatsapp:" is taken off); NULL: not ours. Until the next wait. */
const struct hook_number *hook_number_find(const struct hooks *hooks, struct str number);
/* Its menu, as the enterprise has it, else the default one (hook_menu.h). Never NULL; until the next wait. */
const struct menu *hook_number_menu(const struct hooks *hooks, const struct hook_number *number);

struct hook_caller {
	struct twilio_form form;
	struct str sid; /* CallSid or MessageSid */
	const struct hook_number
		*number; /* ours (To of what comes in, From of what goes out); may be NULL */
	const struct account *account; /* its enterprise */
	const char *enterprise;	       /* "" when not known; lives as long as the flow */
};
/* Reads the form, finds whose number it is (To, else From), checks the signature with its enterprise's
 * tokens (integrations_config.twilio: account_sid, auth_tokens) or those of the settings. False with
 * words: ERROR_AUTH is 403 for the one who asks, with the tried URLs in our log only. */
bool hook_caller_read(struct flow *flow, struct hook_caller *caller, struct error *error);
/* Answer what it refused: `return hook_refuse(flow, &error);` */
enum flow_status hook_refuse(struct flow *flow, const struct error *error);

/* The URL under which Twilio reaches us, without a last slash: the setting, else forwarded headers of a
 * trusted proxy, else Host. Joined with exactly one slash. */
void hook_url(struct flow *flow, const char *path, struct buf *to);
void hook_stream_url(struct flow *flow, struct buf *to); /* wss://.../ws/twilio-media */

/* Somebody who runs this suite: the internal secret, or this machine itself without a proxy between. */
bool hook_is_operator(struct flow *flow);

/* 200 text/xml, not to be cached. */
enum flow_status hook_reply_twiml(struct flow *flow, const struct buf *xml);
enum flow_status hook_reply_nothing(struct flow *flow); /* 204 */

/* -- one world (world.c): what happens becomes events of the log -------------------------------------- */

/* START: it rings at us; a menu that speaks is a greeting. DIAL: somebody is rung; after a talk that is a
 * transfer. BRIDGE: he talks with the caller. HANGUP: all is over. RECORDING: a link to listen, whenever it
 * comes. TEXT: one message, no call. What each becomes: docs/protocol/one-world.md. */
enum world_kind {
	WORLD_START,
	WORLD_DIAL,
	WORLD_BRIDGE,
	WORLD_HANGUP,
	WORLD_RECORDING,
	WORLD_TEXT
};

struct world_event {
	enum world_kind kind;
	const char *enterprise, *call_sid, *peer, *line,
		*trace; /* of WORLD_TEXT: call_sid is the message's */
	const char *
		talker; /* START of outgoing, DIAL, BRIDGE, HANGUP (who talked): "agent", "menu", an
			     * extension or E.164 */
	int call_status;	      /* HANGUP: 2 answered, 0 not */
	int64_t started_ms, ended_ms; /* HANGUP; wall; 0: not known */
	const char *recording_url;    /* HANGUP (there may be one), RECORDING */
	const char *text, *channel;   /* TEXT; "sms", "whatsapp" */
	bool outgoing;
};
/* Parameters of call_event_add(enterprise, unique id, type, body::jsonb, trace), in the arena; to be called in
 * the same statement or transaction as what it tells of. NULL texts of the event count as "". */
struct world_row {
	const char *enterprise, *unique_id, *type, *body, *trace;
};
struct world_row world_row(struct arena *arena, const struct world_event *event);
void world_wake(const struct hooks *hooks); /* after the commit */

/* -- what is too old (housekeeper.c) ------------------------------------------------------------------ */

void housekeeper_start(struct hooks *hooks);

#endif
