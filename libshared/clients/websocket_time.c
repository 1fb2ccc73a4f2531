/*
 * websocket_time: what a WebSocket does when nothing happens: pings, and the end of waits.
 *
 * One timer each, which is not touched by what is heard: it looks when it was last heard, and waits on.
 */
#include "websocket_private.h"

#include <stdio.h>

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When the timer has something to look at. What was heard meanwhile puts it off only then. */
static int64_t next_look_ms(const struct websocket *websocket)
{
	const struct websocket_options *options = &websocket->options;
	int64_t at_ms;

	if (websocket->deadline_ms != 0)
		return websocket->deadline_ms;
	at_ms = websocket->heard_ms + options->idle_ms;
	if (!websocket->pinged)
		at_ms = earlier(at_ms, websocket->heard_ms + options->ping_ms);
	if (websocket->blocked_ms != 0)
		at_ms = earlier(at_ms, websocket->blocked_ms + options->idle_ms);
	return at_ms;
}

void websocket_set_timer(struct websocket *websocket)
{
	loop_timer_set(websocket->timer, next_look_ms(websocket) - loop_now_ms(websocket->loop));
}

void websocket_set_deadline(struct websocket *websocket, int64_t after_ms)
{
	int64_t at_ms = loop_now_ms(websocket->loop) + after_ms;

	if (websocket->deadline_ms != 0 && websocket->deadline_ms < at_ms)
		return;
	websocket->deadline_ms = at_ms;
	websocket_set_timer(websocket);
}

static void end_late(struct websocket *websocket)
{
	if (websocket->state == WEBSOCKET_DIALING)
		websocket_dial_late(websocket);
	else if (websocket->state == WEBSOCKET_CLOSING)
		websocket_end(websocket, WEBSOCKET_ABNORMAL, "the peer did not answer our close");
	else
		websocket_end(websocket, websocket->code, websocket->words);
}

static void look_at_silence(struct websocket *websocket, int64_t now_ms)
{
	int64_t silent_ms = now_ms - websocket->heard_ms;
	int64_t idle_ms = websocket->options.idle_ms;
	char words[64];

	if (silent_ms >= idle_ms) {
		(void)snprintf(words, sizeof(words), "nothing was heard for %lld ms",
			(long long)silent_ms);
		websocket_end(websocket, WEBSOCKET_ABNORMAL, words);
	} else if (websocket->blocked_ms != 0 && now_ms - websocket->blocked_ms >= idle_ms) {
		websocket_end(websocket, WEBSOCKET_ABNORMAL, "the peer does not read");
	} else if (silent_ms >= websocket->options.ping_ms && !websocket->pinged) {
		websocket->pinged = true;
		websocket_put(websocket, WEBSOCKET_PING, str_of(NULL, 0));
	}
}

static void on_timer(void *owner)
{
	struct websocket *websocket = owner;
	int64_t now_ms = loop_now_ms(websocket->loop);

	websocket_enter(websocket);
	if (websocket->deadline_ms != 0 && now_ms >= websocket->deadline_ms)
		end_late(websocket);
	else if (websocket->deadline_ms == 0)
		look_at_silence(websocket, now_ms);
	if (websocket->timer != NULL)
		websocket_set_timer(websocket);
	websocket_leave(websocket);
}

void websocket_new_timer(struct websocket *websocket)
{
	websocket->timer = loop_timer_new(websocket->loop, on_timer, websocket);
}
