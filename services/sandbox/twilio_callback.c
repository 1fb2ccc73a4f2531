/*
 * twilio_callback: status callbacks: posted beside the call or text that they tell of, late, out of
 * order and twice if the switches say so, and never again when they fail.
 */
#include "twilio_hook.h"

#include "crypto.h"

enum { CALLBACK_WAIT, CALLBACK_ASK, CALLBACK_READ, CALLBACK_AGAIN };

struct callback {
	struct twilio *twilio;
	struct twilio_hook hook;
	int64_t delay_ms, resets;
	unsigned left; /* times to post */
};

static enum flow_status callback_wait(struct flow *flow)
{
	return await_sleep(flow, ((struct callback *)flow_state(flow))->delay_ms);
}

static enum flow_status callback_ask(struct flow *flow)
{
	struct callback *callback = flow_state(flow);

	/* It belongs to a world that was forgotten. */
	if (callback->resets != callback->twilio->sandbox->resets)
		return FLOW_END;
	return await_twilio_hook(flow, callback->twilio, &callback->hook);
}

static enum flow_status callback_read(struct flow *flow)
{
	struct callback *callback = flow_state(flow);

	if (callback->resets != callback->twilio->sandbox->resets)
		return FLOW_END;
	if (twilio_hook_follow(flow, callback->twilio, &callback->hook))
		return flow_goto(flow, CALLBACK_ASK);
	twilio_hook_read(flow, callback->twilio, &callback->hook);
	return FLOW_NEXT;
}

static enum flow_status callback_again(struct flow *flow)
{
	struct callback *callback = flow_state(flow);

	if (--callback->left == 0)
		return FLOW_END;
	callback->delay_ms = callback->twilio->switches.delay_ms;
	return flow_goto(flow, CALLBACK_WAIT);
}

static const struct flow_spec callback_flow = {
	.name = "twilio_callback",
	.steps =
		(const struct flow_step[]){
			[CALLBACK_WAIT] = {"wait", callback_wait},
			[CALLBACK_ASK] = {"ask", callback_ask},
			[CALLBACK_READ] = {"read", callback_read},
			[CALLBACK_AGAIN] = {"again", callback_again},
			{NULL, NULL},
		},
	.state_bytes = sizeof(struct callback),
	.arena_max_bytes = 4u << 20,
	.deadline_ms = 300000,
};

static int64_t shuffled(int64_t delay_ms, int64_t within_ms)
{
	uint32_t random;

	crypto_random(&random, sizeof(random));
	return delay_ms + random % (uint64_t)(4 * within_ms + 1);
}

void twilio_callback_send(struct twilio *twilio, const struct twilio_callback *from)
{
	struct sandbox *sandbox = twilio->sandbox;
	struct callback *callback;
	struct flow *flow;
	struct arena *arena;

	if (from->url == NULL || from->url[0] == '\0' || sandbox->draining)
		return;
	flow = flow_start(service_loop(sandbox->service), &callback_flow, sandbox,
		service_log(sandbox->service));
	callback = flow_state(flow);
	arena = flow_arena(flow);
	*callback = (struct callback){
		.twilio = twilio,
		.hook = {.kind = HOOK_CALLBACK,
			.method = "POST",
			.url = arena_strdup(arena, from->url),
			.account_sid = arena_strdup(arena, from->account_sid),
			.resource = arena_strdup(arena, from->sid)},
		.delay_ms = twilio->switches.order == TWILIO_SHUFFLED
				    ? shuffled(from->delay_ms, twilio->switches.delay_ms)
				    : from->delay_ms,
		.resets = sandbox->resets,
		.left = twilio->switches.twice ? 2 : 1,
	};
	for (size_t i = 0; i < from->form->count; i++)
		twilio_form_put(&callback->hook.form, arena,
			arena_strndup(arena, from->form->fields[i].name.data,
				from->form->fields[i].name.size),
			from->form->fields[i].value);
}
