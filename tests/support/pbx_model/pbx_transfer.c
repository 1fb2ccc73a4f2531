/*
 * pbx_transfer: what somebody who talks does: hold, ask a colleague first, hand over at once.
 *
 * An attended transfer opens a Local channel: its half ;1 waits with who transfers, ;2 talks with
 * the colleague. When it is accepted either the other side goes to the colleague's bridge, or the
 * colleague comes to the other side's (both captured in 2-18), or the wire simply stays.
 */
#include "pbx_play.h"

/* Who transfers, and by what. */
struct asking {
	const struct pbx_move *move;
	struct pbx_bridge *waiting; /* of who transfers, with half ;1 */
	struct pbx_bridge *far;	    /* of the colleague, with half ;2 */
	struct pbx_channel *one, *two;
	struct pbx_channel *colleague; /* his phone; NULL until it rings */
	struct pbx_leg *leg;	       /* FollowMe's mobile */
	int64_t at_ms;		       /* when he asked */
};

/* The person comes back to a waiting caller, or both to a new bridge. */
static void hold(struct pbx_play *play)
{
	struct pbx_bridge *was = play->talk;
	bool parked = pbx_maybe(play, 30);

	if (pbx_maybe(play, 30))
		return; /* the phone holds by itself: nothing is said */
	if (parked)
		pbx_leave_both(play, play->ours, play->other);
	else
		pbx_leave(play, play->ours);
	if (parked)
		pbx_destroy(play, was);
	pbx_pass(play, 2500, 200000);
	if (!parked) {
		pbx_enter(play, play->ours, play->talk);
		return;
	}
	play->talk = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	pbx_enter_both(play, play->ours, play->other, play->talk);
}

/* -- asking first -- */

/* Hosts differ in how much they say of who goes aside: nothing, that he is in the other bridge,
 * that he left the first as well, or only that (1-3, 2-18, 2-23, 2-30). Where FollowMe rings a
 * mobile meanwhile they always said where he is (2-25), but for when nobody answered (2-30): else
 * its leg would look like a second call of his. */
static void go_aside(struct pbx_play *play, const struct asking *asking)
{
	const struct pbx_move *move = asking->move;
	unsigned said = pbx_below(&play->world->random, 4);

	if (move->follow_me && move->end != PBX_NO_ANSWER && !move->on_mobile)
		said = 1 + said % 2;
	if (said >= 2)
		pbx_leave(play, play->ours);
	if (said == 1 || said == 2)
		pbx_enter(play, play->ours, asking->waiting);
	else
		pbx_enter_silently(play->ours, asking->waiting);
	pbx_enter_silently(asking->one, asking->waiting);
}

static void name_halves(struct pbx_play *play, const struct asking *asking)
{
	unsigned said = pbx_below(&play->world->random, 4);

	if (said == 1 || said == 3)
		pbx_callerid(play, asking->two);
	if (said == 1 || said == 2)
		pbx_callerid(play, asking->one);
}

static void ask(struct pbx_play *play, struct asking *asking)
{
	const char *to = asking->move->to;
	bool aside_first = pbx_maybe(play, 50);

	asking->at_ms = play->at_ms;
	asking->waiting = pbx_bridge_new(play);
	pbx_local_new(
		play, arena_printf(play->arena, "%s@dialexecute", to), &asking->one, &asking->two);
	asking->one->number = to;
	asking->one->peer = asking->two->number = play->talker;
	asking->one->exten = asking->two->exten = to;
	pbx_pass(play, 0, 50);
	if (aside_first)
		go_aside(play, asking);
	name_halves(play, asking);
	if (!aside_first)
		go_aside(play, asking);
}

/* FollowMe: some seconds later the mobile rings as well. */
static void ring_mobile(struct pbx_play *play, struct asking *asking)
{
	const struct pbx_move *move = asking->move;

	pbx_pass(play, 1500, 8000);
	if (move->mobile == NULL)
		return;
	pbx_pass(play, 4000, 10000);
	asking->leg = pbx_leg_new(play, move->mobile, move->to, play->talker);
	pbx_leg_ring(play, asking->leg);
	pbx_pass(play, 1500, 10000);
}

static void device_answers(struct pbx_play *play, struct asking *asking)
{
	const struct pbx_move *move = asking->move;

	if (asking->leg != NULL)
		pbx_leg_over(play, asking->leg, 0);
	asking->one->number = move->device;
	if (pbx_maybe(play, 30))
		pbx_callerid(play, asking->one);
	asking->far = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	asking->two->peer = move->device;
	asking->colleague = pbx_device_new(play, move->device, move->device, play->talker);
	if (play->plan->one_id)
		asking->colleague->unique_id = asking->one->unique_id;
	pbx_enter_both(play, asking->two, asking->colleague, asking->far);
}

