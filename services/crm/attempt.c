/*
 * attempt: see attempt.h. The steps are crm_driver.h's: which request is next, send it, what its reply
 * means.
 */
#include "attempt.h"

#include "tokens.h"

#include <stdio.h>

enum { MAX_REQUESTS = 40, MEMORY_DEPTH = 8, LAST_MS = 200, GRACE_MS = 2000 };

enum { JOB_TOKENS, JOB_NEXT, JOB_SEND, JOB_JUDGE, JOB_RENEWED };

struct running {
	struct attempt *attempt;
	struct str memory; /* before */
};

static struct attempt *attempt_of(struct flow *flow)
{
	const struct running *running = flow_state(flow);

	return running->attempt;
}

/* -- before and after ----------------------------------------------------------------------------- */

void attempt_init(
	struct attempt *attempt, struct flow *parent, struct portal *portal, enum crm_task task)
{
	struct arena *arena = flow_arena(parent);

	*attempt = (struct attempt){
		.portal = portal, .time_ms = ATTEMPT_MS, .wait_ms = -1, .crm_success = -1};
	attempt->job = (struct crm_job){
		.task = task,
		.account = &portal->account,
		.arena = arena,
		.now_ms = clock_wall_ms(),
		.customers = arena_array(arena, CRM_MAX_FOUND, sizeof(struct crm_customer)),
		.employees = arena_array(arena, CRM_MAX_FOUND, sizeof(struct crm_employee)),
	};
	record_init(&attempt->record);
}

void attempt_free(struct attempt *attempt)
{
	record_free(&attempt->record);
}

int64_t attempt_left_ms(const struct attempt *attempt, int64_t now_ms)
{
	return attempt->until_ms - now_ms;
}

static void set_reason(struct attempt *attempt, const char *words)
{
	struct buf masked;

	buf_init(&masked, 4096);
	mask_text(&attempt->portal->mask, str_from(words), &masked);
	(void)str_copy(attempt->reason, sizeof(attempt->reason), buf_str(&masked));
	buf_free(&masked);
}

