/*
 * fold_save: a call's whole state as one JSON object, and back.
 *
 * The graph is saved as lists that point into each other by place. What is loaded is checked as if
 * a stranger had written it: a broken state is refused, not believed.
 */
#include "fold_private.h"

#include "alloc.h"

#include <inttypes.h>
#include <stdio.h>

enum { SAVED_MAX_BYTES = 1 << 20, SAVED_DEPTH = 6, SAVED_ARENA_BYTES = 4 << 20 };
enum { FLAG_HUNG_UP = 1, FLAG_LINKED = 2, FLAG_CONSULT = 4, FLAG_NAMED = 8, FLAG_WEAK = 16 };
enum {
	FLAG_ANSWERED = 1,
	FLAG_CLICK = 2,
	FLAG_ANCHORED = 4,
	FLAG_CONVERSATION = 8,
	FLAG_OWN_HANGUP = 16,
	FLAG_LEG_ENDED = 32,
	FLAG_LINE_SAID = 64,
	FLAG_PRIMARY_LEFT = 128,
};

struct saved_channel {
	struct str uid, local, number, peer;
	int64_t kind, flags, bridge, twin; /* places from 1; 0: none */
};

struct saved_bridge {
	struct str id;
	bool old;
};

struct saved_transfer {
	struct str from, to;
	int64_t kind, result, at_ms;
};

struct saved_ref {
	struct str number;
	bool ours;
};

struct saved {
	int64_t id, version, direction, state, status, flags, picked_up, overflow, primary;
	int64_t started, answered, ended, last, closed, talked, idle, host_start, host_end;
	struct str external, shown, caller, callee, talking, line, ours;
	struct json_strings rang, talkers, mobiles;
	struct json_list channels, bridges, transfers, refs;
};

static const struct json_field channel_fields[] = {
	JSON_FIELD(struct saved_channel, uid, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_channel, local, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, number, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, peer, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, kind, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, flags, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, bridge, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, twin, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

static const struct json_field bridge_fields[] = {
	JSON_FIELD(struct saved_bridge, id, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_bridge, old, JSON_BOOL, JSON_SKIP_EMPTY),
	{0},
};

static const struct json_field transfer_fields[] = {
	JSON_FIELD(struct saved_transfer, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_transfer, to, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_transfer, kind, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_transfer, result, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_transfer, at_ms, JSON_INT64, 0),
	{0},
};

static const struct json_field ref_fields[] = {
	JSON_FIELD(struct saved_ref, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_ref, ours, JSON_BOOL, JSON_SKIP_EMPTY),
	{0},
};

#define NUMBER(member) JSON_FIELD(struct saved, member, JSON_INT64, JSON_SKIP_EMPTY)
#define TIME(member)   JSON_FIELD(struct saved, member, JSON_INT64, JSON_REQUIRED)
#define TEXT(member)   JSON_FIELD(struct saved, member, JSON_STRING, JSON_SKIP_EMPTY)
#define LIST(member, item, item_fields, most)                                                      \
	{                                                                                          \
		.name = #member, .type = JSON_LIST, .offset = offsetof(struct saved, member),      \
		.flags = JSON_SKIP_EMPTY, .fields = (item_fields), .size_bytes = sizeof(item),     \
		.max_count = (most)                                                                \
	}

static const struct json_field saved_fields[] = {
	JSON_FIELD(struct saved, id, JSON_INT64, JSON_REQUIRED),
	NUMBER(version),
	NUMBER(direction),
	NUMBER(state),
	NUMBER(status),
	NUMBER(flags),
	NUMBER(picked_up),
	NUMBER(overflow),
	NUMBER(primary),
	TIME(started),
	TIME(answered),
	TIME(ended),
	TIME(last),
	TIME(closed),
	TIME(talked),
	TIME(idle),
	TIME(host_start),
	TIME(host_end),
	TEXT(external),
	TEXT(shown),
	TEXT(caller),
	TEXT(callee),
	TEXT(talking),
	TEXT(line),
	TEXT(ours),
	JSON_FIELD(struct saved, rang, JSON_STRINGS, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved, talkers, JSON_STRINGS, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved, mobiles, JSON_STRINGS, JSON_SKIP_EMPTY),
	LIST(channels, struct saved_channel, channel_fields, FOLD_MAX_CHANNELS),
	LIST(bridges, struct saved_bridge, bridge_fields, FOLD_MAX_BRIDGES),
	LIST(transfers, struct saved_transfer, transfer_fields, CALL_MAX_TRANSFERS),
	LIST(refs, struct saved_ref, ref_fields, 0),
	{0},
};

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
	       (call->line_said ? FLAG_LINE_SAID : 0) |
	       (call->primary_left ? FLAG_PRIMARY_LEFT : 0);
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

bool call_fold_save(const struct call_fold *fold, int64_t call_id, struct buf *to)
{
	const struct fold_call *call = fold_call_find(fold, call_id);
	struct arena *arena;
	struct saved saved;

	if (call == NULL)
		return false;
	arena = arena_new(SAVED_ARENA_BYTES);
	saved = saved_of(fold, call, arena);
	json_write(to, saved_fields, &saved);
	arena_free(&arena);
	return !to->failed;
}

static bool is_place(int64_t place, size_t count)
{
	return place >= 0 && (uint64_t)place <= count;
}

static bool graph_is_sound(const struct saved *saved)
{
	const struct saved_channel *channels = saved->channels.items;

	for (size_t i = 0; i < saved->channels.count; i++) {
		const struct saved_channel *at = &channels[i];

		if (at->uid.size == 0 || at->uid.size >= CALL_ID_BYTES || at->kind < 0 ||
			at->kind > KIND_LOCAL_2 || !is_place(at->bridge, saved->bridges.count) ||
			!is_place(at->twin, saved->channels.count))
			return false;
		if (at->twin != 0 &&
			((size_t)at->twin == i + 1 || (size_t)channels[at->twin - 1].twin != i + 1))
			return false;
	}
	return is_place(saved->primary, saved->channels.count);
}

/* Far from where sums overflow. */
static bool times_are_sound(const struct saved *saved)
{
	const int64_t times[] = {saved->started, saved->answered, saved->ended, saved->last,
		saved->closed, saved->talked, saved->idle, saved->host_start, saved->host_end};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i] != CALL_NO_TIME && (times[i] < -FOLD_MAX_MS || times[i] > FOLD_MAX_MS))
			return false;
	}
	return saved->started != CALL_NO_TIME && saved->last != CALL_NO_TIME;
}

