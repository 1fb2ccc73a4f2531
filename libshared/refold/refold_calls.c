/*
 * refold_calls: see refold_calls.h.
 *
 * A row is made when a call is closed, and made anew when it changes afterwards. Closed calls stand
 * in a list in the order of their last change, so that those to be written out are its first.
 */
#include "refold_calls.h"

#include "alloc.h"
#include "call_row.h"

#include <stdlib.h>

#define EVENT_ARENA_BYTES ((size_t)8 << 20)
#define ROW_MAX_BYTES	  ((size_t)1 << 20)
#define MAX_REASONS	  100

struct kept_call {
	int64_t id, shard;
	int64_t first_ms, last_ms; /* of its events */
	bool recovered;		   /* its first event came afterwards */
	bool touched;		   /* some event of it did */
	bool closed;		   /* and in the list */
	unsigned reason_count;
	struct buf reasons, row;
	char trace_id[64];
	struct kept_call *newer, *older;
};

struct refold_calls {
	int64_t linger_ms;
	struct refold_window scope;
	struct arena *arena; /* of one event */
	struct arena *row_arena;
	char *enterprise;
	const struct refold_tenant *tenant;
	struct call_fold *fold;
	struct table *by_id;
	struct kept_call *oldest, *newest; /* closed ones */
};

struct refold_calls *refold_calls_new(int64_t linger_ms, struct refold_window scope)
{
	struct refold_calls *calls = alloc_zeroed(1, sizeof(*calls));

	calls->linger_ms = linger_ms;
	calls->scope = scope;
	calls->arena = arena_new(EVENT_ARENA_BYTES);
	calls->row_arena = arena_new(EVENT_ARENA_BYTES);
	calls->by_id = table_new();
	return calls;
}

void refold_calls_begin(
	struct refold_calls *calls, struct str enterprise, const struct refold_tenant *tenant)
{
	const struct call_fold_rules rules = {
		.country = tenant->country,
		.numbers = tenant->numbers,
		.linger_ms = calls->linger_ms,
	};

	calls->enterprise = alloc_text(enterprise);
	calls->tenant = tenant;
	calls->fold = call_fold_new(&rules);
}

/* -- the list -------------------------------------------------------------------------------------- */

static struct str key_of(const int64_t *id)
{
	return str_of((const char *)id, sizeof(*id));
}

static void kept_unlink(struct refold_calls *calls, struct kept_call *kept)
{
	if (kept->older != NULL)
		kept->older->newer = kept->newer;
	else
		calls->oldest = kept->newer;
	if (kept->newer != NULL)
		kept->newer->older = kept->older;
	else
		calls->newest = kept->older;
}

static void kept_append(struct refold_calls *calls, struct kept_call *kept)
{
	kept->older = calls->newest;
	kept->newer = NULL;
	if (calls->newest != NULL)
		calls->newest->newer = kept;
	else
		calls->oldest = kept;
	calls->newest = kept;
}

/* Not one that is in the list. */
static void kept_free(struct refold_calls *calls, struct kept_call *kept)
{
	table_remove(calls->by_id, key_of(&kept->id));
	buf_free(&kept->reasons);
	buf_free(&kept->row);
	free(kept);
}

static struct kept_call *kept_get(struct refold_calls *calls, int64_t id)
{
	struct kept_call *kept = table_get(calls->by_id, key_of(&id));

	if (kept != NULL)
		return kept;
	kept = alloc_zeroed(1, sizeof(*kept));
	kept->id = id;
	buf_init(&kept->reasons, ROW_MAX_BYTES);
	buf_init(&kept->row, ROW_MAX_BYTES);
	kept->first_ms = CALL_NO_TIME;
	table_put(calls->by_id, key_of(&id), kept);
	return kept;
}

void refold_calls_free(struct refold_calls **calls)
{
	size_t at = 0;
	void *kept;

	if (*calls == NULL)
		return;
	while (table_next((*calls)->by_id, &at, NULL, &kept))
		kept_free(*calls, kept);
	call_fold_free(&(*calls)->fold);
	table_free(&(*calls)->by_id);
	arena_free(&(*calls)->arena);
	arena_free(&(*calls)->row_arena);
	free((*calls)->enterprise);
	free(*calls);
	*calls = NULL;
}

/* -- rows ------------------------------------------------------------------------------------------ */

/* Did anything of it happen in the stretch that is asked for? By when its events came, not by the
 * host's clock. */
static bool kept_in_scope(const struct refold_calls *calls, const struct kept_call *kept)
{
	const struct refold_window *scope = &calls->scope;

	if (!kept->closed)
		return false;
	return (scope->from_ms == CALL_NO_TIME || kept->last_ms >= scope->from_ms) &&
	       (scope->to_ms == CALL_NO_TIME || kept->first_ms <= scope->to_ms);
}

static void add_list(struct buf *row, const char *name, struct buf *list)
{
	buf_printf(row, ",\"%s\":", name);
	if (list->size > 0)
		buf_add_char(list, ']');
	buf_add(row, list->size > 0 ? buf_str(list) : STR("[]"));
}

static struct str reasons_of(const struct kept_call *kept, struct arena *arena)
{
	if (kept->reasons.size == 0)
		return STR("[]");
	return str_from(arena_printf(arena, "%s]", kept->reasons.data));
}

