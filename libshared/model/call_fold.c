/*
 * call_fold: the fold's door: events in, time, limits, and the list of what changed.
 *
 * Whether people can see a change is not decided where it is made: after each step what they would
 * see is fingerprinted and compared.
 */
#include "fold_private.h"

#include "alloc.h"
#include "phone.h"

#include <stdlib.h>

enum { OPEN_DEFAULT = 20000, ENDED_PER_OPEN = 2 };
enum { GRACE_DEFAULT_MS = 5000, LINGER_DEFAULT_MS = 10 * 60 * 1000 };
enum { LOST_DEFAULT_MS = 4 * 60 * 60 * 1000 };

/* Zero means the default, so that a caller names only what it has an opinion of. */
struct call_fold *call_fold_new(const struct call_fold_rules *rules)
{
	struct call_fold *fold = alloc_zeroed(1, sizeof(*fold));

	call_fold_set_numbers(fold, rules->country, rules->numbers);
	fold->max_open_calls = rules->max_open_calls != 0 ? rules->max_open_calls : OPEN_DEFAULT;
	fold->grace_ms = rules->grace_ms != 0 ? rules->grace_ms : GRACE_DEFAULT_MS;
	fold->linger_ms = rules->linger_ms != 0 ? rules->linger_ms : LINGER_DEFAULT_MS;
	fold->lost_ms = rules->lost_ms != 0 ? rules->lost_ms : LOST_DEFAULT_MS;
	fold->now_ms = CALL_NO_TIME;
	fold->calls = keyset_new(fold_call_key);
	fold->channels = keyset_new(fold_channel_key);
	fold->bridges = keyset_new(fold_bridge_key);
	fold->locals = keyset_new(fold_local_key);
	fold->numbers = keyset_new(fold_number_key);
	fold->views = fold_views_new();
	return fold;
}

void call_fold_free(struct call_fold **fold)
{
	if (*fold == NULL)
		return;
	fold_views_free(&(*fold)->views);
	while ((*fold)->heap_count > 0)
		fold_call_free(*fold, (*fold)->heap[(*fold)->heap_count - 1]);
	free((*fold)->spent.items);
	while ((*fold)->told.oldest != NULL)
		fold_call_free(*fold, (*fold)->told.oldest);
	while ((*fold)->guessed.oldest != NULL)
		fold_call_free(*fold, (*fold)->guessed.oldest);
	keyset_free(&(*fold)->calls);
	keyset_free(&(*fold)->channels);
	keyset_free(&(*fold)->bridges);
	keyset_free(&(*fold)->locals);
	keyset_free(&(*fold)->numbers);
	free((*fold)->heap);
	free((*fold)->changes);
	free((*fold)->items);
	free(*fold);
	*fold = NULL;
}

/* Forget the step before, and with it the calls that were taken in by others. */
static void begin_step(struct call_fold *fold)
{
	fold_views_drop(fold->views);
	for (size_t i = 0; i < fold->change_count; i++) {
		fold->changes[i].call->touched = 0;
		if (fold->changes[i].merged_into != 0)
			fold_call_free(fold, fold->changes[i].call);
	}
	fold->change_count = 0;
	fold->warning[0] = '\0';
}

/* Eight bytes at a time, by multiplication (the constant is that of FNV-1a): nobody gains by making
 * two states of a call look alike. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

/* With its length, so that "1" "51" is not "15" "1". */
static uint64_t mix_text(uint64_t hash, const char *text)
{
	size_t size = strlen(text);
	size_t at = 0;
	uint64_t word = 0;

	for (; size - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, text + at, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, text + at, size - at);
	return mix(mix(hash, word), size);
}

static uint64_t mix_transfer(uint64_t hash, const struct fold_transfer *transfer)
{
	hash = mix_text(hash, transfer->from);
	hash = mix_text(hash, transfer->to);
	hash = mix_text(hash, transfer->taker);
	return mix(hash, transfer->kind | transfer->result << 8 | transfer->follow_me << 16);
}

/* All of a call that somebody could see. Its UniqueIds are for machines, and the moments of its
 * legs change only with something else. */
static uint64_t fingerprint(const struct fold_call *call)
{
	uint64_t hash = mix(0xcbf29ce484222325u,
		call->direction | call->state << 8 | call->answered << 16 | call->e164 << 17);

	hash = mix(hash, (uint64_t)call->started_ms);
	hash = mix(hash, (uint64_t)call->talked_ms);
	hash = mix(hash, (uint64_t)call->ended_ms);
	if (fold_call_closed(call)) {
		hash = mix(hash, (uint64_t)call->host_start_ms);
		hash = mix(hash, (uint64_t)call->host_end_ms);
	}
	hash = mix_text(hash, call->external);
	hash = mix_text(hash, call->caller);
	hash = mix_text(hash, call->callee);
	hash = mix_text(hash, call->talking);
	hash = mix_text(hash, call->line);
	hash = mix(hash, call->line_count);
	for (unsigned i = 0; i < call->leg_count; i++) {
		const struct fold_leg *leg = &call->legs[i];

		hash = mix_text(hash, leg->number);
		hash = mix(hash,
			leg->rang | leg->talked << 8 | leg->mobile << 16 | leg->follow_me << 17);
	}
	for (unsigned i = 0; i < call->transfer_count; i++)
		hash = mix_transfer(hash, &call->transfers[i]);
	return hash;
}

