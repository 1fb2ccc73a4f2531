/*
 * timeline_tidy: what makes the drawing readable: no crumbs between two bars that are one to people,
 * nobody who waits for ever because a host did not say that he left; and the arrows.
 */
#include "timeline_private.h"

#include <stdlib.h>

/* Hosts post the parts of one movement some seconds apart, one after another. */
enum { CRUMB_MS = 3000 };

static bool is_talk(const struct timeline_bar *bar)
{
	return bar->kind == BAR_TALKING || bar->kind == BAR_CONSULTING;
}

static bool is_pause(const struct timeline_bar *bar)
{
	return bar->kind == BAR_WAITING || bar->kind == BAR_HOLD;
}

static int by_beginning(const void *one, const void *other)
{
	const struct timeline_bar *a = one, *b = other;

	if (a->from_ms != b->from_ms)
		return a->from_ms < b->from_ms ? -1 : 1;
	return (a->lane > b->lane) - (a->lane < b->lane);
}

static void sort(struct timeline *to)
{
	qsort(to->bars, to->bar_count, sizeof(to->bars[0]), by_beginning);
}

static void drop(struct timeline *to, unsigned at)
{
	to->bar_count--;
	memmove(&to->bars[at], &to->bars[at + 1], (to->bar_count - at) * sizeof(to->bars[0]));
}

/* The next bar of the same lane; NULL when it is the last. */
static struct timeline_bar *next_of(struct timeline *to, unsigned at)
{
	for (unsigned i = at + 1; i < to->bar_count; i++) {
		if (to->bars[i].lane == to->bars[at].lane)
			return &to->bars[i];
	}
	return NULL;
}

static bool talked_before(const struct timeline *to, unsigned at)
{
	for (unsigned i = 0; i < at; i++) {
		if (to->bars[i].lane == to->bars[at].lane && is_talk(&to->bars[i]))
			return true;
	}
	return false;
}

/* Whoever is on hold while one of us asks a colleague really is, however short it was. */
static bool during_consulting(const struct timeline *to, const struct timeline_bar *pause)
{
	for (unsigned i = 0; i < to->bar_count; i++) {
		const struct timeline_bar *bar = &to->bars[i];

		if (pause->kind == BAR_HOLD && bar->kind == BAR_CONSULTING &&
			bar->from_ms < pause->to_ms && bar->to_ms > pause->from_ms)
			return true;
	}
	return false;
}

static void drop_crumbs(struct timeline *to)
{
	for (unsigned i = 0; i < to->bar_count;) {
		const struct timeline_bar *bar = &to->bars[i];

		if (is_pause(bar) && !bar->open && bar->to_ms - bar->from_ms <= CRUMB_MS &&
			talked_before(to, i) && !during_consulting(to, bar))
			drop(to, i);
		else
			i++;
	}
}

static void mend_gaps(struct timeline *to)
{
	for (unsigned i = 0; i < to->bar_count;) {
		struct timeline_bar *bar = &to->bars[i], *next = next_of(to, i);

		if (next == NULL || next->kind != bar->kind || next->with != bar->with ||
			next->from_ms - bar->to_ms > CRUMB_MS) {
			i++;
			continue;
		}
		bar->to_ms = next->to_ms;
		bar->open = next->open;
		drop(to, (unsigned)(next - to->bars));
	}
}

static int64_t last_talk_ms(const struct timeline *to)
{
	int64_t last_ms = CALL_NO_TIME;

	for (unsigned i = 0; i < to->bar_count; i++) {
		if (to->bars[i].kind == BAR_TALKING && to->bars[i].to_ms > last_ms)
			last_ms = to->bars[i].to_ms;
	}
	return last_ms;
}

static bool rings_within(const struct timeline *to, int64_t from_ms, int64_t to_ms)
{
	for (unsigned i = 0; i < to->bar_count; i++) {
		const struct timeline_bar *bar = &to->bars[i];

		if (bar->kind == BAR_RINGING && bar->from_ms < to_ms && bar->to_ms > from_ms)
			return true;
	}
	return false;
}

/* Between the last word and the hangup nobody waits for anybody. */
static void drop_tail(struct timeline *to)
{
	int64_t last_ms = last_talk_ms(to);

	for (unsigned i = 0; i < to->bar_count;) {
		const struct timeline_bar *bar = &to->bars[i];

		if (last_ms != CALL_NO_TIME && is_pause(bar) && !bar->open &&
			bar->from_ms >= last_ms && !rings_within(to, bar->from_ms, bar->to_ms))
			drop(to, i);
		else
			i++;
	}
}

