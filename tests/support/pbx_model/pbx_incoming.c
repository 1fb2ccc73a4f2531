/*
 * pbx_incoming: somebody calls us: greeting, ringing in a group or a cascade, talk, end. And calls
 * among ourselves, which hosts say least of.
 */
#include "pbx_play.h"

enum { SHORT_TALK_MS = 3000, LONG_TALK_MS = 240000 };

static void begin(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;
	bool other_peer = pbx_maybe(play, 4); /* the carrier's peer is not always the line's */
	struct pbx_event *event;

	play->other = pbx_device_new(play, other_peer ? pbx_world_line(play->world) : plan->line,
		plan->external[0] != '\0' ? plan->external : PBX_UNKNOWN, PBX_UNKNOWN);
	play->primary = play->finishes = play->other;
	play->other->exten = plan->line;
	play->other->context = "from-out-office";
	play->other->number_name = pbx_shown_name(play, plan->external);
	if (!plan->no_start) {
		event = pbx_say(play, EVENT_START, play->primary);
		event->call_type = 0;
		event->phone = plan->line_as_phone ? plan->line : plan->external;
		event->trunk = plan->line;
	}
	pbx_pass(play, 0, 30);
	pbx_callerid(play, play->primary);
	pbx_pass(play, 300, plan->no_start ? 1000 : 25000);
	if (play->dead && plan->line_as_phone)
		play->call->truth.sides_known = false; /* the dial would have named the caller */
}

static void ring_round(struct pbx_play *play, unsigned round)
{
	const struct pbx_plan *plan = play->plan;
	struct pbx_event *event = pbx_say(play, EVENT_DIAL, play->primary);

	event->phone = plan->external;
	event->trunk = plan->line;
	event->call_type = 0;
	for (unsigned i = 0; i < plan->rounds[round].count; i++) {
		event->extensions[i] = plan->rounds[round].rings[i];
		pbx_true_ring(play, plan->rounds[round].rings[i]);
	}
	event->extension_count = plan->rounds[round].count;
}

/* The mobile's leg is given up at once when somebody else answers; the host says so when it comes
 * to it: before, between or after the two bridges (2-10, 2-13, 2-6). */
static void answer_on_extension(struct pbx_play *play, const struct pbx_leg *leg)
{
	unsigned when = pbx_below(&play->world->random, 3);
	bool ours_first = pbx_maybe(play, 50);

	play->ours = pbx_device_new(play, play->plan->ours, play->plan->ours, play->other->number);
	play->ours->peer_name = play->other->number_name;
	play->other->peer = play->talker = play->plan->ours;
	if (leg != NULL && when == 0)
		pbx_leg_over(play, leg, 0);
	play->talk = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	pbx_enter(play, ours_first ? play->ours : play->other, play->talk);
	pbx_pass(play, 5, 60);
	if (leg != NULL && when == 1)
		pbx_leg_over(play, leg, 0);
	pbx_enter(play, ours_first ? play->other : play->ours, play->talk);
	pbx_true_talk(play, play->talker);
	pbx_pass(play, 5, 60);
	if (leg != NULL && when == 2)
		pbx_leg_over(play, leg, 0);
	play->final_extension = play->plan->unnamed_end ? "" : play->talker;
}

/* Two bridges and a wire between them; the call's own hangup never comes (2-5). */
static void answer_on_mobile(struct pbx_play *play, struct pbx_leg *leg)
{
	play->leg = leg;
	play->talker = leg->mobile;
	pbx_leg_answer(play, leg);
	pbx_pass(play, 5, 100);
	play->talk = pbx_bridge_new(play);
	pbx_pass(play, 5, 100);
	leg->one->exten = "";
	pbx_enter_both(play, play->other, leg->one, play->talk);
	pbx_true_talk(play, leg->mobile);
	play->finishes = NULL;
}

void pbx_play_incoming(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;
	struct pbx_leg *leg = NULL;

	play->final_type = 0;
	play->final_extension = "";
	begin(play);
	for (unsigned i = 0; i < plan->round_count && !plan->gives_up_early; i++) {
		ring_round(play, i);
		pbx_pass(play, i + 1 < plan->round_count ? 8000 : 50,
			i + 1 < plan->round_count ? 15000 : 300);
	}
	if (plan->mobile != NULL) {
		leg = pbx_leg_new(play, plan->mobile, plan->line, plan->external);
		pbx_leg_ring(play, leg);
	}
	if (!plan->gives_up_early)
		pbx_pass(play, 1000, 20000);
	if (plan->answer == PBX_NOBODY) {
		if (leg != NULL)
			pbx_leg_over(play, leg, 0);
		pbx_pass(play, 0, 1000);
		pbx_finish(play, 0);
		return;
	}
	if (plan->answer == PBX_MOBILE && leg != NULL)
		answer_on_mobile(play, leg);
	else
		answer_on_extension(play, leg);
	pbx_pass(play, SHORT_TALK_MS, LONG_TALK_MS);
	pbx_moves(play);
	pbx_finish(play, 2);
}

