/*
 * reload: see reload.h.
 */
#include "reload.h"

#define RELOAD_ONE_MS 3000
#define RELOAD_ALL_MS 30000

struct reload {
	unsigned ticket;
};

static enum flow_status reload_wait(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct reload *reload = flow_state(flow);

	if (accounts_done(cache->accounts, reload->ticket))
		return FLOW_END;
	flow_goto(flow, 0);
	return await_queue(flow, accounts_loaded(cache->accounts));
}

static const struct flow_step reload_steps[] = {
	{"wait", reload_wait},
	{NULL, NULL},
};

static const struct flow_spec reload_flow = {
	.name = "reload",
	.steps = reload_steps,
	.state_bytes = sizeof(struct reload),
	.deadline_ms = RELOAD_ALL_MS,
};

enum flow_status await_reload(struct flow *flow, struct str number)
{
	const struct integration_cache *cache = flow_context(flow);
	struct flow *child = flow_spawn(flow, &reload_flow);
	struct reload *reload = flow_state(child);

	reload->ticket = accounts_want(cache->accounts, number);
	flow_set_deadline(child, number.size > 0 ? RELOAD_ONE_MS : RELOAD_ALL_MS);
	return await_children(flow);
}

bool reload_failed(struct flow *flow)
{
	return flow_failed_children(flow) > 0;
}
