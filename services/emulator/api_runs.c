/*
 * api_runs: a run is followed (Server-Sent Events), pressed on and stopped. The page holds
 * nothing: reloaded, or opened by a second person, it sees the same run from its first step.
 */
#include "emulator.h"

#define PING_MS 15000

/* "12/events": the run and what is wanted of it; NULL: the request is answered. */
static struct run *find_run(struct flow *flow, struct str *action)
{
	struct emulator *emulator = flow_context(flow);
	struct run *run = NULL;
	int64_t id;

	*action = http_request(flow)->tail;
	if (str_to_int64(str_cut(action, '/'), &id))
		run = runs_find(emulator->runs, id);
	if (run == NULL)
		http_reply_detail(flow, 404, "no such run");
	return run;
}

/* `told` counts steps that were sent, so that a reader who comes late gets all of them first. */
struct watching {
	struct run *run;
	size_t told; /* steps */
	bool is_last;
};

enum { WATCH_OPEN, WATCH_TELL, WATCH_WAIT };

static enum flow_status open_stream(struct flow *flow)
{
	struct watching *watching = flow_state(flow);
	struct str action;
	struct run *run = find_run(flow, &action);

	if (run == NULL)
		return FLOW_END;
	if (!str_equal(action, STR("events")))
		return http_reply_detail(flow, 404, "Not Found");
	watching->run = run;
	run->watchers++;
	http_reply_header(flow, "Cache-Control", "no-store");
	http_stream_begin(flow, "text/event-stream");
	return FLOW_NEXT;
}

static enum flow_status tell(struct flow *flow)
{
	struct watching *watching = flow_state(flow);
	enum flow_status status;
	struct buf piece;

	/* A run's arena bounds what there can be to tell. */
	buf_init(&piece, 8u << 20);
	/* Read before the run is written: when it ends while this piece is on its way, another
	 * one follows. */
	watching->is_last = watching->run->state != RUN_PLAYING;
	buf_add(&piece, STR("event: run\ndata: "));
	run_write(watching->run, watching->told, &piece);
	buf_add(&piece, STR("\n\n"));
	watching->told = watching->run->count;
	status = await_http_stream(flow, buf_str(&piece));
	buf_free(&piece);
	return status;
}

static enum flow_status wait_for_step(struct flow *flow)
{
	struct watching *watching = flow_state(flow);

	if (watching->is_last)
		return FLOW_END;
	flow_goto(flow, WATCH_TELL);
	/* A wake-up while the piece was on its way found nobody waiting. */
	if (watching->run->count != watching->told || watching->run->state != RUN_PLAYING)
		return FLOW_NEXT;
	return await_queue_for(flow, &watching->run->changed, PING_MS);
}

static void let_go(struct flow *flow)
{
	struct watching *watching = flow_state(flow);

	if (watching->run != NULL)
		watching->run->watchers--;
}

static const struct flow_step watch_steps[] = {
	[WATCH_OPEN] = {"open", open_stream},
	[WATCH_TELL] = {"tell", tell},
	[WATCH_WAIT] = {"wait", wait_for_step},
	{NULL, NULL},
};

const struct flow_spec api_run_events_flow = {
	.name = "watch_run",
	.steps = watch_steps,
	.finally = let_go,
	.state_bytes = sizeof(struct watching),
	.deadline_ms = 4LL * 3600 * 1000,
};

static enum flow_status act(struct flow *flow)
{
	struct str action;
	struct run *run = find_run(flow, &action);

	if (run == NULL)
		return FLOW_END;
	if (str_equal(action, STR("next")))
		run_press(run);
	else if (str_equal(action, STR("stop")))
		run_stop(run);
	else
		return http_reply_detail(flow, 404, "Not Found");
	return http_reply(flow, 200, "application/json", STR("{\"ok\":true}"));
}

const struct flow_spec api_run_action_flow = ONE_STEP("run_action", act);
