/*
 * tokens: see tokens.h. One flow reads and, where it must, renews: claim, ask the token server, store.
 */
#include "tokens.h"

#include "alloc.h"
#include "attempt.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	CLAIM_SECONDS = 40, /* longer than an attempt */
	OTHERS_MS = 250,    /* how often to look whether another instance has renewed */
	STORE_AGAIN_MS = 500,
	DEADLINE_MS = 90000,
	ATTEMPT_TOKENS_MS = 20000,
};

static const char sql_read[] =
	"SELECT tokens::text, version FROM crm_oauth WHERE enterprise_number = $1 AND crm = $2";
static const char sql_claim[] =
	"UPDATE crm_oauth SET renewing_by = $3, renewing_until = now() + $4::integer * interval '1 "
	"s'"
	" WHERE enterprise_number = $1 AND crm = $2 AND version = $5::bigint"
	" AND (renewing_until IS NULL OR renewing_until < now()) RETURNING version";
static const char sql_store[] =
	"UPDATE crm_oauth SET tokens = $4::jsonb, version = version + 1, renewing_by = NULL,"
	" renewing_until = NULL, updated_at = now() WHERE enterprise_number = $1 AND crm = $2"
	" AND renewing_by = $3 AND version = $5::bigint RETURNING version";
static const char sql_release[] = "UPDATE crm_oauth SET renewing_by = NULL, renewing_until = NULL"
				  " WHERE enterprise_number = $1 AND crm = $2 AND renewing_by = $3";
static const char sql_install[] =
	"INSERT INTO crm_oauth AS o (enterprise_number, crm, tokens) VALUES ($1, $2, $3::jsonb)"
	" ON CONFLICT (enterprise_number, crm) DO UPDATE SET tokens = excluded.tokens,"
	" version = o.version + 1, renewing_by = NULL, renewing_until = NULL, updated_at = now()";
static const char sql_removed[] = "DELETE FROM crm_oauth WHERE enterprise_number = $1 AND crm = $2";

struct tokens {
	struct table *table;
};

struct tokens *tokens_new(void)
{
	struct tokens *tokens = alloc_zeroed(1, sizeof(*tokens));

	tokens->table = table_new();
	return tokens;
}

void tokens_free(struct tokens **tokens)
{
	size_t at = 0;
	void *value;

	if (*tokens == NULL)
		return;
	while (table_next((*tokens)->table, &at, NULL, &value)) {
		struct token *token = value;

		free(token->text);
		free(token);
	}
	table_free(&(*tokens)->table);
	free(*tokens);
	*tokens = NULL;
}

/* Only for enterprises that exist, so there are not more than those. */
struct token *tokens_get(struct tokens *tokens, struct str enterprise)
{
	struct token *token = table_get(tokens->table, enterprise);

	if (token != NULL)
		return token;
	token = alloc_zeroed(1, sizeof(*token));
	(void)str_copy(token->number, sizeof(token->number), enterprise);
	flow_queue_init(&token->done);
	(void)table_put(tokens->table, enterprise, token);
	return token;
}

bool token_is_there(const struct token *token)
{
	return token->known && token->text != NULL;
}

void token_forget(struct token *token)
{
	token->known = false;
}

/* -- statements ----------------------------------------------------------------------------------- */

static void put_key(struct pg_params *params, const struct adapter *adapter, const char *enterprise)
{
	pg_put_text(params, enterprise);
	pg_put_text(params, adapter->driver->code);
}

void token_put_install(struct pg_batch *batch, struct adapter *adapter, const char *enterprise,
	struct str tokens, struct arena *arena)
{
	struct pg_params params = {0};

	put_key(&params, adapter, enterprise);
	pg_put_str(&params, arena, tokens);
	pg_batch_add(batch, sql_install, &params);
}

void token_put_removed(struct pg_batch *batch, struct adapter *adapter, const char *enterprise)
{
	struct pg_params params = {0};

	put_key(&params, adapter, enterprise);
	pg_batch_add(batch, sql_removed, &params);
}

/* -- the flow --------------------------------------------------------------------------------------- */

enum {
	WORK_READ,
	WORK_TAKE,
	WORK_CLAIMED,
	WORK_STORE,
	WORK_STORED,
	WORK_STORE_AGAIN,
	WORK_RELEASED
};

struct work {
	struct token *token;
	int64_t used; /* renew unless there is a newer one; 0: only read */
	struct portal portal;
	struct attempt attempt;
	bool has_portal, has_attempt;
	struct pg_batch *batch;
};

static enum flow_status give_up(struct flow *flow, enum outcome outcome, const char *words)
{
	struct work *work = flow_state(flow);

	work->token->outcome = outcome;
	(void)str_copy(work->token->why, sizeof(work->token->why), str_from(words));
	return FLOW_END;
}

static void keep(struct token *token, struct str text, int64_t version)
{
	free(token->text);
	token->text = text.size > 0 ? alloc_text(text) : NULL;
	token->version = version;
	token->known = true;
	token->outcome = OUTCOME_DONE;
}

static enum flow_status work_read(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct work *work = flow_state(flow);
	struct pg_params params = {0};

	put_key(&params, adapter, work->token->number);
	return await_pg_query(flow, adapter->pg, &work->batch, sql_read, &params);
}

