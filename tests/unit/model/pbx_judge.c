/*
 * pbx_judge: folding a run, and comparing what came of it with the truth.
 */
#include "pbx_judge.h"

#include "alloc.h"
#include "table.h"

#include <stdlib.h>

enum { TEXT_BYTES = 1 << 20, GRACE_MS = 200 * 1000, LOST_MS = 5 * 60 * 60 * 1000 };
enum { TIME_NEAR_MS = 3000, POSTED_LATE_MS = 15000 };
enum { LINGER_MS = 60 * 1000 }; /* as the dispatcher */

/* What the fold says of a call, kept from the change that ended it. */
struct found {
	bool is_there, closed;
	enum call_direction direction;
	bool answered;
	char external[CALL_NUMBER_BYTES];
	char line[CALL_NUMBER_BYTES], line_first[CALL_NUMBER_BYTES];
	char caller[CALL_NUMBER_BYTES], callee[CALL_NUMBER_BYTES];
	enum call_state state;
	char talkers[PBX_MAX_TALKERS + 1][CALL_NUMBER_BYTES];
	char rang[PBX_MAX_RANG + 1][CALL_NUMBER_BYTES];
	unsigned talker_count, rang_count, transfer_count;
	struct call_transfer transfers[PBX_MAX_MOVES + 1];
	unsigned owner; /* whose first channel it has; JUDGE_ALL_RIGHT: nobody's */
	bool mixed;	/* and another's, too */
	int64_t started_ms, ended_ms;
};

struct session {
	const struct judge_run *run;
	struct call_fold *fold;
	struct table *firsts; /* UniqueId of a call's first channel -> judge_call */
	struct found **found; /* by the fold's id of the call */
	unsigned found_count;
};

static void take_numbers(char (*to)[CALL_NUMBER_BYTES], unsigned *count, unsigned max,
	const struct call_numbers *from)
{
	*count = from->count < max ? from->count : max;
	for (unsigned i = 0; i < *count; i++)
		memcpy(to[i], from->items[i], CALL_NUMBER_BYTES);
}

/* Whose call is it? Channels of legs may be anybody's where nothing tells whose they are. */
static void take_owner(const struct session *session, struct found *found, const struct call *call)
{
	found->owner = JUDGE_ALL_RIGHT;
	found->mixed = false;
	for (unsigned i = 0; i < call->unique_id_count; i++) {
		const struct judge_call *owner =
			table_get(session->firsts, str_from(call->unique_ids[i]));
		unsigned index = owner != NULL ? (unsigned)(owner - session->run->scene->calls)
					       : JUDGE_ALL_RIGHT;

		if (owner == NULL || index == found->owner)
			continue;
		found->mixed = found->owner != JUDGE_ALL_RIGHT;
		if (!found->mixed)
			found->owner = index;
	}
}

static void take(const struct session *session, struct found *found, const struct call *call)
{
	found->direction = call->direction;
	found->state = call->state;
	found->answered = call->answered;
	memcpy(found->external, call->external, CALL_NUMBER_BYTES);
	memcpy(found->line, call->line, CALL_NUMBER_BYTES);
	memcpy(found->line_first, call->line_first, CALL_NUMBER_BYTES);
	memcpy(found->caller, call->caller, CALL_NUMBER_BYTES);
	memcpy(found->callee, call->callee, CALL_NUMBER_BYTES);
	take_numbers(found->talkers, &found->talker_count, PBX_MAX_TALKERS + 1, &call->talkers);
	take_numbers(found->rang, &found->rang_count, PBX_MAX_RANG + 1, &call->rang);
	found->transfer_count =
		call->transfer_count < PBX_MAX_MOVES + 1 ? call->transfer_count : PBX_MAX_MOVES + 1;
	for (unsigned i = 0; i < found->transfer_count; i++)
		found->transfers[i] = call->transfers[i];
	found->started_ms = call->started_ms;
	found->ended_ms = call->ended_ms;
	take_owner(session, found, call);
}

static void note(struct session *session, const struct call_changes *changes)
{
	for (unsigned i = 0; i < changes->count; i++) {
		const struct call *call = changes->items[i].call;
		struct found **found = &session->found[call->id];

		if (*found == NULL)
			*found = alloc_zeroed(1, sizeof(**found));
		(*found)->is_there = changes->items[i].merged_into == 0;
		(*found)->closed = call->state == CALL_ENDED || call->state == CALL_LOST;
		if ((*found)->closed && (*found)->is_there)
			take(session, *found, call);
	}
}

static struct call_fold *new_fold(void)
{
	const struct call_fold_rules rules = {.country = "BY", .linger_ms = LINGER_MS};

