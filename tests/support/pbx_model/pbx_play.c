/*
 * pbx_play: the moves of the PBX, each saying what a host says of it.
 */
#include "pbx_play.h"

#include <stdio.h>

enum { FIRST_EVENTS = 32, SECOND_MS = 1000 };

/* Beyond the restart nothing happens any more. */
void pbx_pass(struct pbx_play *play, int64_t low_ms, int64_t high_ms)
{
	play->at_ms += pbx_between(&play->world->random, low_ms, high_ms);
	if (play->at_ms < play->world->restart_ms || play->dead)
		return;
	play->dead = true;
	play->call->truth.end = PBX_END_NEVER;
}

bool pbx_maybe(struct pbx_play *play, unsigned percent)
{
	return pbx_chance(&play->world->random, percent);
}

void pbx_name_channel(struct pbx_world *world, struct pbx_channel *channel)
{
	world->next_channel += 1 + (channel->second_half ? 0 : pbx_below(&world->random, 3));
	snprintf(channel->own_id, sizeof(channel->own_id), "%lld.%u",
		(long long)(channel->made_ms / SECOND_MS), world->next_channel);
}

void pbx_name_channels(struct pbx_world *world, struct pbx_call *call)
{
	for (struct pbx_channel *at = call->channels; at != NULL; at = at->next)
		pbx_name_channel(world, at);
}

struct pbx_channel *pbx_channel_new(struct pbx_play *play, const char *name)
{
	struct pbx_channel *channel = arena_alloc(play->arena, sizeof(*channel));
	struct pbx_call *call = play->call;

	*channel = (struct pbx_channel){.name = name,
		.exten = "",
		.number_name = "",
		.peer = PBX_UNKNOWN,
		.peer_name = PBX_UNKNOWN,
		.made_ms = play->at_ms};
	channel->unique_id = channel->own_id;
	if (play->dead)
		return channel;
	if (call->last_channel != NULL)
		call->last_channel->next = channel;
	else
		call->channels = channel;
	call->last_channel = channel;
	return channel;
}

void pbx_local_new(
	struct pbx_play *play, const char *name, struct pbx_channel **one, struct pbx_channel **two)
{
	unsigned count = play->world->next_local++;

	*one = pbx_channel_new(play, arena_printf(play->arena, "Local/%s-%08x;1", name, count));
	*two = pbx_channel_new(play, arena_printf(play->arena, "Local/%s-%08x;2", name, count));
	(*two)->second_half = true;
}

struct pbx_channel *pbx_device_new(
	struct pbx_play *play, const char *device, const char *number, const char *peer)
{
	struct pbx_channel *channel = pbx_channel_new(
		play, arena_printf(play->arena, "SIP/%s-%08x", device, play->world->next_device++));

	channel->number = number;
	channel->peer = peer;
	return channel;
}

static struct pbx_event *grow(struct pbx_play *play)
{
	struct pbx_call *call = play->call;
	struct pbx_event *events;

	if (play->dead)
		return &play->unsaid;
	if (call->count == call->capacity) {
		call->capacity = call->capacity * 2 + FIRST_EVENTS;
		events = arena_array(play->arena, call->capacity, sizeof(*events));
		if (call->count > 0)
			memcpy(events, call->events, call->count * sizeof(*events));
		call->events = events;
	}
	return &call->events[call->count++];
}

/* Programs that dial set a flag that leaks to whatever is said next, of any call. */
static bool is_flagged(struct pbx_world *world)
{
	if (world->flagged == 0 && pbx_below(&world->random, 2000) == 0)
		world->flagged = 10;
	if (world->flagged == 0)
		return false;
	world->flagged--;
	return true;
}

struct pbx_event *pbx_say(
	struct pbx_play *play, enum call_event_type type, const struct pbx_channel *channel)
{
	struct pbx_event *event = grow(play);

	*event = (struct pbx_event){.at_ms = play->at_ms,
		.type = type,
		.unique_id = channel != NULL ? channel->unique_id : "",
		.call_type = -1,
		.call_status = -1,
		.bridge_channels = -1,
		.start_ms = CALL_NO_TIME,
		.received_ms = CALL_NO_TIME,
		.end_ms = CALL_NO_TIME,
		.external_initiated = is_flagged(play->world),
		.old_style = play->world->old_host};
	return event;
}

static void say_sides(struct pbx_event *event, const struct pbx_channel *channel)
{
	event->channel = channel->name;
	event->number = channel->number;
	event->number_name = channel->number_name;
	event->peer = channel->peer;
	event->peer_name = channel->peer_name;
}

