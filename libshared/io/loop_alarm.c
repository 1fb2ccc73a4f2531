/*
 * loop_alarm: a binary heap of deadlines behind one timer.
 *
 * The timer is moved only when an alarm becomes the earliest. It may fire for an alarm that was
 * stopped meanwhile; then it is just set again. With a deadline on every request this saves a timer
 * operation for nearly all of them.
 */
#include "alloc.h"
#include "loop_private.h"

enum { FIRST_ALARMS = 64 };

static void put(struct loop *loop, size_t place, struct loop_alarm *alarm)
{
	loop->alarms[place] = alarm;
	alarm->place = place;
}

static void sift_up(struct loop *loop, size_t place)
{
	struct loop_alarm *alarm = loop->alarms[place];

	while (place > 1 && loop->alarms[place / 2]->at_ms > alarm->at_ms) {
		put(loop, place, loop->alarms[place / 2]);
		place /= 2;
	}
	put(loop, place, alarm);
}

static void sift_down(struct loop *loop, size_t place)
{
	struct loop_alarm *alarm = loop->alarms[place];

	for (size_t child = place * 2; child <= loop->alarm_count; child = place * 2) {
		if (child < loop->alarm_count &&
			loop->alarms[child + 1]->at_ms < loop->alarms[child]->at_ms)
			child++;
		if (loop->alarms[child]->at_ms >= alarm->at_ms)
			break;
		put(loop, place, loop->alarms[child]);
		place = child;
	}
	put(loop, place, alarm);
}

static void make_room(struct loop *loop)
{
	if (loop->alarm_count + 1 < loop->alarm_capacity)
		return;
	loop->alarm_capacity = loop->alarm_capacity > 0 ? loop->alarm_capacity * 2 : FIRST_ALARMS;
	loop->alarms =
		alloc_resize(loop->alarms, loop->alarm_capacity * sizeof(struct loop_alarm *));
}

static void set_timer(struct loop *loop)
{
	int64_t at_ms = loop->alarm_count > 0 ? loop->alarms[1]->at_ms : INT64_MAX;

	if (at_ms >= loop->alarm_timer_at_ms)
		return;
	loop->alarm_timer_at_ms = at_ms;
	loop_timer_set(loop->alarm_timer, at_ms - loop_now_ms(loop));
}

static void on_timer(void *owner)
{
	struct loop *loop = owner;
	int64_t now_ms = loop_now_ms(loop);

	loop->alarm_timer_at_ms = INT64_MAX;
	while (loop->alarm_count > 0 && loop->alarms[1]->at_ms <= now_ms) {
		struct loop_alarm *alarm = loop->alarms[1];

		loop_alarm_stop(loop, alarm);
		alarm->fire(alarm->owner);
	}
	set_timer(loop);
}

void loop_alarm_set(struct loop *loop, struct loop_alarm *alarm, int64_t delay_ms)
{
	loop_alarm_stop(loop, alarm);
	if (loop->alarm_timer == NULL) {
		loop->alarm_timer = loop_timer_new(loop, on_timer, loop);
		loop->alarm_timer_at_ms = INT64_MAX;
	}
	make_room(loop);
	/* One more: the turn began up to a millisecond after its number, and nothing may fire early. */
	alarm->at_ms = loop_now_ms(loop) + (delay_ms > 0 ? delay_ms : 0) + 1;
	put(loop, ++loop->alarm_count, alarm);
	sift_up(loop, loop->alarm_count);
	set_timer(loop);
}

void loop_alarm_stop(struct loop *loop, struct loop_alarm *alarm)
{
	size_t place = alarm->place;
	struct loop_alarm *moved;

	if (place == 0)
		return;
	alarm->place = 0;
	moved = loop->alarms[loop->alarm_count--];
	if (loop->alarm_count == 0) { /* nothing left to wake for */
		loop_timer_stop(loop->alarm_timer);
		loop->alarm_timer_at_ms = INT64_MAX;
	}
	if (moved == alarm)
		return;
	put(loop, place, moved);
	sift_down(loop, place);
	sift_up(loop, moved->place);
}
