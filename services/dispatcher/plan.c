/*
 * plan: see plan.h.
 */
#include "plan.h"

#include "dispatcher.h"
#include "people.h"

#define MAX_RECIPIENTS 1000

/* -- whom ----------------------------------------------------------------------------------------- */

/* What a plan is made of, while it is made. */
struct planning {
	struct dispatcher *d;
	const struct plan_wish *wish;
	const struct directory_tenant *tenant; /* NULL: gone */
	struct live_call *live;		       /* NULL: nothing was told yet */
	struct arena *arena;
	struct plan *plan;
	bool same;     /* the text is the one that stands */
	unsigned room; /* for targets */
};

/* Calls of these kinds are not begun to be told. */
static bool call_is_quiet(const struct tenant_settings *settings, const struct call *call)
{
	static const enum quiet_kind directions[] = {[CALL_INCOMING] = QUIET_INCOMING,
		[CALL_OUTGOING] = QUIET_OUTGOING,
		[CALL_INTERNAL] = QUIET_INTERNAL};
	bool over = call->state == CALL_ENDED || call->state == CALL_LOST;
	if (call->direction != CALL_UNKNOWN && (settings->quiet & directions[call->direction]) != 0)
		return true;
	if ((settings->quiet & QUIET_ANSWERED) != 0 && (!over || call->answered))
		return true;
	return (settings->quiet & QUIET_PROGRESS) != 0 && !over;
}

/* Is there anybody to be told of it, if it is not told already? */
static bool planning_begins(const struct planning *planning)
{
	const struct directory_tenant *tenant = planning->tenant;
	return planning->wish->call != NULL && directory_has_bot(tenant) &&
	       !call_is_quiet(&tenant->settings, planning->wish->call);
}

/* By its id: after a change of bots the same chat is known under both. */
static bool plan_tells(const struct plan *plan, const struct chat *chat)
{
	for (unsigned i = 0; i < plan->target_count; i++) {
		if (plan->targets[i].chat->id == chat->id)
			return true;
	}
	return false;
}

/* Those who have buttons of their own; for all others the call's serve. */
static const char *planning_markup(
	const struct planning *planning, const struct directory_recipient *reader)
{
	if (planning->wish->call == NULL || reader->user == NULL || reader->user->count == 0 ||
		reader->owner)
		return NULL;
	const char *markup = plan_markup(planning->d, planning->wish, reader, planning->arena);
	struct str common = planning->plan->state.markup;
	return markup != NULL && !str_equal(str_from(markup), common) ? markup : NULL;
}

/* Is what this chat shows, or will show as soon as it can, no longer right? */
static bool planning_news(
	const struct planning *planning, const struct delivery *delivery, const char *markup)
{
	if (delivery == NULL || !planning->same)
		return true;
	struct str now = markup != NULL ? str_from(markup) : planning->plan->state.markup;
	if (!str_equal(str_from(delivery_markup(delivery)), now))
		return true;
	return delivery->state == DELIVERY_IDLE && delivery_behind(delivery);
}

static void planning_add(
	struct planning *planning, struct chat *chat, struct directory_recipient reader)
{
	struct plan *plan = planning->plan;
	if (plan->target_count == planning->room)
		return;
	reader.chat_id = chat->id; /* it may have moved */
	const struct delivery *delivery =
		planning->live != NULL ? live_call_delivery(planning->live, chat->id) : NULL;
	const char *markup = planning_markup(planning, &reader);
	if (!planning_news(planning, delivery, markup))
		return;
	plan->targets[plan->target_count++] = (struct plan_target){.chat = chat, .markup = markup};
}

/* Where something stands or is on its way the call is told to its end, whatever was chosen meanwhile. */
static bool delivery_stands(const struct delivery *delivery, bool remove)
{
	bool stands = delivery->message_id != 0 || delivery->state == DELIVERY_TAKEN ||
		      delivery->state == DELIVERY_WAITING;
	return remove || (stands && delivery->state != DELIVERY_DEAD);
}

