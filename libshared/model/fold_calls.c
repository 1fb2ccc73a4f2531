/*
 * fold_calls: calls begin, end, come back, become one, and are forgotten.
 */
#include "fold_private.h"

#include "alloc.h"
#include "phone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct str fold_call_key(const void *call)
{
	const struct fold_call *of = call;

	return str_of((const char *)&of->id, sizeof(of->id));
}

struct fold_call *fold_call_find(const struct call_fold *fold, int64_t id)
{
	return keyset_get(fold->calls, str_of((const char *)&id, sizeof(id)));
}

bool fold_call_closed(const struct fold_call *call)
{
	return call->state == CALL_ENDED || call->state == CALL_LOST;
}

/* The log id of its first event names a call for ever: it is unique over all tenants and needs no
 * counter that would have to be saved. */
struct fold_call *fold_call_add(struct call_fold *fold, int64_t id, int64_t at_ms)
{
	struct fold_call *call;

	if (fold_call_find(fold, id) != NULL)
		return NULL; /* an event that was folded before */
	call = alloc_zeroed(1, sizeof(*call));
	call->fold = fold;
	call->id = id;
	call->state = CALL_RINGING;
	call->status = -1;
	call->started_ms = at_ms;
	call->ended_ms = call->closed_ms = call->talked_ms = CALL_NO_TIME;
	call->idle_ms = call->left_ms = CALL_NO_TIME;
	call->host_start_ms = call->host_end_ms = CALL_NO_TIME;
	call->external = call->caller = call->callee = call->talking = fold_none;
	call->line = call->ours = fold_none;
	call->last_ms = at_ms;
	keyset_put(fold->calls, call);
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

static void free_numbers(struct call_fold *fold, struct fold_call *call)
{
	const char **const own[] = {&call->external, &call->caller, &call->callee, &call->talking,
		&call->line, &call->ours};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		fold_set(fold, own[i], fold_none);
	for (unsigned i = 0; i < call->leg_count; i++)
		fold_set(fold, &call->legs[i].number, fold_none);
	for (unsigned i = 0; i < call->line_count; i++)
		fold_set(fold, &call->lines[i], fold_none);
	while (call->transfer_count > 0)
		fold_transfer_drop(call, call->transfer_count - 1u);
	free(call->legs);
	free(call->lines);
	free(call->transfers);
}

/* Also from the index and the lists: nothing points to it afterwards. */
void fold_call_free(struct call_fold *fold, struct fold_call *call)
{
	if (call->heap_at != 0)
		fold_due_remove(fold, call);
	else if (call->closed_ms != CALL_NO_TIME)
		fold_ended_remove(fold, call);
	fold_unindex(fold, call, false);
	free_graph(fold, call);
	free_numbers(fold, call);
	keyset_remove(fold->calls, call);
	free(call);
}

/* Which lines it was tried on, before the one that it is on. */
static void keep_line(struct call_fold *fold, struct fold_call *call)
{
	if (call->line_count >= FOLD_MAX_LINES)
		return;
	call->lines = alloc_resize(call->lines, (call->line_count + 1u) * sizeof(*call->lines));
	call->lines[call->line_count] = fold_none;
	fold_set(fold, &call->lines[call->line_count++], call->line);
}

/* By its id where there is one; office names of SIP trunks stay as they are. */
struct str fold_line_of(struct str trunk)
{
	struct str id = phone_line_id(trunk);

	return id.size > 0 ? id : trunk;
}

/* In the index, apart from people's numbers. */
void fold_line_key(struct str line, char to[CALL_NUMBER_BYTES])
{
	to[0] = '@';
	str_copy(to + 1, CALL_NUMBER_BYTES - 1, line);
}

void fold_call_set_line(struct call_fold *fold, struct fold_call *call, struct str trunk)
{
	char line[CALL_NUMBER_BYTES];

	if (trunk.size == 0)
		return;
	str_copy(line, sizeof(line), fold_line_of(trunk));
	if (call->line_said && call->direction == CALL_OUTGOING && strcmp(line, call->line) != 0)
		keep_line(fold, call);
	fold_set(fold, &call->line, line);
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
	/* Nobody said when it ended: when the last one left, not when we gave up waiting. */
	bool guessed = !call->own_hangup && call->idle_ms != CALL_NO_TIME;

	if (fold_call_closed(call))
		return;
	fold_transfers_settle(call);
	call->answered = call->answered || call->conversation;
	call->state = (unsigned char)state;
	fold_set(fold, &call->talking, fold_none);
	if (state == CALL_ENDED)
		call->ended_ms = guessed ? call->idle_ms : at_ms;
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
	fold_ended_remove(fold, call);
	fold_set(fold, &call->talking, fold_last_talker(call));
	call->closed_ms = CALL_NO_TIME;
	call->own_hangup = false;
	call->state = CALL_TALKING;
	call->ended_ms = CALL_NO_TIME;
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
	into->channel_count = (uint16_t)(into->channel_count + from->channel_count);
	into->bridge_count = (uint16_t)(into->bridge_count + from->bridge_count);
	from->channels = NULL;
	from->bridges = NULL;
	from->channel_count = from->bridge_count = 0;
}

static void begins_earlier(struct fold_call *call, int64_t at_ms)
{
	int64_t by_ms = call->started_ms - at_ms;

	if (by_ms <= 0 || fold_call_closed(call))
		return;
	call->started_ms = at_ms;
	fold_legs_move(call, by_ms);
}

/* What happened in `from` happened in `into`. `from` stays readable until the step has been told,
 * so that its message can be taken away. */
void fold_call_merge(struct call_fold *fold, struct fold_call *from, struct fold_call *into)
{
	fold_say(fold, from, "is part of call %" PRId64, into->id);
	fold_say(fold, into, "takes in call %" PRId64, from->id);
	fold->changes[from->touched - 1].merged_into = into->id;
	move_graph(from, into);
	if (from->anchored && into->anchored && from->external[0] != '\0')
		fold_leg_is_mobile(into, from->external);
	if (into->external[0] == '\0' && from->external[0] != '\0') {
		fold_set(fold, &into->external, from->external);
		into->e164 = from->e164;
		fold_index(fold, into, into->external, false);
	}
	fold_twins_meet(into);
	begins_earlier(into, from->started_ms);
	if (from->host_start_ms != CALL_NO_TIME &&
		(into->host_start_ms == CALL_NO_TIME || from->host_start_ms < into->host_start_ms))
		into->host_start_ms = from->host_start_ms;
	if (!fold_call_closed(from))
		fold_call_close(fold, from, CALL_LOST, from->last_ms);
	for (unsigned i = 0; i < from->transfer_count; i++)
		from->transfers[i].by = NULL;
	fold_consult_merged(fold, into, from);
	from->answered = false;
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
	fold->changes[fold->change_count].call = call;
	fold->changes[fold->change_count].merged_into = 0;
	fold->changes[fold->change_count].reason[0] = '\0';
	fold->change_count++;
	call->touched = (uint32_t)fold->change_count;
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