static bool is_sound(const struct saved *saved)
{
	const struct saved_transfer *transfers = saved->transfers.items;
	bool closed = saved->state == CALL_ENDED || saved->state == CALL_LOST;

	for (size_t i = 0; i < saved->transfers.count; i++) {
		if (transfers[i].kind < 0 || transfers[i].kind > TRANSFER_BLIND ||
			transfers[i].result < 0 || transfers[i].result > TRANSFER_UNANSWERED)
			return false;
	}
	return saved->direction >= 0 && saved->direction <= CALL_INTERNAL && saved->state >= 0 &&
	       saved->state <= CALL_LOST && closed == (saved->closed != CALL_NO_TIME) &&
	       times_are_sound(saved) && graph_is_sound(saved);
}

static void load_number(char to[CALL_NUMBER_BYTES], struct str from)
{
	str_copy(to, CALL_NUMBER_BYTES, from);
}

static void load_scalars(const struct saved *saved, struct fold_call *call)
{
	struct call *pub = &call->pub;

	pub->version = (unsigned)saved->version;
	pub->direction = (enum call_direction)saved->direction;
	pub->state = (enum call_state)saved->state;
	pub->call_status = (int)saved->status;
	pub->answered = (saved->flags & FLAG_ANSWERED) != 0;
	pub->external_initiated = (saved->flags & FLAG_CLICK) != 0;
	call->anchored = (saved->flags & FLAG_ANCHORED) != 0;
	call->conversation = (saved->flags & FLAG_CONVERSATION) != 0;
	call->own_hangup = (saved->flags & FLAG_OWN_HANGUP) != 0;
	call->leg_ended = (saved->flags & FLAG_LEG_ENDED) != 0;
	call->line_said = (saved->flags & FLAG_LINE_SAID) != 0;
	call->primary_left = (saved->flags & FLAG_PRIMARY_LEFT) != 0;
	call->picked_up = (unsigned)saved->picked_up;
	call->overflow = (unsigned)saved->overflow;
	pub->started_ms = saved->started;
	pub->answered_ms = saved->answered;
	pub->ended_ms = saved->ended;
	call->last_ms = saved->last;
	call->talked_ms = saved->talked;
	call->idle_ms = saved->idle;
	call->host_start_ms = saved->host_start;
	call->host_end_ms = saved->host_end;
	load_number(call->external, saved->external);
	load_number(pub->external, saved->shown);
	load_number(pub->caller, saved->caller);
	load_number(pub->callee, saved->callee);
	load_number(pub->talking, saved->talking);
	load_number(pub->line, saved->line);
	load_number(call->ours, saved->ours);
}

static void load_numbers(struct call_numbers *to, const struct json_strings *from)
{
	char number[CALL_NUMBER_BYTES];

	for (size_t i = 0; i < from->count; i++) {
		load_number(number, from->items[i]);
		fold_numbers_add(to, number);
	}
}