/* A change that nobody can see leaves the version alone: a message is not edited for it. */
static void finish_call(struct call_fold *fold, struct fold_call *call)
{
	uint64_t seen = fingerprint(call);

	if (seen != call->seen)
		call->version++;
	call->seen = seen;
	if (fold_call_closed(call))
		return;
	if (fold->now_ms > call->last_ms)
		call->last_ms = fold->now_ms;
	fold_due_update(fold, call);
}

/* What was loaded is nothing new. */
void fold_call_settled(struct call_fold *fold, struct fold_call *call)
{
	call->seen = fingerprint(call);
	fold_due_update(fold, call);
	if (call->last_ms > fold->now_ms)
		fold->now_ms = call->last_ms;
	if (call->touched == fold->change_count) {
		fold->change_count--;
		call->touched = 0;
	}
}

/* What the step changed, for the caller: valid until the next step. */
static void end_step(struct call_fold *fold, struct call_changes *changes)
{
	for (size_t i = 0; i < fold->change_count; i++) {
		struct fold_change *change = &fold->changes[i];

		finish_call(fold, change->call);
		fold->items[i] = (struct call_change){.call = fold_view(fold->views, change->call),
			.merged_into = change->merged_into,
			.reason = change->reason};
	}
	*changes = (struct call_changes){.items = fold->items,
		.count = (unsigned)fold->change_count,
		.warning = fold->warning[0] != '\0' ? fold->warning : NULL};
}

/* Two ends come by time alone: everybody has left and no hangup came, or nothing came at all. */
static void close_due(struct call_fold *fold, struct fold_call *call)
{
	if (call->idle_ms == CALL_NO_TIME) {
		fold_call_close(fold, call, CALL_LOST, call->due_ms);
		fold_say(fold, call, "lost: nothing came for too long");
		return;
	}
	fold_call_close(fold, call, CALL_ENDED, call->due_ms);
	fold_say(fold, call, "all left and no hangup came");
}

/* A call of this very step stays until the step has been told. */
static void forget(struct call_fold *fold, const struct fold_ended *ended)
{
	unsigned max_ended = fold->max_open_calls * ENDED_PER_OPEN;
	struct fold_call *call = ended->oldest;

	while (call != NULL && (call->closed_ms + fold_linger_ms(fold, call) <= fold->now_ms ||
				       ended->count > max_ended)) {
		struct fold_call *next = call->newer;

		if (call->touched == 0) {
			fold_spent_add(fold, call);
			fold_call_free(fold, call);
		}
		call = next;
	}
}

static void forget_ended(struct call_fold *fold)
{
	forget(fold, &fold->told);
	forget(fold, &fold->guessed);
}

/* The clock of the events, which never goes back: calls that were due before now end first, in the
 * order in which they were due, whenever that is noticed. */
static void advance(struct call_fold *fold, int64_t now_ms)
{
	if (now_ms > FOLD_MAX_MS)
		now_ms = FOLD_MAX_MS;
	if (now_ms < -FOLD_MAX_MS)
		now_ms = -FOLD_MAX_MS;
	if (now_ms > fold->now_ms)
		fold->now_ms = now_ms;
	while (fold->heap_count > 0 && fold->heap[0]->due_ms <= fold->now_ms)
		close_due(fold, fold->heap[0]);
	forget_ended(fold);
}

/* The call that would end soonest by itself goes first: that is the one silent for longest. */
static void keep_limit(struct call_fold *fold)
{
	while (fold->heap_count > fold->max_open_calls) {
		struct fold_call *call = fold->heap[0];

		fold_call_close(fold, call, CALL_LOST, fold->now_ms);
		fold_say(fold, call, "lost: more than %u open calls", fold->max_open_calls);
		str_copy(fold->warning, sizeof(fold->warning),
			STR("too many open calls: the oldest is given up"));
	}
	forget_ended(fold);
}

/* SIP lines with "fromusername" put their own id where the extension should be. */
static bool is_trunk(const struct call_event *event, struct str item)
{
	struct str line = phone_line_id(event->trunk);

	return event->trunk.size > 0 && (str_equal(item, event->trunk) || str_equal(item, line));
}

