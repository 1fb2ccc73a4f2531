/*
 * fold_calls: calls begin, end, come back, become one, and are forgotten.
 */
#include "fold_private.h"

#include "alloc.h"
#include "phone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct str id_key(char text[24], int64_t id)
{
	return str_of(text, (size_t)snprintf(text, 24, "%" PRId64, id));
}

struct fold_call *fold_call_find(const struct call_fold *fold, int64_t id)
{
	char key[24];

	return table_get(fold->calls, id_key(key, id));
}

bool fold_call_closed(const struct fold_call *call)
{
	return call->pub.state == CALL_ENDED || call->pub.state == CALL_LOST;
}

/* The log id of its first event names a call for ever: it is unique over all tenants and needs no
 * counter that would have to be saved. */
struct fold_call *fold_call_add(struct call_fold *fold, int64_t id, int64_t at_ms)
{
	struct fold_call *call;
	char key[24];

	if (table_get(fold->calls, id_key(key, id)) != NULL)
		return NULL; /* an event that was folded before */
	call = alloc_zeroed(1, sizeof(*call));
	call->fold = fold;
	call->pub.id = id;
	call->pub.state = CALL_RINGING;
	call->pub.call_status = -1;
	call->pub.started_ms = at_ms;
	call->pub.answered_ms = call->pub.ended_ms = CALL_NO_TIME;
	call->closed_ms = call->talked_ms = call->idle_ms = call->left_ms = CALL_NO_TIME;
	call->host_start_ms = call->host_end_ms = CALL_NO_TIME;
	call->last_ms = at_ms;
	table_put(fold->calls, id_key(key, id), call);
	fold_due_update(fold, call);
	fold_touch(fold, call);
	return call;
}

static void free_graph(struct call_fold *fold, struct fold_call *call)
{
	while (call->channels != NULL) {
		struct fold_channel *channel = call->channels;

		call->channels = channel->next;
		fold_channel_free(fold, channel);
	}
	while (call->bridges != NULL) {
		struct fold_bridge *bridge = call->bridges;

		call->bridges = bridge->next;
		fold_bridge_free(fold, bridge);
	}
}

/* Also from the index and the lists: nothing points to it afterwards. */
void fold_call_free(struct call_fold *fold, struct fold_call *call)
{
	char key[24];

	if (call->heap_at != 0)
		fold_due_remove(fold, call);
	else if (call->closed_ms != CALL_NO_TIME)
		fold_ended_remove(fold, call);
	fold_unindex(fold, call, false);
	free_graph(fold, call);
	if (table_get(fold->calls, id_key(key, call->pub.id)) == call)
		table_remove(fold->calls, id_key(key, call->pub.id));
	free(call->pub.rang.items);
	free(call->pub.talkers.items);
	free(call->mobiles.items);
	free(call->pub.transfers);
	free(call->pub.unique_ids);
	free(call);
}

/* By its id where there is one; office names of SIP trunks stay as they are. */
void fold_call_set_line(struct fold_call *call, struct str trunk)
{
	struct str id = phone_line_id(trunk);

	if (trunk.size > 0)
		str_copy(call->pub.line, CALL_NUMBER_BYTES, id.size > 0 ? id : trunk);
}

/* What the host's clock says counts, when it says both ends; else when we heard of them. */
static void set_times(struct fold_call *call, int64_t at_ms)
{
	int64_t heard_ms = at_ms;
	struct call *pub = &call->pub;

	/* The last that the host said was of our first leg, and others talked on after it. */
	if (!call->own_hangup && call->left_ms != CALL_NO_TIME && call->host_end_ms != CALL_NO_TIME)
		call->host_end_ms += at_ms - call->left_ms;
	pub->ended_ms = at_ms > pub->started_ms ? at_ms : pub->started_ms;
	if (call->host_start_ms != CALL_NO_TIME && call->host_end_ms != CALL_NO_TIME &&
		call->host_end_ms >= call->host_start_ms) {
		pub->started_ms = call->host_start_ms;
		pub->ended_ms = call->host_end_ms;
	}
	if (call->talked_ms == CALL_NO_TIME)
		return;
	/* The two clocks may differ: what is sure is how long before the end the talk began. */
	pub->answered_ms = pub->ended_ms - (heard_ms - call->talked_ms);
	if (pub->answered_ms < pub->started_ms)
		pub->answered_ms = pub->started_ms;
	if (pub->answered_ms > pub->ended_ms)
		pub->answered_ms = pub->ended_ms;
}

/* All channels leave: what comes for these bridges later is late. */
static void leave_all(struct fold_call *call)
{
	for (struct fold_bridge *bridge = call->bridges; bridge != NULL; bridge = bridge->next)
		bridge->old = true;
	for (struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		at->bridge = NULL;
		at->linked = false;
	}
}

