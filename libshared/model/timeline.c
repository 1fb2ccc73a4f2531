/*
 * timeline: the walk along a call's events: who begins to ring, to talk, to wait, and when it is over.
 *
 * After each event the state of every lane is read off the graph; where it differs from what the
 * lane did so far, a bar ends and another begins. So a lost event costs its own moment, not the rest.
 */
#include "timeline_private.h"

#include "alloc.h"

#include <stdlib.h>

static void add_mark(struct timeline_walk *walk, const struct timeline_mark *mark)
{
	struct timeline *to = walk->to;

	if (mark->lane == NO_LANE)
		return;
	if (to->mark_count == TIMELINE_MAX_MARKS) {
		to->cut = true;
		return;
	}
	to->marks[to->mark_count] = *mark;
	to->marks[to->mark_count++].at_ms = walk->now_ms;
}

static void ring(struct timeline_walk *walk, unsigned lane)
{
	if (lane == NO_LANE || walk->now[lane].rings ||
		(walk->now[lane].busy && walk->now[lane].with != 0))
		return;
	walk->now[lane].rings = true;
	walk->now[lane].rings_ms = walk->now_ms;
}

static void stop_ring(struct timeline_walk *walk, unsigned lane, bool open)
{
	struct timeline_now *now = &walk->now[lane];
	const struct timeline_bar bar = {.lane = lane,
		.kind = BAR_RINGING,
		.from_ms = now->rings_ms,
		.to_ms = walk->now_ms,
		.open = open};

	if (now->rings)
		timeline_bar_add(walk->to, &bar);
	now->rings = false;
}

static void stop_bar(struct timeline_walk *walk, unsigned lane, bool open)
{
	struct timeline_now *now = &walk->now[lane];
	const struct timeline_bar bar = {.lane = lane,
		.kind = now->kind,
		.from_ms = now->from_ms,
		.to_ms = walk->now_ms,
		.with = now->with,
		.open = open};

	if (now->busy)
		timeline_bar_add(walk->to, &bar);
	now->busy = false;
	now->with = 0;
}

/* -- what every lane does now ------------------------------------------------------------------------ */

static bool is_there(const struct timeline_channel *channel, unsigned lane)
{
	return channel->lane == lane && channel->bridge.data != NULL && !channel->hung_up;
}

/* Who is in which group: once an event, since every lane asks. */
static void find_groups(struct timeline_walk *walk)
{
	timeline_connect(walk);
	memset(walk->in_group, 0, sizeof(walk->in_group));
	for (unsigned i = 0; i < walk->channel_count; i++) {
		const struct timeline_channel *at = &walk->channels[i];

		if (at->lane != NO_LANE && is_there(at, at->lane))
			walk->in_group[at->group] |= UINT32_C(1) << at->lane;
	}
}

static bool other_side_waits(const struct timeline_walk *walk, unsigned lane)
{
	return lane == 0 && walk->began && (walk->gone & 1) == 0 &&
	       walk->source->call->direction != CALL_INTERNAL;
}

/* Nobody hears this lane. */
static struct timeline_now waits(const struct timeline_walk *walk, unsigned lane, bool alone)
{
	const struct timeline_now *now = &walk->now[lane];
	bool bridged = false;

	for (unsigned i = 0; i < walk->channel_count; i++)
		bridged = bridged || is_there(&walk->channels[i], lane);
	if (lane == 0 && bridged && now->has_talked)
		return (struct timeline_now){.busy = true, .kind = BAR_HOLD};
	return (struct timeline_now){.busy = other_side_waits(walk, lane) || now->dials ||
					     (alone && now->has_talked && lane != 0),
		.kind = BAR_WAITING};
}

/* With several phones the one that reaches most people counts. */
static struct timeline_now does(const struct timeline_walk *walk, unsigned lane)
{
	uint32_t self = UINT32_C(1) << lane, with = 0;
	bool alone = false;

	for (unsigned i = 0; i < walk->channel_count; i++) {
		const struct timeline_channel *at = &walk->channels[i];
		uint32_t mask;

		if (!is_there(at, lane))
			continue;
		alone = alone || at->alone;
		mask = walk->in_group[at->group] & ~self;
		with = mask > with ? mask : with;
	}
	if (with == 0)
		return waits(walk, lane, alone);
	return (struct timeline_now){.busy = true,
		.with = with,
		.kind = ((with | self) & 1) != 0 || walk->source->call->direction == CALL_INTERNAL
				? BAR_TALKING
				: BAR_CONSULTING};
}

