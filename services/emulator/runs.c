/*
 * runs: each run is a flow: wait, send, note, again. One request at a time, because a PBX sends
 * the events of a call in order and ingest may count on it.
 */
#include "runs.h"

#include "alloc.h"
#include "clock.h"
#include "crypto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES	 (16u << 20)
#define SEND_TIMEOUT_MS	 30000
#define PRESS_TIMEOUT_MS 600000 /* nobody presses any more */
/* Of the known sequences 2-8 has the most UniqueIds: nine. */
#define MAX_CHANNELS	 9
#define MAX_BODY_BYTES	 65536
#define MAX_ANSWER_BYTES 16384 /* ingest says a few words; a hundred answers must fit the arena */

struct runs {
	struct loop *loop;
	struct runs_options options;
	struct run *first; /* newest first */
	unsigned active, kept;
	int64_t last_id;
	uint32_t channel; /* Asterisk's counter behind the dot */
};

/* The request in flight; what remains of it is copied to the run. */
struct playing {
	struct run *run;
	struct http_call call;
	struct http_answer answer;
};

static const struct pattern_step *steps_of(const struct run *run)
{
	return run->pattern->steps.items;
}

/* Stopping ends it between two events, never inside one: an event that was sent has its answer
 * noted. */
static bool is_over(const struct run *run)
{
	return run->stopping || run->count == run->pattern->steps.count;
}

static int64_t delay_of(const struct run *run, size_t step)
{
	const struct pattern_step *steps = steps_of(run);

	return steps[step].talk && run->talk_ms >= 0 ? run->talk_ms : steps[step].delay_ms;
}

/* -- what the call knows of itself ---------------------------------------------------------------- */

static struct str keep(struct run *run, const char *text)
{
	return str_from(arena_strdup(run->arena, text));
}

static struct str time_text(struct run *run, int64_t wall_ms)
{
	struct clock_civil at = clock_to_civil(wall_ms, run->zone);

	return str_from(arena_printf(run->arena, "%04d-%02d-%02d %02d:%02d:%02d", at.year, at.month,
		at.day, at.hour, at.minute, at.second));
}

/* As a PBX makes them: the second and a counter that never comes twice. */
static void name_channels(struct runs *runs, struct run *run)
{
	char uuid[CRYPTO_UUID_TEXT];

	for (int i = 1; i <= MAX_CHANNELS; i++) {
		const char *uid = arena_printf(run->arena, "%" PRId64 ".%" PRIu32,
			run->started_ms / 1000, runs->channel++);
		crypto_uuid4(uuid);
		fill_set(&run->fill, str_from(arena_printf(run->arena, "uid%d", i)), str_from(uid));
		fill_set(&run->fill, str_from(arena_printf(run->arena, "bridge%d", i)),
			keep(run, uuid));
	}
}

/* A run that is faster than life still tells lifelike times, and ends now, not in the future. */
static void set_clock(struct run *run)
{
	int64_t total_ms = 0;

	for (size_t i = 0; i < run->pattern->steps.count; i++)
		total_ms += delay_of(run, i);
	run->base_ms = run->started_ms;
	if (!run->manual)
		run->base_ms -= total_ms - total_ms / run->speed;
	fill_set(&run->fill, STR("start_time"),
		time_text(run, run->base_ms - run->pattern->lead_ms));
}

static void set_times(struct run *run, const struct pattern_step *step)
{
	int64_t now_ms = run->manual ? clock_wall_ms() : run->base_ms + run->played_ms;
	struct str now = time_text(run, now_ms);
	struct str channel = json_text(json_member(step->body, "UniqueId"));
	struct str first;

	fill_set(&run->fill, STR("now"), now);
	if (channel.size < 3)
		return;
	/* "{uid3}" gives "uid3_time", the moment when that channel was first heard of. */
	first = str_from(
		arena_printf(run->arena, "%.*s_time", (int)channel.size - 2, channel.data + 1));
	if (fill_get(&run->fill, first).size == 0)
		fill_set(&run->fill, first, now);
}

/* -- the story of a run ----------------------------------------------------------------------------- */

enum { PLAY_WAIT, PLAY_SEND, PLAY_NOTE };

static enum flow_status play_wait(struct flow *flow)
{
	struct playing *playing = flow_state(flow);
	struct run *run = playing->run;
	int64_t delay_ms;

	if (is_over(run))
		return FLOW_END;
	delay_ms = delay_of(run, run->count);
	/* The call's own clock, before `speed` shortens the wait. */
	run->played_ms += delay_ms;
	if (run->manual)
		return run->presses > 0 ? FLOW_NEXT
					: await_queue_for(flow, &run->go, PRESS_TIMEOUT_MS);
	/* From the answer on, not from the last request: as the old tester, and a PBX with one
	 * connection. */
	delay_ms /= run->speed;
	return delay_ms > 0 ? await_queue_for(flow, &run->go, delay_ms) : FLOW_NEXT;
}