static void planning_add_standing(struct planning *planning)
{
	const struct delivery *it = planning->live != NULL ? planning->live->deliveries : NULL;
	for (; it != NULL; it = it->next) {
		struct directory_recipient reader = {.chat_id = it->chat->id};
		if (planning->tenant != NULL)
			reader = directory_reader(planning->tenant, it->chat->id);
		if (delivery_stands(it, planning->plan->state.remove))
			planning_add(planning, it->chat, reader);
	}
}

/* The subscribers of now; who wants only his own calls from when a phone of his takes part. */
static void planning_add_recipients(
	struct planning *planning, const struct directory_recipient *recipients, unsigned count)
{
	struct dispatcher *d = planning->d;
	const struct directory_tenant *tenant = planning->tenant;
	const struct call *call = planning->wish->call;
	struct bot *bot = count > 0 ? bots_get(d, tenant->bot_token) : NULL;
	for (unsigned i = 0; i < count; i++) {
		const struct directory_recipient *reader = &recipients[i];
		if (reader->only_mine && !directory_takes_part(reader->user, call))
			continue;
		struct chat *chat = bot_chat(d, bot, reader->chat_id);
		if (!plan_tells(planning->plan, chat))
			planning_add(planning, chat, *reader);
	}
}

static void planning_choose(struct planning *planning)
{
	struct dispatcher *d = planning->d;
	struct plan *plan = planning->plan;
	struct directory_recipient recipients[MAX_RECIPIENTS];
	unsigned count = 0, standing = 0;
	if (planning_begins(planning))
		count = directory_recipients(
			&d->directory, planning->tenant, recipients, MAX_RECIPIENTS);
	const struct delivery *it = planning->live != NULL ? planning->live->deliveries : NULL;
	for (; it != NULL; it = it->next)
		standing++;
	planning->room = count + standing;
	plan->targets = arena_array(planning->arena, planning->room + 1, sizeof(*plan->targets));
	planning_add_standing(planning);
	planning_add_recipients(planning, recipients, count);
}

/* -- how ------------------------------------------------------------------------------------------ */

/* Nothing was ever sent there, as far as anybody knows: a first message need not ask the writer. */
static bool delivery_untouched(const struct delivery *delivery)
{
	return delivery == NULL || (delivery->state == DELIVERY_IDLE && delivery->message_id == 0 &&
					   delivery->unknown_sends == 0 && !delivery->sent_final);
}

/* A first message to a free chat is claimed in the fold's own commit: it leaves one commit earlier. */
static void plan_target(struct dispatcher *d, const struct plan *plan, const struct live_call *live,
	struct plan_target *target)
{
	const struct delivery *delivery =
		live != NULL ? live_call_delivery(live, target->chat->id) : NULL;
	int64_t now = loop_now_ms(d->loop);
	target->state = "queued";
	target->kept = delivery != NULL || d->outbox.deliveries < d->config->max_deliveries;
	if (!target->kept) {
		d->outbox.overflow = true;
		return;
	}
	if (delivery != NULL && delivery->message_id == 0 &&
		delivery->unknown_sends >= DELIVERY_MAX_UNKNOWN)
		target->state = "unknown";
	if (plan->state.remove || !delivery_untouched(delivery) || !chat_free(d, target->chat, now))
		return;
	if (!shards_lease_holds(&d->shards, now))
		return;
	chat_take(target->chat, now);
	target->claimed = true;
	target->state = "sending";
}

/* Versions grow with what is told, and never fall behind those of the call. */
static int next_version(const struct live_call *live, const struct call *call)
{
	int told = live != NULL ? live->version : 0, seen = call != NULL ? (int)call->version : 0;
	return seen > told ? seen : told + 1;
}

