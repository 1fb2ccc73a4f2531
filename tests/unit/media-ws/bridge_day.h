/*
 * bridge_day: what happens to a bridge in its office: events, time, words of its engine.
 */
#ifndef CALLWEAVE_TESTS_BRIDGE_DAY_H
#define CALLWEAVE_TESTS_BRIDGE_DAY_H

#include "bridge_office.h"

static inline struct office *office_new(void)
{
	struct office *office = calloc(1, sizeof(*office));

	engine_refuses = false;
	office->now_ms = 1000000;
	office->metrics = metrics_new();
	meters_init(&office->meters, office->metrics);
	buf_init(&office->sent, (size_t)4 << 20);
	buf_init(&office->scratch.out, (size_t)128 << 10);
	office->scratch.arena = arena_new((size_t)4 << 20);
	office->bridge.world = &fake_world;
	office->bridge.context = &office->engine;
	office->bridge.leg = office;
	office->bridge.scratch = &office->scratch;
	office->bridge.meters = &office->meters;
	office->call = (struct engine_call){.call_sid = CALL,
		.enterprise = "0367",
		.peer = "",
		.our_number = "+33100000000",
		.language = "fr",
		.key = ""};
	bridge_init(&office->bridge);
	return office;
}

static inline void office_free(struct office *office)
{
	bridge_done(&office->bridge);
	arena_free(&office->scratch.arena);
	buf_free(&office->scratch.out);
	buf_free(&office->sent);
	metrics_free(&office->metrics);
	free(office);
}

/* -- what happens to it ------------------------------------------------------------------------------ */

static inline void office_event(struct office *office, enum bridge_event_kind kind)
{
	struct media_message message = {.stream_sid = STR(SID),
		.call_sid = STR(CALL),
		.sequence = ++office->sequence,
		.payload = STR("//9/"),
		.name = STR("g1u1"),
		.digit = '7',
		.timestamp_ms = office->timestamp_ms};
	struct bridge_event event = {.kind = kind,
		.code = 1007,
		.refusal = REFUSED_JSON,
		.words = "words",
		.call = &office->call,
		.driver = &fake_engine};

	if (kind <= BRIDGE_ON_OTHER)
		event.message = &message;
	bridge_event(&office->bridge, &event);
}

static inline void office_media(struct office *office, int64_t timestamp_ms, const char *payload)
{
	struct media_message message = {.stream_sid = STR(SID),
		.sequence = ++office->sequence,
		.payload = str_from(payload),
		.timestamp_ms = timestamp_ms};

	bridge_event(&office->bridge,
		&(struct bridge_event){.kind = BRIDGE_ON_MEDIA, .message = &message});
}

static inline void office_mark(struct office *office, const char *name)
{
	struct media_message message = {
		.stream_sid = STR(SID), .sequence = ++office->sequence, .name = str_from(name)};

	bridge_event(&office->bridge,
		&(struct bridge_event){.kind = BRIDGE_ON_MARK, .message = &message});
}

/* Time passes in ticks of 20 ms, and the caller is there all the while. */
static inline void office_pass(struct office *office, int64_t ms)
{
	int64_t until_ms = office->now_ms + ms;

	while (office->now_ms < until_ms) {
		office->now_ms += BRIDGE_TICK_MS;
		office->bridge.came_ms = office->now_ms;
		bridge_tick(&office->bridge);
	}
}

/* The same, and no frame of the caller comes. */
static inline void office_pass_alone(struct office *office, int64_t ms)
{
	int64_t until_ms = office->now_ms + ms;

	while (office->now_ms < until_ms) {
		office->now_ms += BRIDGE_TICK_MS;
		bridge_tick(&office->bridge);
	}
}

static inline void office_say(struct office *office, int64_t ms)
{
	uint8_t frame[FRAME_BYTES];

	memset(frame, 0x80, sizeof(frame));
	for (; ms > 0; ms -= MULAW_FRAME_MS)
		assert_true(bridge_say(&office->bridge, frame, sizeof(frame)));
}

/* Into that state, by the shortest way. */
static inline struct office *office_in(enum bridge_state state)
{
	struct office *office = office_new();
	struct bridge *bridge = &office->bridge;

	office->bridge.recorded = true;
	if (state >= BRIDGE_OPENING)
		office_event(office, BRIDGE_ON_START);
	if (state >= BRIDGE_OPEN)
		office_event(office, BRIDGE_ON_ADMITTED);
	if (state >= BRIDGE_FINISHING) {
		office_say(office, 1000);
		bridge_finish(bridge, &(struct engine_outcome){.end = ENGINE_TRANSFER,
					      .to = STR("150"),
					      .reason = STR("he asked")});
	}
	if (state >= BRIDGE_STORING) {
		bridge_failed(bridge, "enough");
		bridge_tick(bridge);
	}
	if (state >= BRIDGE_CLOSING)
		office_event(office, BRIDGE_ON_STORED);
	if (state >= BRIDGE_CLOSED)
		office_event(office, BRIDGE_ON_GONE);
	assert_int_equal(bridge->state, state);
	return office;
}

#endif