static void load_transfers(const struct saved *saved, struct call *pub)
{
	const struct saved_transfer *from = saved->transfers.items;

	if (saved->transfers.count == 0)
		return;
	pub->transfers = alloc_zeroed(saved->transfers.count, sizeof(*pub->transfers));
	for (size_t i = 0; i < saved->transfers.count; i++) {
		struct call_transfer *to = &pub->transfers[pub->transfer_count++];

		load_number(to->from, from[i].from);
		load_number(to->to, from[i].to);
		to->kind = (enum call_transfer_kind)from[i].kind;
		to->result = (enum call_transfer_result)from[i].result;
		to->at_ms = from[i].at_ms;
	}
}

/* A UniqueId that a newer call bears by now stays with that one. */
static struct fold_channel *load_channel(
	struct call_fold *fold, struct fold_call *call, const struct saved_channel *from)
{
	struct fold_channel *holder = fold_channel_find(fold, from->uid);
	struct fold_channel *channel = fold_channel_add(fold, call, from->uid);

	if (channel == NULL)
		return NULL;
	if (holder != NULL && holder->call->pub.id > call->pub.id)
		table_put(fold->channels, from->uid, holder);
	load_number(channel->number, from->number);
	load_number(channel->peer, from->peer);
	channel->kind = (enum fold_kind)from->kind;
	channel->hung_up = (from->flags & FLAG_HUNG_UP) != 0;
	channel->linked = (from->flags & FLAG_LINKED) != 0;
	channel->weak = (from->flags & FLAG_WEAK) != 0;
	channel->consult = (from->flags & FLAG_CONSULT) != 0;
	if (from->local.size == 0)
		return channel;
	channel->local = alloc_text(from->local);
	if ((from->flags & FLAG_NAMED) != 0)
		table_put(fold->locals, from->local, channel);
	return channel;
}

static void load_graph(struct call_fold *fold, struct fold_call *call, const struct saved *saved,
	struct arena *arena)
{
	const struct saved_channel *channels = saved->channels.items;
	const struct saved_bridge *bridges = saved->bridges.items;
	struct fold_channel **made =
		arena_array(arena, saved->channels.count + 1, sizeof(struct fold_channel *));
	struct fold_bridge **built =
		arena_array(arena, saved->bridges.count + 1, sizeof(struct fold_bridge *));

	/* The newest bridge comes first in the list. */
	for (size_t i = saved->bridges.count; i > 0; i--) {
		built[i] = fold_bridge_add(fold, call, bridges[i - 1].id);
		built[i]->old = bridges[i - 1].old;
	}
	for (size_t i = 0; i < saved->channels.count; i++) {
		made[i + 1] = load_channel(fold, call, &channels[i]);
		made[i + 1]->bridge = built[channels[i].bridge];
	}
	for (size_t i = 0; i < saved->channels.count; i++)
		made[i + 1]->twin = made[channels[i].twin];
	call->primary = made[saved->primary];
}

static void load_call(struct call_fold *fold, const struct saved *saved, struct arena *arena)
{
	struct fold_call *call = fold_call_add(fold, saved->id, saved->started);
	const struct saved_ref *refs = saved->refs.items;
	char number[CALL_NUMBER_BYTES];

	load_scalars(saved, call);
	load_numbers(&call->pub.rang, &saved->rang);
	load_numbers(&call->pub.talkers, &saved->talkers);
	load_numbers(&call->mobiles, &saved->mobiles);
	load_transfers(saved, &call->pub);
	load_graph(fold, call, saved, arena);
	for (size_t i = saved->refs.count; i > 0; i--) {
		load_number(number, refs[i - 1].number);
		fold_index(fold, call, number, refs[i - 1].ours);
	}
	if (saved->closed != CALL_NO_TIME) {
		call->closed_ms = saved->closed;
		fold_due_remove(fold, call);
		fold_ended_add(fold, call);
	}
	fold_call_settled(fold, call);
}

bool call_fold_load(struct call_fold *fold, struct str text, struct error *error)
{
	struct json *json =
		json_parse(text, (struct json_limits){SAVED_MAX_BYTES, SAVED_DEPTH}, error);
	struct arena *arena;
	struct saved saved = {0};
	bool loaded = false;

	if (json == NULL)
		return error_prefix(error, "saved call: ");
	arena = arena_new(SAVED_ARENA_BYTES);
	if (!json_read(json, saved_fields, &saved, arena, error))
		error_prefix(error, "saved call: ");
	else if (!is_sound(&saved))
		error_set(
			error, ERROR_INPUT, "saved call %" PRId64 ": contradicts itself", saved.id);
	else if (fold_call_find(fold, saved.id) != NULL)
		error_set(error, ERROR_CONFLICT, "saved call %" PRId64 ": is there already",
			saved.id);
	else
		loaded = true;
	if (loaded)
		load_call(fold, &saved, arena);
	json_free(&json);
	arena_free(&arena);
	return loaded;
}