static bool fill_with(struct run *run, struct str token, struct str *to, struct error *error)
{
	struct buf body;
	bool good;

	buf_init(&body, MAX_BODY_BYTES);
	fill_set(&run->fill, STR("token"), token);
	good = fill_write(&run->fill, steps_of(run)[run->count].body, &body, error);
	if (good)
		*to = str_of(arena_strndup(run->arena, body.data, body.size), body.size);
	buf_free(&body);
	return good;
}

/* Filled twice: whoever opens the page or the log sees each event, but not the token, with which he
 * could send calls of his own. */
static bool fill_body(struct run *run, struct run_step *done, struct str *sent)
{
	const struct pattern_step *step = &steps_of(run)[run->count];
	struct error error;

	*done = (struct run_step){.event = step->event, .at_ms = clock_wall_ms()};
	set_times(run, step);
	if (fill_with(run, run->token, sent, &error) &&
		fill_with(run, STR("***"), &done->body, &error))
		return true;
	done->error = arena_strdup(run->arena, error.text);
	return false;
}

static enum flow_status play_send(struct flow *flow)
{
	struct runs *runs = flow_context(flow);
	struct playing *playing = flow_state(flow);
	struct run *run = playing->run;
	struct run_step *step = &run->steps[run->count];
	struct str body;

	/* A manual run that nobody pressed for comes here by its time-out, and ends. */
	if (run->stopping || (run->manual && run->presses == 0))
		return FLOW_END;
	run->presses -= run->manual;
	/* So that an event that could not be filled is not noted with the answer of the one
	 * before. */
	playing->answer = (struct http_answer){.reach = HTTP_NOT_SENT};
	if (!fill_body(run, step, &body))
		return FLOW_NEXT;
	playing->call = (struct http_call){
		.method = "POST",
		.url = arena_printf(
			run->arena, "%s/%.*s", runs->options.target, STR_ARG(step->event)),
		.content_type = "application/json",
		.body = body,
		.headers = {{"Token", run->token.data}},
		.timeout_ms = SEND_TIMEOUT_MS,
		.max_answer_bytes = MAX_ANSWER_BYTES,
	};
	event_log_request(
		runs->options.event_log, str_from(playing->call.url), step->event, step->body);
	return await_http(flow, runs->options.http, &playing->call, &playing->answer);
}

static void note_answer(struct run *run, struct run_step *step, const struct http_answer *answer)
{
	step->took_ms = answer->took_ms;
	step->answer = str_of(
		arena_strndup(run->arena, answer->body.data, answer->body.size), answer->body.size);
	if (answer->reach != HTTP_ANSWERED) {
		step->error = arena_strdup(run->arena, answer->error.text);
		return;
	}
	step->status = answer->status;
	if (answer->status != 200)
		step->error = arena_printf(run->arena, "HTTP %d", answer->status);
}

static void log_answer(struct event_log *log, const struct run_step *step)
{
	if (step->status != 0)
		event_log_response(log, step->event, step->status, step->answer);
	else
		event_log_error(log, step->event, str_from(step->error));
	event_log_outcome(log, step->event, step->error == NULL, step->error);
}

/* A refused event does not end the call: what a receiver makes of the rest is worth seeing. */
static enum flow_status play_note(struct flow *flow)
{
	struct runs *runs = flow_context(flow);
	struct playing *playing = flow_state(flow);
	struct run *run = playing->run;
	struct run_step *step = &run->steps[run->count];

	if (step->error == NULL)
		note_answer(run, step, &playing->answer);
	log_answer(runs->options.event_log, step);
	if (step->error == NULL)
		run->sent++;
	else
		run->failed++;
	run->count++;
	flow_queue_wake_all(&run->changed);
	return flow_goto(flow, PLAY_WAIT);
}

static void play_finish(struct flow *flow)
{
	struct runs *runs = flow_context(flow);
	struct playing *playing = flow_state(flow);
	struct run *run = playing->run;

	run->state = run->count == run->pattern->steps.count ? RUN_DONE : RUN_STOPPED;
	/* The flow frees itself; the run stays, for those who look at it. */
	run->flow = NULL;
	runs->active--;
	flow_queue_wake_all(&run->changed);
}

static const struct flow_step play_steps[] = {
	[PLAY_WAIT] = {"wait", play_wait},
	[PLAY_SEND] = {"send", play_send},
	[PLAY_NOTE] = {"note", play_note},
	{NULL, NULL},
};

static const struct flow_spec play_flow = {
	.name = "play",
	.steps = play_steps,
	.finally = play_finish,
	.state_bytes = sizeof(struct playing),
	.arena_max_bytes = ARENA_BYTES,
	/* Two hours of conversation and the presses of a patient person. */
	.deadline_ms = 4LL * 3600 * 1000,
};