	return call_fold_new(&rules);
}

/* All calls are saved, and another fold goes on with them. */
static void hand_on(struct session *session)
{
	struct call_fold *next = new_fold();
	struct error error = {0};
	struct buf saved;

	buf_init(&saved, TEXT_BYTES);
	for (unsigned id = 1; id <= session->found_count; id++) {
		buf_clear(&saved);
		if (call_fold_save(session->fold, id, &saved))
			call_fold_load(next, buf_str(&saved), &error);
	}
	buf_free(&saved);
	call_fold_free(&session->fold);
	session->fold = next;
}

static void fold_all(struct session *session)
{
	const struct judge_run *run = session->run;
	struct call_changes changes;
	int64_t at_ms = 0;

	for (unsigned i = 0; i < run->count; i++) {
		struct call_event event = run->scene->events[run->items[i].event];

		event.id = i + 1;
		event.at_ms = at_ms = run->items[i].at_ms;
		call_fold_event(session->fold, &event, &changes);
		note(session, &changes);
		if (run->hand_on_at != 0 && i % run->hand_on_at == run->hand_on_at - 1)
			hand_on(session);
	}
	call_fold_tick(session->fold, at_ms + GRACE_MS, &changes);
	note(session, &changes);
	call_fold_tick(session->fold, at_ms + LOST_MS, &changes);
	note(session, &changes);
}

static bool same_list(const char *const *want, unsigned want_count,
	const char (*got)[CALL_NUMBER_BYTES], unsigned got_count)
{
	if (want_count != got_count)
		return false;
	for (unsigned i = 0; i < want_count; i++) {
		if (strcmp(want[i], got[i]) != 0)
			return false;
	}
	return true;
}

static bool same_transfers(const struct pbx_truth *want, const struct found *got)
{
	if (want->transfer_count != got->transfer_count)
		return false;
	for (unsigned i = 0; i < want->transfer_count; i++) {
		const struct call_transfer *transfer = &got->transfers[i];

		if (strcmp(want->transfers[i].from, transfer->from) != 0 ||
			strcmp(want->transfers[i].to, transfer->to) != 0 ||
			want->transfers[i].kind != transfer->kind ||
			(want->transfers[i].taker != NULL &&
				strcmp(want->transfers[i].taker, transfer->taker) != 0) ||
			want->transfers[i].result != transfer->result)
			return false;
	}
	return true;
}

/* After a restart the end is a guess; and where only leaves tell it and none came, too. */
static bool right_state(
	const struct judge_run *run, const struct pbx_truth *want, const struct found *got)
{
	if (want->end == PBX_END_NEVER || (want->end == PBX_END_LEAVES && !run->leaves_known))
		return true;
	return got->state == CALL_ENDED;
}

/* The host's clock has seconds; of a call that no hangup ended the arrival counts, and hosts post late. */
static const char *wrong_times(
	const struct judge_run *run, const struct pbx_truth *want, const struct found *got)
{
	bool told = want->end == PBX_END_HANGUP && got->state == CALL_ENDED;
	int64_t late_ms = run->late_ms + (told ? TIME_NEAR_MS : POSTED_LATE_MS);

	if (want->started_ms == 0 || want->started_ms == CALL_NO_TIME)
		return NULL; /* a recorded call: nobody wrote it down */
	if (llabs(got->started_ms - want->started_ms) > late_ms)
		return "started";
	if (want->ended_ms == CALL_NO_TIME || !told ||
		llabs(got->ended_ms - want->ended_ms) <= late_ms)
		return NULL;
	return "ended";
}

static const char *wrong_sides(const struct pbx_truth *want, const struct found *got)
{
	if (want->direction != got->direction)
		return "direction";
	if (strcmp(want->external, got->external) != 0)
		return "external";
	if (strcmp(want->line, got->line) != 0)
		return "line";
	if (want->line_first != NULL && strcmp(want->line_first, got->line_first) != 0)
		return "line_first";
	if (want->caller != NULL && strcmp(want->caller, got->caller) != 0)
		return "caller";
	if (want->direction == CALL_INTERNAL && want->callee != NULL &&
		strcmp(want->callee, got->callee) != 0)
		return "callee";
	return NULL;
}

