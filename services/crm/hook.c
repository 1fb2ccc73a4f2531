/*
 * hook: what a CRM tells us: its request is given to the driver, which says whose it is, whether it has
 * proved itself, and what it means; then that is done.
 *
 * What is to be stored is stored before the answer, so that a CRM that repeats is not told a lie. A call
 * that somebody clicked is begun at once; its answer waits a little for the PBX.
 */
#include "hook.h"

#include "customers.h"
#include "learn.h"
#include "mirror.h"
#include "portal.h"
#include "tokens.h"

enum {
	BODY_BYTES = 1 << 20,
	BODY_DEPTH = 32,
	DEADLINE_MS = 15000,
	CLICK_WAIT_MS = 2500, /* CRMs give up after some seconds */
	ARENA_BYTES = 64 << 20,
};

struct story {
	struct args args;
	struct json *json;
	struct crm_hook hook;
	struct crm_heard heard;
	struct portal portal;
	bool has_portal;
	struct pg_batch *batch;
	struct click *click;
};

/* -- whose it is ---------------------------------------------------------------------------------- */

static const struct account *owner_by_enterprise(
	const struct adapter *adapter, const struct crm_hook_owner *owner)
{
	const struct account *account;
	size_t at = 0;

	while ((account = accounts_next(adapter->accounts, &at)) != NULL) {
		const char *value = strcmp(owner->member, "number") == 0  ? account->number
				    : strcmp(owner->member, "token") == 0 ? account->token
									  : account->secret;

		if (value[0] != '\0' && str_equal_secret(str_from(value), owner->value))
			return account;
	}
	return NULL;
}

static const struct account *find_owner(
	const struct adapter *adapter, const struct crm_hook_owner *owner)
{
	static const char *const of_enterprise[] = {"number", "token", "secret"};

	if (owner->member == NULL || owner->value.size == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(of_enterprise) / sizeof(of_enterprise[0]); i++) {
		if (strcmp(owner->member, of_enterprise[i]) == 0)
			return owner_by_enterprise(adapter, owner);
	}
	return accounts_find_config(adapter->accounts, str_from(adapter->driver->code),
		str_from(owner->member), owner->value);
}

/* Nobody's, or one that is switched off: the driver is told that nobody owns it. */
static void open_portal(struct flow *flow, struct story *story)
{
	struct adapter *adapter = flow_context(flow);
	struct crm_hook_owner owner = {0};
	const struct account *account = NULL;

	if (adapter->driver->owner(&story->hook, &owner))
		account = find_owner(adapter, &owner);
	if (account == NULL ||
		!portal_open_account(&story->portal, adapter, account, flow_arena(flow), NULL))
		return;
	story->has_portal = true;
	flow_set_enterprise(flow, story->portal.account.number);
}

/* -- the answer ----------------------------------------------------------------------------------- */

static enum flow_status answer(struct flow *flow, const struct story *story)
{
	const struct adapter *adapter = flow_context(flow);
	const struct crm_heard *heard = &story->heard;
	bool is_good = heard->status >= 200 && heard->status < 300;

	metric_add(is_good ? adapter->meters.hooks : adapter->meters.hooks_refused, 1);
	if (!is_good)
		log_warn(flow_log(flow), "a request of the CRM is refused, HTTP %d: %s",
			heard->status, heard->why.text);
	return http_reply(flow, heard->status,
		heard->content_type != NULL ? heard->content_type : "text/plain", heard->answer);
}

static enum flow_status not_now(struct flow *flow, const char *what, const char *why)
{
	log_warn(flow_log(flow), "%s: %s", what, why);
	http_reply_header(flow, "Retry-After", "30");
	return http_reply_detail(flow, 503, "%s", what);
}

/* -- what was heard ------------------------------------------------------------------------------- */

static bool read_hook(struct flow *flow, struct story *story, struct error *error)
{
	const struct adapter *adapter = flow_context(flow);
	const struct http_request *request = http_request(flow);
	const struct args_source source = {
		.query = request->query,
		.content_type = http_request_header(flow, "Content-Type"),
		.body = request->body,
	};

	if (!args_read(&story->args, &source, flow_arena(flow), error))
		return false;
	story->json = json_parse(request->body, (struct json_limits){BODY_BYTES, BODY_DEPTH}, NULL);
	story->hook = (struct crm_hook){
		.method = request->method,
		.path = request->path,
		.tail = request->tail,
		.args = story->args,
		.body = request->body,
		.json = story->json,
		.now_ms = clock_wall_ms(),
	};
	if (adapter->driver->hook_header != NULL)
		story->hook.signature = http_request_header(flow, adapter->driver->hook_header);
	return true;
}