/* Two wires in a row: mobile ~ its leg's halves ~ the Local channel of the FollowMe number. */
static void mobile_answers(struct pbx_play *play, struct asking *asking)
{
	struct pbx_leg *leg = asking->leg;

	pbx_leg_answer(play, leg);
	pbx_pass(play, 5, 60);
	asking->one->number = asking->move->device;
	if (pbx_maybe(play, 60))
		pbx_callerid(play, asking->one);
	asking->far = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	asking->two->peer = asking->move->device;
	leg->one->exten = "";
	pbx_enter_both(play, leg->one, asking->two, asking->far);
}

/* The wire's hangup names who asked until it was renamed, and now and then afterwards. Of FollowMe numbers, whose dialplan is
 * another, none was ever captured. */
static void two_over(struct pbx_play *play, const struct asking *asking, int call_status)
{
	struct pbx_event *event;

	if (asking->move->follow_me)
		return;
	event = pbx_hangup(play, asking->two, 2, call_status);
	event->phone = pbx_maybe(play, 30) ? asking->one->peer : asking->two->number;
	event->extensions[0] = asking->move->to;
	event->received_ms = asking->at_ms - asking->at_ms % 1000;
}

/* Who transfers is back with the other side. Of FollowMe some say only now whom it called (2-30). */
static void come_back(struct pbx_play *play, const struct asking *asking)
{
	bool ours_first = pbx_maybe(play, 50);

	play->ours->peer = asking->one->number;
	if (!ours_first)
		pbx_leave(play, asking->one);
	pbx_leave(play, play->ours);
	pbx_pass(play, 0, 50);
	pbx_enter(play, play->ours, play->talk);
	if (ours_first)
		pbx_leave(play, asking->one);
	if (asking->leg != NULL && pbx_maybe(play, 50))
		pbx_callerid(play, asking->one);
	pbx_destroy(play, asking->waiting);
	play->ours->peer = play->other->number;
}

/* Of a FollowMe number only its mobile's leg has a hangup, and that comes last (2-30). */
static void not_taken(struct pbx_play *play, struct asking *asking)
{
	bool before = pbx_maybe(play, 50) && !asking->move->follow_me;

	if (before)
		two_over(play, asking, 0);
	come_back(play, asking);
	pbx_pass(play, 0, 300);
	if (asking->leg != NULL)
		pbx_leg_over(play, asking->leg, 0);
	else if (!before)
		two_over(play, asking, 0);
}

static void leave_leg(struct pbx_play *play, const struct asking *asking)
{
	struct pbx_bridge *bridge = asking->leg->two->bridge;

	pbx_leave_both(play, asking->leg->phone, asking->leg->two);
	pbx_destroy(play, bridge);
	pbx_leg_over(play, asking->leg, 2);
	pbx_pass(play, 0, 50);
}

static void declined(struct pbx_play *play, struct asking *asking)
{
	if (asking->move->on_mobile)
		leave_leg(play, asking);
	pbx_leave_both(
		play, asking->move->on_mobile ? asking->leg->one : asking->colleague, asking->two);
	pbx_destroy(play, asking->far);
	two_over(play, asking, 2);
	pbx_pass(play, 0, 200);
	come_back(play, asking);
}

/* Whose the wire was learns who is at its other end now. */
static void rename_wire(struct pbx_play *play, const struct asking *asking)
{
	asking->two->number = play->other->number;
	asking->two->number_name = pbx_shown_name(play, play->plan->external);
	pbx_callerid(play, asking->two);
}

/* The mobile, behind another wire, learns it last (2-23). */
static void rename_leg(struct pbx_play *play, const struct asking *asking)
{
	if (!asking->move->on_mobile)
		return;
	asking->leg->two->number = play->other->number;
	asking->leg->two->number_name = asking->two->number_name;
	asking->leg->asks = play->plan->external;
	asking->leg->phone->peer = asking->leg->one->peer = play->other->number;
	pbx_callerid(play, asking->leg->two);
}

