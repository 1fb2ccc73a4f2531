/*
 * repeats: see repeats.h. A ring: the oldest goes when it is full, so memory is bounded.
 */
#include "repeats.h"

#include "alloc.h"
#include "table.h"

#include <stdlib.h>

enum { REPEATS = 4096, KEEP_MS = 50000 }; /* less than a stream's token is valid for */

struct repeat {
	char *sid, *answer;
	int64_t until_ms;
};

struct repeats {
	struct table *by_sid;
	struct repeat ring[REPEATS];
	size_t next;
};

struct repeats *repeats_new(void)
{
	struct repeats *repeats = alloc_zeroed(1, sizeof(*repeats));

	repeats->by_sid = table_new();
	return repeats;
}

static void drop(struct repeats *repeats, struct repeat *repeat)
{
	if (repeat->sid == NULL)
		return;
	if (table_get(repeats->by_sid, str_from(repeat->sid)) == repeat)
		(void)table_remove(repeats->by_sid, str_from(repeat->sid));
	free(repeat->sid);
	free(repeat->answer);
	*repeat = (struct repeat){0};
}

void repeats_free(struct repeats **repeats)
{
	if (*repeats == NULL)
		return;
	for (size_t i = 0; i < REPEATS; i++)
		drop(*repeats, &(*repeats)->ring[i]);
	table_free(&(*repeats)->by_sid);
	free(*repeats);
	*repeats = NULL;
}

struct str repeats_find(const struct repeats *repeats, struct str sid, int64_t now_ms)
{
	const struct repeat *repeat = table_get(repeats->by_sid, sid);

	return repeat != NULL && now_ms < repeat->until_ms ? str_from(repeat->answer) : STR("");
}

void repeats_keep(struct repeats *repeats, struct str sid, struct str answer, int64_t now_ms)
{
	struct repeat *repeat = &repeats->ring[repeats->next];

	repeats->next = (repeats->next + 1) % REPEATS;
	drop(repeats, repeat);
	*repeat = (struct repeat){alloc_text(sid), alloc_text(answer), now_ms + KEEP_MS};
	table_put(repeats->by_sid, sid, repeat);
}
