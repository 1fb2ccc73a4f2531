/*
 * fold_view: a call as its owner shows it to others.
 *
 * Made when somebody looks and thrown away at the next step: kept for every open call it would be
 * most of what the fold needs. One block of memory holds a view with all its lists.
 */
#include "fold_private.h"

#include "alloc.h"

#include <stdlib.h>

/* Zones lie half an hour apart or more. Hosts post some seconds late. */
enum { CLOCKS_APART_MS = 25 * 60 * 1000, POSTED_LATE_MS = 60 * 1000 };
/* A channel may be made some seconds before its leg begins: what the host says of the call itself counts. */
enum { SAME_START_MS = 3000, SECOND_MS = 1000 };

struct fold_views {
	struct fold_call **calls;
	size_t count, capacity;
};

struct fold_views *fold_views_new(void)
{
	return alloc_zeroed(1, sizeof(struct fold_views));
}

void fold_views_drop(struct fold_views *views)
{
	for (size_t i = 0; i < views->count; i++) {
		free(views->calls[i]->view);
		views->calls[i]->view = NULL;
	}
	views->count = 0;
}

void fold_views_free(struct fold_views **views)
{
	fold_views_drop(*views);
	free((*views)->calls);
	free(*views);
	*views = NULL;
}

static void put_number(char to[CALL_NUMBER_BYTES], const char *number)
{
	str_copy(to, CALL_NUMBER_BYTES, str_from(number));
}

/* A call with a hidden number has none; whole numbers are shown as such. */
static void put_external(char to[CALL_NUMBER_BYTES], const struct fold_call *call)
{
	to[0] = '+';
	str_copy(to + call->e164, CALL_NUMBER_BYTES - call->e164, str_from(call->external));
}

/* When a channel was made, by the host's clock: its UniqueId begins with that second. 0: not known. */
static int64_t made_ms(const struct fold_channel *channel)
{
	return channel != NULL ? fold_uid_of(str_from(channel->uid)).second * 1000 : 0;
}

/* A hangup tells when its own leg began: the call may be older, where that and what we heard go together
 * (the host's zone may be set wrong). */
static int64_t host_start(const struct fold_call *call, int64_t end_ms)
{
	int64_t heard_ms = end_ms - (call->ended_ms - call->started_ms);
	int64_t made = made_ms(call->primary);
	int64_t same_ms = call->own_hangup ? SAME_START_MS : 0;

	if (made < call->host_start_ms - same_ms &&
		(made > call->host_start_ms - CLOCKS_APART_MS ||
			llabs(made - heard_ms) < POSTED_LATE_MS))
		return made;
	return call->host_start_ms;
}

/* What is told before the end shall not begin at another time than what is told after it. A click begins
 * with the phone of who clicked, which is not the channel that the call is known by. The end of the second counts:
 * of calls that were heard of at once the earlier one stays the earlier. */
static int64_t heard_start(const struct fold_call *call)
{
	int64_t start_ms = call->started_ms;

	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		int64_t made = at->weak ? 0 : made_ms(at) + SECOND_MS - 1;

		if (made < start_ms && call->started_ms - made < POSTED_LATE_MS)
			start_ms = made;
	}
	return start_ms;
}

/* What the host's clock says counts, when it says both ends; else when we heard of them. */
static int64_t put_times(struct call *view, const struct fold_call *call)
{
	int64_t host_end_ms = call->host_end_ms;

	view->started_ms = heard_start(call);
	view->answered_ms = call->talked_ms;
	view->ended_ms = call->ended_ms;
	if (call->ended_ms == CALL_NO_TIME)
		return 0;
	if (call->ended_ms < view->started_ms)
		view->ended_ms = view->started_ms;
	/* The last that the host said was of our first leg, and others talked on after it. */
	if (!call->own_hangup && call->left_ms != CALL_NO_TIME && host_end_ms != CALL_NO_TIME)
		host_end_ms += call->ended_ms - call->left_ms;
	if (call->host_start_ms != CALL_NO_TIME && host_end_ms != CALL_NO_TIME &&
		host_end_ms >= call->host_start_ms) {
		view->started_ms = host_start(call, host_end_ms);
		view->ended_ms = host_end_ms;
	}
	return view->ended_ms - call->ended_ms;
}

/* The two clocks may differ: what is sure is how long before the end something was. */
static int64_t shifted(const struct call *view, int64_t at_ms, int64_t by_ms)
{
	if (at_ms == CALL_NO_TIME || view->ended_ms == CALL_NO_TIME)
		return at_ms;
	at_ms += by_ms;
	if (at_ms < view->started_ms)
		return view->started_ms;
	return at_ms > view->ended_ms ? view->ended_ms : at_ms;
}

static int64_t moment(
	const struct call *view, const struct fold_call *call, int32_t ms, int64_t by_ms)
{
	return ms == FOLD_NEVER ? CALL_NO_TIME : shifted(view, call->started_ms + ms, by_ms);
}

