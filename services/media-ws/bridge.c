/*
 * bridge: the state machine of one call. The table at the end is the whole of it: what each state does
 * with each event. What is said lies in bridge_say.c, what is heard in bridge_hear.c.
 *
 * An engine's functions are never called inside a function that the engine called: bridge_finish() and
 * the like only note what is to happen, the next tick does it.
 */
#include "bridge_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_DATA = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_BROKEN = 1011
};

static const char *const state_names[BRIDGE_STATES] = {
	"waiting", "opening", "open", "finishing", "storing", "closing", "closed"};

const char *bridge_state_name(enum bridge_state state)
{
	return state_names[state];
}

int64_t bridge_now_ms(const struct bridge *bridge)
{
	return bridge->world->now_ms(bridge->context);
}

struct loop *bridge_loop(const struct bridge *bridge)
{
	return bridge->loop;
}

const struct log_context *bridge_log(const struct bridge *bridge)
{
	return &bridge->log;
}

bool bridge_over(const struct bridge *bridge)
{
	return bridge->state == BRIDGE_CLOSED;
}

/* The one place that changes a state. */
static void enter(struct bridge *bridge, enum bridge_state state)
{
	log_debug(&bridge->log, "%s -> %s", state_names[bridge->state], state_names[state]);
	bridge->state = state;
	bridge->state_ms = bridge_now_ms(bridge);
}

/* -- the ways to the end ------------------------------------------------------------------------- */

static void set_end(struct bridge *bridge, enum engine_end end, struct str to, const char *reason)
{
	bridge->ending = true;
	bridge->end = end;
	(void)str_copy(bridge->end_to, sizeof(bridge->end_to), to);
	(void)str_copy(bridge->end_reason, sizeof(bridge->end_reason), str_from(reason));
}

static void close_engine(struct bridge *bridge)
{
	struct engine *engine = bridge->engine;

	bridge_forget_tools(bridge);
	bridge_drop_queue(bridge);
	bridge->engine = NULL;
	if (engine != NULL)
		bridge->driver->close(engine);
}

/* The socket goes; its `closed` comes later, unless it went by itself. */
static void close_leg(struct bridge *bridge, int code, const char *words)
{
	if (bridge->gone) {
		enter(bridge, BRIDGE_CLOSED);
		return;
	}
	enter(bridge, BRIDGE_CLOSING);
	bridge->world->close(bridge->leg, code, words);
}

static void on_stored(struct bridge *bridge, const struct bridge_event *event)
{
	close_leg(bridge, bridge->close_code, bridge->end_reason);
}

/* The engine goes first: nobody speaks any more. Then the outcome, then the socket: hooks answers
 * Twilio's question by what lies in voice_calls (P22: the one place that ends a call). */
static void store_end(struct bridge *bridge)
{
	close_engine(bridge);
	metric_add(bridge->meters->ends[bridge->end], 1);
	log_info(&bridge->log, "the call goes on to %s: %s",
		(const char *const[]){"its end", "a person", "a message", "the menu"}[bridge->end],
		bridge->end_reason);
	enter(bridge, BRIDGE_STORING);
	if (bridge->recorded)
		bridge->world->store(bridge);
	else
		on_stored(bridge, NULL);
}

/* Something outside the engine ends the call. */
static void end_call(struct bridge *bridge, enum engine_end end, const char *reason)
{
	set_end(bridge, end, (struct str){0}, reason);
	store_end(bridge);
}

/* Before anybody had the call: nothing to store. */
static void refuse(struct bridge *bridge, const struct bridge_event *event)
{
	metric_add(bridge->meters->refused[event->refusal], 1);
	log_warn(&bridge->log, "a stream is refused (%s): %s", refusal_name(event->refusal),
		event->words);
	close_leg(bridge, event->code, event->words);
}

/* -- what an engine asks for --------------------------------------------------------------------- */