static void change(struct timeline_walk *walk, unsigned lane, const struct timeline_now *next)
{
	struct timeline_now *now = &walk->now[lane];

	now->has_talked = now->has_talked || (next->busy && next->kind == BAR_TALKING);
	if (next->with != 0)
		now->dials = false;
	if (lane == 0 && next->with != 0)
		walk->began = true;
	if (now->busy == next->busy && now->kind == next->kind && now->with == next->with)
		return;
	stop_bar(walk, lane, false);
	now->busy = next->busy;
	now->kind = next->kind;
	now->with = next->with;
	now->from_ms = walk->now_ms;
}

/* Whoever is answered makes all other phones fall silent. */
static void look(struct timeline_walk *walk)
{
	struct timeline_now next[TIMELINE_MAX_LANES];
	bool answered = false;

	find_groups(walk);
	for (unsigned i = 0; i < walk->to->lane_count; i++) {
		next[i] = does(walk, i);
		answered = answered || (next[i].with & ~walk->now[i].with) != 0;
	}
	for (unsigned i = 0; i < walk->to->lane_count; i++) {
		if (answered)
			stop_ring(walk, i, false);
		change(walk, i, &next[i]);
	}
}

/* -- events ------------------------------------------------------------------------------------------ */

/* A leg to a mobile inside a call that is another's. */
static bool is_leg(const struct timeline_walk *walk, const struct call_event *event)
{
	const struct call *call = walk->source->call;

	if (event->call_type != 1 || call->direction == CALL_UNKNOWN)
		return false;
	return call->direction != CALL_OUTGOING || timeline_lane_find(walk, event->phone) != 0;
}

static void dial_ours(struct timeline_walk *walk, const struct call_event *event)
{
	bool rung[TIMELINE_MAX_LANES] = {false};

	for (size_t i = 0; i < event->extensions.count; i++) {
		unsigned lane = timeline_lane_of(walk, event->extensions.items[i]);

		/* Late news of a conversation that goes on: nobody rings. */
		if (lane != NO_LANE && walk->now[lane].with != 0)
			return;
		if (lane != NO_LANE)
			rung[lane] = lane != 0;
	}
	for (unsigned i = 0; i < walk->to->lane_count; i++) {
		if (rung[i])
			ring(walk, i);
		else
			stop_ring(walk, i, false);
	}
}

static void dial_other_side(struct timeline_walk *walk, const struct call_event *event)
{
	const struct call *call = walk->source->call;
	unsigned caller = timeline_lane_of(walk, str_from(call->caller));

	if (caller == NO_LANE && event->extensions.count > 0)
		caller = timeline_lane_of(walk, event->extensions.items[0]);
	if (walk->now[0].with != 0)
		return;
	ring(walk, 0);
	if (caller != NO_LANE && caller != 0)
		walk->now[caller].dials = true;
}

/* The same leg over another line: the first one was busy. */
static void note_line(struct timeline_walk *walk, const struct call_event *event, unsigned lane)
{
	struct timeline_channel *channel = timeline_channel_of(walk, event);
	struct timeline_mark mark = {.lane = lane, .kind = MARK_LINE, .status = -1};

	if (channel == NULL || event->trunk.size == 0)
		return;
	str_copy(mark.line, sizeof(mark.line), event->trunk);
	if (channel->trunk.size > 0 && !str_equal(channel->trunk, event->trunk))
		add_mark(walk, &mark);
	channel->trunk = event->trunk;
}

static void on_dial(struct timeline_walk *walk, const struct call_event *event)
{
	bool leg = is_leg(walk, event);
	unsigned lane = leg ? timeline_lane_of(walk, event->phone) : 0;

	walk->began = walk->began || walk->source->call->direction == CALL_INCOMING;
	note_line(walk, event, lane);
	if (leg)
		ring(walk, lane);
	else if (walk->source->call->direction == CALL_OUTGOING)
		dial_other_side(walk, event);
	else
		dial_ours(walk, event);
}

/* People are connected after this event: one leg went, not the call. */
static bool talks_later(const struct timeline_walk *walk, const struct call_event *event)
{
	const struct call_event *end = walk->source->events + walk->source->event_count;

	for (const struct call_event *at = event + 1; at < end; at++) {
		if (at->type == EVENT_BRIDGE)
			return true;
	}
	return false;
}

/* Whose end is it? The call's own leg is the other side's, unless our caller handed it on. */
static unsigned lane_of_hangup(struct timeline_walk *walk, const struct call_event *event)
{
	const struct call *call = walk->source->call;
	bool primary = call->unique_id_count > 0 &&
		       str_equal(event->unique_id, str_from(call->unique_ids[0]));

	if (primary && call->direction == CALL_OUTGOING && talks_later(walk, event))
		return timeline_lane_of(walk, str_from(call->caller));
	if (primary || call->direction == CALL_INTERNAL)
		return 0;
	if (is_leg(walk, event))
		return timeline_lane_of(walk, event->phone);
	if (event->call_type == 2 && event->extensions.count > 0)
		return timeline_lane_of(walk, event->extensions.items[0]);
	return 0;
}