/* The other side goes to the colleague. */
static void meet_there(struct pbx_play *play, const struct asking *asking)
{
	struct pbx_bridge *was = play->talk;

	pbx_leave(play, play->other);
	play->other->peer = asking->move->device;
	pbx_pass(play, 0, 60);
	pbx_enter(play, play->other, asking->far);
	pbx_pass(play, 0, 60);
	pbx_leave(play, asking->two);
	rename_wire(play, asking);
	play->talk = asking->far;
	pbx_pass(play, 0, 60);
	two_over(play, asking, 2);
	pbx_leave(play, asking->one);
	pbx_destroy(play, was);
}

/* The colleague comes to the other side. */
static void meet_here(struct pbx_play *play, const struct asking *asking)
{
	struct pbx_channel *comes = asking->move->on_mobile ? asking->leg->one : asking->colleague;
	struct pbx_bridge *was = asking->far;

	pbx_leave(play, comes);
	pbx_set_peer(comes, play->other->number, play->other->number_name);
	pbx_pass(play, 0, 60);
	pbx_enter(play, comes, play->talk);
	pbx_pass(play, 0, 60);
	pbx_leave(play, asking->one);
	pbx_leave(play, asking->two);
	play->other->peer = asking->move->device;
	rename_wire(play, asking);
	pbx_destroy(play, was);
	rename_leg(play, asking);
	two_over(play, asking, 2);
}

/* Outgoing calls lose the channel whose dialplan runs when who called leaves. */
static void caller_leaves(struct pbx_play *play)
{
	if (play->ours != play->primary || play->finishes != play->primary)
		return;
	pbx_say_final(play, 2);
	play->finishes = NULL;
}

static void new_talker(struct pbx_play *play, const struct asking *asking)
{
	const struct pbx_move *move = asking->move;

	play->talker = move->on_mobile ? move->mobile : move->device;
	play->ours = asking->colleague;
	if (asking->colleague != NULL)
		asking->colleague->peer = play->other->number;
	play->leg = move->on_mobile ? asking->leg : NULL;
	pbx_true_talk(play, play->talker);
}

static void accepted(struct pbx_play *play, struct asking *asking)
{
	/* A wire on which another transfer is made, or a mobile's, is not seen to stay. */
	bool stays = !asking->move->follow_me && pbx_maybe(play, 15) &&
		     asking->move == &play->plan->moves[play->plan->move_count - 1];
	bool early = pbx_maybe(play, 30);

	play->ours->peer = asking->move->device;
	pbx_leave(play, play->ours);
	pbx_pass(play, 0, 60);
	pbx_leave(play, asking->one);
	pbx_pass(play, 0, 60);
	pbx_enter(play, asking->one, play->talk);
	pbx_destroy(play, asking->waiting);
	if (early)
		caller_leaves(play);
	pbx_pass(play, 0, 100);
	if (stays) {
		play->wire[0] = asking->one;
		play->wire[1] = asking->two;
	} else if (asking->move->on_mobile || pbx_maybe(play, 50)) {
		meet_here(play, asking);
	} else {
		meet_there(play, asking);
	}
	caller_leaves(play);
	new_talker(play, asking);
}

void pbx_attended(struct pbx_play *play, const struct pbx_move *move)
{
	struct asking asking = {.move = move};
	const char *from = play->talker;
	bool takes_long = move->follow_me && (move->on_mobile || pbx_maybe(play, 50));

	ask(play, &asking);
	if (takes_long)
		ring_mobile(play, &asking);
	pbx_pass(play, 1500, 15000);
	if (move->end == PBX_NO_ANSWER) {
		not_taken(play, &asking);
		pbx_true_move(play, from, move);
		return;
	}
	if (move->on_mobile)
		mobile_answers(play, &asking);
	else
		device_answers(play, &asking);
	pbx_pass(play, 2500, 30000);
	if (move->end == PBX_DECLINED)
		declined(play, &asking);
	else
		accepted(play, &asking);
	pbx_true_move(play, from, move);
}

/* -- handing over at once -- */

static void hand_over(struct pbx_play *play)
{
	struct pbx_bridge *was = play->talk;

	pbx_leave_both(play, play->ours, play->other);
	pbx_destroy(play, was);
	pbx_pass(play, 50, 500);
}

/* The dialplan of the FollowMe number rings it, then it and the mobile (2-27 to 2-29). */
static struct pbx_leg *ring_follow_me(struct pbx_play *play, const struct pbx_move *move)
{
	struct pbx_event *event;
	struct pbx_leg *leg;

