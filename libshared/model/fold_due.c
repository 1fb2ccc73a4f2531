/*
 * fold_due: which call is next to end by itself, and which ended call to forget.
 *
 * Open calls lie in a heap by the time at which they end unless something happens; ended ones in
 * a list by the time of their end.
 */
#include "fold_private.h"

#include "alloc.h"

/* How much longer than a plain grace we wait where somebody may still be ringing. */
enum { RINGING_GRACES = 24 };

/* How much longer an end is remembered that nobody told: with a minute for the others, an hour. */
enum { GUESSED_LINGERS = 60 };

static void place(struct call_fold *fold, size_t at, struct fold_call *call)
{
	fold->heap[at - 1] = call;
	call->heap_at = (uint32_t)at;
}

/* Calls that are due together end in the order of their ids, whatever the heap looks like. */
static bool is_before(const struct fold_call *one, const struct fold_call *other)
{
	return one->due_ms < other->due_ms || (one->due_ms == other->due_ms && one->id < other->id);
}

static void sift_up(struct call_fold *fold, struct fold_call *call)
{
	size_t at = call->heap_at;

	while (at > 1 && is_before(call, fold->heap[at / 2 - 1])) {
		place(fold, at, fold->heap[at / 2 - 1]);
		at /= 2;
	}
	place(fold, at, call);
}

static void sift_down(struct call_fold *fold, struct fold_call *call)
{
	size_t at = call->heap_at;

	while (at * 2 <= fold->heap_count) {
		size_t child = at * 2;

		if (child < fold->heap_count && is_before(fold->heap[child], fold->heap[child - 1]))
			child++;
		if (!is_before(fold->heap[child - 1], call))
			break;
		place(fold, at, fold->heap[child - 1]);
		at = child;
	}
	place(fold, at, call);
}

void fold_due_set(struct call_fold *fold, struct fold_call *call, int64_t due_ms)
{
	call->due_ms = due_ms;
	if (call->heap_at == 0) {
		if (fold->heap_count == fold->heap_capacity) {
			fold->heap_capacity = fold->heap_capacity * 2 + 16;
			fold->heap = alloc_resize(
				fold->heap, fold->heap_capacity * sizeof(struct fold_call *));
		}
		fold->heap_count++;
		place(fold, fold->heap_count, call);
	}
	sift_up(fold, call);
	sift_down(fold, call);
}

void fold_due_remove(struct call_fold *fold, struct fold_call *call)
{
	struct fold_call *last;

	if (call->heap_at == 0)
		return;
	last = fold->heap[fold->heap_count - 1];
	fold->heap_count--;
	if (last != call) {
		place(fold, call->heap_at, last);
		sift_up(fold, last);
		sift_down(fold, last);
	}
	call->heap_at = 0;
}

/* After each event of a call: any sign of life puts its end off. */
void fold_due_update(struct call_fold *fold, struct fold_call *call)
{
	int64_t due_ms = call->last_ms + fold->lost_ms;

	if (fold_call_closed(call))
		return;
	if (call->idle_ms != CALL_NO_TIME) {
		bool over = call->leg_ended || call->left_ms != CALL_NO_TIME;
		bool ringing = !over || fold_blind_pending(call);

		due_ms = call->idle_ms + fold->grace_ms * (ringing ? RINGING_GRACES : 1);
	}
	fold_due_set(fold, call, due_ms);
}

static struct fold_ended *ended_of(struct call_fold *fold, const struct fold_call *call)
{
	return call->own_hangup ? &fold->told : &fold->guessed;
}

/* Ends come in order but for loads and guesses, so the walk is short. */
void fold_ended_add(struct call_fold *fold, struct fold_call *call)
{
	struct fold_ended *ended = ended_of(fold, call);
	struct fold_call *before = ended->newest;

	while (before != NULL && before->closed_ms > call->closed_ms)
		before = before->older;
	call->older = before;
	call->newer = before != NULL ? before->newer : ended->oldest;
	if (call->newer != NULL)
		call->newer->older = call;
	else
		ended->newest = call;
	if (before != NULL)
		before->newer = call;
	else
		ended->oldest = call;
	ended->count++;
}

void fold_ended_remove(struct call_fold *fold, struct fold_call *call)
{
	struct fold_ended *ended = ended_of(fold, call);

	if (call->older != NULL)
		call->older->newer = call->newer;
	else
		ended->oldest = call->newer;
	if (call->newer != NULL)
		call->newer->older = call->older;
	else
		ended->newest = call->older;
	call->older = call->newer = NULL;
	ended->count--;
}

/* Where no hangup told the end somebody may only have been on hold for long: the call would go on. */
int64_t fold_linger_ms(const struct call_fold *fold, const struct fold_call *call)
{
	return call->own_hangup ? fold->linger_ms : fold->linger_ms * GUESSED_LINGERS;
}
