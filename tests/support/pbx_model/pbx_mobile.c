/*
 * pbx_mobile: a mobile is rung through a Local channel and a line, and that leg has a hangup of
 * its own. (Captured: 2-5 to 2-15 in groups, 2-23 to 2-30 as FollowMe.)
 */
#include "pbx_play.h"

enum { BUSY_LINE_PERCENT = 50, SAYS_HALVES_PERCENT = 60 };

/* `label` is what the PBX's half calls itself: the line, or the FollowMe number. */
struct pbx_leg *pbx_leg_new(
	struct pbx_play *play, const char *mobile, const char *label, const char *asks)
{
	struct pbx_leg *leg = arena_alloc(play->arena, sizeof(*leg));

	leg->mobile = mobile;
	leg->asks = asks;
	leg->line = play->plan->line;
	pbx_local_new(play, arena_printf(play->arena, "%s@179e93af", mobile), &leg->one, &leg->two);
	leg->one->number = label;
	leg->one->peer = leg->two->number = asks;
	leg->one->context = leg->two->context = "179e93af";
	leg->one->exten = label;
	leg->two->peer = label;
	leg->two->exten = mobile;
	leg->answers_unnamed = strcmp(asks, play->plan->external) == 0;
	leg->at_ms = play->at_ms;
	return leg;
}

static void ring_on_line(struct pbx_play *play, struct pbx_leg *leg, bool says_dial)
{
	struct pbx_event *event;

	leg->phone = pbx_device_new(play, leg->line, leg->mobile, leg->asks);
	leg->phone->exten = leg->mobile;
	leg->phone->context = "from-out-office";
	if (says_dial) {
		event = pbx_say(play, EVENT_DIAL, leg->two);
		event->phone = leg->mobile;
		event->trunk = leg->line;
		event->call_type = 1;
		event->extensions[0] = leg->asks;
		event->extension_count = 1;
		pbx_pass(play, 50, 400);
	}
	pbx_callerid(play, leg->phone);
	leg->phone->exten = "";
}

/* Ringing; half of the time the first line is busy and the next is taken. */
void pbx_leg_ring(struct pbx_play *play, struct pbx_leg *leg)
{
	bool busy = play->world->line_count > 1 && pbx_maybe(play, BUSY_LINE_PERCENT);

	if (leg->answers_unnamed || pbx_maybe(play, SAYS_HALVES_PERCENT)) {
		pbx_callerid(play, leg->one);
		pbx_pass(play, 0, 20);
		pbx_callerid(play, leg->two);
		pbx_pass(play, 0, 20);
	}
	/* Of the line that was busy some hosts said no dial when somebody of ours asked (2-23). */
	ring_on_line(play, leg, leg->answers_unnamed || !busy || pbx_maybe(play, 70));
	if (!busy)
		return;
	pbx_pass(play, 300, 3000);
	while (strcmp(leg->line, play->plan->line) == 0)
		leg->line = pbx_world_line(play->world);
	ring_on_line(play, leg, true);
}

/* The mobile and its half are together. */
void pbx_leg_answer(struct pbx_play *play, struct pbx_leg *leg)
{
	struct pbx_bridge *bridge = pbx_bridge_new(play);

	pbx_pass(play, 10, 100);
	pbx_enter_both(play, leg->phone, leg->two, bridge);
}

/* Whom the leg was for; who answered it is said as nobody (2-5, 2-6). */
void pbx_leg_over(struct pbx_play *play, const struct pbx_leg *leg, int call_status)
{
	struct pbx_event *event = pbx_hangup(play, leg->two, 1, call_status);

	event->phone = leg->mobile;
	event->trunk = leg->line;
	event->received_ms = leg->at_ms - leg->at_ms % 1000;
	event->start_ms = event->received_ms;
	event->extensions[0] = leg->answers_unnamed && call_status == 2 ? "" : leg->asks;
}