/* One of us waits for a colleague until the other side talks with somebody again. */
static void cut_waiting(struct timeline *to, struct timeline_bar *bar)
{
	for (unsigned i = 0; i < to->bar_count; i++) {
		const struct timeline_bar *at = &to->bars[i];

		if (at->lane != 0 || at->kind != BAR_TALKING || at->to_ms <= bar->from_ms ||
			at->from_ms >= bar->to_ms)
			continue;
		bar->to_ms = at->from_ms > bar->from_ms ? at->from_ms : bar->from_ms;
		bar->open = false;
	}
}

static void cut_all_waiting(struct timeline *to)
{
	for (unsigned i = 0; i < to->bar_count;) {
		struct timeline_bar *bar = &to->bars[i];

		if (bar->kind == BAR_WAITING && bar->lane != 0)
			cut_waiting(to, bar);
		if (bar->to_ms == bar->from_ms && !bar->open)
			drop(to, i);
		else
			i++;
	}
}

/* A leg inside the PBX ends while its number talks on: that is no end to people. */
static bool goes_on(const struct timeline *to, const struct timeline_mark *mark)
{
	for (unsigned i = 0; i < to->bar_count; i++) {
		const struct timeline_bar *bar = &to->bars[i];

		if (bar->lane == mark->lane && bar->lane != 0 && is_talk(bar) &&
			bar->to_ms > mark->at_ms + CRUMB_MS)
			return true;
	}
	return false;
}

static void drop_marks(struct timeline *to)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < to->mark_count; i++) {
		if (to->marks[i].kind != MARK_HANGUP || !goes_on(to, &to->marks[i]))
			to->marks[kept++] = to->marks[i];
	}
	to->mark_count = kept;
}

void timeline_tidy(struct timeline *to, const struct call *call)
{
	sort(to);
	if (call->direction != CALL_INTERNAL)
		cut_all_waiting(to);
	drop_crumbs(to);
	mend_gaps(to);
	drop_tail(to);
	drop_marks(to);
}

/* -- arrows ------------------------------------------------------------------------------------------ */

/* A host's clock, or none: the drawing has its own limits. */
static int64_t clamp(const struct timeline *to, int64_t at_ms)
{
	if (at_ms < to->from_ms)
		return to->from_ms;
	return at_ms > to->to_ms ? to->to_ms : at_ms;
}

/* The first conversation of the other side, after `at_ms`, that is with `from` or, the contrary, with
 * somebody else. */
static const struct timeline_bar *talk_after(
	const struct timeline *to, int64_t at_ms, uint32_t from, bool with_from)
{
	for (unsigned i = 0; i < to->bar_count; i++) {
		const struct timeline_bar *bar = &to->bars[i];

		if (bar->lane == 0 && bar->kind == BAR_TALKING && bar->from_ms >= at_ms &&
			((bar->with & from) != 0) == with_from)
			return bar;
	}
	return NULL;
}

static unsigned first_lane(uint32_t mask)
{
	unsigned lane = 0;

	while (lane < NO_LANE && (mask >> lane & 1) == 0)
		lane++;
	return lane;
}

static void decide(const struct timeline *to, struct timeline_arrow *arrow)
{
	bool accepted = arrow->result == TRANSFER_ACCEPTED;
	const struct timeline_bar *talk =
		talk_after(to, arrow->at_ms, UINT32_C(1) << arrow->from, !accepted);

	arrow->took = arrow->to;
	arrow->done_ms = talk != NULL ? talk->from_ms : to->to_ms;
	if (accepted && talk != NULL && (talk->with >> arrow->to & 1) == 0)
		arrow->took = first_lane(talk->with);
}

void timeline_arrows(struct timeline_walk *walk)
{
	const struct call *call = walk->source->call;

	for (unsigned i = 0; i < call->transfer_count && i < CALL_MAX_TRANSFERS; i++) {
		const struct call_transfer *transfer = &call->transfers[i];
		struct timeline_arrow arrow = {
			.from = timeline_lane_of(walk, str_from(transfer->from)),
			.to = timeline_lane_of(walk, str_from(transfer->to)),
			.kind = transfer->kind,
			.result = transfer->result,
			.at_ms = clamp(walk->to, transfer->at_ms),
		};

		if (arrow.from == NO_LANE || arrow.to == NO_LANE || arrow.from == arrow.to)
			continue;
		decide(walk->to, &arrow);
		walk->to->arrows[walk->to->arrow_count++] = arrow;
	}
}