struct pbx_bridge *pbx_bridge_silent(struct pbx_play *play)
{
	struct pbx_bridge *bridge = arena_alloc(play->arena, sizeof(*bridge));
	uint64_t one = pbx_random_next(&play->world->random);
	uint64_t two = pbx_random_next(&play->world->random);

	/* A UUID of version 4. */
	bridge->id = arena_printf(play->arena, "%08x-%04x-4%03x-%04x-%012llx",
		(unsigned)(one >> 32), (unsigned)(one >> 16) & 0xffff, (unsigned)one & 0xfff,
		0x8000 | ((unsigned)(two >> 48) & 0x3fff),
		(unsigned long long)two & 0xffffffffffff);
	return bridge;
}

struct pbx_bridge *pbx_bridge_new(struct pbx_play *play)
{
	struct pbx_bridge *bridge = pbx_bridge_silent(play);
	struct pbx_event *event = pbx_say(play, EVENT_BRIDGE_CREATE, NULL);

	event->bridge_id = bridge->id;
	event->bridge_channels = 0;
	return bridge;
}

void pbx_enter_silently(struct pbx_channel *channel, struct pbx_bridge *bridge)
{
	if (channel->bridge != NULL)
		channel->bridge->members--;
	channel->bridge = bridge;
	bridge->members++;
}

void pbx_enter(struct pbx_play *play, struct pbx_channel *channel, struct pbx_bridge *bridge)
{
	struct pbx_event *event = pbx_say(play, EVENT_BRIDGE, channel);

	pbx_enter_silently(channel, bridge);
	say_sides(event, channel);
	event->bridge_id = bridge->id;
	event->exten = channel->exten;
}

void pbx_enter_both(struct pbx_play *play, struct pbx_channel *one, struct pbx_channel *two,
	struct pbx_bridge *bridge)
{
	bool turned = pbx_maybe(play, 50);

	pbx_enter(play, turned ? two : one, bridge);
	pbx_pass(play, 0, 40);
	pbx_enter(play, turned ? one : two, bridge);
}

void pbx_leave(struct pbx_play *play, struct pbx_channel *channel)
{
	struct pbx_event *event = pbx_say(play, EVENT_BRIDGE_LEAVE, channel);

	say_sides(event, channel);
	event->number_name = event->number_name[0] != '\0' ? event->number_name : PBX_UNKNOWN;
	if (channel->bridge == NULL)
		return;
	event->bridge_id = channel->bridge->id;
	channel->bridge->members--;
	event->bridge_channels = channel->bridge->members;
	channel->bridge = NULL;
}

void pbx_leave_both(struct pbx_play *play, struct pbx_channel *one, struct pbx_channel *two)
{
	bool turned = pbx_maybe(play, 50);

	pbx_leave(play, turned ? two : one);
	pbx_pass(play, 0, 30);
	pbx_leave(play, turned ? one : two);
}

void pbx_destroy(struct pbx_play *play, const struct pbx_bridge *bridge)
{
	struct pbx_event *event = pbx_say(play, EVENT_BRIDGE_DESTROY, NULL);

	event->bridge_id = bridge->id;
	event->bridge_channels = 0;
}

void pbx_callerid(struct pbx_play *play, const struct pbx_channel *channel)
{
	struct pbx_event *event = pbx_say(play, EVENT_NEW_CALLERID, channel);

	say_sides(event, channel);
	event->number_name = event->number_name[0] != '\0' ? event->number_name : PBX_UNKNOWN;
	event->context = channel->context != NULL ? channel->context : "dialexecute";
	event->exten = channel->exten;
}

void pbx_set_peer(struct pbx_channel *channel, const char *peer, const char *peer_name)
{
	channel->peer = peer;
	channel->peer_name = peer_name;
}

/* "-375290000001": how incoming callers are named on phones. */
const char *pbx_shown_name(struct pbx_play *play, const char *number)
{
	if (number[0] == '\0' || strcmp(number, PBX_UNKNOWN) == 0)
		return PBX_UNKNOWN;
	return arena_printf(play->arena, "-%s", number);
}

/* A dial with one extension, or of those who are added by the caller. */
void pbx_ring(struct pbx_play *play, const struct pbx_channel *channel, int call_type,
	const char *extension)
{
	struct pbx_event *event = pbx_say(play, EVENT_DIAL, channel);

	event->phone = play->plan->external;
	event->trunk = play->line;
	event->call_type = call_type;
	event->extensions[0] = extension;
	event->extension_count = 1;
}

static int64_t whole_second(int64_t wall_ms)
{
	return wall_ms - wall_ms % SECOND_MS;
}

