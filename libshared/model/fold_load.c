/*
 * fold_load: a call from its saved state, to go on as if nothing had happened.
 *
 * What is loaded is checked as if a stranger had written it: a broken state is refused, not
 * believed.
 */
#include "fold_saved.h"

#include "alloc.h"

#include <inttypes.h>

static bool is_place(int64_t place, size_t count)
{
	return place >= 0 && (uint64_t)place <= count;
}

/* Places lie within the lists, and twins point at each other. */
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
		saved->closed, saved->talked, saved->idle, saved->left, saved->host_start,
		saved->host_end};

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
	call->picked_up = (unsigned)saved->picked_up;
	call->overflow = (unsigned)saved->overflow;
	pub->started_ms = saved->started;
	pub->answered_ms = saved->answered;
	pub->ended_ms = saved->ended;
	call->last_ms = saved->last;
	call->talked_ms = saved->talked;
	call->idle_ms = saved->idle;
	call->left_ms = saved->left;
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

/* In the order in which a call grows, so that the index and the lists come out alike. */
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
	if (!json_read(json, fold_saved_fields, &saved, arena, error))
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
