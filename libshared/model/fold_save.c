/*
 * fold_save: a call's whole state as one JSON object.
 */
#include "fold_saved.h"

/* Lists are short; walking them keeps places out of the structs. */
static int64_t bridge_place(const struct fold_call *call, const struct fold_bridge *bridge)
{
	int64_t place = 1;

	if (bridge == NULL)
		return 0;
	for (const struct fold_bridge *at = call->bridges; at != bridge; at = at->next)
		place++;
	return place;
}

static int64_t channel_place(const struct fold_call *call, const struct fold_channel *channel)
{
	int64_t place = 1;

	if (channel == NULL)
		return 0;
	for (const struct fold_channel *at = call->channels; at != channel; at = at->next)
		place++;
	return place;
}

static int64_t channel_flags(const struct call_fold *fold, const struct fold_channel *channel)
{
	bool named = channel->local != NULL &&
		     table_get(fold->locals, str_from(channel->local)) == channel;

	return (channel->hung_up ? FLAG_HUNG_UP : 0) | (channel->linked ? FLAG_LINKED : 0) |
	       (channel->consult ? FLAG_CONSULT : 0) | (named ? FLAG_NAMED : 0) |
	       (channel->weak ? FLAG_WEAK : 0);
}

static void save_graph(const struct call_fold *fold, const struct fold_call *call,
	struct arena *arena, struct saved *saved)
{
	struct saved_channel *channel =
		arena_array(arena, call->channel_count, sizeof(struct saved_channel));
	struct saved_bridge *bridge =
		arena_array(arena, call->bridge_count, sizeof(struct saved_bridge));

	saved->channels = (struct json_list){channel, call->channel_count};
	saved->bridges = (struct json_list){bridge, call->bridge_count};
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next)
		*channel++ = (struct saved_channel){
			.uid = str_from(at->uid),
			.local = str_from(at->local),
			.number = str_from(at->number),
			.peer = str_from(at->peer),
			.kind = at->kind,
			.flags = channel_flags(fold, at),
			.bridge = bridge_place(call, at->bridge),
			.twin = channel_place(call, at->twin),
		};
	for (const struct fold_bridge *at = call->bridges; at != NULL; at = at->next)
		*bridge++ = (struct saved_bridge){str_from(at->id), at->old};
}

static void save_transfers(const struct call *pub, struct arena *arena, struct saved *saved)
{
	struct saved_transfer *to =
		arena_array(arena, pub->transfer_count, sizeof(struct saved_transfer));

	saved->transfers = (struct json_list){to, pub->transfer_count};
	for (unsigned i = 0; i < pub->transfer_count; i++) {
		const struct call_transfer *from = &pub->transfers[i];

		to[i] = (struct saved_transfer){str_from(from->from), str_from(from->to),
			from->kind, from->result, from->at_ms};
	}
}

static void save_refs(const struct fold_call *call, struct arena *arena, struct saved *saved)
{
	struct saved_ref *to;
	size_t count = 0;

	for (const struct fold_ref *at = call->refs; at != NULL; at = at->next_of_call)
		count++;
	to = arena_array(arena, count, sizeof(struct saved_ref));
	saved->refs = (struct json_list){to, count};
	for (const struct fold_ref *at = call->refs; at != NULL; at = at->next_of_call)
		*to++ = (struct saved_ref){str_from(at->number), at->ours};
}

static struct json_strings save_numbers(const struct call_numbers *numbers, struct arena *arena)
{
	struct json_strings saved = {
		arena_array(arena, numbers->count, sizeof(struct str)), numbers->count};

	for (unsigned i = 0; i < numbers->count; i++)
		saved.items[i] = str_from(numbers->items[i]);
	return saved;
}

static int64_t call_flags(const struct fold_call *call)
{
	return (call->pub.answered ? FLAG_ANSWERED : 0) |
	       (call->pub.external_initiated ? FLAG_CLICK : 0) |
	       (call->anchored ? FLAG_ANCHORED : 0) | (call->conversation ? FLAG_CONVERSATION : 0) |
	       (call->own_hangup ? FLAG_OWN_HANGUP : 0) | (call->leg_ended ? FLAG_LEG_ENDED : 0) |
	       (call->line_said ? FLAG_LINE_SAID : 0);
}

static struct saved saved_of(
	const struct call_fold *fold, const struct fold_call *call, struct arena *arena)
{
	const struct call *pub = &call->pub;
	struct saved saved = {
		.id = pub->id,
		.version = pub->version,
		.direction = pub->direction,
		.state = pub->state,
		.status = pub->call_status,
		.flags = call_flags(call),
		.picked_up = call->picked_up,
		.overflow = call->overflow,
		.primary = channel_place(call, call->primary),
		.started = pub->started_ms,
		.answered = pub->answered_ms,
		.ended = pub->ended_ms,
		.last = call->last_ms,
		.closed = call->closed_ms,
		.talked = call->talked_ms,
		.idle = call->idle_ms,
		.left = call->left_ms,
		.host_start = call->host_start_ms,
		.host_end = call->host_end_ms,
		.external = str_from(call->external),
		.shown = str_from(pub->external),
		.caller = str_from(pub->caller),
		.callee = str_from(pub->callee),
		.talking = str_from(pub->talking),
		.line = str_from(pub->line),
		.ours = str_from(call->ours),
		.rang = save_numbers(&pub->rang, arena),
		.talkers = save_numbers(&pub->talkers, arena),
		.mobiles = save_numbers(&call->mobiles, arena),
	};

	save_graph(fold, call, arena, &saved);
	save_transfers(pub, arena, &saved);
	save_refs(call, arena, &saved);
	return saved;
}

/* An arena of its own for the lists in between; the text goes to the caller. */
bool call_fold_save(const struct call_fold *fold, int64_t call_id, struct buf *to)
{
	const struct fold_call *call = fold_call_find(fold, call_id);
	struct arena *arena;
	struct saved saved;

	if (call == NULL)
		return false;
	arena = arena_new(SAVED_ARENA_BYTES);
	saved = saved_of(fold, call, arena);
	json_write(to, fold_saved_fields, &saved);
	arena_free(&arena);
	return !to->failed;
}