	pbx_ring(play, play->primary, 0, move->to);
	if (move->mobile == NULL || (!move->on_mobile && pbx_maybe(play, 30)))
		return NULL;
	pbx_pass(play, 6000, 14000);
	pbx_ring(play, play->primary, 0, move->to);
	event = play->dead ? &play->unsaid : &play->call->events[play->call->count - 1];
	event->extensions[event->extension_count++] = move->mobile;
	pbx_pass(play, 20, 100);
	leg = pbx_leg_new(play, move->mobile, move->to, play->plan->external);
	pbx_leg_ring(play, leg);
	return leg;
}

static void taken_on_device(
	struct pbx_play *play, const struct pbx_move *move, const struct pbx_leg *leg)
{
	play->ours = play->rung;
	if (play->rung == NULL)
		play->ours = pbx_device_new(play, move->device, move->device, play->other->number);
	play->ours->peer_name = play->other->number_name;
	play->other->peer = move->device;
	play->other->exten = move->to;
	play->talker = move->device;
	play->talk = pbx_bridge_new(play);
	pbx_pass(play, 5, 60);
	if (leg != NULL && pbx_maybe(play, 50)) {
		pbx_enter(play, play->other, play->talk);
		pbx_leg_over(play, leg, 0);
		pbx_enter(play, play->ours, play->talk);
	} else {
		if (leg != NULL)
			pbx_leg_over(play, leg, 0);
		pbx_enter_both(play, play->other, play->ours, play->talk);
	}
	pbx_true_talk(play, play->talker);
}

static void taken_on_mobile(struct pbx_play *play, const struct pbx_move *move, struct pbx_leg *leg)
{
	pbx_leg_answer(play, leg);
	pbx_pass(play, 5, 60);
	play->talk = pbx_bridge_new(play);
	play->other->peer = PBX_UNKNOWN;
	play->other->exten = move->to;
	leg->one->exten = "";
	pbx_enter_both(play, play->other, leg->one, play->talk);
	play->leg = leg;
	play->talker = leg->mobile;
	play->finishes = NULL;
	pbx_true_talk(play, play->talker);
}

/* From now on the other side's channel runs a dialplan of its own. */
static void dialplan_of_other(struct pbx_play *play, const struct pbx_move *move)
{
	if (play->ours == play->primary)
		caller_leaves(play);
	play->finishes = play->other;
	play->final_type = move->follow_me ? 0 : 2;
	play->final_extension = move->end == PBX_ACCEPTED ? move->device : move->to;
}

static void nobody_took(struct pbx_play *play, const struct pbx_move *move)
{
	if (move->follow_me)
		play->final_extension = "";
	pbx_pass(play, 0, 1000);
	pbx_say_final(play, 0);
	play->over = true;
}

/* Some hosts say whose phone is rung (1-6). */
static void say_rung(struct pbx_play *play, const struct pbx_move *move)
{
	play->rung = pbx_device_new(play, move->device, move->device, play->other->number);
	play->rung->context = "inoffice";
	play->rung->exten = move->to;
	pbx_callerid(play, play->rung);
	play->rung->exten = "";
}

void pbx_blind(struct pbx_play *play, const struct pbx_move *move)
{
	const char *from = play->talker;
	struct pbx_leg *leg = NULL;

	hand_over(play);
	play->rung = NULL;
	if (move->follow_me)
		leg = ring_follow_me(play, move);
	else if (pbx_maybe(play, 40))
		say_rung(play, move);
	dialplan_of_other(play, move);
	pbx_pass(play, 1500, 20000);
	if (move->end == PBX_NO_ANSWER) {
		if (leg != NULL && pbx_maybe(play, 70))
			pbx_leg_over(play, leg, 0);
		nobody_took(play, move);
	} else if (move->on_mobile && leg != NULL) {
		taken_on_mobile(play, move, leg);
	} else {
		taken_on_device(play, move, leg);
	}
	pbx_true_move(play, from, move);
}

void pbx_moves(struct pbx_play *play)
{
	const struct pbx_plan *plan = play->plan;

	for (unsigned i = 0; i < plan->move_count && !play->over; i++) {
		bool was_dead = play->dead;

		if (plan->moves[i].kind == PBX_HOLD)
			hold(play);
		else if (plan->moves[i].kind == PBX_ATTENDED)
			pbx_attended(play, &plan->moves[i]);
		else
			pbx_blind(play, &plan->moves[i]);
		if (play->dead && !was_dead && plan->moves[i].kind != PBX_HOLD)
			play->call->truth.unsettled = true;
		if (!play->over)
			pbx_pass(play, 3000, 120000);
	}
}