void bridge_finish(struct bridge *bridge, const struct engine_outcome *outcome)
{
	char reason[sizeof(bridge->end_reason)];

	if (bridge->state != BRIDGE_OPEN)
		return;
	(void)str_copy(reason, sizeof(reason), outcome->reason);
	(void)bridge_say_end(bridge);
	set_end(bridge, outcome->end, outcome->to, reason);
	enter(bridge, BRIDGE_FINISHING);
}

void bridge_failed(struct bridge *bridge, const char *format, ...)
{
	char reason[sizeof(bridge->end_reason)];
	va_list arguments;

	if (bridge->state != BRIDGE_OPEN && bridge->state != BRIDGE_FINISHING)
		return;
	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	log_warn(&bridge->log, "engine %s: %s", bridge->driver->name, reason);
	/* What was decided stays decided: only its last words are lost. */
	if (!bridge->ending)
		set_end(bridge, ENGINE_MESSAGE, (struct str){0}, reason);
	bridge->hurry = true;
	enter(bridge, BRIDGE_FINISHING);
}

void bridge_heard(struct bridge *bridge)
{
	if ((bridge->driver->flags & ENGINE_SILENT) == 0)
		bridge->owed_ms = bridge_now_ms(bridge);
}

void bridge_heard_nothing(struct bridge *bridge)
{
	bridge->owed_ms = 0;
}

void bridge_turn(struct bridge *bridge, const struct engine_turn *turn)
{
	if (turn->user_text.size > 0 && turn->reply_text.size == 0 && turn->error.size == 0 &&
		bridge->state == BRIDGE_OPEN && !bridge_speaking(bridge))
		bridge_heard(bridge);
	if (!bridge->recorded || turn->turn > BRIDGE_TURNS)
		return;
	if (turn->turn > bridge->turns)
		bridge->turns = turn->turn;
	bridge->world->turn(bridge, turn);
}

/* -- events -------------------------------------------------------------------------------------- */

static void ignore(struct bridge *bridge, const struct bridge_event *event)
{
}

static void on_start(struct bridge *bridge, const struct bridge_event *event)
{
	const struct media_message *start = event->message;

	if (!str_copy(bridge->stream_sid, sizeof(bridge->stream_sid), start->stream_sid) ||
		!str_copy(bridge->call_sid, sizeof(bridge->call_sid), start->call_sid) ||
		start->call_sid.size == 0) {
		refuse(bridge, &(struct bridge_event){.code = CLOSE_DATA,
				       .refusal = REFUSED_JSON,
				       .words = "callSid or streamSid is too long"});
		return;
	}
	bridge->sequence = start->sequence;
	bridge->log.call = bridge->call_sid;
	enter(bridge, BRIDGE_OPENING);
	bridge->world->admit(bridge, start);
}

static void on_early_media(struct bridge *bridge, const struct bridge_event *event)
{
	bridge_hear_early(bridge, event->message);
}

static void open_engine(struct bridge *bridge, const struct bridge_event *event)
{
	struct error error = {.kind = ERROR_NONE};
	struct engine *engine;

	bridge->call = event->call;
	bridge->driver = event->driver;
	bridge->log.enterprise = event->call->enterprise;
	enter(bridge, BRIDGE_OPEN);
	bridge->came_ms = bridge->state_ms;
	metric_add(bridge->meters->streams_total, 1);
	log_info(&bridge->log, "engine %s takes the call", bridge->driver->name);
	bridge->world->opened(bridge);
	bridge_heard(bridge); /* a greeting is owed */
	engine = bridge->driver->open(bridge, bridge->setup, event->call, &error);
	bridge->engine = engine;
	if (engine == NULL)
		bridge_failed(bridge, "%s", error.text);
	else
		bridge_hear_kept(bridge);
}

static void hang_up_early(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->world->unadmit(bridge);
	close_leg(bridge, CLOSE_NORMAL, "the call is over");
}

static void refuse_opening(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->world->unadmit(bridge);
	refuse(bridge, event);
}

static void on_media(struct bridge *bridge, const struct bridge_event *event)
{
	bridge_hear_message(bridge, event->message);
}

