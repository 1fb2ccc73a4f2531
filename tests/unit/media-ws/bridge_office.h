/*
 * bridge_office: a bridge with a leg, a clock and an engine of the tests: what it sends, stores and closes
 * is written down, and time passes only when a test says so.
 */
#ifndef CALLWEAVE_TESTS_BRIDGE_OFFICE_H
#define CALLWEAVE_TESTS_BRIDGE_OFFICE_H

#include "fake_engine.h"

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

static inline struct office *office_of_engine(struct engine *engine)
{
	return (struct office *)((char *)engine - offsetof(struct office, engine));
}

static inline struct office *office_of(struct bridge *bridge)
{
	return (struct office *)bridge;
}

/* -- a world ----------------------------------------------------------------------------------------- */

static inline int64_t fake_now(void *context)
{
	return office_of_engine(context)->now_ms;
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

#endif