static bool planning_state(struct planning *planning)
{
	const struct plan_wish *wish = planning->wish;
	struct live_state *state = &planning->plan->state;
	const struct live_call *live = planning->live;
	*state = (struct live_state){.trace = wish->trace, .since_ms = wish->since_ms};
	state->version = next_version(live, wish->call);
	if (wish->call == NULL) {
		state->final = state->remove = true;
		return live != NULL && !live->remove;
	}
	if (!plan_text(planning->d, wish, live, planning->arena, state))
		return false;
	state->markup = str_from(plan_markup(planning->d, wish, NULL, planning->arena));
	planning->same = live != NULL && live->html != NULL && !live->remove &&
			 live->final == state->final &&
			 str_equal(str_from(live->html), state->html);
	return true;
}

struct plan *plan_wished(struct dispatcher *d, const struct plan_wish *wish, struct arena *arena)
{
	struct planning planning = {.d = d,
		.wish = wish,
		.tenant = directory_find(&d->directory, str_from(wish->enterprise)),
		.live = outbox_find(&d->outbox, wish->call_id),
		.arena = arena,
		.plan = arena_alloc(arena, sizeof(struct plan))};
	struct plan *plan = planning.plan;
	plan->call_id = wish->call_id;
	plan->shard = wish->shard;
	plan->enterprise = wish->enterprise;
	/* Most calls of enterprises without a bot, and quiet ones, end here: before a text is made. */
	if (planning.live == NULL && !planning_begins(&planning))
		return NULL;
	if (!planning_state(&planning))
		return NULL;
	planning_choose(&planning);
	for (unsigned i = 0; i < plan->target_count; i++)
		plan_target(d, plan, planning.live, &plan->targets[i]);
	return plan->target_count > 0 ? plan : NULL;
}

/* Not for those who want their own calls only: a text is nobody's. */
static void planning_add_all(struct planning *planning)
{
	struct dispatcher *d = planning->d;
	struct directory_recipient all[MAX_RECIPIENTS], some[MAX_RECIPIENTS];
	unsigned count = directory_recipients(&d->directory, planning->tenant, all, MAX_RECIPIENTS);
	unsigned left = 0;
	for (unsigned i = 0; i < count; i++) {
		if (!all[i].only_mine)
			some[left++] = all[i];
	}
	planning->room = left;
	planning->plan->targets =
		arena_array(planning->arena, left + 1, sizeof(*planning->plan->targets));
	planning_add_recipients(planning, some, left);
}

struct plan *plan_announcement(
	struct dispatcher *d, const struct plan_wish *wish, struct str html, struct arena *arena)
{
	struct planning planning = {.d = d,
		.wish = wish,
		.tenant = directory_find(&d->directory, str_from(wish->enterprise)),
		.arena = arena,
		.plan = arena_alloc(arena, sizeof(struct plan))};
	struct plan *plan = planning.plan;
	if (planning.tenant == NULL || !directory_has_bot(planning.tenant))
		return NULL;
	plan->call_id = wish->call_id;
	plan->shard = wish->shard;
	plan->enterprise = wish->enterprise;
	plan->state = (struct live_state){.version = 1,
		.final = true,
		.html = html,
		.trace = wish->trace,
		.since_ms = wish->since_ms};
	planning_add_all(&planning);
	for (unsigned i = 0; i < plan->target_count; i++)
		plan_target(d, plan, NULL, &plan->targets[i]);
	return plan->target_count > 0 ? plan : NULL;
}

struct plan *plan_make(struct dispatcher *d, const struct change *change, const struct call *call,
	struct arena *arena)
{
	const struct plan_wish wish = {.call_id = change->call_id,
		.shard = change->of->shard,
		.enterprise = change->of->number,
		.call = change->merged_into == 0 ? call : NULL,
		.trace = change->trace,
		.since_ms = change->since_ms};
	return plan_wished(d, &wish, arena);
}