/* The bridges of a mobile's leg, from the mobile on (2-5, 2-23). */
static void finish_leg(struct pbx_play *play)
{
	struct pbx_bridge *bridge = play->leg->phone->bridge;

	pbx_leave_both(play, play->leg->phone, play->leg->two);
	pbx_destroy(play, bridge);
	pbx_leg_over(play, play->leg, 2);
	pbx_pass(play, 0, 300);
	pbx_leave_both(play, play->leg->one, play->other);
	pbx_destroy(play, play->talk);
}

static void finish_talk(struct pbx_play *play)
{
	if (play->leg != NULL) {
		finish_leg(play);
		return;
	}
	if (play->wire[0] != NULL) {
		struct pbx_bridge *far = play->ours->bridge;
		struct pbx_event *event;

		pbx_leave_both(play, play->ours, play->wire[1]);
		pbx_destroy(play, far);
		event = pbx_hangup(play, play->wire[1], 2, 2);
		event->extensions[0] = play->talker;
		pbx_pass(play, 0, 200);
		pbx_leave_both(play, play->wire[0], play->other);
	} else {
		pbx_leave_both(play, play->ours, play->other);
	}
	pbx_destroy(play, play->talk);
}

void pbx_say_final(struct pbx_play *play, int call_status)
{
	struct pbx_event *event = pbx_hangup(play, play->finishes, play->final_type, call_status);

	event->extensions[0] = play->final_extension;
	if (play->plan->names_trunk && play->final_type == 1)
		event->extensions[0] = play->line;
}

/* Whoever hangs up first, all leave; what ends the call comes last, but for a leave that is late
 * (1-2, and a host's own delays). */
void pbx_finish(struct pbx_play *play, int call_status)
{
	struct pbx_truth *truth = &play->call->truth;

	if (play->over)
		return;
	if (call_status == 2)
		finish_talk(play);
	pbx_pass(play, 5, 2000);
	if (play->finishes != NULL)
		pbx_say_final(play, call_status);
	else if (!play->dead)
		truth->end =
			play->leg != NULL || play->wire[0] != NULL ? PBX_END_LEG : PBX_END_LEAVES;
}

/* -- among ourselves -- */

/* Where a department was called, hosts say CallType 0, no line, and a flag (3-3). */
static void internal_over(struct pbx_play *play, int call_status)
{
	bool department = play->plan->kind == PBX_DEPARTMENT;
	struct pbx_event *event = pbx_hangup(play, play->primary, department ? 0 : 2, call_status);

	event->phone = play->plan->ours;
	event->start_ms = CALL_NO_TIME;
	event->trunk = department ? "" : NULL;
	event->external_initiated = event->external_initiated || department;
	if (call_status == 2 || (!department && !play->plan->unnamed_end))
		event->extensions[0] = play->plan->callee;
	else if (!play->dead)
		play->call->truth.callee = NULL;
}

static void internal_talk(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;
	bool department = plan->kind == PBX_DEPARTMENT;

	play->other = play->primary;
	play->ours = pbx_device_new(play, plan->callee, plan->callee, plan->ours);
	play->ours->peer_name = plan->ours;
	play->primary->peer = department && pbx_maybe(play, 50) ? "901" : plan->callee;
	play->talk = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	pbx_enter_both(play, play->primary, play->ours, play->talk);
	pbx_true_talk(play, plan->callee);
	pbx_pass(play, SHORT_TALK_MS, LONG_TALK_MS);
	pbx_moves(play);
	pbx_leave_both(play, play->ours, play->primary);
	pbx_destroy(play, play->talk);
	pbx_pass(play, 0, 1500);
}

void pbx_play_internal(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;
	bool department = plan->kind == PBX_DEPARTMENT;

	play->primary = pbx_device_new(play, plan->ours, plan->ours, PBX_UNKNOWN);
	play->primary->number_name = plan->ours;
	play->primary->exten = department ? "901" : plan->callee;
	pbx_pass(play, 1000, 20000);
	if (plan->answer != PBX_NOBODY)
		internal_talk(play);
	internal_over(play, plan->answer != PBX_NOBODY ? 2 : 0);
	if (play->dead)
		play->call->truth.sides_known = false;
}
