/*
 * fake_engine: an engine that writes down what it is told. It is the bridge's context in these tests.
 */
#ifndef CALLWEAVE_TESTS_FAKE_ENGINE_H
#define CALLWEAVE_TESTS_FAKE_ENGINE_H

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

static bool engine_refuses;

static inline struct engine *fake_open(struct bridge *bridge, const struct engine_setup *setup,
	const struct engine_call *call, struct error *error)
{
	if (engine_refuses) {
		(void)error_set(error, ERROR_UPSTREAM, "no voice today");
		return NULL;
	}
	return bridge->context;
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

#endif