/* As of an incoming or outgoing call; who hangs up otherwise changes the fields. */
struct pbx_event *pbx_hangup(
	struct pbx_play *play, const struct pbx_channel *channel, int call_type, int call_status)
{
	struct pbx_event *event = pbx_say(play, EVENT_HANGUP, channel);

	event->call_type = call_type;
	event->call_status = call_status;
	event->phone = play->plan->external;
	event->extensions[0] = "";
	event->extension_count = 1;
	event->received_ms = whole_second(play->call->truth.started_ms);
	event->start_ms = call_type != 2 ? event->received_ms : CALL_NO_TIME;
	event->end_ms = whole_second(play->at_ms);
	if (call_type != 2)
		event->trunk = play->line;
	return event;
}

void pbx_true_talk(struct pbx_play *play, const char *number)
{
	struct pbx_truth *truth = &play->call->truth;

	if (play->dead)
		return;
	pbx_truth_talks(truth, number);
	if (truth->answered_ms == CALL_NO_TIME)
		truth->answered_ms = play->at_ms;
}

void pbx_true_ring(struct pbx_play *play, const char *number)
{
	if (!play->dead)
		pbx_truth_rings(&play->call->truth, number);
}

/* "" where whoever was asked took it himself, or nobody did. */
static const char *taker_of(const struct pbx_move *move)
{
	const char *phone = move->on_mobile ? move->mobile : move->device;

	return move->end == PBX_ACCEPTED && strcmp(phone, move->to) != 0 ? phone : "";
}

void pbx_true_move(struct pbx_play *play, const char *from, const struct pbx_move *move)
{
	static const enum call_transfer_result results[] = {
		[PBX_ACCEPTED] = TRANSFER_ACCEPTED,
		[PBX_DECLINED] = TRANSFER_REFUSED,
		[PBX_NO_ANSWER] = TRANSFER_UNANSWERED,
	};
	struct pbx_truth *truth = &play->call->truth;

	if (play->dead || truth->transfer_count >= PBX_MAX_MOVES)
		return;
	truth->transfers[truth->transfer_count].from = from;
	truth->transfers[truth->transfer_count].to = move->to;
	truth->transfers[truth->transfer_count].kind =
		move->kind == PBX_BLIND ? TRANSFER_BLIND : TRANSFER_ATTENDED;
	truth->transfers[truth->transfer_count].result = results[move->end];
	truth->transfers[truth->transfer_count].taker = taker_of(move);
	truth->transfer_count++;
}

static void begin_truth(struct pbx_play *play)
{
	static const enum call_direction directions[PBX_KINDS] = {
		[PBX_INCOMING] = CALL_INCOMING,
		[PBX_OUTGOING] = CALL_OUTGOING,
		[PBX_CLICK] = CALL_OUTGOING,
		[PBX_FORBIDDEN] = CALL_OUTGOING,
		[PBX_INTERNAL] = CALL_INTERNAL,
		[PBX_DEPARTMENT] = CALL_INTERNAL,
	};
	const struct pbx_plan *plan = play->plan;

	play->call->truth = (struct pbx_truth){.direction = directions[plan->kind],
		.external = plan->external[0] != '\0'
				    ? arena_printf(play->arena, "+%s", plan->external)
				    : "",
		.line = plan->line,
		.line_first = "",
		.caller = plan->kind != PBX_INCOMING ? plan->ours : "",
		.callee = plan->callee,
		.sides_known = true,
		.started_ms = play->at_ms,
		.answered_ms = CALL_NO_TIME,
		.ended_ms = CALL_NO_TIME};
}

struct pbx_call *pbx_play(
	struct pbx_world *world, const struct pbx_plan *plan, struct arena *arena, int64_t at_ms)
{
	static void (*const kinds[PBX_KINDS])(struct pbx_play *) = {
		[PBX_INCOMING] = pbx_play_incoming,
		[PBX_OUTGOING] = pbx_play_outgoing,
		[PBX_CLICK] = pbx_play_click,
		[PBX_FORBIDDEN] = pbx_play_outgoing,
		[PBX_INTERNAL] = pbx_play_internal,
		[PBX_DEPARTMENT] = pbx_play_internal,
	};
	struct pbx_play play = {.world = world, .arena = arena, .at_ms = at_ms, .line = plan->line};

	play.call = arena_alloc(arena, sizeof(*play.call));
	play.call->plan = *plan;
	play.plan = &play.call->plan;
	begin_truth(&play);
	kinds[plan->kind](&play);
	if (play.primary != NULL)
		play.call->truth.unique_id = play.primary->unique_id;
	if (!play.dead)
		play.call->truth.ended_ms = play.at_ms;
	return play.call;
}