void attempt_end(struct attempt *attempt, enum outcome outcome, const char *format, ...)
{
	char words[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	attempt->over = true;
	attempt->outcome = outcome;
	set_reason(attempt, words);
}

/* The driver's own words, or ours when it has none. */
static enum flow_status end_with(
	struct attempt *attempt, enum outcome outcome, const char *otherwise)
{
	const char *why = attempt->job.why.text;

	attempt_end(attempt, outcome, "%s", why[0] != '\0' ? why : otherwise);
	return FLOW_END;
}

/* -- the steps ------------------------------------------------------------------------------------ */

static struct token *token_of(struct adapter *adapter, const struct attempt *attempt)
{
	return tokens_get(adapter->tokens, str_from(attempt->portal->account.number));
}

/* A job that gets tokens is given those that it shall renew. */
static bool needs_tokens(const struct adapter *adapter, const struct attempt *attempt)
{
	return adapter->driver->oauth && attempt->job.task != CRM_AUTHORIZE;
}

static void use_tokens(struct attempt *attempt, const struct token *token)
{
	portal_set_oauth(attempt->portal, str_from(token->text));
	attempt->version = token->version;
}

static enum flow_status job_tokens(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct attempt *attempt = attempt_of(flow);
	struct token *token;

	if (!needs_tokens(adapter, attempt))
		return FLOW_NEXT;
	token = token_of(adapter, attempt);
	if (!token_is_there(token) && attempt->renewals++ == 0) {
		token_want(adapter, token, 0);
		(void)flow_goto(flow, JOB_TOKENS);
		return await_queue(flow, &token->done);
	}
	if (!token->known) {
		attempt_end(attempt, token->outcome, "%s", token->why);
		return FLOW_END;
	}
	attempt->renewals = 0;
	use_tokens(attempt, token);
	return FLOW_NEXT;
}

static enum flow_status job_next(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct attempt *attempt = attempt_of(flow);
	struct crm_job *job = &attempt->job;

	attempt->operation = adapter->driver->next(job);
	switch (attempt->operation) {
	case CRM_DONE:
		return end_with(attempt, OUTCOME_DONE, "");
	case CRM_SKIP:
		return end_with(attempt, OUTCOME_SKIPPED, "there is nothing to tell");
	case CRM_STOP:
		return end_with(attempt, OUTCOME_LOCKED, "it is not configured for that");
	default:
		return FLOW_NEXT;
	}
}

/* Also comes here for the same operation once more, with new tokens. */
static enum flow_status job_send(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	struct attempt *attempt = attempt_of(flow);
	struct crm_request *request = arena_alloc(attempt->job.arena, sizeof(*request));

	if (attempt->requests++ >= MAX_REQUESTS)
		return end_with(attempt, OUTCOME_AGAIN, "too many requests for one job");
	if (attempt_left_ms(attempt, loop_now_ms(flow_loop(flow))) < LAST_MS)
		return end_with(attempt, OUTCOME_AGAIN, "no time is left for it");
	if (!adapter->driver->build(&attempt->job, attempt->operation, request))
		return end_with(attempt, OUTCOME_REFUSED, "the request cannot be made");
	exchange_start(flow, attempt, request);
	return await_children(flow);
}

static enum flow_status renew(struct flow *flow, struct attempt *attempt)
{
	struct adapter *adapter = flow_context(flow);
	struct token *token = token_of(adapter, attempt);

	if (!needs_tokens(adapter, attempt) || attempt->renewals++ > 0)
		return end_with(attempt, OUTCOME_LOCKED, "the tokens are refused");
	token_want(adapter, token, attempt->version);
	(void)flow_goto(flow, JOB_RENEWED);
	return await_queue(flow, &token->done);
}

static enum flow_status job_judge(struct flow *flow)
{
	struct attempt *attempt = attempt_of(flow);

	if (attempt->over)
		return FLOW_END;
	switch (attempt->verdict) {
	case CRM_WELL:
		attempt->job.done++;
		return flow_goto(flow, JOB_NEXT);
	case CRM_AGAIN:
		return end_with(attempt, OUTCOME_AGAIN, "the CRM failed");
	case CRM_SLOWER:
		return end_with(attempt, OUTCOME_SLOWER, "the CRM is over its limit");
	case CRM_EXPIRED:
		return renew(flow, attempt);
	case CRM_LOCKED:
		return end_with(attempt, OUTCOME_LOCKED, "the CRM refuses the credentials");
	case CRM_GONE:
		return end_with(attempt, OUTCOME_GONE, "the CRM wants nothing any more");
	case CRM_REFUSED:
		break;
	}
	return end_with(attempt, OUTCOME_REFUSED, "the CRM refused it");
}

static enum flow_status job_renewed(struct flow *flow)
{
	struct attempt *attempt = attempt_of(flow);
	const struct token *token = token_of(flow_context(flow), attempt);

	if (token->outcome != OUTCOME_DONE || token->version <= attempt->version) {
		bool was_busy = token->outcome == OUTCOME_DONE;

		attempt_end(attempt, was_busy ? OUTCOME_AGAIN : token->outcome, "%s",
			was_busy ? "the tokens are not renewed yet" : token->why);
		return FLOW_END;
	}
	use_tokens(attempt, token);
	attempt->job.why = (struct error){0}; /* of the expiry, which is mended */
	return flow_goto(flow, JOB_SEND);
}

static const struct flow_step job_steps[] = {
	[JOB_TOKENS] = {"tokens", job_tokens},
	[JOB_NEXT] = {"next", job_next},
	[JOB_SEND] = {"send", job_send},
	[JOB_JUDGE] = {"judge", job_judge},
	[JOB_RENEWED] = {"renewed", job_renewed},
	{NULL, NULL},
};

/* -- the end ---------------------------------------------------------------------------------------- */

/* What a driver wants to remember has to be an object, and small: else the old stays. */
static void check_memory(struct flow *flow, struct attempt *attempt, struct str before)
{
	struct json *json = NULL;

	if (attempt->job.memory.size <= CRM_MEMORY_MAX)
		json = json_parse(attempt->job.memory,
			(struct json_limits){CRM_MEMORY_MAX, MEMORY_DEPTH}, NULL);
	if (json_kind(json) != JSON_OBJECT) {
		if (attempt->job.memory.size > 0)
			log_error(flow_log(flow), "job %s: its memory is no object, or too large",
				crm_task_name(attempt->job.task));
		attempt->job.memory = before;
	}
	json_free(&json);
}

static void job_finally(struct flow *flow)
{
	struct adapter *adapter = flow_context(flow);
	const struct running *running = flow_state(flow);
	struct attempt *attempt = running->attempt;

	adapter->jobs--;
	metric_set(adapter->meters.jobs, adapter->jobs);
	if (!attempt->over)
		attempt_end(attempt, OUTCOME_AGAIN, "%s",
			flow_error(flow) != NULL ? flow_error(flow)->text : "cancelled");
	attempt->took_ms = loop_now_ms(flow_loop(flow)) - attempt->begun_ms;
	check_memory(flow, attempt, running->memory);
	metric_add(adapter->meters.outcomes[attempt->outcome], 1);
	if (attempt->outcome != OUTCOME_DONE && attempt->outcome != OUTCOME_SKIPPED)
		log_warn(flow_log(flow), "%s: %s: %s", crm_task_name(attempt->job.task),
			outcome_name(attempt->outcome), attempt->reason);
}

static const struct flow_spec job_flow = {
	.name = "job",
	.steps = job_steps,
	.finally = job_finally,
	.state_bytes = sizeof(struct running),
	.deadline_ms = ATTEMPT_MS + GRACE_MS,
};

void attempt_start(struct flow *parent, struct attempt *attempt)
{
	struct adapter *adapter = flow_context(parent);
	struct flow *flow = flow_spawn(parent, &job_flow);
	struct running *running = flow_state(flow);

	running->attempt = attempt;
	running->memory = attempt->job.memory;
	attempt->begun_ms = loop_now_ms(flow_loop(parent));
	attempt->until_ms = attempt->begun_ms + attempt->time_ms;
	attempt->job.own =
		arena_alloc(attempt->job.arena, adapter->driver->own_bytes + 1); /* may be 0 */
	flow_set_deadline(flow, attempt->time_ms + GRACE_MS);
	flow_set_enterprise(flow, attempt->portal->account.number);
	adapter->jobs++;
	metric_set(adapter->meters.jobs, adapter->jobs);
}