static void on_mark(struct bridge *bridge, const struct bridge_event *event)
{
	bridge_on_mark(bridge, event->message->name);
}

static void on_digit(struct bridge *bridge, const struct bridge_event *event)
{
	if (bridge->engine != NULL && bridge->driver->digit != NULL)
		bridge->driver->digit(bridge->engine, event->message->digit);
}

/* The caller has hung up, whatever was to come: no person is called for him any more. */
static void on_stop(struct bridge *bridge, const struct bridge_event *event)
{
	end_call(bridge, ENGINE_HANGUP, "the caller hung up");
}

/* In the middle of a call the peer says what it cannot mean: its caller may leave a message. */
static void on_wrong(struct bridge *bridge, const struct bridge_event *event)
{
	metric_add(bridge->meters->refused[event->refusal], 1);
	log_warn(&bridge->log, "the stream is closed (%s): %s", refusal_name(event->refusal),
		event->words);
	bridge->close_code = event->code;
	if (bridge->ending)
		store_end(bridge);
	else
		end_call(bridge, ENGINE_MESSAGE, event->words);
}

static void on_end(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->close_code = CLOSE_AWAY;
	if (bridge->ending)
		store_end(bridge);
	else
		end_call(bridge, ENGINE_MESSAGE, "media-ws ends");
}

static void end_unopened(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->world->unadmit(bridge);
	close_leg(bridge, CLOSE_AWAY, "media-ws ends");
}

static void gone(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->gone = true;
	enter(bridge, BRIDGE_CLOSED);
}

static void gone_opening(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->world->unadmit(bridge);
	gone(bridge, event);
}

/* No stop came: perhaps only the socket broke. No outcome means: a recording. */
static void gone_open(struct bridge *bridge, const struct bridge_event *event)
{
	log_warn(&bridge->log, "the stream broke: %s", event->words);
	metric_add(bridge->meters->lost, 1);
	close_engine(bridge);
	gone(bridge, event);
}

static void gone_finishing(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->gone = true;
	store_end(bridge);
}

static void gone_storing(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->gone = true;
}

/* A frame of the caller while the goodbye plays: the stream lives, nobody listens. */
static void on_late_media(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->came_ms = bridge_now_ms(bridge);
}

static void out_of_order(struct bridge *bridge, const struct bridge_event *event)
{
	bridge_event(bridge, &(struct bridge_event){.kind = BRIDGE_ON_WRONG,
				     .code = CLOSE_PROTOCOL,
				     .refusal = REFUSED_ORDER,
				     .words = "a message that cannot come now"});
}

typedef void on_event_fn(struct bridge *bridge, const struct bridge_event *event);

