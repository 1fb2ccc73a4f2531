/*
 * follow: see follow.h. A round, from one good reading to the next notice, is a flow of its own: failed
 * children are counted over a flow's whole life.
 */
#include "follow.h"

#include "alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
	GATHER_MS = 50,	   /* a script that changes a hundred rows costs one reading */
	AGAIN_MS = 500,	   /* after a failure */
	ANYWAY_MS = 60000, /* should a notice ever be lost */
};

struct follow {
	struct follow_options options;
	struct flow *flow; /* NULL: it was cancelled with all others */
};

/* The context of these flows is the owner's, for his own flow's sake. */
static struct follow *of(struct flow *flow)
{
	struct follow *const *state = flow_state(flow);

	return *state;
}

static void give(struct flow *flow, struct follow *follow)
{
	struct follow **state = flow_state(flow);

	*state = follow;
}

enum { ROUND_SCHEMA, ROUND_LOAD, ROUND_LOADED, ROUND_WAIT, ROUND_NOTICED };

static enum flow_status round_schema(struct flow *flow)
{
	return await_schema(flow, of(flow)->options.schema, ANYWAY_MS);
}

/* What was noticed until now is in what is read now. */
static enum flow_status round_load(struct flow *flow)
{
	const struct follow_options *options = &of(flow)->options;
	struct pg_notice notice;

	if (schema_why_not(options->schema) != NULL)
		return flow_goto(flow, ROUND_SCHEMA);
	while (pg_listen_take(options->listen, &notice))
		;
	flow_spawn(flow, options->load);
	return await_children(flow);
}

/* A reading that failed is tried again by the next round. */
static enum flow_status round_loaded(struct flow *flow)
{
	if (flow_failed_children(flow) == 0)
		return FLOW_NEXT;
	return flow_fail(flow, ERROR_UPSTREAM, "not read: the copy before stays in use");
}

static enum flow_status round_wait(struct flow *flow)
{
	return await_pg_notice(flow, of(flow)->options.listen, ANYWAY_MS);
}

/* An empty payload is a new connection: anything may have changed before it. */
static bool counts(const struct follow_options *options, const char *table)
{
	bool found = options->tables == NULL || table[0] == '\0';

	for (size_t i = 0; !found && options->tables[i] != NULL; i++)
		found = strcmp(options->tables[i], table) == 0;
	return found;
}

static enum flow_status round_noticed(struct flow *flow)
{
	const struct follow_options *options = &of(flow)->options;
	struct pg_notice notice;
	bool ours = flow_timed_out(flow);

	while (pg_listen_take(options->listen, &notice))
		ours = ours || counts(options, notice.payload);
	return ours ? FLOW_END : flow_goto(flow, ROUND_WAIT);
}

static const struct flow_step round_steps[] = {
	[ROUND_SCHEMA] = {"schema", round_schema},
	[ROUND_LOAD] = {"load", round_load},
	[ROUND_LOADED] = {"loaded", round_loaded},
	[ROUND_WAIT] = {"wait", round_wait},
	[ROUND_NOTICED] = {"noticed", round_noticed},
	{NULL, NULL},
};

static const struct flow_spec round_flow = {
	.name = "follow-round",
	.steps = round_steps,
	.state_bytes = sizeof(struct follow *),
	.deadline_ms = FLOW_FOREVER,
};

/* -- one round after the other ---------------------------------------------------------------------- */

struct following {
	struct follow *follow; /* first: of() reads it */
	unsigned failed;       /* rounds, over the whole life */
};

static enum flow_status follow_round(struct flow *flow)
{
	give(flow_spawn(flow, &round_flow), of(flow));
	return await_children(flow);
}

static enum flow_status follow_rest(struct flow *flow)
{
	struct following *following = flow_state(flow);
	bool failed = flow_failed_children(flow) > following->failed;

	following->failed = flow_failed_children(flow);
	flow_goto(flow, 0);
	return await_sleep(flow, failed ? AGAIN_MS : GATHER_MS);
}

static void follow_finally(struct flow *flow)
{
	of(flow)->flow = NULL;
}

static const struct flow_step follow_steps[] = {
	{"round", follow_round},
	{"rest", follow_rest},
	{NULL, NULL},
};

static const struct flow_spec follow_flow = {
	.name = "follow",
	.steps = follow_steps,
	.finally = follow_finally,
	.state_bytes = sizeof(struct following),
	.deadline_ms = FLOW_FOREVER,
};

struct follow *follow_start(struct loop *loop, const struct follow_options *options)
{
	struct follow *follow = alloc_zeroed(1, sizeof(*follow));

	follow->options = *options;
	follow->flow = flow_start(loop, &follow_flow, options->context, &options->log);
	give(follow->flow, follow);
	return follow;
}

void follow_stop(struct follow **follow)
{
	if (*follow == NULL)
		return;
	if ((*follow)->flow != NULL)
		flow_cancel((*follow)->flow);
	free(*follow);
	*follow = NULL;
}