/* The call as it is now, as one object with the rows of all three tables. */
static void kept_write(struct refold_calls *calls, struct kept_call *kept, const struct call *call)
{
	struct buf legs, transfers;

	arena_reset(calls->row_arena);
	const struct call_row_about about = {
		.shard = kept->shard,
		.enterprise = str_from(calls->enterprise),
		.data_source = kept->recovered ? STR("recovery") : STR("live"),
		.trace_id = str_from(kept->trace_id),
		.trace = reasons_of(kept, calls->row_arena),
		.fallback_extension = str_from(calls->tenant->fallback_extension),
	};

	buf_init(&legs, ROW_MAX_BYTES / 4);
	buf_init(&transfers, ROW_MAX_BYTES / 4);
	call_row_add_legs(&legs, call);
	call_row_add_transfers(&transfers, call);
	buf_clear(&kept->row);
	call_row_write(&kept->row, call, &about, calls->row_arena);
	kept->row.size--; /* the brace: more members follow */
	add_list(&kept->row, "legs", &legs);
	add_list(&kept->row, "transfers", &transfers);
	buf_printf(&kept->row, ",\"in_scope\":%s,\"recovered\":%s}",
		kept_in_scope(calls, kept) ? "true" : "false", kept->touched ? "true" : "false");
	buf_free(&legs);
	buf_free(&transfers);
}

static void kept_flush(struct refold_calls *calls, struct kept_call *kept, struct buf *rows)
{
	buf_add(call_row_next(rows, '['), buf_str(&kept->row));
	kept_free(calls, kept);
}

/* -- what a step changed --------------------------------------------------------------------------- */

/* Only its first event says where a call comes from: another may be of a call that just made time pass. */
static void take_event(
	struct kept_call *kept, const struct refold_event *event, const struct call *call)
{
	bool late = str_equal(event->data_source, STR("recovery"));

	kept->touched = kept->touched || late;
	if (kept->first_ms != CALL_NO_TIME && call->id != event->id)
		return;
	kept->shard = event->shard;
	kept->first_ms = event->at_ms;
	kept->recovered = late;
	(void)str_copy(kept->trace_id, sizeof(kept->trace_id), event->trace_id);
}

/* A call that was taken in leaves its beginning with the one that has it now. */
static void take_merged(struct refold_calls *calls, struct kept_call *kept, int64_t into)
{
	struct kept_call *other = kept_get(calls, into);

	if (other->first_ms == CALL_NO_TIME || kept->first_ms < other->first_ms)
		other->first_ms = kept->first_ms;
	if (kept->closed)
		kept_unlink(calls, kept);
	kept_free(calls, kept);
}

/* `event` is NULL when time passed. */
static void take_change(struct refold_calls *calls, const struct call_change *change,
	const struct refold_event *event, int64_t now_ms)
{
	const struct call *call = change->call;
	struct kept_call *kept = kept_get(calls, call->id);

	if (event != NULL)
		take_event(kept, event, call);
	if (change->merged_into != 0) {
		take_merged(calls, kept, change->merged_into);
		return;
	}
	if (kept->closed)
		kept_unlink(calls, kept);
	kept->last_ms = now_ms;
	kept->closed = call->state == CALL_ENDED || call->state == CALL_LOST;
	if (change->reason != NULL && change->reason[0] != '\0' &&
		kept->reason_count++ < MAX_REASONS)
		call_row_add_reason(
			&kept->reasons, now_ms, event != NULL ? event->id : 0, change->reason);
	if (!kept->closed)
		return;
	kept_write(calls, kept, call);
	kept_append(calls, kept);
}

static void take_changes(struct refold_calls *calls, const struct call_changes *changes,
	const struct refold_event *event, int64_t now_ms)
{
	for (unsigned i = 0; i < changes->count; i++)
		take_change(calls, &changes->items[i], event, now_ms);
}

/* What has been closed for as long as the fold remembers can change no more. */
static void flush_forgotten(struct refold_calls *calls, int64_t now_ms, struct buf *rows)
{
	struct kept_call *kept = calls->oldest;

	while (kept != NULL && kept->last_ms + calls->linger_ms < now_ms) {
		struct kept_call *newer = kept->newer;

		if (call_fold_find(calls->fold, kept->id) == NULL) {
			kept_unlink(calls, kept);
			kept_flush(calls, kept, rows);
		}
		kept = newer;
	}
}

bool refold_calls_event(struct refold_calls *calls, const struct refold_event *from,
	struct buf *rows, struct error *error)
{
	const struct call_event_text text = {from->type, from->body, calls->tenant->zone};
	struct call_changes changes = {.count = 0};
	struct call_event event;

	arena_reset(calls->arena);
	if (!call_event_from_text(&text, calls->arena, &event, error))
		return false;
	event.id = from->id;
	event.at_ms = from->at_ms;
	call_fold_event(calls->fold, &event, &changes);
	take_changes(calls, &changes, from, from->at_ms);
	flush_forgotten(calls, from->at_ms, rows);
	return true;
}

/* -- the end --------------------------------------------------------------------------------------- */

void refold_calls_end(struct refold_calls *calls, int64_t now_ms, struct buf *rows)
{
	struct call_changes changes = {.count = 0};
	size_t at = 0;
	void *item;

	if (calls->fold == NULL)
		return;
	arena_reset(calls->arena);
	call_fold_tick(calls->fold, now_ms, &changes);
	take_changes(calls, &changes, NULL, now_ms);
	while (table_next(calls->by_id, &at, NULL, &item)) {
		struct kept_call *kept = item;
		const struct call *open = call_fold_find(calls->fold, kept->id);

		if (!kept->closed && open != NULL)
			kept_write(calls, kept, open);
		if (kept->closed)
			kept_unlink(calls, kept);
		if (kept->row.size > 0)
			kept_flush(calls, kept, rows);
		else
			kept_free(calls, kept);
	}
	call_fold_free(&calls->fold);
	free(calls->enterprise);
	calls->enterprise = NULL;
}