static void hear(struct flow *flow, struct story *story)
{
	struct adapter *adapter = flow_context(flow);
	struct crm_heard *heard = &story->heard;

	*heard = (struct crm_heard){
		.arena = flow_arena(flow),
		.status = 500,
		.customers =
			arena_array(flow_arena(flow), CRM_MAX_FOUND, sizeof(*heard->customers)),
	};
	adapter->driver->hear(
		story->has_portal ? &story->portal.account : NULL, &story->hook, heard);
	/* Nobody's request has no consequences, whatever the driver says of it. */
	if (!story->has_portal || !story->portal.enabled || heard->status >= 300)
		heard->kind = CRM_HEARD_NOTHING;
}

static void put_batch(struct flow *flow, struct story *story)
{
	struct adapter *adapter = flow_context(flow);
	const struct crm_heard *heard = &story->heard;
	const struct crm_account *account = &story->portal.account;
	struct arena *arena = flow_arena(flow);

	story->batch = pg_batch_new(arena);
	if (heard->kind == CRM_HEARD_INSTALL)
		token_put_install(
			story->batch, adapter, account->number, heard->oauth_after, arena);
	else if (heard->kind == CRM_HEARD_REMOVED)
		token_put_removed(story->batch, adapter, account->number);
	else if (heard->kind == CRM_HEARD_CHANGES)
		mirror_put_wake(story->batch, adapter, account->number);
	else if (!learn_put(story->batch, adapter, account->number,
			 customers_json(
				 heard->customers, heard->customer_count, account->country, arena),
			 arena))
		story->batch = NULL;
}

/* -- the steps ------------------------------------------------------------------------------------ */

enum { HOOK_HEAR, HOOK_TOKENS, HOOK_ACT, HOOK_DONE };

static enum flow_status hook_hear(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct story *story = flow_state(flow);
	struct token *token;
	struct error error;

	if (!read_hook(flow, story, &error))
		return http_reply_detail(flow, 400, "%s", error.text);
	if (accounts_why_not(adapter->accounts) != NULL)
		return not_now(flow, "not ready", accounts_why_not(adapter->accounts));
	open_portal(flow, story);
	if (!story->has_portal || !adapter->driver->oauth)
		return FLOW_NEXT;
	token = tokens_get(adapter->tokens, str_from(story->portal.account.number));
	if (token_is_there(token))
		return FLOW_NEXT;
	token_want(adapter, token, 0);
	return await_queue(flow, &token->done);
}

/* What was left at the installation proves later requests. */
static enum flow_status hook_tokens(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct story *story = flow_state(flow);
	const struct token *token;

	if (!story->has_portal || !adapter->driver->oauth)
		return FLOW_NEXT;
	token = tokens_get(adapter->tokens, str_from(story->portal.account.number));
	if (!token->known)
		return not_now(flow, "not ready", token->why);
	portal_set_oauth(&story->portal, str_from(token->text));
	return FLOW_NEXT;
}

static enum flow_status hook_act(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct story *story = flow_state(flow);

	hear(flow, story);
	switch (story->heard.kind) {
	case CRM_HEARD_NOTHING:
		return answer(flow, story);
	case CRM_HEARD_CALL:
		story->click = click_start(adapter, &story->portal.account, &story->heard);
		return await_queue_for(flow, click_done(story->click), CLICK_WAIT_MS);
	default:
		put_batch(flow, story);
		return story->batch == NULL ? answer(flow, story)
					    : await_pg(flow, adapter->pg, story->batch);
	}
}

static enum flow_status hook_done(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct story *story = flow_state(flow);
	struct error error = {0};

	if (story->click != NULL && click_failed(story->click, &error))
		return http_reply_detail(flow, error_http_status(error.kind), "%s", error.text);
	if (story->batch != NULL && !pg_batch_ok(story->batch, &error))
		return not_now(flow, "it cannot be stored now", error.text);
	if (story->heard.kind == CRM_HEARD_INSTALL || story->heard.kind == CRM_HEARD_REMOVED)
		token_forget(tokens_get(adapter->tokens, str_from(story->portal.account.number)));
	if (story->heard.kind == CRM_HEARD_CHANGES)
		mirror_wake(adapter->mirror);
	if (story->heard.kind == CRM_HEARD_CUSTOMERS && story->batch != NULL)
		metric_add(adapter->meters.learned, (double)pg_int(story->batch, 0, 0, 0));
	return answer(flow, story);
}

static void hook_finally(struct flow *flow)
{
	struct story *story = flow_state(flow);

	click_leave(&story->click);
	if (story->has_portal)
		portal_close(&story->portal);
	json_free(&story->json);
}

static const struct flow_step hook_steps[] = {
	[HOOK_HEAR] = {"hear", hook_hear},
	[HOOK_TOKENS] = {"tokens", hook_tokens},
	[HOOK_ACT] = {"act", hook_act},
	[HOOK_DONE] = {"done", hook_done},
	{NULL, NULL},
};

const struct flow_spec hook_flow = {
	.name = "hook",
	.steps = hook_steps,
	.finally = hook_finally,
	.state_bytes = sizeof(struct story),
	.arena_max_bytes = ARENA_BYTES,
	.deadline_ms = DEADLINE_MS,
};
