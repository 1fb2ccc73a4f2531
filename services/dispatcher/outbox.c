/*
 * outbox: see outbox.h.
 */
#include "outbox.h"

#include "dispatcher.h"

#include <stdlib.h>

static struct str call_key(const int64_t *call_id)
{
	return str_of((const char *)call_id, sizeof(*call_id));
}

/* By address: two owners' copies of one call may meet here. */
static struct str orphan_key(struct live_call *const *call)
{
	return str_of((const char *)call, sizeof(*call));
}

void outbox_init(struct outbox *outbox)
{
	*outbox = (struct outbox){.calls = table_new(), .orphans = table_new()};
}

struct live_call *outbox_find(const struct outbox *outbox, int64_t call_id)
{
	return table_get(outbox->calls, call_key(&call_id));
}

struct live_call *outbox_call(
	struct outbox *outbox, int64_t call_id, unsigned shard, const char *enterprise)
{
	struct live_call *call = outbox_find(outbox, call_id);
	if (call != NULL)
		return call;
	call = alloc_zeroed(1, sizeof(*call));
	call->id = call_id;
	call->shard = shard;
	call->enterprise = alloc_text(str_from(enterprise));
	table_put(outbox->calls, call_key(&call_id), call);
	return call;
}

struct delivery *live_call_delivery(const struct live_call *call, int64_t chat_id)
{
	struct delivery *delivery = call->deliveries;
	while (delivery != NULL && delivery->chat->id != chat_id)
		delivery = delivery->next;
	return delivery;
}

struct delivery *live_call_add(struct dispatcher *d, struct live_call *call, struct chat *chat)
{
	struct delivery *delivery = live_call_delivery(call, chat->id);
	if (delivery != NULL)
		return delivery;
	delivery = alloc_zeroed(1, sizeof(*delivery));
	delivery->call = call;
	delivery->chat = chat;
	delivery->next = call->deliveries;
	call->deliveries = delivery;
	chat->deliveries++;
	d->outbox.deliveries++;
	return delivery;
}

static char *owned(struct str text)
{
	return text.size > 0 ? alloc_text(text) : NULL;
}

/* The old texts go last: the new state may be made of them. */
void live_call_set(struct live_call *call, const struct live_state *state)
{
	char *const old[] = {call->html, call->markup, call->place_with};
	call->html = alloc_text(state->html);
	call->markup = owned(state->markup);
	call->place_with = owned(state->place.with);
	call->place = state->place;
	call->place.with = str_from(call->place_with);
	call->version = state->version;
	call->final = state->final;
	call->remove = state->remove;
	call->since_ms = state->since_ms;
	str_copy(call->trace, sizeof(call->trace), str_from(state->trace));
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		free(old[i]);
}

void live_call_choose(const struct dispatcher *d, struct live_call *call)
{
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(call->enterprise));
	call->replace = tenant != NULL && tenant->settings.mode == LIVE_REPLACE;
	call->silent = tenant != NULL && tenant->settings.silent;
}

void live_call_set_recording(struct live_call *call, const char *url)
{
	char *old = call->recording;
	call->recording = owned(str_from(url));
	free(old);
}

/* -- ends ----------------------------------------------------------------------------------------- */

static void live_call_free(struct dispatcher *d, struct live_call *call)
{
	while (call->deliveries != NULL) {
		struct delivery *delivery = call->deliveries;
		call->deliveries = delivery->next;
		delivery_free(d, delivery);
	}
	free(call->enterprise);
	free(call->html);
	free(call->markup);
	free(call->place_with);
	free(call->recording);
	free(call);
}

void live_call_settle(struct dispatcher *d, struct live_call *call)
{
	if (!call->orphan && !call->final)
		return;
	for (const struct delivery *it = call->deliveries; it != NULL; it = it->next) {
		if (!delivery_ended(it))
			return;
	}
	if (call->orphan)
		table_remove(d->outbox.orphans, orphan_key(&call));
	else
		table_remove(d->outbox.calls, call_key(&call->id));
	live_call_free(d, call);
}

void outbox_drop_shard(struct dispatcher *d, unsigned shard)
{
	size_t at = 0;
	void *value;
	while (table_next(d->outbox.calls, &at, NULL, &value)) {
		struct live_call *call = value;
		if (call->shard != shard)
			continue;
		table_remove(d->outbox.calls, call_key(&call->id));
		call->orphan = true;
		table_put(d->outbox.orphans, orphan_key(&call), call);
		for (struct delivery *it = call->deliveries; it != NULL; it = it->next) {
			if (it->state != DELIVERY_WAITING)
				continue;
			delivery_unclaim(d, it);
			delivery_enter(d, it, DELIVERY_IDLE);
		}
		live_call_settle(d, call);
	}
}

/* At the end of the process, whatever their state. */
static void free_calls(struct dispatcher *d, struct table **calls)
{
	size_t at = 0;
	void *value;
	while (table_next(*calls, &at, NULL, &value))
		live_call_free(d, value);
	table_free(calls);
}

void outbox_free(struct dispatcher *d)
{
	free_calls(d, &d->outbox.calls);
	free_calls(d, &d->outbox.orphans);
}
