/*
 * bridge_end: how a call leaves its bridge, whoever decides it: the engine that has finished or failed, the
 * peer, a watchdog. All ways meet in bridge_store_end().
 */
#include "bridge_private.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const state_names[BRIDGE_STATES] = {
	"waiting", "opening", "open", "finishing", "storing", "closing", "closed"};

const char *bridge_state_name(enum bridge_state state)
{
	return state_names[state];
}

/* The one place that changes a state. */
void bridge_enter(struct bridge *bridge, enum bridge_state state)
{
	log_debug(&bridge->log, "%s -> %s", state_names[bridge->state], state_names[state]);
	bridge->state = state;
	bridge->state_ms = bridge_now_ms(bridge);
}

/* -- the ways to the end ------------------------------------------------------------------------- */

static void set_end(struct bridge *bridge, enum engine_end end, struct str to, const char *reason)
{
	bridge->ending = true;
	bridge->end = end;
	(void)str_copy(bridge->end_to, sizeof(bridge->end_to), to);
	(void)str_copy(bridge->end_reason, sizeof(bridge->end_reason), str_from(reason));
}

void bridge_close_engine(struct bridge *bridge)
{
	struct engine *engine = bridge->engine;

	bridge_forget_tools(bridge);
	bridge_drop_queue(bridge);
	bridge->engine = NULL;
	if (engine != NULL)
		bridge->driver->close(engine);
}

/* The socket goes; its `closed` comes later, unless it went by itself. */
void bridge_close_leg(struct bridge *bridge, int code, const char *words)
{
	if (bridge->gone) {
		bridge_enter(bridge, BRIDGE_CLOSED);
		return;
	}
	bridge_enter(bridge, BRIDGE_CLOSING);
	bridge->world->close(bridge->leg, code, words);
}

void bridge_on_stored(struct bridge *bridge, const struct bridge_event *event)
{
	bridge_close_leg(bridge, bridge->close_code, bridge->end_reason);
}

/* The engine goes first: nobody speaks any more. Then the outcome, then the socket: hooks answers
 * Twilio's question by what lies in voice_calls (P22: the one place that ends a call). */
void bridge_store_end(struct bridge *bridge)
{
	bridge_close_engine(bridge);
	metric_add(bridge->meters->ends[bridge->end], 1);
	log_info(&bridge->log, "the call goes on to %s: %s",
		(const char *const[]){"its end", "a person", "a message", "the menu"}[bridge->end],
		bridge->end_reason);
	bridge_enter(bridge, BRIDGE_STORING);
	if (bridge->recorded)
		bridge->world->store(bridge);
	else
		bridge_on_stored(bridge, NULL);
}

/* Something outside the engine ends the call. */
void bridge_end_call(struct bridge *bridge, enum engine_end end, const char *reason)
{
	set_end(bridge, end, (struct str){0}, reason);
	bridge_store_end(bridge);
}

/* Before anybody had the call: nothing to store. */
void bridge_refuse(struct bridge *bridge, const struct bridge_event *event)
{
	metric_add(bridge->meters->refused[event->refusal], 1);
	log_warn(&bridge->log, "a stream is refused (%s): %s", refusal_name(event->refusal),
		event->words);
	bridge_close_leg(bridge, event->code, event->words);
}

/* -- what an engine asks for --------------------------------------------------------------------- */

void bridge_finish(struct bridge *bridge, const struct engine_outcome *outcome)
{
	char reason[sizeof(bridge->end_reason)];

	if (bridge->state != BRIDGE_OPEN)
		return;
	(void)str_copy(reason, sizeof(reason), outcome->reason);
	(void)bridge_say_end(bridge);
	set_end(bridge, outcome->end, outcome->to, reason);
	bridge_enter(bridge, BRIDGE_FINISHING);
}

void bridge_failed(struct bridge *bridge, const char *format, ...)
{
	char reason[sizeof(bridge->end_reason)];
	va_list arguments;

	if (bridge->state != BRIDGE_OPEN && bridge->state != BRIDGE_FINISHING)
		return;
	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	log_warn(&bridge->log, "engine %s: %s", bridge->driver->name, reason);
	/* What was decided stays decided: only its last words are lost. */
	if (!bridge->ending)
		set_end(bridge, ENGINE_MESSAGE, (struct str){0}, reason);
	bridge->hurry = true;
	bridge_enter(bridge, BRIDGE_FINISHING);
}

void bridge_heard(struct bridge *bridge)
{
	if ((bridge->driver->flags & ENGINE_SILENT) == 0)
		bridge->owed_ms = bridge_now_ms(bridge);
}

void bridge_heard_nothing(struct bridge *bridge)
{
	bridge->owed_ms = 0;
}

void bridge_turn(struct bridge *bridge, const struct engine_turn *turn)
{
	if (turn->user_text.size > 0 && turn->reply_text.size == 0 && turn->error.size == 0 &&
		bridge->state == BRIDGE_OPEN && !bridge_speaking(bridge))
		bridge_heard(bridge);
	if (!bridge->recorded || turn->turn > BRIDGE_TURNS)
		return;
	if (turn->turn > bridge->turns)
		bridge->turns = turn->turn;
	bridge->world->turn(bridge, turn);
}