/* Only where the final message stands, and while Telegram lets it be changed. */
static bool delivery_takes_recording(const struct delivery *delivery)
{
	bool young = clock_wall_ms() - delivery->sent_ms < DELIVERY_CHANGE_MS;
	return delivery->state != DELIVERY_DEAD &&
	       ((delivery->message_id != 0 && young) || delivery->state == DELIVERY_WAITING ||
		       delivery->state == DELIVERY_TAKEN);
}

/* The call's last delivery may end, and the call be let go, while the commit is under way. */
static struct str kept_str(struct arena *arena, const char *text)
{
	struct str empty = {NULL, 0};
	return text != NULL ? str_from(arena_strdup(arena, text)) : empty;
}

struct plan *plan_recording(
	struct dispatcher *d, const struct live_call *live, const char *url, struct arena *arena)
{
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	unsigned count = 0;
	plan->call_id = live->id;
	plan->shard = live->shard;
	plan->enterprise = arena_strdup(arena, live->enterprise);
	plan->recording = url;
	plan->state = (struct live_state){.version = live->version + 1,
		.final = live->final,
		.html = kept_str(arena, live->html),
		.markup = kept_str(arena, live->markup),
		.place = live->place,
		.trace = arena_strdup(arena, live->trace),
		.since_ms = clock_wall_ms()};
	plan->state.place.with = kept_str(arena, live->place_with);
	if (live->remove || !plan_put_recording(&plan->state, url, arena) ||
		str_equal(plan->state.html, str_from(live->html)))
		return NULL;
	for (const struct delivery *it = live->deliveries; it != NULL; it = it->next)
		count++;
	plan->targets = arena_array(arena, count + 1, sizeof(*plan->targets));
	for (const struct delivery *it = live->deliveries; it != NULL; it = it->next) {
		if (!delivery_takes_recording(it))
			continue;
		struct plan_target *target = &plan->targets[plan->target_count++];
		target->chat = it->chat;
		target->markup = it->markup != NULL ? arena_strdup(arena, it->markup) : NULL;
		target->state = "queued";
		target->kept = true;
	}
	return plan->target_count > 0 ? plan : NULL;
}

/* -- after the commit ----------------------------------------------------------------------------- */

static void target_apply(
	struct dispatcher *d, struct live_call *call, const struct plan_target *target)
{
	struct delivery *delivery = live_call_add(d, call, target->chat);
	if (target->markup != delivery->markup)
		delivery_set_markup(delivery, target->markup);
	delivery->claimed = delivery->claimed || target->claimed;
	if (delivery->state == DELIVERY_TAKEN || delivery->state == DELIVERY_WAITING)
		return; /* what it tells is the newest, whenever it goes */
	if (delivery->unknown_sends >= DELIVERY_MAX_UNKNOWN && delivery->message_id == 0)
		return;
	delivery_enter(d, delivery, DELIVERY_WAITING);
}

/* Chats for which nothing changed show the new version, too. */
static void plan_pass_over(const struct plan *plan, struct live_call *call)
{
	for (struct delivery *it = call->deliveries; it != NULL; it = it->next) {
		bool shows = it->state == DELIVERY_IDLE && !delivery_behind(it);
		if (shows && !plan_tells(plan, it->chat))
			it->sent_version = plan->state.version;
	}
}

void plan_apply(struct dispatcher *d, const struct plan *plan)
{
	bool kept = outbox_find(&d->outbox, plan->call_id) != NULL;
	for (unsigned i = 0; i < plan->target_count; i++)
		kept = kept || plan->targets[i].kept;
	if (!kept)
		return;
	struct live_call *call =
		outbox_call(&d->outbox, plan->call_id, plan->shard, plan->enterprise);
	plan_pass_over(plan, call);
	live_call_choose(d, call);
	live_call_set(call, &plan->state);
	if (plan->recording != NULL)
		live_call_set_recording(call, plan->recording);
	for (unsigned i = 0; i < plan->target_count; i++) {
		if (plan->targets[i].kept)
			target_apply(d, call, &plan->targets[i]);
	}
	live_call_settle(d, call);
}