static on_event_fn *const table[BRIDGE_STATES][BRIDGE_EVENTS] = {
	[BRIDGE_WAITING] =
		{
			[BRIDGE_ON_START] = on_start,
			[BRIDGE_ON_MEDIA] = out_of_order,
			[BRIDGE_ON_MARK] = out_of_order,
			[BRIDGE_ON_DIGIT] = out_of_order,
			[BRIDGE_ON_STOP] = out_of_order,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = refuse,
			[BRIDGE_ON_GONE] = gone,
			[BRIDGE_ON_ADMITTED] = ignore,
			[BRIDGE_ON_REFUSED] = ignore,
			[BRIDGE_ON_STORED] = ignore,
			[BRIDGE_ON_END] = end_unopened,
		},
	[BRIDGE_OPENING] =
		{
			[BRIDGE_ON_START] = out_of_order,
			[BRIDGE_ON_MEDIA] = on_early_media,
			[BRIDGE_ON_MARK] = ignore,
			[BRIDGE_ON_DIGIT] = ignore,
			[BRIDGE_ON_STOP] = hang_up_early,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = refuse_opening,
			[BRIDGE_ON_GONE] = gone_opening,
			[BRIDGE_ON_ADMITTED] = open_engine,
			[BRIDGE_ON_REFUSED] = refuse,
			[BRIDGE_ON_STORED] = ignore,
			[BRIDGE_ON_END] = end_unopened,
		},
	[BRIDGE_OPEN] =
		{
			[BRIDGE_ON_START] = out_of_order,
			[BRIDGE_ON_MEDIA] = on_media,
			[BRIDGE_ON_MARK] = on_mark,
			[BRIDGE_ON_DIGIT] = on_digit,
			[BRIDGE_ON_STOP] = on_stop,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = on_wrong,
			[BRIDGE_ON_GONE] = gone_open,
			[BRIDGE_ON_ADMITTED] = ignore,
			[BRIDGE_ON_REFUSED] = ignore,
			[BRIDGE_ON_STORED] = ignore,
			[BRIDGE_ON_END] = on_end,
		},
	[BRIDGE_FINISHING] =
		{
			[BRIDGE_ON_START] = out_of_order,
			[BRIDGE_ON_MEDIA] = on_late_media,
			[BRIDGE_ON_MARK] = on_mark,
			[BRIDGE_ON_DIGIT] = ignore,
			[BRIDGE_ON_STOP] = on_stop,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = on_wrong,
			[BRIDGE_ON_GONE] = gone_finishing,
			[BRIDGE_ON_ADMITTED] = ignore,
			[BRIDGE_ON_REFUSED] = ignore,
			[BRIDGE_ON_STORED] = ignore,
			[BRIDGE_ON_END] = on_end,
		},
	[BRIDGE_STORING] =
		{
			[BRIDGE_ON_START] = ignore,
			[BRIDGE_ON_MEDIA] = ignore,
			[BRIDGE_ON_MARK] = ignore,
			[BRIDGE_ON_DIGIT] = ignore,
			[BRIDGE_ON_STOP] = ignore,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = ignore,
			[BRIDGE_ON_GONE] = gone_storing,
			[BRIDGE_ON_ADMITTED] = ignore,
			[BRIDGE_ON_REFUSED] = ignore,
			[BRIDGE_ON_STORED] = on_stored,
			[BRIDGE_ON_END] = ignore,
		},
	[BRIDGE_CLOSING] =
		{
			[BRIDGE_ON_START] = ignore,
			[BRIDGE_ON_MEDIA] = ignore,
			[BRIDGE_ON_MARK] = ignore,
			[BRIDGE_ON_DIGIT] = ignore,
			[BRIDGE_ON_STOP] = ignore,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = ignore,
			[BRIDGE_ON_GONE] = gone,
			[BRIDGE_ON_ADMITTED] = ignore,
			[BRIDGE_ON_REFUSED] = ignore,
			[BRIDGE_ON_STORED] = ignore,
			[BRIDGE_ON_END] = ignore,
		},
	[BRIDGE_CLOSED] =
		{
			[BRIDGE_ON_START] = ignore,
			[BRIDGE_ON_MEDIA] = ignore,
			[BRIDGE_ON_MARK] = ignore,
			[BRIDGE_ON_DIGIT] = ignore,
			[BRIDGE_ON_STOP] = ignore,
			[BRIDGE_ON_OTHER] = ignore,
			[BRIDGE_ON_WRONG] = ignore,
			[BRIDGE_ON_GONE] = ignore,
			[BRIDGE_ON_ADMITTED] = ignore,
			[BRIDGE_ON_REFUSED] = ignore,
			[BRIDGE_ON_STORED] = ignore,
			[BRIDGE_ON_END] = ignore,
		},
};

/* Every message of a stream names it and is younger than the one before. */
static bool belongs(struct bridge *bridge, const struct bridge_event *event)
{
	struct bridge_event wrong = {.kind = BRIDGE_ON_WRONG};

	if (bridge->state == BRIDGE_WAITING || event->message == NULL ||
		event->kind == BRIDGE_ON_OTHER)
		return true;
	if (!str_equal(event->message->stream_sid, str_from(bridge->stream_sid))) {
		wrong.code = CLOSE_POLICY;
		wrong.refusal = REFUSED_STREAM;
		wrong.words = "a message of another stream";
	} else if (event->message->sequence <= bridge->sequence) {
		wrong.code = CLOSE_PROTOCOL;
		wrong.refusal = REFUSED_ORDER;
		wrong.words = "a message out of order";
	} else {
		bridge->sequence = event->message->sequence;
		return true;
	}
	table[bridge->state][BRIDGE_ON_WRONG](bridge, &wrong);
	return false;
}