static void on_hangup(struct timeline_walk *walk, const struct call_event *event)
{
	struct timeline_channel *channel = timeline_channel_of(walk, event);
	unsigned lane = lane_of_hangup(walk, event);
	const struct timeline_mark mark = {
		.lane = lane, .kind = MARK_HANGUP, .status = event->call_status};

	add_mark(walk, &mark);
	if (channel != NULL)
		timeline_hang_up(walk, channel);
	if (lane != NO_LANE && lane != 0)
		stop_ring(walk, lane, false);
	else if (lane == 0 && walk->source->call->direction == CALL_INCOMING)
		walk->gone |= 1;
}

static void on_bridge(struct timeline_walk *walk, const struct call_event *event)
{
	struct timeline_channel *channel = timeline_channel_of(walk, event);

	if (channel != NULL)
		timeline_enter(walk, channel, event->bridge_id);
}

static void on_leave(struct timeline_walk *walk, const struct call_event *event)
{
	struct timeline_channel *channel = timeline_channel_of(walk, event);

	if (channel != NULL)
		timeline_leave(channel, event->bridge_id);
}

/* The fold saw transfers begin; whom they ring no event of the PBX says. */
static void begin_transfers(struct timeline_walk *walk)
{
	const struct call *call = walk->source->call;

	while (walk->transfers_seen < call->transfer_count &&
		call->transfers[walk->transfers_seen].at_ms <= walk->now_ms) {
		const struct call_transfer *transfer = &call->transfers[walk->transfers_seen++];

		(void)timeline_lane_of(walk, str_from(transfer->from));
		ring(walk, timeline_lane_of(walk, str_from(transfer->to)));
	}
}

static void on_event(struct timeline_walk *walk, const struct call_event *event)
{
	if (event->at_ms > walk->now_ms)
		walk->now_ms = event->at_ms;
	begin_transfers(walk);
	switch (event->type) {
	case EVENT_START:
		walk->began = true;
		break;
	case EVENT_DIAL:
		on_dial(walk, event);
		break;
	case EVENT_BRIDGE:
		on_bridge(walk, event);
		break;
	case EVENT_BRIDGE_LEAVE:
		on_leave(walk, event);
		break;
	case EVENT_BRIDGE_DESTROY:
		timeline_destroy(walk, event->bridge_id);
		break;
	case EVENT_HANGUP:
		on_hangup(walk, event);
		break;
	default:
		(void)timeline_channel_of(walk, event);
		break;
	}
	look(walk);
}

/* -- the whole ---------------------------------------------------------------------------------------- */

static bool is_open(const struct call *call)
{
	return call->state != CALL_ENDED && call->state != CALL_LOST;
}

static void add_first_lanes(struct timeline_walk *walk)
{
	const struct call *call = walk->source->call;

	if (call->direction == CALL_INTERNAL) {
		timeline_lane_add(walk, str_from(call->caller), LANE_EXTENSION);
		(void)timeline_lane_of(walk, str_from(call->callee));
		return;
	}
	timeline_lane_add(walk, str_from(call->external), LANE_OTHER_SIDE);
	if (call->direction == CALL_OUTGOING)
		(void)timeline_lane_of(walk, str_from(call->caller));
}

static void end_all(struct timeline_walk *walk)
{
	bool open = walk->to->open;
	const struct timeline_mark lost = {.lane = 0, .kind = MARK_LOST, .status = -1};

	if (open && walk->source->now_ms > walk->now_ms)
		walk->now_ms = walk->source->now_ms;
	for (unsigned i = 0; i < walk->to->lane_count; i++) {
		stop_ring(walk, i, open);
		stop_bar(walk, i, open);
	}
	if (walk->source->call->state == CALL_LOST)
		add_mark(walk, &lost);
	walk->to->to_ms = walk->now_ms;
}

void timeline_make(const struct timeline_source *source, struct timeline *to)
{
	struct timeline_walk *walk = alloc_zeroed(1, sizeof(*walk));

	memset(to, 0, sizeof(*to));
	walk->source = source;
	walk->to = to;
	to->open = is_open(source->call);
	add_first_lanes(walk);
	walk->now_ms = source->event_count > 0 ? source->events[0].at_ms : CALL_NO_TIME;
	to->from_ms = to->to_ms = walk->now_ms;
	for (size_t i = 0; i < source->event_count; i++)
		on_event(walk, &source->events[i]);
	if (source->event_count > 0)
		end_all(walk);
	/* Nothing but a hangup, or nothing any more. */
	if (to->bar_count == 0)
		timeline_from_facts(walk);
	else if (source->call->answered && source->call->answered_ms != CALL_NO_TIME)
		timeline_talk_by_facts(walk);
	timeline_tidy(to, source->call);
	timeline_arrows(walk);
	free(walk);
}
