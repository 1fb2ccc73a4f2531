/*
 * pbx_outgoing: one of us calls somebody: from the phone, or at a click in a program.
 */
#include "pbx_play.h"

enum { SHORT_TALK_MS = 3000, LONG_TALK_MS = 240000 };

static void ring(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;

	pbx_ring(play, play->primary, 1, plan->names_trunk ? play->line : plan->ours);
	pbx_pass(play, 20, 300);
	play->other = pbx_device_new(play, play->line, plan->external, plan->ours);
	play->other->exten = plan->external;
	play->other->context = "from-out-office";
	play->other->peer_name = plan->kind == PBX_CLICK ? PBX_UNKNOWN : plan->ours;
	pbx_callerid(play, play->other);
	play->other->exten = "";
}

static void take_backup(struct pbx_play *play)
{
	pbx_pass(play, 1000, 3000);
	if (play->dead)
		return;
	play->line = play->plan->backup;
	play->call->truth.line_first = play->call->truth.line;
	play->call->truth.line = play->line;
	ring(play);
}

/* Unless somebody answers only the dial names the caller, and some SIP lines write over that. */
static void forget_caller(struct pbx_play *play)
{
	if (play->plan->names_trunk && !play->call->truth.answered)
		play->call->truth.caller = NULL;
}

static void talk(struct pbx_play *play)
{
	play->ours = play->primary;
	play->talker = play->plan->ours;
	play->talk = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	pbx_enter_both(play, play->other, play->primary, play->talk);
	pbx_true_talk(play, play->talker);
	pbx_pass(play, SHORT_TALK_MS, LONG_TALK_MS);
	pbx_moves(play);
}

void pbx_play_outgoing(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;

	play->primary = pbx_device_new(play, plan->ours, plan->ours, PBX_UNKNOWN);
	play->primary->number_name = plan->ours;
	play->primary->exten = plan->external;
	play->finishes = play->primary;
	play->final_type = 1;
	play->final_extension = plan->unnamed_end ? "" : plan->ours;
	if (plan->kind == PBX_FORBIDDEN) {
		play->final_extension = plan->ours;
		play->line = NULL;
		play->call->truth.line = "";
		pbx_finish(play, 0);
		return;
	}
	ring(play);
	if (plan->backup != NULL)
		take_backup(play);
	pbx_pass(play, 1500, 25000);
	if (plan->answer != PBX_NOBODY)
		talk(play);
	pbx_finish(play, plan->answer != PBX_NOBODY ? 2 : 0);
	forget_caller(play);
}

/* What a program leaves behind: a hangup of the manager's first channel, with little in it. */
static void parasite(struct pbx_play *play, const struct pbx_channel *first)
{
	struct pbx_event *event;

	if (!pbx_maybe(play, 40))
		return;
	pbx_pass(play, 0, 1500);
	event = pbx_hangup(play, first, 2, pbx_maybe(play, 50) ? 2 : 0);
	event->external_initiated = true;
	if (pbx_maybe(play, 50))
		event->phone = PBX_UNKNOWN;
}

static void click_talk(struct pbx_play *play)
{
	struct pbx_bridge *far = pbx_bridge_silent(play);

	pbx_enter(play, play->other, far);
	pbx_true_talk(play, play->plan->ours);
	pbx_pass(play, SHORT_TALK_MS, LONG_TALK_MS);
	pbx_leave(play, play->other);
	pbx_destroy(play, far);
}

/* The manager's phone is rung first and waits in a bridge of its own; what joins it to the other
 * side is never said (1-2). */
void pbx_play_click(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;
	bool answered = plan->answer != PBX_NOBODY;
	struct pbx_bridge *waiting;
	struct pbx_channel *first;

	play->world->flagged = 10;
	first = pbx_device_new(
		play, plan->ours, plan->ours, arena_printf(play->arena, "+%s", plan->external));
	pbx_pass(play, 1000, 8000);
	waiting = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	pbx_enter(play, first, waiting);
	pbx_pass(play, 100, 1000);
	play->primary = play->finishes = pbx_channel_new(play, "");
	play->final_type = 1;
	play->final_extension = plan->unnamed_end || pbx_maybe(play, 70) ? "" : plan->ours;
	if (play->dead)
		play->call->truth.sides_known = false;
	ring(play);
	pbx_pass(play, 1500, 25000);
	if (answered)
		click_talk(play);
	pbx_pass(play, 5, 500);
	pbx_say_final(play, answered ? 2 : 0);
	pbx_pass(play, 5, 300);
	pbx_leave(play, first);
	if (pbx_maybe(play, 50))
		pbx_destroy(play, waiting);
	parasite(play, first);
	forget_caller(play);
}
