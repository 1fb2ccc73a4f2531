/*
 * fold_index: lists of numbers, and the index from a number to its calls.
 *
 * The index spares a scan over all open calls. A number that very many calls share is looked at
 * only so far; the newest calls come first.
 */
#include "fold_private.h"

#include "alloc.h"
#include "phone.h"

#include <stdlib.h>

enum { MAX_CANDIDATES = 32 };

bool fold_numbers_have(const struct call_numbers *numbers, const char *number)
{
	for (unsigned i = 0; i < numbers->count; i++) {
		if (strcmp(numbers->items[i], number) == 0)
			return true;
	}
	return false;
}

/* In the order of arrival, each once; what is over the limit is not kept. */
bool fold_numbers_add(struct call_numbers *numbers, const char *number)
{
	unsigned count = numbers->count;

	if (number[0] == '\0' || count >= CALL_MAX_NUMBERS || fold_numbers_have(numbers, number))
		return false;
	/* Room grows by doubling: whenever the count is a power of two. */
	if ((count & (count - 1)) == 0)
		numbers->items = alloc_resize(
			numbers->items, (count == 0 ? 1 : count * 2) * sizeof(*numbers->items));
	str_copy(numbers->items[count], CALL_NUMBER_BYTES, str_from(number));
	numbers->count++;
	return true;
}

/* A call has a handful of refs. */
static struct fold_ref *find_ref(const struct fold_call *call, const char *number, bool ours)
{
	for (struct fold_ref *ref = call->refs; ref != NULL; ref = ref->next_of_call) {
		if (ref->ours == ours && strcmp(ref->number, number) == 0)
			return ref;
	}
	return NULL;
}

/* Newest first: of many calls with a number the newest is most likely meant. */
void fold_index(struct call_fold *fold, struct fold_call *call, const char *number, bool ours)
{
	struct fold_ref *ref;
	struct str key = str_from(number);

	if (number[0] == '\0' || find_ref(call, number, ours) != NULL)
		return;
	ref = alloc_zeroed(1, sizeof(*ref));
	ref->call = call;
	ref->ours = ours;
	str_copy(ref->number, sizeof(ref->number), key);
	ref->next_of_call = call->refs;
	call->refs = ref;
	ref->next = table_put(fold->numbers, key, ref);
	if (ref->next != NULL)
		ref->next->prev = ref;
}

static void unlink_ref(struct call_fold *fold, struct fold_ref *ref)
{
	if (ref->next != NULL)
		ref->next->prev = ref->prev;
	if (ref->prev != NULL)
		ref->prev->next = ref->next;
	else if (ref->next != NULL)
		table_put(fold->numbers, str_from(ref->number), ref->next);
	else
		table_remove(fold->numbers, str_from(ref->number));
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

/* Has this one of us anything to do with the call? */
static bool involves(const struct fold_call *call, const char *number)
{
	return number[0] != '\0' &&
	       (strcmp(call->pub.caller, number) == 0 || strcmp(call->ours, number) == 0 ||
		       strcmp(call->pub.talking, number) == 0 ||
		       fold_numbers_have(&call->pub.talkers, number) ||
		       fold_numbers_have(&call->pub.rang, number) ||
		       fold_numbers_have(&call->mobiles, number));
}

/* Between calls that fit alike the one with the latest event; never by chance. */
static bool is_later(const struct fold_call *one, const struct fold_call *other)
{
	return other == NULL || one->last_ms > other->last_ms ||
	       (one->last_ms == other->last_ms && one->pub.id > other->pub.id);
}

/* The open call with this person outside; `ours` decides between several. */
struct fold_call *fold_by_external(
	const struct call_fold *fold, const char *number, const char *ours)
{
	const struct fold_ref *ref = NULL;
	struct fold_call *best[2] = {NULL, NULL}; /* [1]: with one of us that we look for */
	int left = MAX_CANDIDATES;

	if (fold_is_outside(fold, number))
		ref = table_get(fold->numbers, str_from(number));
	for (; ref != NULL && left-- > 0; ref = ref->next) {
		bool fits = involves(ref->call, ours);

		if (ref->ours || fold_call_closed(ref->call))
			continue;
		if (is_later(ref->call, best[fits]))
			best[fits] = ref->call;
	}
	return best[1] != NULL ? best[1] : best[0];
}

/* The open call in which one of us takes the part that `fits` asks for. */
struct fold_call *fold_by_ours(const struct call_fold *fold, const char *number,
	bool (*fits)(const struct fold_call *call, const char *number))
{
	const struct fold_ref *ref = table_get(fold->numbers, str_from(number));
	struct fold_call *best = NULL;
	int left = MAX_CANDIDATES;

	for (; ref != NULL && left-- > 0; ref = ref->next) {
		if (ref->ours && !fold_call_closed(ref->call) && fits(ref->call, number) &&
			is_later(ref->call, best))
			best = ref->call;
	}
	return best;
}
