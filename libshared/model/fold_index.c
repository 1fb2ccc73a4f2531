/*
 * fold_index: numbers, each kept once, and the calls that they lead to.
 *
 * The index spares a scan over all open calls. A number that very many calls share is looked at
 * only so far; the newest calls come first.
 */
#include "fold_private.h"

#include "alloc.h"

#include <stdlib.h>

enum { MAX_CANDIDATES = 32 };

const char fold_none[] = "";

struct str fold_number_key(const void *number)
{
	return str_from(((const struct fold_number *)number)->text);
}

static struct fold_number *number_of(const char *text)
{
	return (struct fold_number *)(uintptr_t)(text - offsetof(struct fold_number, text));
}

static struct fold_number *take(struct call_fold *fold, const char *text)
{
	struct str key = str_from(text);
	struct fold_number *number = keyset_get(fold->numbers, key);

	if (number == NULL) {
		number = alloc_zeroed(1, sizeof(*number) + key.size + 1);
		memcpy(number->text, key.data, key.size);
		keyset_put(fold->numbers, number);
	}
	number->users++;
	return number;
}

static void release(struct call_fold *fold, struct fold_number *number)
{
	if (--number->users > 0)
		return;
	keyset_remove(fold->numbers, number);
	free(number);
}

/* `*slot` is "" or another number of the fold's. The new one is taken first: `text` may be of the
 * old one. */
void fold_set(struct call_fold *fold, const char **slot, const char *text)
{
	const char *old = *slot;

	if (strcmp(old, text) == 0)
		return;
	*slot = text[0] != '\0' ? take(fold, text)->text : fold_none;
	if (old[0] != '\0')
		release(fold, number_of(old));
}

/* A call has a handful of refs. */
static struct fold_ref *find_ref(const struct fold_call *call, const char *number, bool ours)
{
	for (struct fold_ref *ref = call->refs; ref != NULL; ref = ref->next_of_call) {
		if (ref->ours == ours && strcmp(ref->number->text, number) == 0)
			return ref;
	}
	return NULL;
}

/* Newest first: of many calls with a number the newest is most likely meant. */
void fold_index(struct call_fold *fold, struct fold_call *call, const char *number, bool ours)
{
	struct fold_ref *ref;

	if (number[0] == '\0' || find_ref(call, number, ours) != NULL)
		return;
	ref = alloc_zeroed(1, sizeof(*ref));
	ref->call = call;
	ref->ours = ours;
	ref->number = take(fold, number);
	ref->next_of_call = call->refs;
	call->refs = ref;
	ref->next = ref->number->refs;
	if (ref->next != NULL)
		ref->next->prev = ref;
	ref->number->refs = ref;
}

static void unlink_ref(struct call_fold *fold, struct fold_ref *ref)
{
	if (ref->next != NULL)
		ref->next->prev = ref->prev;
	if (ref->prev != NULL)
		ref->prev->next = ref->next;
	else
		ref->number->refs = ref->next;
	release(fold, ref->number);
	free(ref);
}

void fold_unindex(struct call_fold *fold, struct fold_call *call, bool ours_only)
{
	struct fold_ref **at = &call->refs;

	while (*at != NULL) {
		struct fold_ref *ref = *at;

		if (ours_only && !ref->ours) {
			at = &ref->next_of_call;
			continue;
		}
		*at = ref->next_of_call;
		unlink_ref(fold, ref);
	}
}

/* CLOSE: so many channels are made for one call within moments. FAR: nobody's phone rings for that long. */
enum { CLOSE = 16, FAR = 2000 };

struct fold_candidate {
	struct fold_call *call;
	int rank; /* above 0 */
};

/* Between calls that fit alike: whose channels were made when this one was, then the one with the
 * latest event; never by chance. */
static bool is_better(const struct fold_search *search, const struct fold_call *one,
	const struct fold_call *other)
{
	int64_t one_far, other_far;

	one_far = fold_nearest(one, search->uid);
	other_far = fold_nearest(other, search->uid);
	if (one_far != other_far)
		return one_far < other_far;
	return one->last_ms > other->last_ms ||
	       (one->last_ms == other->last_ms && one->id > other->id);
}

static bool is_open(const struct fold_call *call, const struct fold_search *search)
{
	return !fold_call_closed(call) ||
	       (search->after_ms > 0 && call->fold->now_ms - call->closed_ms <= search->after_ms);
}

/* Made at the same time as the channels of one, and long after or before those of the other? Then what
 * their numbers say counts less: the same people may be in both. */
static int compare_places(const struct fold_search *search, const struct fold_call *one,
	const struct fold_call *other)
{
	int64_t one_far = fold_nearest(one, search->uid);
	int64_t other_far = fold_nearest(other, search->uid);

	if (one_far <= CLOSE && other_far > FAR && other_far != INT64_MAX)
		return 1;
	if (other_far <= CLOSE && one_far > FAR && one_far != INT64_MAX)
		return -1;
	return 0;
}

static bool beats(const struct fold_search *search, const struct fold_candidate *one,
	const struct fold_candidate *other)
{
	int places;

	if (other->call == NULL)
		return true;
	places = compare_places(search, one->call, other->call);
	if (places != 0)
		return places > 0;
	if (one->rank != other->rank)
		return one->rank > other->rank;
	return is_better(search, one->call, other->call);
}

/* The open call that fits best; NULL when none does. */
struct fold_call *fold_search(const struct call_fold *fold, const struct fold_search *search)
{
	const struct fold_number *number = NULL;
	struct fold_candidate best = {0};
	int left = MAX_CANDIDATES;

	if (search->number[0] != '\0')
		number = keyset_get(fold->numbers, str_from(search->number));
	for (const struct fold_ref *ref = number != NULL ? number->refs : NULL;
		ref != NULL && left-- > 0; ref = ref->next) {
		struct fold_candidate one = {.call = ref->call};

		if (ref->ours == search->ours && is_open(ref->call, search) &&
			fold_same_run(ref->call, search->uid))
			one.rank = search->rank(search, ref->call);
		if (one.rank > 0 && beats(search, &one, &best))
			best = one;
	}
	return best.call;
}

/* Is the number known at all? */
bool fold_knows(const struct call_fold *fold, const char *number)
{
	const struct fold_number *known = keyset_get(fold->numbers, str_from(number));

	return known != NULL && known->refs != NULL;
}
