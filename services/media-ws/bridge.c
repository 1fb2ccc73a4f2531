/*
 * bridge: the state machine of one call. The table at the end is the whole of it: what each state does
 * with each event. What is said lies in bridge_say.c, what is heard in bridge_hear.c.
 *
 * An engine's functions are never called inside a function that the engine called: bridge_finish() and
 * the like only note what is to happen, the next tick does it.
 */
#include "bridge_private.h"

#include "mulaw.h"

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

/* -- events -------------------------------------------------------------------------------------- */

static void ignore(struct bridge *bridge, const struct bridge_event *event)
{
}

/* What is not said is as it always was. */
static bool is_mulaw(const struct media_message *start)
{
	return (start->encoding.size == 0 || str_equal(start->encoding, STR("audio/x-mulaw"))) &&
	       (start->sample_rate == 0 || start->sample_rate == MULAW_HZ) && start->channels <= 1;
}

static void on_start(struct bridge *bridge, const struct bridge_event *event)
{
	const struct media_message *start = event->message;

	if (!str_copy(bridge->stream_sid, sizeof(bridge->stream_sid), start->stream_sid) ||
		!str_copy(bridge->call_sid, sizeof(bridge->call_sid), start->call_sid) ||
		start->call_sid.size == 0) {
		bridge_refuse(bridge, &(struct bridge_event){.code = CLOSE_DATA,
					      .refusal = REFUSED_JSON,
					      .words = "callSid or streamSid is too long"});
		return;
	}
	if (!is_mulaw(start)) {
		bridge_refuse(bridge, &(struct bridge_event){.code = CLOSE_BINARY,
					      .refusal = REFUSED_JSON,
					      .words = "not mu-law at 8000 Hz"});
		return;
	}
	bridge->sequence = start->sequence;
	bridge->log.call = bridge->call_sid;
	bridge_enter(bridge, BRIDGE_OPENING);
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
	bridge_enter(bridge, BRIDGE_OPEN);
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
	bridge_close_leg(bridge, CLOSE_NORMAL, "the call is over");
}

static void refuse_opening(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->world->unadmit(bridge);
	bridge_refuse(bridge, event);
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
	bridge_end_call(bridge, ENGINE_HANGUP, "the caller hung up");
}

/* In the middle of a call the peer says what it cannot mean: its caller may leave a message. */
static void on_wrong(struct bridge *bridge, const struct bridge_event *event)
{
	metric_add(bridge->meters->refused[event->refusal], 1);
	log_warn(&bridge->log, "the stream is closed (%s): %s", refusal_name(event->refusal),
		event->words);
	bridge->close_code = event->code;
	if (bridge->ending)
		bridge_store_end(bridge);
	else
		bridge_end_call(bridge, ENGINE_MESSAGE, event->words);
}

static void on_end(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->close_code = CLOSE_AWAY;
	if (bridge->ending)
		bridge_store_end(bridge);
	else
		bridge_end_call(bridge, ENGINE_MESSAGE, "media-ws ends");
}

static void end_unopened(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->world->unadmit(bridge);
	bridge_close_leg(bridge, CLOSE_AWAY, "media-ws ends");
}

static void gone(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->gone = true;
	bridge_enter(bridge, BRIDGE_CLOSED);
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
	bridge_close_engine(bridge);
	gone(bridge, event);
}

static void gone_finishing(struct bridge *bridge, const struct bridge_event *event)
{
	bridge->gone = true;
	bridge_store_end(bridge);
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
			[BRIDGE_ON_WRONG] = bridge_refuse,
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
			[BRIDGE_ON_REFUSED] = bridge_refuse,
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
			[BRIDGE_ON_STORED] = bridge_on_stored,
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
	bridge_close_engine(bridge);
	buf_free(&bridge->early);
	buf_free(&bridge->queue);
}