void bridge_event(struct bridge *bridge, const struct bridge_event *event)
{
	if (belongs(bridge, event))
		table[bridge->state][event->kind](bridge, event);
	bridge_tell_cuts(bridge);
}

/* -- time ---------------------------------------------------------------------------------------- */

static void watch_waiting(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > BRIDGE_START_MS)
		refuse(bridge, &(struct bridge_event){.code = CLOSE_POLICY,
				       .refusal = REFUSED_NO_START,
				       .words = "no start came"});
}

static void watch_opening(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > BRIDGE_OPENING_MS)
		refuse_opening(bridge, &(struct bridge_event){.code = CLOSE_BROKEN,
					       .refusal = REFUSED_UPSTREAM,
					       .words = "the call could not be looked up in time"});
}

static void watch_open(struct bridge *bridge, int64_t for_ms)
{
	int64_t now = bridge_now_ms(bridge);

	if (bridge->owed_ms != 0 && bridge_speaking(bridge))
		bridge->owed_ms = now;
	if (now - bridge->came_ms > BRIDGE_SILENT_MS)
		end_call(bridge, ENGINE_MESSAGE, "no audio came from Twilio");
	else if (bridge->owed_ms != 0 && now - bridge->owed_ms > BRIDGE_THINK_MS)
		end_call(bridge, ENGINE_MESSAGE, "the engine had nothing to say");
	else if (for_ms > BRIDGE_LONGEST_MS)
		end_call(bridge, ENGINE_HANGUP, "the longest that a call may take");
}

static void watch_finishing(struct bridge *bridge, int64_t for_ms)
{
	if (bridge->hurry || !bridge_speaking(bridge))
		store_end(bridge);
}

static void watch_storing(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > 2 * BRIDGE_STORE_MS)
		on_stored(bridge, NULL);
}

static void watch_closing(struct bridge *bridge, int64_t for_ms)
{
	if (for_ms > BRIDGE_CLOSE_MS)
		enter(bridge, BRIDGE_CLOSED);
}

void bridge_tick(struct bridge *bridge)
{
	static void (*const watches[BRIDGE_STATES])(struct bridge * bridge, int64_t for_ms) = {
		[BRIDGE_WAITING] = watch_waiting,
		[BRIDGE_OPENING] = watch_opening,
		[BRIDGE_OPEN] = watch_open,
		[BRIDGE_FINISHING] = watch_finishing,
		[BRIDGE_STORING] = watch_storing,
		[BRIDGE_CLOSING] = watch_closing,
	};
	int64_t now = bridge_now_ms(bridge);

	if (bridge->state == BRIDGE_OPEN && bridge->driver->tick != NULL)
		bridge->driver->tick(bridge->engine);
	bridge_pump(bridge);
	bridge_check_marks(bridge, now);
	bridge_tell_cuts(bridge);
	if (watches[bridge->state] != NULL)
		watches[bridge->state](bridge, now - bridge->state_ms);
}

void bridge_init(struct bridge *bridge)
{
	bridge->state_ms = bridge_now_ms(bridge);
	bridge->heard_ms = -1;
	bridge->close_code = CLOSE_NORMAL;
	bridge->generation = 1;
	buf_init(&bridge->queue, BRIDGE_MAX_QUEUE_BYTES);
	buf_init(&bridge->early, 2 * BRIDGE_EARLY_BYTES);
}

void bridge_done(struct bridge *bridge)
{
	if (bridge->state == BRIDGE_OPENING)
		bridge->world->unadmit(bridge);
	close_engine(bridge);
	buf_free(&bridge->early);
	buf_free(&bridge->queue);
}
