/*
 * crm_turns: see crm_turns.h. The wire of the events is in crm_event.c.
 */
#include "crm_turns.h"

#include "alloc.h"

#include <stdlib.h>

/* CallStatus of a call that nobody answered, where it says more than that (facts of the PBX's
 * events, 2.1: 4 and 5 come from forms). */
enum { STATUS_CANCELLED = 4, STATUS_FORBIDDEN = 5 };

/* -- the call ------------------------------------------------------------------------------------- */

static bool is_over(const struct call *call)
{
	return call->state == CALL_ENDED || call->state == CALL_LOST;
}

static enum crm_result result_of(const struct call *call)
{
	if (!is_over(call))
		return CRM_OPEN;
	if (call->state == CALL_LOST)
		return CRM_UNCLEAR;
	if (call->answered)
		return CRM_TALKED;
	if (call->call_status == STATUS_CANCELLED)
		return CRM_CANCELLED;
	return call->call_status == STATUS_FORBIDDEN ? CRM_BLOCKED : CRM_NO_ANSWER;
}

static int64_t time_of(int64_t wall_ms)
{
	return wall_ms == CALL_NO_TIME || wall_ms < 0 ? CRM_NO_TIME : wall_ms;
}

static struct json_strings list_of(const struct call_numbers *numbers, struct arena *arena)
{
	struct json_strings list = {
		.items = arena_array(arena, numbers->count + 1, sizeof(struct str))};

	for (unsigned i = 0; i < numbers->count; i++)
		list.items[list.count++] = str_from(numbers->items[i]);
	return list;
}

/* Who talks, or talked last. */
static const char *talker_of(const struct call *call)
{
	if (call->talking[0] != '\0')
		return call->talking;
	if (call->talkers.count > 0)
		return call->talkers.items[call->talkers.count - 1];
	return "";
}

static struct crm_call whole(const struct crm_told *told, const struct crm_turns *turns)
{
	const struct call *call = turns->call;
	const char *first = call->unique_id_count > 0 ? call->unique_ids[0] : "";
	const char *talker = talker_of(call);

	return (struct crm_call){
		.key = str_from(told->key[0] != '\0' ? told->key : first),
		.call_id = call->id,
		.outgoing = call->direction == CALL_OUTGOING,
		.phone = str_from(call->external),
		.hidden = call->external[0] == '\0',
		.line = str_from(call->line),
		.line_name = turns->line_name,
		.rang = list_of(&call->rang, turns->arena),
		.talkers = list_of(&call->talkers, turns->arena),
		.extension = str_from(talker[0] != '\0' ? talker : call->caller),
		.customer_name = turns->customer_name,
		.result = result_of(call),
		.started_ms = time_of(call->started_ms),
		.answered_ms = time_of(call->answered_ms),
		.ended_ms = time_of(call->ended_ms),
		.wait_seconds = is_over(call) || call->answered ? call_ring_seconds(call) : -1,
		.talk_seconds = is_over(call) ? call_talk_seconds(call) : -1,
		.record_url = str_from(told->record_url),
		.origin_crm = str_from(told->origin_crm),
		.origin_call = str_from(told->origin_call),
	};
}

/* As it was before its end, when that came together with what led to it. */
static struct crm_call before_end(const struct crm_call *now)
{
	struct crm_call call = *now;

	call.result = CRM_OPEN;
	call.ended_ms = CRM_NO_TIME;
	call.talk_seconds = -1;
	if (call.answered_ms == CRM_NO_TIME)
		call.wait_seconds = -1;
	return call;
}

static struct crm_call before_answer(const struct crm_call *now, const struct call *from)
{
	struct crm_call call = before_end(now);

	call.answered_ms = CRM_NO_TIME;
	call.wait_seconds = -1;
	call.talkers.count = 0;
	call.extension = str_from(from->caller);
	return call;
}

