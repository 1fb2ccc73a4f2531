/*
 * bridge_say: what we say, from the engine to the caller's ear.
 *
 * Frames are sent at most BRIDGE_AHEAD_MS before they are due, by the monotonic clock, so that an
 * interruption has little to throw away. A mark behind each utterance comes back when it was played,
 * and only that is believed (P3); marks carry their generation, since after a clear Twilio echoes all of
 * them at once although nothing was played.
 */
#include "bridge_private.h"

#include "mulaw.h"

#include <stdio.h>

enum { BYTES_PER_MS = MULAW_HZ / 1000, US_PER_BYTE = 125, LAST_MOMENT_US = 40000, KEEP = 16384 };

static size_t queued_bytes(const struct bridge *bridge)
{
	return bridge->queue.size - bridge->queue_at;
}

bool bridge_speaking(const struct bridge *bridge)
{
	return bridge->utterance_count > 0;
}

/* The utterance that the engine goes on with; NULL: it has ended its last one. */
static struct utterance *open_utterance(struct bridge *bridge)
{
	struct utterance *last;

	if (bridge->utterance_count == 0)
		return NULL;
	last = &bridge->utterances[bridge->utterance_count - 1];
	return last->end < 0 ? last : NULL;
}

static struct utterance *begin_utterance(struct bridge *bridge)
{
	struct utterance *utterance = open_utterance(bridge);

	if (utterance != NULL || bridge->utterance_count == BRIDGE_UTTERANCES)
		return utterance;
	utterance = &bridge->utterances[bridge->utterance_count++];
	*utterance =
		(struct utterance){.number = ++bridge->utterance, .begin = bridge->said, .end = -1};
	return utterance;
}

static void make_room(struct bridge *bridge)
{
	if (queued_bytes(bridge) == 0)
		buf_clear(&bridge->queue);
	else if (bridge->queue_at > KEEP)
		buf_consume(&bridge->queue, bridge->queue_at);
	else
		return;
	bridge->queue_at = 0;
}

bool bridge_say(struct bridge *bridge, const uint8_t *mulaw, size_t bytes)
{
	if (bridge->state != BRIDGE_OPEN ||
		bytes > BRIDGE_MAX_QUEUE_BYTES - KEEP - queued_bytes(bridge))
		return false;
	if (bytes == 0)
		return true;
	if (begin_utterance(bridge) == NULL)
		return false;
	make_room(bridge);
	buf_append(&bridge->queue, mulaw, bytes);
	bridge->said += (int64_t)bytes;
	bridge->owed_ms = 0;
	bridge_pump(bridge);
	return true;
}

unsigned bridge_say_end(struct bridge *bridge)
{
	struct utterance *utterance = open_utterance(bridge);

	if (bridge->state != BRIDGE_OPEN || utterance == NULL)
		return bridge->utterance;
	utterance->end = bridge->said;
	bridge_pump(bridge);
	return utterance->number;
}

/* -- to Twilio ----------------------------------------------------------------------------------- */

static struct str sid(const struct bridge *bridge)
{
	return str_from(bridge->stream_sid);
}

static bool send_out(struct bridge *bridge)
{
	return bridge->world->send(bridge->leg, buf_str(&bridge->scratch->out));
}

static bool send_audio(struct bridge *bridge, const uint8_t *mulaw, size_t bytes)
{
	buf_clear(&bridge->scratch->out);
	media_put_audio(&bridge->scratch->out, sid(bridge), mulaw, bytes);
	if (!send_out(bridge))
		return false;
	metric_add(bridge->meters->frames_out, 1);
	return true;
}

static bool send_mark(struct bridge *bridge, struct str name)
{
	buf_clear(&bridge->scratch->out);
	media_put_mark(&bridge->scratch->out, sid(bridge), name);
	return send_out(bridge);
}

bool bridge_pass(struct bridge *bridge, const uint8_t *mulaw, size_t bytes)
{
	return bridge->state == BRIDGE_OPEN && send_audio(bridge, mulaw, bytes);
}