/* Numbers once in the form for comparing; handlers see no other. */
static void prepare(struct fold_step *step)
{
	const struct call_event *event = step->event;
	const struct json_strings *extensions = &event->extensions;
	struct str line = phone_line_id(event->exten);

	/* What somebody dials is no caller's number. */
	if (!fold_is_line(step->fold, event->phone) && event->call_type == 1)
		fold_dialled(step->fold, event->phone, step->phone);
	else if (!fold_is_line(step->fold, event->phone))
		fold_canonical(step->fold, event->phone, step->phone);
	fold_canonical(step->fold, event->caller_id_num, step->number);
	fold_canonical(step->fold, event->connected_num, step->peer);
	/* Seven digits in Exten are the line that was called. */
	if (line.size != event->exten.size || line.size != 7)
		fold_canonical(step->fold, event->exten, step->exten);
	if (step->peer[0] == '\0')
		memcpy(step->peer, step->exten, sizeof(step->peer));
	for (size_t i = 0; i < extensions->count && i < CALL_EVENT_MAX_EXTENSIONS; i++) {
		if (is_trunk(event, extensions->items[i]))
			continue;
		fold_canonical(
			step->fold, extensions->items[i], step->extensions[step->extension_count]);
		step->extension_count += step->extensions[step->extension_count][0] != '\0';
	}
}

static fold_handler *const handlers[EVENT_TYPES] = {
	[EVENT_START] = fold_on_start,
	[EVENT_DIAL] = fold_on_dial,
	[EVENT_BRIDGE] = fold_on_bridge,
	[EVENT_HANGUP] = fold_on_hangup,
	[EVENT_BRIDGE_CREATE] = NULL, /* tells nothing that the first bridge does not */
	[EVENT_BRIDGE_LEAVE] = fold_on_leave,
	[EVENT_BRIDGE_DESTROY] = fold_on_destroy,
	[EVENT_NEW_CALLERID] = fold_on_callerid,
};

void call_fold_event(
	struct call_fold *fold, const struct call_event *event, struct call_changes *changes)
{
	struct fold_step step;

	/* The extensions are not worth clearing at each event. */
	step.fold = fold;
	step.event = event;
	step.phone[0] = step.number[0] = step.peer[0] = step.exten[0] = '\0';
	step.extension_count = 0;
	begin_step(fold);
	advance(fold, event->at_ms);
	if (handlers[event->type] != NULL) {
		prepare(&step);
		handlers[event->type](&step);
	}
	keep_limit(fold);
	end_step(fold, changes);
}

void call_fold_tick(struct call_fold *fold, int64_t now_ms, struct call_changes *changes)
{
	begin_step(fold);
	advance(fold, now_ms);
	end_step(fold, changes);
}

bool call_fold_renew(
	struct call_fold *fold, int64_t call_id, const char *reason, struct call_changes *changes)
{
	struct fold_call *call;
	bool open;

	begin_step(fold);
	call = fold_call_find(fold, call_id);
	open = call != NULL && !fold_call_closed(call);
	if (open) {
		fold_say(fold, call, "%s", reason);
		call->version++;
	}
	end_step(fold, changes);
	return open;
}

void call_fold_set_linger(struct call_fold *fold, int64_t linger_ms)
{
	begin_step(fold);
	fold->linger_ms = linger_ms;
	forget_ended(fold);
}

static int64_t forget_ms(const struct call_fold *fold, const struct fold_ended *ended)
{
	return ended->oldest != NULL
		       ? ended->oldest->closed_ms + fold_linger_ms(fold, ended->oldest)
		       : INT64_MAX;
}

int64_t call_fold_due_ms(const struct call_fold *fold)
{
	int64_t due_ms = fold->heap_count > 0 ? fold->heap[0]->due_ms : INT64_MAX;
	int64_t told_ms = forget_ms(fold, &fold->told);
	int64_t guessed_ms = forget_ms(fold, &fold->guessed);

	due_ms = told_ms < due_ms ? told_ms : due_ms;
	return guessed_ms < due_ms ? guessed_ms : due_ms;
}

void call_fold_forget(struct call_fold *fold, int64_t call_id)
{
	struct fold_call *call = fold_call_find(fold, call_id);

	if (call != NULL && fold_call_closed(call) && call->touched == 0)
		fold_call_free(fold, call);
}

int64_t call_fold_linger_ms(const struct call_fold *fold, int64_t call_id)
{
	const struct fold_call *call = fold_call_find(fold, call_id);

	return call != NULL ? fold_linger_ms(fold, call) : 0;
}

const struct call *call_fold_find(const struct call_fold *fold, int64_t call_id)
{
	struct fold_call *call = fold_call_find(fold, call_id);

	return call != NULL ? fold_view(fold->views, call) : NULL;
}

bool call_fold_has(const struct call_fold *fold, int64_t call_id)
{
	return fold_call_find(fold, call_id) != NULL;
}

unsigned call_fold_open(const struct call_fold *fold)
{
	return (unsigned)fold->heap_count;
}

unsigned call_fold_lingering(const struct call_fold *fold)
{
	return fold->told.count;
}

unsigned call_fold_remembered(const struct call_fold *fold)
{
	return (unsigned)fold->heap_count + fold->told.count + fold->guessed.count;
}