/* -- the runs -------------------------------------------------------------------------------------- */

struct runs *runs_new(struct loop *loop, const struct runs_options *options)
{
	struct runs *runs = alloc_zeroed(1, sizeof(*runs));

	runs->loop = loop;
	runs->options = *options;
	/* A restart within a second must not name a channel anew. */
	runs->channel = (uint32_t)(clock_wall_ms() / 10 % 100000);
	return runs;
}

static void free_run(struct run *run)
{
	clock_zone_free(&run->zone);
	arena_free(&run->arena);
	free(run);
}

void runs_free(struct runs **runs)
{
	struct run *next;

	if (*runs == NULL)
		return;
	for (struct run *run = (*runs)->first; run != NULL; run = next) {
		next = run->next;
		if (run->flow != NULL)
			flow_cancel(run->flow);
		free_run(run);
	}
	free(*runs);
	*runs = NULL;
}

/* Forget the oldest that is over and that nobody looks at. False when there is none: what plays is
 * bounded by RUNS_MAX_ACTIVE, and what is looked at by the server's connections. */
static bool forget_one(struct runs *runs)
{
	struct run **oldest = NULL, *run;

	for (struct run **at = &runs->first; *at != NULL; at = &(*at)->next) {
		if ((*at)->state != RUN_PLAYING && (*at)->watchers == 0)
			oldest = at;
	}
	if (oldest == NULL)
		return false;
	run = *oldest;
	*oldest = run->next;
	free_run(run);
	runs->kept--;
	return true;
}

/* The form's strings live in a request's arena, which ends long before the call. */
static void copy_fill(struct run *run, const struct fill *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct str name = from->names[i].name;
		name.data = arena_strndup(run->arena, name.data, name.size);
		for (size_t j = 0; j < from->names[i].count; j++) {
			struct str value = from->names[i].values[j];
			value.data = arena_strndup(run->arena, value.data, value.size);
			fill_add(&run->fill, name, value);
		}
	}
}

static struct run *new_run(struct runs *runs, const struct run_order *order)
{
	struct run *run = alloc_zeroed(1, sizeof(*run));
	char zone[64];

	str_copy(zone, sizeof(zone), order->enterprise->zone);
	run->arena = arena_new(ARENA_BYTES);
	run->id = ++runs->last_id;
	run->pattern = order->pattern;
	run->speed = order->speed;
	run->talk_ms = order->talk_ms;
	run->manual = order->manual;
	run->presses = order->manual; /* the order itself is the first press */
	run->chat_id = order->enterprise->chat_id;
	run->number = arena_strndup(
		run->arena, order->enterprise->number.data, order->enterprise->number.size);
	run->zone = clock_zone_new(zone);
	run->started_ms = clock_wall_ms();
	run->steps =
		arena_array(run->arena, order->pattern->steps.count + 1, sizeof(run->steps[0]));
	flow_queue_init(&run->go);
	flow_queue_init(&run->changed);
	copy_fill(run, order->fill);
	run->token = str_from(arena_strndup(
		run->arena, order->enterprise->token.data, order->enterprise->token.size));
	name_channels(runs, run);
	set_clock(run);
	return run;
}

struct run *runs_start(struct runs *runs, const struct run_order *order, struct error *error)
{
	struct playing *playing;
	struct run *run;

	if (runs->active >= RUNS_MAX_ACTIVE) {
		error_set(error, ERROR_BUSY, "%d calls are being played already", RUNS_MAX_ACTIVE);
		return NULL;
	}
	while (runs->kept >= RUNS_MAX_KEPT && forget_one(runs))
		continue;
	run = new_run(runs, order);
	run->next = runs->first;
	runs->first = run;
	runs->kept++;
	runs->active++;
	run->flow = flow_start(runs->loop, &play_flow, runs, &runs->options.log);
	flow_set_enterprise(run->flow, run->number);
	playing = flow_state(run->flow);
	playing->run = run;
	return run;
}

struct run *runs_find(struct runs *runs, int64_t id)
{
	struct run *run = runs->first;

	while (run != NULL && run->id != id)
		run = run->next;
	return run;
}

/* Presses are counted, so that two quick ones are two events; no more than the call has. */
void run_press(struct run *run)
{
	if (!run->manual || run->presses == run->pattern->steps.count)
		return;
	run->presses++;
	flow_queue_wake_all(&run->go);
}

void run_stop(struct run *run)
{
	run->stopping = true;
	flow_queue_wake_all(&run->go);
}

void runs_stop_all(struct runs *runs)
{
	for (struct run *run = runs->first; run != NULL; run = run->next)
		run_stop(run);
}

bool runs_idle(const struct runs *runs)
{
	return runs->active == 0;
}

struct str run_unique_id(const struct run *run)
{
	return fill_get(&run->fill, run->pattern->primary);
}