bool bridge_mark(struct bridge *bridge, struct str name)
{
	return bridge->state == BRIDGE_OPEN && send_mark(bridge, name);
}

/* Played to here, by the clock, of all bytes ever said. */
static int64_t played_bytes(const struct bridge *bridge)
{
	int64_t ahead_us = bridge->play_end_us - bridge_now_ms(bridge) * 1000;

	return bridge->sent - (ahead_us > 0 ? ahead_us / US_PER_BYTE : 0);
}

static bool mark_end(struct bridge *bridge, struct utterance *utterance, int64_t now_us)
{
	char name[BRIDGE_MARK_BYTES];
	int64_t played_us = bridge->play_end_us > now_us ? bridge->play_end_us : now_us;

	(void)snprintf(name, sizeof(name), "g%uu%u", bridge->generation, utterance->number);
	if (!send_mark(bridge, str_from(name)))
		return false;
	utterance->marked = true;
	utterance->deadline_ms = played_us / 1000 + BRIDGE_MARK_MARGIN_MS;
	return true;
}

/* A whole frame, the last piece of an utterance, or what there is before the line falls silent. */
static size_t next_piece(const struct bridge *bridge, const struct utterance *at, int64_t ahead_us)
{
	int64_t until = at->end >= 0 ? at->end : bridge->said;
	size_t ready = (size_t)(until - bridge->sent);

	if (ready >= MULAW_FRAME_BYTES)
		return MULAW_FRAME_BYTES;
	return at->end >= 0 || ahead_us < LAST_MOMENT_US ? ready : 0;
}

static bool send_piece(struct bridge *bridge, size_t bytes, int64_t now_us)
{
	const uint8_t *piece = (const uint8_t *)bridge->queue.data + bridge->queue_at;

	if (bridge->world->unsent_bytes(bridge->leg) > BRIDGE_UNSENT_BYTES ||
		!send_audio(bridge, piece, bytes))
		return false;
	bridge->queue_at += bytes;
	bridge->sent += (int64_t)bytes;
	if (bridge->play_end_us < now_us)
		bridge->play_end_us = now_us;
	bridge->play_end_us += (int64_t)bytes * US_PER_BYTE;
	return true;
}

/* The next frame or mark, if it is time for it. */
static bool send_next(struct bridge *bridge, int64_t now_us)
{
	int64_t ahead_us = bridge->play_end_us - now_us;
	struct utterance *at = bridge->utterances;
	struct utterance *behind = at + bridge->utterance_count;
	size_t bytes;

	while (at < behind && at->marked)
		at++;
	if (at == behind)
		return false;
	if (bridge->sent == at->end)
		return mark_end(bridge, at, now_us);
	bytes = next_piece(bridge, at, ahead_us);
	return bytes > 0 && ahead_us < BRIDGE_AHEAD_MS * 1000 && send_piece(bridge, bytes, now_us);
}

void bridge_pump(struct bridge *bridge)
{
	int64_t now_us;

	if (bridge->utterance_count == 0 ||
		(bridge->state != BRIDGE_OPEN && bridge->state != BRIDGE_FINISHING))
		return;
	now_us = bridge_now_ms(bridge) * 1000;
	while (send_next(bridge, now_us))
		;
}

/* -- played or cut short ------------------------------------------------------------------------- */

static struct utterance take_first(struct bridge *bridge)
{
	struct utterance first = bridge->utterances[0];

	bridge->utterance_count--;
	memmove(bridge->utterances, bridge->utterances + 1,
		bridge->utterance_count * sizeof(first));
	return first;
}

/* Its engine may do anything in `played`, so all is settled before. */
static void tell_played(struct bridge *bridge)
{
	struct utterance first = take_first(bridge);

	if (bridge->utterance_count == 0 && bridge->queue.capacity > KEEP) {
		buf_free(&bridge->queue);
		bridge->queue_at = 0;
	}
	if (bridge->engine != NULL)
		bridge->driver->played(bridge->engine, first.number, true,
			(first.end - first.begin) / BYTES_PER_MS);
}

