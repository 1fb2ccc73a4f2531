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
	const int64_t times[] = {saved->started, saved->ended, saved->last, saved->closed,
		saved->talked, saved->idle, saved->left, saved->host_start, saved->host_end};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i] != CALL_NO_TIME && (times[i] < -FOLD_MAX_MS || times[i] > FOLD_MAX_MS))
			return false;
	}
	return saved->started != CALL_NO_TIME && saved->last != CALL_NO_TIME;
}

/* The places in the order of ringing, and of talking, are 1, 2, 3. */
static bool legs_are_sound(const struct saved *saved)
{
	const struct saved_leg *legs = saved->legs.items;
	uint64_t rang = 0;
	uint64_t talked = 0;

	for (size_t i = 0; i < saved->legs.count; i++) {
		const struct saved_leg *leg = &legs[i];

		if (leg->number.size == 0 || leg->number.size >= CALL_NUMBER_BYTES ||
			leg->rang < 0 || leg->rang > CALL_MAX_NUMBERS || leg->talked < 0 ||
			leg->talked > CALL_MAX_NUMBERS ||
			(leg->rang > 0 && (rang >> (leg->rang - 1) & 1) != 0) ||
			(leg->talked > 0 && (talked >> (leg->talked - 1) & 1) != 0))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (str_equal(legs[j].number, leg->number))
				return false;
		}
		rang |= leg->rang > 0 ? UINT64_C(1) << (leg->rang - 1) : 0;
		talked |= leg->talked > 0 ? UINT64_C(1) << (leg->talked - 1) : 0;
	}
	return (rang & (rang + 1)) == 0 && (talked & (talked + 1)) == 0;
}

static bool is_sound(const struct saved *saved)
{
	const struct saved_transfer *transfers = saved->transfers.items;
	bool closed = saved->state == CALL_ENDED || saved->state == CALL_LOST;

	for (size_t i = 0; i < saved->transfers.count; i++) {
		if (transfers[i].kind < 0 || transfers[i].kind > TRANSFER_BLIND ||
			transfers[i].result < 0 || transfers[i].result > TRANSFER_UNANSWERED ||
			!is_place(transfers[i].by, saved->channels.count))
			return false;
	}
	return saved->direction >= 0 && saved->direction <= CALL_INTERNAL && saved->state >= 0 &&
	       saved->state <= CALL_LOST && closed == (saved->closed != CALL_NO_TIME) &&
	       saved->lines.count <= FOLD_MAX_LINES && times_are_sound(saved) &&
	       graph_is_sound(saved) && legs_are_sound(saved);
}

static void load_number(struct call_fold *fold, const char **to, struct str from)
{
	char number[CALL_NUMBER_BYTES];

	str_copy(number, sizeof(number), from);
	fold_set(fold, to, number);
}

static void load_times(const struct saved *saved, struct fold_call *call)
{
	call->started_ms = saved->started;
	call->ended_ms = saved->ended;
	call->last_ms = saved->last;
	call->talked_ms = saved->talked;
	call->idle_ms = saved->idle;
	call->left_ms = saved->left;
	call->host_start_ms = saved->host_start;
	call->host_end_ms = saved->host_end;
}

static void load_scalars(const struct saved *saved, struct fold_call *call)
{
	call->version = (uint32_t)saved->version;
	call->direction = (unsigned char)saved->direction;
	call->state = (unsigned char)saved->state;
	call->status = (short)saved->status;
	call->answered = (saved->flags & FLAG_ANSWERED) != 0;
	call->clicked = (saved->flags & FLAG_CLICK) != 0;
	call->anchored = (saved->flags & FLAG_ANCHORED) != 0;
	call->conversation = (saved->flags & FLAG_CONVERSATION) != 0;
	call->own_hangup = (saved->flags & FLAG_OWN_HANGUP) != 0;
	call->leg_ended = (saved->flags & FLAG_LEG_ENDED) != 0;
	call->line_said = (saved->flags & FLAG_LINE_SAID) != 0;
	call->e164 = saved->e164 || str_starts(saved->shown, STR("+"));
	call->overflow = (uint32_t)saved->overflow;
	load_number(call->fold, &call->external, saved->external);
	load_number(call->fold, &call->caller, saved->caller);
	load_number(call->fold, &call->callee, saved->callee);
	load_number(call->fold, &call->talking, saved->talking);
	load_number(call->fold, &call->line, saved->line);
	load_number(call->fold, &call->ours, saved->ours);
	if (saved->lines.count > 0)
		call->lines = alloc_zeroed(saved->lines.count, sizeof(*call->lines));
	for (size_t i = 0; i < saved->lines.count; i++) {
		call->lines[call->line_count] = fold_none;
		load_number(call->fold, &call->lines[call->line_count++], saved->lines.items[i]);
	}
}

static int32_t load_moment(int64_t saved)
{
	if (saved == 0 || saved <= FOLD_NEVER || saved > INT32_MAX)
		return FOLD_NEVER;
	return (int32_t)(saved > 0 ? saved - 1 : saved);
}

