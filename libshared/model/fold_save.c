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
		     keyset_get(fold->locals, str_from(channel->local)) == channel;

	return (channel->hung_up ? FLAG_HUNG_UP : 0) | (channel->linked ? FLAG_LINKED : 0) |
	       (channel->consult ? FLAG_CONSULT : 0) | (named ? FLAG_NAMED : 0) |
	       (channel->weak ? FLAG_WEAK : 0) | (channel->met ? FLAG_MET : 0);
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

/* One more than the moment, so that what is left out is never. */
static int64_t moment(int32_t ms)
{
	return ms == FOLD_NEVER ? 0 : ms >= 0 ? (int64_t)ms + 1 : ms;
}

static void save_legs(const struct fold_call *call, struct arena *arena, struct saved *saved)
{
	struct saved_leg *to = arena_array(arena, call->leg_count, sizeof(struct saved_leg));

	saved->legs = (struct json_list){to, call->leg_count};
	for (unsigned i = 0; i < call->leg_count; i++) {
		const struct fold_leg *leg = &call->legs[i];

		to[i] = (struct saved_leg){.number = str_from(leg->number),
			.ringing = moment(leg->ringing),
			.answered = moment(leg->answered),
			.ended = moment(leg->ended),
			.rang = leg->rang,
			.talked = leg->talked,
			.flags = (leg->mobile ? FLAG_MOBILE : 0) |
				 (leg->follow_me ? FLAG_FOLLOW_ME : 0)};
	}
}

static void save_transfers(const struct fold_call *call, struct arena *arena, struct saved *saved)
{
	struct saved_transfer *to =
		arena_array(arena, call->transfer_count, sizeof(struct saved_transfer));

	saved->transfers = (struct json_list){to, call->transfer_count};
	for (unsigned i = 0; i < call->transfer_count; i++) {
		const struct fold_transfer *from = &call->transfers[i];

		to[i] = (struct saved_transfer){.from = str_from(from->from),
			.to = str_from(from->to),
			.taker = str_from(from->taker),
			.kind = from->kind,
			.result = from->result,
			.at_ms = from->at_ms,
			.by = channel_place(call, from->by),
			.flags = (from->picked_up ? FLAG_PICKED_UP : 0) |
				 (from->follow_me ? FLAG_FOLLOW_ME : 0)};
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
		*to++ = (struct saved_ref){str_from(at->number->text), at->ours};
}

static struct json_strings save_lines(const struct fold_call *call, struct arena *arena)
{
	struct json_strings saved = {
		arena_array(arena, call->line_count, sizeof(struct str)), call->line_count};

	for (unsigned i = 0; i < call->line_count; i++)
		saved.items[i] = str_from(call->lines[i]);
	return saved;
}

static int64_t call_flags(const struct fold_call *call)
{
	return (call->answered ? FLAG_ANSWERED : 0) | (call->clicked ? FLAG_CLICK : 0) |
	       (call->anchored ? FLAG_ANCHORED : 0) | (call->conversation ? FLAG_CONVERSATION : 0) |
	       (call->own_hangup ? FLAG_OWN_HANGUP : 0) | (call->leg_ended ? FLAG_LEG_ENDED : 0) |
	       (call->line_said ? FLAG_LINE_SAID : 0);
}

static struct saved saved_of(
	const struct call_fold *fold, const struct fold_call *call, struct arena *arena)
{
	struct saved saved = {
		.id = call->id,
		.version = call->version,
		.direction = call->direction,
		.state = call->state,
		.status = call->status,
		.flags = call_flags(call),
		.overflow = call->overflow,
		.primary = channel_place(call, call->primary),
		.started = call->started_ms,
		.ended = call->ended_ms,
		.last = call->last_ms,
		.closed = call->closed_ms,
		.talked = call->talked_ms,
		.idle = call->idle_ms,
		.left = call->left_ms,
		.host_start = call->host_start_ms,
		.host_end = call->host_end_ms,
		.external = str_from(call->external),
		.e164 = call->e164,
		.caller = str_from(call->caller),
		.callee = str_from(call->callee),
		.talking = str_from(call->talking),
		.line = str_from(call->line),
		.ours = str_from(call->ours),
		.lines = save_lines(call, arena),
	};

	save_graph(fold, call, arena, &saved);
	save_legs(call, arena, &saved);
	save_transfers(call, arena, &saved);
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
