/*
 * bridge_office: a bridge with a leg, a clock and an engine of the tests: what it sends, stores and closes
 * is written down, and time passes only when a test says so.
 */
#ifndef CALLWEAVE_TESTS_BRIDGE_OFFICE_H
#define CALLWEAVE_TESTS_BRIDGE_OFFICE_H

#include "bridge_private.h"

#include "crypto.h"
#include "mulaw.h"

#include "../base/check.h"

#include <stdio.h>
#include <stdlib.h>

#define SID	    "MZ00000000000000000000000000000001"
#define CALL	    "CA00000000000000000000000000000001"
#define FRAME_BYTES ((size_t)MULAW_FRAME_BYTES)

struct engine { /* writes down what it is told */
	int64_t heard_bytes, heard_silence;
	int64_t last_at_ms;
	unsigned frames, digits, ticks;
	struct {
		unsigned number;
		bool whole;
		int64_t ms;
	} played[16];
	unsigned played_count;
	bool closed;
};

struct office {
	struct bridge bridge; /* first */
	struct engine engine;
	struct bridge_scratch scratch;
	struct metrics *metrics;
	struct meters meters;
	struct engine_call call;
	int64_t now_ms;
	/* what it did */
	struct buf sent; /* one message a line */
	unsigned frames, marks, clears;
	int64_t sent_bytes;
	char last_mark[64];
	size_t unsent;
	bool deaf; /* the peer takes nothing */
	unsigned admits, unadmits, opens, stores, turns;
	int close_code;
	char close_words[160];
	int64_t sequence, timestamp_ms;
};

static bool engine_refuses;

static inline struct office *office_of(struct bridge *bridge)
{
	return (struct office *)bridge;
}

/* -- an engine ------------------------------------------------------------------------------------- */

static inline struct engine *fake_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	if (engine_refuses) {
		(void)error_set(error, ERROR_UPSTREAM, "no voice today");
		return NULL;
	}
	return &office_of(bridge)->engine;
}

static inline void fake_hear(
	struct engine *engine, const uint8_t *mulaw, size_t bytes, int64_t at_ms)
{
	engine->frames++;
	engine->heard_bytes += (int64_t)bytes;
	engine->last_at_ms = at_ms;
	for (size_t i = 0; i < bytes; i++)
		engine->heard_silence += mulaw[i] == MULAW_SILENCE;
}

static inline void fake_digit(struct engine *engine, char digit)
{
	engine->digits = engine->digits * 10 + (unsigned)(digit - '0');
}

static inline void fake_played(
	struct engine *engine, unsigned utterance, bool whole, int64_t played_ms)
{
	assert_true(engine->played_count < 16);
	engine->played[engine->played_count].number = utterance;
	engine->played[engine->played_count].whole = whole;
	engine->played[engine->played_count++].ms = played_ms;
}

static inline void fake_close(struct engine *engine)
{
	assert_false(engine->closed);
	engine->closed = true;
}

static inline void fake_tick(struct engine *engine)
{
	engine->ticks++;
}

static const struct engine_driver fake_engine = {
	.name = "fake",
	.open = fake_open,
	.hear = fake_hear,
	.digit = fake_digit,
	.played = fake_played,
	.close = fake_close,
	.tick = fake_tick,
};

/* -- a world ----------------------------------------------------------------------------------------- */

static inline int64_t fake_now(void *context)
{
	return ((struct office *)context)->now_ms;
}

static inline bool fake_send(void *leg, struct str text)
{
	struct office *office = leg;
	struct media_message message;
	struct buf whole;

	if (office->deaf)
		return false;
	buf_add(&office->sent, text);
	buf_add_char(&office->sent, '\n');
	/* Ours have no number; with one they read as Twilio's. */
	buf_init(&whole, text.size + 64);
	buf_printf(&whole, "{\"sequenceNumber\":\"1\",%.*s", (int)text.size - 1, text.data + 1);
	if (strstr(whole.data, "\"clear\"") != NULL) {
		office->clears++;
	} else {
		struct error error;

		assert_true(media_message_read(
			buf_str(&whole), office->scratch.arena, &message, &error));
		assert_str(message.stream_sid, SID);
		if (message.event == MEDIA_MARK) {
			office->marks++;
			(void)str_copy(office->last_mark, sizeof(office->last_mark), message.name);
		} else {
			unsigned char audio[4096];
			size_t bytes;

			assert_true(
				crypto_base64_read(message.payload, audio, sizeof(audio), &bytes));
			office->frames++;
			office->sent_bytes += (int64_t)bytes;
		}
	}
	buf_free(&whole);
	return true;
}

static inline size_t fake_unsent(void *leg)
{
	return ((struct office *)leg)->unsent;
}

static inline void fake_close_leg(void *leg, int code, const char *words)
{
	struct office *office = leg;

	assert_int_equal(office->close_code, 0);
	office->close_code = code;
	(void)str_copy(office->close_words, sizeof(office->close_words), str_from(words));
}

static inline void fake_admit(struct bridge *bridge, const struct media_message *start)
{
	office_of(bridge)->admits++;
}

static inline void fake_unadmit(struct bridge *bridge)
{
	office_of(bridge)->unadmits++;
}

static inline void fake_opened(struct bridge *bridge)
{
	office_of(bridge)->opens++;
}

static inline void fake_store(struct bridge *bridge)
{
	office_of(bridge)->stores++;
}

static inline void fake_turn(struct bridge *bridge, const struct engine_turn *turn)
{
	office_of(bridge)->turns++;
}

static const struct bridge_world fake_world = {
	.now_ms = fake_now,
	.send = fake_send,
	.unsent_bytes = fake_unsent,
	.close = fake_close_leg,
	.admit = fake_admit,
	.unadmit = fake_unadmit,
	.opened = fake_opened,
	.store = fake_store,
	.turn = fake_turn,
};

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
	office->bridge.context = office;
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