/* -- a call whose events are gone --------------------------------------------------------------------- */

/* When a talker took over: by the transfer that led to him; the first one answered. */
static int64_t taken_over_ms(const struct call *call, struct str talker, bool first)
{
	for (unsigned i = 0; !first && i < call->transfer_count; i++) {
		const struct call_transfer *transfer = &call->transfers[i];

		if (transfer->result == TRANSFER_ACCEPTED &&
			str_equal(str_from(transfer->to), talker))
			return transfer->at_ms;
	}
	return call->answered_ms;
}

static void add_talkers(struct timeline_walk *walk)
{
	const struct call *call = walk->source->call;
	struct timeline *to = walk->to;

	for (unsigned i = 0; i < call->talkers.count; i++) {
		struct str talker = str_from(call->talkers.items[i]);
		unsigned lane = timeline_lane_of(walk, talker);
		bool last = i + 1 == call->talkers.count;
		int64_t to_ms =
			last ? to->to_ms
			     : taken_over_ms(call, str_from(call->talkers.items[i + 1]), false);
		struct timeline_bar bar = {.lane = lane,
			.kind = BAR_TALKING,
			.with = 1,
			.from_ms = clamp(to, taken_over_ms(call, talker, i == 0)),
			.to_ms = clamp(to, to_ms),
			.open = last && to->open};

		if (lane == NO_LANE || lane == 0 || call->answered_ms == CALL_NO_TIME)
			continue;
		timeline_bar_add(to, &bar);
		bar.with = UINT32_C(1) << lane;
		bar.lane = 0;
		timeline_bar_add(to, &bar);
	}
}

/* The fold knows of a conversation that the bridges do not show: both sat in bridges of their own. */
void timeline_talk_by_facts(struct timeline_walk *walk)
{
	struct timeline *to = walk->to;
	int64_t answer_ms = clamp(to, walk->source->call->answered_ms);

	for (unsigned i = 0; i < to->bar_count; i++) {
		if (to->bars[i].kind == BAR_TALKING)
			return;
	}
	for (unsigned i = 0; i < to->bar_count;) {
		struct timeline_bar *bar = &to->bars[i];

		bar->to_ms = bar->to_ms > answer_ms ? answer_ms : bar->to_ms;
		bar->open = false;
		if (bar->to_ms <= bar->from_ms)
			drop(to, i);
		else
			i++;
	}
	add_talkers(walk);
}

static void add_rang(struct timeline_walk *walk, struct str number, int64_t until_ms)
{
	const struct timeline_bar bar = {.lane = timeline_lane_of(walk, number),
		.kind = BAR_RINGING,
		.from_ms = walk->to->from_ms,
		.to_ms = until_ms};

	if (bar.lane != NO_LANE)
		timeline_bar_add(walk->to, &bar);
}

void timeline_from_facts(struct timeline_walk *walk)
{
	const struct call *call = walk->source->call;
	struct timeline *to = walk->to;
	int64_t end_ms = to->open ? walk->source->now_ms : call->ended_ms;
	int64_t answer_ms;

	if (call->started_ms == CALL_NO_TIME || end_ms == CALL_NO_TIME)
		return;
	to->from_ms = call->started_ms;
	to->to_ms = end_ms > to->from_ms ? end_ms : to->from_ms;
	answer_ms = call->answered_ms != CALL_NO_TIME ? clamp(to, call->answered_ms) : to->to_ms;
	for (unsigned i = 0; i < call->rang.count; i++)
		add_rang(walk, str_from(call->rang.items[i]), answer_ms);
	if (call->direction == CALL_INTERNAL)
		add_rang(walk, str_from(call->callee), answer_ms);
	else if (call->direction == CALL_OUTGOING)
		add_rang(walk, str_from(call->external), answer_ms);
	add_talkers(walk);
	for (unsigned i = 0; i < to->mark_count; i++)
		to->marks[i].at_ms = to->to_ms;
}