void fold_call_close(
	struct call_fold *fold, struct fold_call *call, enum call_state state, int64_t at_ms)
{
	struct call *pub = &call->pub;
	/* Nobody said when it ended: when the last one left, not when we gave up waiting. */
	bool guessed = !call->own_hangup && call->idle_ms != CALL_NO_TIME;
	int64_t end_ms = guessed ? call->idle_ms : at_ms;

	if (fold_call_closed(call))
		return;
	fold_transfers_settle(call);
	pub->answered = pub->answered || call->conversation;
	pub->state = state;
	pub->talking[0] = '\0';
	if (state == CALL_ENDED)
		set_times(call, end_ms);
	call->closed_ms = at_ms;
	call->idle_ms = CALL_NO_TIME;
	leave_all(call);
	fold_unindex(fold, call, true);
	fold_due_remove(fold, call);
	fold_ended_add(fold, call);
	fold_touch(fold, call);
}

/* Its hangup was that of a leg, as it turns out: somebody talks with the other side again. */
void fold_call_reopen(struct call_fold *fold, struct fold_call *call)
{
	const struct call_numbers *talkers = &call->pub.talkers;

	fold_ended_remove(fold, call);
	if (talkers->count > 0)
		memcpy(call->pub.talking, talkers->items[talkers->count - 1], CALL_NUMBER_BYTES);
	call->closed_ms = CALL_NO_TIME;
	call->own_hangup = false;
	call->pub.state = CALL_TALKING;
	call->pub.ended_ms = CALL_NO_TIME;
	fold_due_update(fold, call);
	fold_say(fold, call, "goes on: its other side talks again");
}

static void move_graph(struct fold_call *from, struct fold_call *into)
{
	struct fold_channel **last_channel = &into->channels;
	struct fold_bridge **last_bridge = &into->bridges;

	for (struct fold_channel *at = from->channels; at != NULL; at = at->next) {
		at->call = into;
		at->linked = false; /* to another person than the one who counts now */
	}
	for (struct fold_bridge *at = from->bridges; at != NULL; at = at->next)
		at->call = into;
	while (*last_channel != NULL)
		last_channel = &(*last_channel)->next;
	while (*last_bridge != NULL)
		last_bridge = &(*last_bridge)->next;
	*last_channel = from->channels;
	*last_bridge = from->bridges;
	into->channel_count += from->channel_count;
	into->bridge_count += from->bridge_count;
	from->channels = NULL;
	from->bridges = NULL;
	from->channel_count = from->bridge_count = 0;
}

static void earliest(int64_t *to, int64_t ms)
{
	if (ms != CALL_NO_TIME && (*to == CALL_NO_TIME || ms < *to))
		*to = ms;
}

/* What happened in `from` happened in `into`. `from` stays readable until the step has been told,
 * so that its message can be taken away. */
void fold_call_merge(struct call_fold *fold, struct fold_call *from, struct fold_call *into)
{
	fold_say(fold, from, "is part of call %" PRId64, into->pub.id);
	fold_say(fold, into, "takes in call %" PRId64, from->pub.id);
	fold->changes[from->touched - 1].merged_into = into->pub.id;
	move_graph(from, into);
	if (from->anchored && into->anchored && from->external[0] != '\0')
		fold_numbers_add(&into->mobiles, from->external);
	if (into->external[0] == '\0' && from->external[0] != '\0')
		fold_call_set_external(fold, into, str_from(from->pub.external));
	earliest(&into->pub.started_ms,
		fold_call_closed(into) ? CALL_NO_TIME : from->pub.started_ms);
	earliest(&into->host_start_ms, from->host_start_ms);
	if (!fold_call_closed(from))
		fold_call_close(fold, from, CALL_LOST, from->last_ms);
	fold_consult_merged(fold, into, &from->pub);
	from->pub.answered = false;
	fold_unindex(fold, from, false);
	if (!into->anchored && from->primary != NULL) {
		into->primary = from->primary;
		into->anchored = from->anchored;
	}
	from->primary = NULL;
}

/* Once a step: the list of changes tells a call once, with its last reason. */
void fold_touch(struct call_fold *fold, struct fold_call *call)
{
	if (call->touched != 0)
		return;
	if (fold->change_count == fold->change_capacity) {
		fold->change_capacity = fold->change_capacity * 2 + 4;
		fold->changes =
			alloc_resize(fold->changes, fold->change_capacity * sizeof(*fold->changes));
		fold->items =
			alloc_resize(fold->items, fold->change_capacity * sizeof(*fold->items));
	}
	fold->changes[fold->change_count] = (struct fold_change){.call = call};
	fold->change_count++;
	call->touched = fold->change_count;
}

/* Why a step did what it did, for the trace that operators read. */
void fold_say(struct call_fold *fold, struct fold_call *call, const char *format, ...)
{
	va_list arguments;

	fold_touch(fold, call);
	va_start(arguments, format);
	vsnprintf(fold->changes[call->touched - 1].reason, FOLD_REASON_BYTES, format, arguments);
	va_end(arguments);
}