/* What differs first; NULL: nothing. What a restart cut off is compared as far as it went. */
static const char *difference(
	const struct judge_run *run, const struct pbx_truth *want, const struct found *got)
{
	const char *wrong = want->sides_known ? wrong_sides(want, got) : NULL;

	if (!got->closed)
		return "is still open";
	if (got->mixed)
		return "another call is in it";
	if (!right_state(run, want, got))
		return "state";
	if (wrong != NULL)
		return wrong;
	if (want->answered != got->answered)
		return "answered";
	if (want->unsettled || !want->sides_known)
		return NULL;
	if (!same_list(want->talkers, want->talker_count,
		    (const char(*)[CALL_NUMBER_BYTES])got->talkers, got->talker_count))
		return "talkers";
	if (want->direction == CALL_INCOMING && !want->rang_open &&
		!same_list(want->rang, want->rang_count,
			(const char(*)[CALL_NUMBER_BYTES])got->rang, got->rang_count))
		return "rang";
	return same_transfers(want, got) ? wrong_times(run, want, got) : "transfers";
}

static void describe(const struct found *found, struct buf *to)
{
	buf_printf(to, "%s %s answered=%d external=%s line=%s caller=%s callee=%s talkers=",
		call_direction_name(found->direction), call_state_name(found->state),
		found->answered, found->external, found->line, found->caller, found->callee);
	for (unsigned i = 0; i < found->talker_count; i++)
		buf_printf(to, "%s,", found->talkers[i]);
	buf_printf(to, " rang=");
	for (unsigned i = 0; i < found->rang_count; i++)
		buf_printf(to, "%s,", found->rang[i]);
	for (unsigned i = 0; i < found->transfer_count; i++)
		buf_printf(to, " [%s>%s %s %s %s]", found->transfers[i].from,
			found->transfers[i].to, call_transfer_kind_name(found->transfers[i].kind),
			call_transfer_result_name(found->transfers[i].result),
			found->transfers[i].taker);
	buf_printf(to, " started=%lld ended=%lld\n", (long long)found->started_ms,
		(long long)found->ended_ms);
}

static void say_wrong(
	struct buf *words, const char *what, const struct judge_call *want, const struct found *got)
{
	if (words == NULL)
		return;
	buf_printf(words, "wrong: %s\n", what);
	if (want != NULL) {
		buf_printf(words, "want: ");
		pbx_truth_write(want->truth, words);
		buf_printf(words, "\n");
	}
	if (got == NULL)
		return;
	buf_printf(words, "got:  ");
	describe(got, words);
}

/* The calls that there are events of which begin a call. */
static void mark_present(const struct judge_run *run, bool *present)
{
	for (unsigned i = 0; i < run->count; i++) {
		unsigned event = run->items[i].event;

		if (pbx_event_is_classic(run->scene->events[event].type))
			present[run->scene->owners[event]] = true;
	}
}

static unsigned compare(const struct session *session, bool *present, struct buf *words)
{
	const struct judge_scene *scene = session->run->scene;

	mark_present(session->run, present);
	for (unsigned id = 1; id <= session->found_count; id++) {
		const struct found *found = session->found[id];
		const char *wrong = NULL;
		unsigned owner;

		if (found == NULL || !found->is_there)
			continue;
		owner = found->closed ? found->owner
				      : scene->owners[session->run->items[id - 1].event];
		if (owner == JUDGE_ALL_RIGHT || !present[owner]) {
			owner = scene->owners[session->run->items[id - 1].event];
			/* How a transfer went that was cut off, and what was part of it, is open. */
			wrong = scene->calls[owner].truth->unsettled ? NULL
								     : "a call that never was";
		} else {
			wrong = difference(session->run, scene->calls[owner].truth, found);
			present[owner] = false;
		}
		if (wrong == NULL)
			continue;
		say_wrong(words, wrong, &scene->calls[owner], found);
		return owner;
	}
	for (unsigned i = 0; i < scene->call_count; i++) {
		if (!present[i])
			continue;
		say_wrong(words, "no such call was found", &scene->calls[i], NULL);
		return i;
	}
	return JUDGE_ALL_RIGHT;
}

unsigned judge_fold(const struct judge_run *run, struct buf *words)
{
	struct session session = {.run = run, .fold = new_fold(), .firsts = table_new()};
	bool *present = alloc_zeroed(run->scene->call_count + 1, sizeof(*present));
	unsigned wrong;

	session.found_count = run->count;
	session.found = alloc_zeroed(run->count + 1, sizeof(struct found *));
	for (unsigned i = 0; i < run->scene->call_count; i++) {
		if (run->scene->calls[i].truth == NULL)
			continue; /* no event of it */
		table_put(session.firsts, str_from(run->scene->calls[i].truth->unique_id),
			&run->scene->calls[i]);
	}
	fold_all(&session);
	wrong = compare(&session, present, words);
	for (unsigned i = 0; i <= run->count; i++)
		free(session.found[i]);
	free(session.found);
	free(present);
	table_free(&session.firsts);
	call_fold_free(&session.fold);
	return wrong;
}