static struct crm_end end_of(const struct crm_call *call)
{
	struct crm_end end = {.outgoing = call->outgoing,
		.result = call->result,
		.started = call->started_ms / 1000,
		.answered = call->answered_ms / 1000,
		.ended = call->ended_ms / 1000};

	(void)str_copy(end.phone, sizeof(end.phone), call->phone);
	(void)str_copy(end.extension, sizeof(end.extension), call->extension);
	return end;
}

/* The channels of one call end one after another, and each hangup has its own second: nobody wants a
 * correction of that, and not every CRM can make one. */
enum { SAME_SECONDS = 2 };

static bool same_time(int64_t a, int64_t b)
{
	return a - b <= SAME_SECONDS && b - a <= SAME_SECONDS;
}

static bool same_end(const struct crm_end *a, const struct crm_end *b)
{
	return a->outgoing == b->outgoing && a->result == b->result &&
	       same_time(a->started, b->started) && same_time(a->answered, b->answered) &&
	       same_time(a->ended, b->ended) && strcmp(a->phone, b->phone) == 0 &&
	       strcmp(a->extension, b->extension) == 0;
}

/* -- what was told -------------------------------------------------------------------------------- */

static bool rang_told(const struct crm_told *told, struct str number)
{
	for (unsigned i = 0; i < told->rang.count; i++) {
		if (str_equal(str_from(told->rang.items[i]), number))
			return true;
	}
	return false;
}

static void add_rang(struct crm_told *told, const struct json_strings *rang)
{
	struct call_numbers *numbers = &told->rang;

	for (size_t i = 0; i < rang->count; i++) {
		if (numbers->count >= CALL_MAX_NUMBERS || rang_told(told, rang->items[i]))
			continue;
		numbers->items = alloc_resize(
			numbers->items, (numbers->count + 1) * sizeof(*numbers->items));
		(void)str_copy(numbers->items[numbers->count++], CALL_NUMBER_BYTES, rang->items[i]);
	}
}

void crm_told_set_origin(struct crm_told *told, struct str crm, struct str call)
{
	free(told->origin_crm);
	free(told->origin_call);
	told->origin_crm = alloc_text(crm);
	told->origin_call = alloc_text(call);
}

void crm_told_add(struct crm_told *told, const struct crm_event *event)
{
	const struct crm_call *call = &event->call;

	if (told->key[0] == '\0')
		(void)str_copy(told->key, sizeof(told->key), call->key);
	if (told->origin_crm == NULL && call->origin_crm.size > 0)
		crm_told_set_origin(told, call->origin_crm, call->origin_call);
	if (told->turns[event->kind] <= event->turn)
		told->turns[event->kind] = event->turn + 1;
	if (event->kind == CRM_RINGING)
		add_rang(told, &call->rang);
	if (event->kind == CRM_ANSWERED)
		(void)str_copy(told->talker, sizeof(told->talker), call->extension);
	if (event->kind == CRM_RECORDING) {
		free(told->record_url);
		told->record_url = alloc_text(call->record_url);
	}
	if (event->kind == CRM_HANGUP || event->kind == CRM_RECOVERED) {
		told->over = true;
		told->end = end_of(call);
	}
}

void crm_told_free(struct crm_told *told)
{
	free(told->rang.items);
	free(told->record_url);
	free(told->origin_crm);
	free(told->origin_call);
	*told = (struct crm_told){.key = ""};
}

/* -- what is to tell ------------------------------------------------------------------------------ */

/* While events are gathered. */
struct telling {
	const struct crm_told *told;
	const struct crm_turns *turns;
	struct crm_event *events;
	unsigned count;
};

static struct crm_event *telling_add(
	struct telling *telling, enum crm_kind kind, const struct crm_call *call)
{
	struct crm_event *event = &telling->events[telling->count++];

	*event =
		(struct crm_event){.kind = kind, .turn = telling->told->turns[kind], .call = *call};
	return event;
}