/* Whoever was still there when the call ended left with it. */
static void put_leg(struct call *view, const struct fold_call *call, unsigned i, int64_t by_ms)
{
	const struct fold_leg *from = &call->legs[i];
	struct call_leg *leg = &view->legs[i];

	put_number(leg->number, from->number);
	leg->mobile = from->mobile;
	leg->follow_me = from->follow_me;
	leg->ringing_ms = moment(view, call, from->ringing, by_ms);
	leg->answered_ms = moment(view, call, from->answered, by_ms);
	leg->ended_ms = moment(view, call, from->ended, by_ms);
	if (from->ended == FOLD_NEVER)
		leg->ended_ms = view->ended_ms;
	if (from->rang != 0)
		put_number(view->rang.items[from->rang - 1], from->number);
	if (from->talked != 0)
		put_number(view->talkers.items[from->talked - 1], from->number);
}

static void put_transfer(struct call_transfer *to, const struct fold_transfer *from)
{
	put_number(to->from, from->from);
	put_number(to->to, from->to);
	put_number(to->taker, from->taker);
	to->kind = (enum call_transfer_kind)from->kind;
	to->result = (enum call_transfer_result)from->result;
	to->at_ms = from->at_ms;
	to->follow_me = from->follow_me;
}

/* The primary one first. */
static void put_uids(struct call *view, const struct fold_call *call)
{
	const struct fold_channel *primary = call->primary;
	unsigned count = 0;

	if (primary != NULL)
		str_copy(view->unique_ids[count++], CALL_ID_BYTES, str_from(primary->uid));
	for (const struct fold_channel *at = call->channels; at != NULL; at = at->next) {
		if (at != primary && count < view->unique_id_count)
			str_copy(view->unique_ids[count++], CALL_ID_BYTES, str_from(at->uid));
	}
	view->unique_id_count = count;
}

static void put_lines(struct call *view, const struct fold_call *call)
{
	put_number(view->line, call->line);
	view->line_first[0] = '\0';
	for (unsigned i = 0; i < call->line_count; i++)
		put_number(view->lines.items[i], call->lines[i]);
	if (call->line_count > 0)
		put_number(view->line_first, call->lines[0]);
	if (view->lines.count > call->line_count)
		put_number(view->lines.items[call->line_count], call->line);
}

static void put_scalars(struct call *view, const struct fold_call *call)
{
	view->id = call->id;
	view->version = call->version;
	view->direction = (enum call_direction)call->direction;
	view->state = (enum call_state)call->state;
	view->answered = call->answered;
	view->call_status = call->status;
	view->external_initiated = call->clicked;
	put_external(view->external, call);
	put_number(view->caller, call->caller);
	put_number(view->callee, call->callee);
	put_number(view->talking, call->talking);
}

/* How long each list will be. */
static struct call counted(const struct fold_call *call)
{
	struct call view;

	view.rang.count = view.talkers.count = 0;
	for (unsigned i = 0; i < call->leg_count; i++) {
		view.rang.count += call->legs[i].rang != 0;
		view.talkers.count += call->legs[i].talked != 0;
	}
	view.leg_count = call->leg_count;
	view.transfer_count = call->transfer_count;
	view.lines.count =
		call->direction == CALL_OUTGOING ? call->line_count + (call->line[0] != '\0') : 0;
	view.unique_id_count =
		call->channel_count < CALL_MAX_NUMBERS ? call->channel_count : CALL_MAX_NUMBERS;
	return view;
}

/* The lists follow the view; those with numbers of eight bytes in them first. */
static struct call *laid_out(const struct call *count)
{
	size_t texts = count->rang.count + count->talkers.count + count->lines.count;
	struct call *view = alloc_resize(
		NULL, sizeof(*view) + count->leg_count * sizeof(*view->legs) +
			      count->transfer_count * sizeof(*view->transfers) +
			      texts * CALL_NUMBER_BYTES + count->unique_id_count * CALL_ID_BYTES);

	*view = *count;
	view->legs = (struct call_leg *)(void *)(view + 1);
	view->transfers = (struct call_transfer *)(void *)(view->legs + view->leg_count);
	view->rang.items = (void *)(view->transfers + view->transfer_count);
	view->talkers.items = view->rang.items + view->rang.count;
	view->lines.items = view->talkers.items + view->talkers.count;
	view->unique_ids = (void *)(view->lines.items + view->lines.count);
	return view;
}

const struct call *fold_view(struct fold_views *views, struct fold_call *call)
{
	struct call count;
	int64_t by_ms;

	if (call->view != NULL)
		return call->view;
	count = counted(call);
	call->view = laid_out(&count);
	put_scalars(call->view, call);
	by_ms = put_times(call->view, call);
	call->view->answered_ms = shifted(call->view, call->talked_ms, by_ms);
	for (unsigned i = 0; i < call->leg_count; i++)
		put_leg(call->view, call, i, by_ms);
	for (unsigned i = 0; i < call->transfer_count; i++)
		put_transfer(&call->view->transfers[i], &call->transfers[i]);
	put_lines(call->view, call);
	put_uids(call->view, call);
	if (views->count == views->capacity) {
		views->capacity = views->capacity * 2 + 4;
		views->calls =
			alloc_resize(views->calls, views->capacity * sizeof(struct fold_call *));
	}
	views->calls[views->count++] = call;
	return call->view;
}