static bool read_mark(struct str name, int64_t *generation, int64_t *utterance)
{
	struct str rest = name, first;

	if (!str_starts(name, STR("g")))
		return false;
	rest = str_of(name.data + 1, name.size - 1);
	first = str_cut(&rest, 'u');
	return str_is_digits(first) && str_is_digits(rest) && str_to_int64(first, generation) &&
	       str_to_int64(rest, utterance);
}

/* One echo says that all before it was played, too. */
void bridge_on_mark(struct bridge *bridge, struct str name)
{
	int64_t generation, number;

	if (!read_mark(name, &generation, &number))
		return; /* of a self-test */
	if (generation != bridge->generation) {
		metric_add(bridge->meters->marks_old, 1);
		return;
	}
	while (bridge->utterance_count > 0 && generation == bridge->generation &&
		bridge->utterances[0].marked && bridge->utterances[0].number <= number)
		tell_played(bridge);
}

/* An echo that never comes must not leave us speaking for ever. */
void bridge_check_marks(struct bridge *bridge, int64_t now)
{
	while (bridge->utterance_count > 0 && bridge->utterances[0].marked &&
		now > bridge->utterances[0].deadline_ms) {
		metric_add(bridge->meters->marks_lost, 1);
		log_warn(&bridge->log, "the echo of a mark is overdue");
		tell_played(bridge);
	}
}

static void note_cut(struct bridge *bridge, const struct utterance *utterance, int64_t played_ms)
{
	if (bridge->cut_count < BRIDGE_UTTERANCES)
		bridge->cuts[bridge->cut_count++] =
			(struct bridge_cut){utterance->number, played_ms};
}

/* What is queued goes, here first (P4). Returns how much of the current utterance was played. */
static int64_t drop_all(struct bridge *bridge)
{
	int64_t played = played_bytes(bridge), current_ms = 0;

	for (unsigned i = 0; i < bridge->utterance_count; i++) {
		const struct utterance *at = &bridge->utterances[i];
		int64_t end = at->end >= 0 ? at->end : bridge->said;
		int64_t bytes = (played < end ? played : end) - at->begin;
		int64_t ms = bytes > 0 ? bytes / BYTES_PER_MS : 0;

		if (i == 0 || ms > 0)
			current_ms = ms;
		note_cut(bridge, at, ms);
	}
	bridge_drop_queue(bridge);
	return current_ms;
}

void bridge_drop_queue(struct bridge *bridge)
{
	buf_free(&bridge->queue);
	bridge->queue_at = 0;
	bridge->sent = bridge->said;
	bridge->utterance_count = 0;
}

int64_t bridge_hush(struct bridge *bridge)
{
	bool at_twilio;
	int64_t current_ms;

	if (bridge->state != BRIDGE_OPEN || !bridge_speaking(bridge))
		return 0;
	at_twilio = bridge->sent > bridge->utterances[0].begin || bridge->utterances[0].marked;
	current_ms = drop_all(bridge);
	bridge->generation++;
	bridge->play_end_us = 0;
	if (!at_twilio)
		return current_ms;
	metric_add(bridge->meters->clears, 1);
	buf_clear(&bridge->scratch->out);
	media_put_clear(&bridge->scratch->out, sid(bridge));
	(void)send_out(bridge);
	return current_ms;
}

void bridge_tell_cuts(struct bridge *bridge)
{
	for (unsigned left = bridge->cut_count; left > 0 && bridge->engine != NULL; left--) {
		struct bridge_cut cut = bridge->cuts[0];

		bridge->cut_count--;
		memmove(bridge->cuts, bridge->cuts + 1, bridge->cut_count * sizeof(cut));
		bridge->driver->played(bridge->engine, cut.number, false, cut.played_ms);
	}
}