static void load_legs(const struct saved *saved, struct fold_call *call)
{
	const struct saved_leg *legs = saved->legs.items;
	const char *number = fold_none;

	for (size_t i = 0; i < saved->legs.count; i++) {
		struct fold_leg *leg;

		load_number(call->fold, &number, legs[i].number);
		leg = fold_leg_add(call, number);
		if (leg == NULL)
			continue;
		leg->ringing = load_moment(legs[i].ringing);
		leg->answered = load_moment(legs[i].answered);
		leg->ended = load_moment(legs[i].ended);
		leg->rang = (unsigned char)legs[i].rang;
		leg->talked = (unsigned char)legs[i].talked;
		leg->mobile = (legs[i].flags & FLAG_MOBILE) != 0;
		leg->follow_me = (legs[i].flags & FLAG_FOLLOW_ME) != 0;
	}
	fold_set(call->fold, &number, fold_none);
}

/* Older releases kept three lists, and no moments. */
static void load_lists(const struct saved *saved, struct fold_call *call)
{
	const char *number = fold_none;

	for (size_t i = 0; i < saved->rang.count; i++) {
		load_number(call->fold, &number, saved->rang.items[i]);
		fold_leg_rings(call, number);
	}
	for (size_t i = 0; i < saved->talkers.count; i++) {
		load_number(call->fold, &number, saved->talkers.items[i]);
		fold_leg_talks(call, number);
	}
	for (size_t i = 0; i < saved->mobiles.count; i++) {
		load_number(call->fold, &number, saved->mobiles.items[i]);
		fold_leg_is_mobile(call, number);
	}
	fold_set(call->fold, &number, fold_none);
	for (unsigned i = 0; i < call->leg_count && saved->legs.count == 0; i++)
		call->legs[i].ringing = FOLD_NEVER;
}

static void load_transfers(const struct saved *saved, struct fold_call *call)
{
	const struct saved_transfer *from = saved->transfers.items;

	for (size_t i = 0; i < saved->transfers.count; i++) {
		struct fold_transfer *to = fold_transfer_new(call);

		load_number(call->fold, &to->from, from[i].from);
		load_number(call->fold, &to->to, from[i].to);
		load_number(call->fold, &to->taker, from[i].taker);
		to->kind = (unsigned char)from[i].kind;
		to->result = (unsigned char)from[i].result;
		to->at_ms = from[i].at_ms;
		to->picked_up =
			(from[i].flags & FLAG_PICKED_UP) != 0 || (saved->picked_up >> i & 1) != 0;
		to->follow_me = (from[i].flags & FLAG_FOLLOW_ME) != 0;
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
	if (holder != NULL && holder->call->id > call->id)
		keyset_put(fold->channels, holder);
	load_number(fold, &channel->number, from->number);
	load_number(fold, &channel->peer, from->peer);
	channel->kind = (unsigned char)from->kind;
	channel->hung_up = (from->flags & FLAG_HUNG_UP) != 0;
	channel->linked = (from->flags & FLAG_LINKED) != 0;
	channel->weak = (from->flags & FLAG_WEAK) != 0;
	channel->met = (from->flags & FLAG_MET) != 0;
	channel->consult = (from->flags & FLAG_CONSULT) != 0;
	if (from->local.size == 0)
		return channel;
	channel->local = alloc_text(from->local);
	if ((from->flags & FLAG_NAMED) != 0)
		keyset_put(fold->locals, channel);
	return channel;
}

static void load_graph(struct call_fold *fold, struct fold_call *call, const struct saved *saved,
	struct arena *arena)
{
	const struct saved_channel *channels = saved->channels.items;
	const struct saved_bridge *bridges = saved->bridges.items;
	const struct saved_transfer *transfers = saved->transfers.items;
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
	for (size_t i = 1; i < saved->channels.count; i++) {
		if (!made[i]->weak && !made[i + 1]->weak)
			fold_uid_learn(fold, made[i]->uid, made[i + 1]->uid);
	}
	call->primary = made[saved->primary];
	for (size_t i = 0; i < saved->transfers.count; i++)
		call->transfers[i].by = made[transfers[i].by];
}

/* In the order in which a call grows, so that the index and the lists come out alike. */
static void load_call(struct call_fold *fold, const struct saved *saved, struct arena *arena)
{
	struct fold_call *call = fold_call_add(fold, saved->id, saved->started);
	const struct saved_ref *refs = saved->refs.items;
	char number[CALL_NUMBER_BYTES];

	load_times(saved, call);
	load_scalars(saved, call);
	load_legs(saved, call);
	load_lists(saved, call);
	load_transfers(saved, call);
	load_graph(fold, call, saved, arena);
	for (size_t i = saved->refs.count; i > 0; i--) {
		str_copy(number, sizeof(number), refs[i - 1].number);
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

	fold_views_drop(fold->views); /* thousands are loaded and looked at, one after the other */
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