/* What the job had is out of date, or nothing has to be renewed: done. Else claim. */
static enum flow_status work_take(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct work *work = flow_state(flow);
	struct pg_params params = {0};
	struct error error;
	bool none;

	if (!pg_batch_ok(work->batch, &error))
		return give_up(flow, OUTCOME_AGAIN, "PostgreSQL does not say the tokens");
	none = pg_rows(work->batch, 0) == 0;
	keep(work->token, none ? (struct str){0} : pg_text(work->batch, 0, 0, 0),
		none ? 0 : pg_int(work->batch, 0, 0, 1));
	if (work->used == 0 || work->token->version > work->used)
		return FLOW_END;
	if (none)
		return give_up(flow, OUTCOME_LOCKED, "the application is not installed any more");
	work->used = work->token->version;
	put_key(&params, adapter, work->token->number);
	pg_put_text(&params, adapter->name);
	pg_put_int(&params, flow_arena(flow), CLAIM_SECONDS);
	pg_put_int(&params, flow_arena(flow), work->used);
	return await_pg_query(flow, adapter->pg, &work->batch, sql_claim, &params);
}

static enum flow_status work_claimed(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct work *work = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(work->batch, &error))
		return give_up(flow, OUTCOME_AGAIN, "PostgreSQL gives no claim on the tokens");
	if (pg_rows(work->batch, 0) == 0) { /* another instance is at it */
		(void)flow_goto(flow, WORK_READ);
		return await_sleep(flow, OTHERS_MS);
	}
	if (!portal_open(&work->portal, adapter, str_from(work->token->number), flow_arena(flow),
		    &error))
		return give_up(flow, OUTCOME_LOCKED, error.text);
	work->has_portal = work->has_attempt = true;
	portal_set_oauth(&work->portal, str_from(work->token->text));
	attempt_init(&work->attempt, flow, &work->portal, CRM_AUTHORIZE);
	work->attempt.time_ms = ATTEMPT_TOKENS_MS;
	attempt_start(flow, &work->attempt);
	return await_children(flow);
}

/* Stored before anybody uses it, however long that takes. */
static enum flow_status work_store(struct flow *flow)
{
	const struct adapter *adapter = flow_context(flow);
	struct work *work = flow_state(flow);
	struct pg_params params = {0};

	put_key(&params, adapter, work->token->number);
	pg_put_text(&params, adapter->name);
	if (work->attempt.outcome != OUTCOME_DONE || work->attempt.job.oauth_after.size == 0) {
		(void)give_up(flow,
			work->attempt.outcome == OUTCOME_DONE ? OUTCOME_AGAIN
							      : work->attempt.outcome,
			work->attempt.reason);
		(void)flow_goto(flow, WORK_RELEASED);
		return await_pg_query(flow, adapter->pg, &work->batch, sql_release, &params);
	}
	pg_put_str(&params, flow_arena(flow), work->attempt.job.oauth_after);
	pg_put_int(&params, flow_arena(flow), work->used);
	return await_pg_query(flow, adapter->pg, &work->batch, sql_store, &params);
}

static enum flow_status work_stored(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct work *work = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(work->batch, &error)) {
		log_error(flow_log(flow), "new tokens are not stored yet: %s", error.text);
		return await_sleep(flow, STORE_AGAIN_MS);
	}
	if (pg_rows(work->batch, 0) == 0) /* installed anew meanwhile, or stored by a lost commit */
		return flow_goto(flow, WORK_READ);
	metric_add(adapter->meters.renewals, 1);
	log_info(flow_log(flow), "tokens of enterprise %s are renewed", work->token->number);
	keep(work->token, work->attempt.job.oauth_after, pg_int(work->batch, 0, 0, 0));
	return FLOW_END;
}

static enum flow_status work_store_again(struct flow *flow)
{
	return flow_goto(flow, WORK_STORE);
}

static enum flow_status work_released(struct flow *flow)
{
	return FLOW_END; /* a claim that could not be given back runs out */
}

static void work_finally(struct flow *flow)
{
	struct work *work = flow_state(flow);
	struct token *token = work->token;

	if (flow_error(flow) != NULL)
		(void)give_up(flow, OUTCOME_AGAIN, flow_error(flow)->text);
	if (work->has_attempt)
		attempt_free(&work->attempt);
	if (work->has_portal)
		portal_close(&work->portal);
	token->work = NULL;
	(void)flow_queue_wake_all(&token->done);
}

static const struct flow_step work_steps[] = {
	[WORK_READ] = {"read", work_read},
	[WORK_TAKE] = {"take", work_take},
	[WORK_CLAIMED] = {"claimed", work_claimed},
	[WORK_STORE] = {"store", work_store},
	[WORK_STORED] = {"stored", work_stored},
	[WORK_STORE_AGAIN] = {"store-again", work_store_again},
	[WORK_RELEASED] = {"released", work_released},
	{NULL, NULL},
};

static const struct flow_spec work_flow = {
	.name = "tokens",
	.steps = work_steps,
	.finally = work_finally,
	.state_bytes = sizeof(struct work),
	.arena_max_bytes = ATTEMPT_ARENA_BYTES,
	.deadline_ms = DEADLINE_MS,
};

void token_want(struct adapter *adapter, struct token *token, int64_t used)
{
	struct work *work;

	if (token->work != NULL)
		return;
	token->known = token->text != NULL; /* until it has been read */
	token->work = flow_spawn(adapter->root, &work_flow);
	flow_set_enterprise(token->work, token->number);
	work = flow_state(token->work);
	work->token = token;
	work->used = used;
}