/* Of others only the hangup knew: they rang at the very end, as far as the call knows. */
static bool was_heard_ringing(const struct call *call, const char *number)
{
	for (unsigned i = 0; i < call->leg_count; i++) {
		if (strcmp(call->legs[i].number, number) == 0)
			return call->legs[i].ringing_ms != CALL_NO_TIME &&
			       call->legs[i].ringing_ms < call->ended_ms;
	}
	return false;
}

/* Those that began to ring since, unless somebody has long taken it. An outgoing call rings out there, once. */
static void tell_ringing(struct telling *telling, const struct crm_call *now)
{
	const struct crm_told *told = telling->told;
	const struct call *call = telling->turns->call;
	struct json_strings fresh = {.items = arena_array(telling->turns->arena,
					     call->rang.count + 1, sizeof(struct str))};
	int64_t answered_ms = time_of(call->answered_ms);
	bool past = told->turns[CRM_ANSWERED] == 0 && answered_ms != CRM_NO_TIME &&
		    telling->turns->now_ms - answered_ms > CRM_FRESH_MS;
	bool rings_out = call->direction == CALL_OUTGOING && call->state != CALL_GREETING &&
			 told->turns[CRM_RINGING] == 0;

	for (unsigned i = 0; i < call->rang.count; i++) {
		if (!rang_told(told, str_from(call->rang.items[i])) &&
			(!is_over(call) || was_heard_ringing(call, call->rang.items[i])))
			fresh.items[fresh.count++] = str_from(call->rang.items[i]);
	}
	if (past || told->turns[CRM_RINGING] >= CRM_MAX_TURNS || (fresh.count == 0 && !rings_out))
		return;
	struct crm_call then =
		told->turns[CRM_ANSWERED] == 0 ? before_answer(now, call) : before_end(now);
	telling_add(telling, CRM_RINGING, &then)->call.ringing = fresh;
}

static void tell_answered(struct telling *telling, const struct crm_call *now)
{
	const struct crm_told *told = telling->told;
	const struct call *call = telling->turns->call;
	const char *talker = talker_of(call);
	const struct crm_call then = before_end(now);

	if (is_over(call) && now->answered_ms == CRM_NO_TIME)
		return; /* only the hangup knew it */
	if (!call->answered || talker[0] == '\0' || strcmp(talker, told->talker) == 0 ||
		told->turns[CRM_ANSWERED] >= CRM_MAX_TURNS)
		return;
	(void)telling_add(telling, CRM_ANSWERED, &then);
}

unsigned crm_turns(const struct crm_told *told, const struct crm_turns *turns,
	struct crm_event events[CRM_MAX_EVENTS])
{
	struct telling telling = {.told = told, .turns = turns, .events = events};
	const struct call *call = turns->call;
	bool over = is_over(call);
	bool stale = over && turns->now_ms - turns->since_ms > CRM_FRESH_MS;

	if (call->direction != CALL_INCOMING && call->direction != CALL_OUTGOING)
		return 0;
	const struct crm_call now = whole(told, turns);
	const struct crm_end end = end_of(&now);
	if (!told->over && !turns->past && !stale) {
		tell_ringing(&telling, &now);
		tell_answered(&telling, &now);
	}
	if (over && !told->over)
		(void)telling_add(&telling, turns->past ? CRM_RECOVERED : CRM_HANGUP, &now);
	else if (over && !same_end(&told->end, &end))
		(void)telling_add(&telling, CRM_RECOVERED, &now);
	return telling.count;
}

bool crm_turn_recording(
	const struct crm_event *last, unsigned turn, struct str url, struct crm_event *event)
{
	bool over = last->kind == CRM_HANGUP || last->kind == CRM_RECOVERED ||
		    last->kind == CRM_RECORDING;

	if (!over || url.size == 0 || str_equal(last->call.record_url, url))
		return false;
	*event = *last;
	event->kind = CRM_RECORDING;
	event->turn = turn;
	event->call.ringing.count = 0;
	event->call.record_url = url;
	return true;
}
