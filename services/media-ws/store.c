/*
 * store: what of a call outlives it: which stream it had, what was said, and where it goes on.
 *
 * The outcome has one second: a database that is away must not hold a caller in silence. Without an
 * outcome hooks asks him to leave a message.
 */
#include "media_ws.h"

enum {
	TURN_MS = 20000,
	FLOW_ARENA_BYTES = 64 * 1024,
	TEXT_MAX_BYTES = 8000, /* call_turns counts characters: never more than bytes */
};

struct storing {
	struct leg *leg; /* of an outcome: waits for it */
	const char *sql;
	struct pg_params params;
	struct pg_batch *batch;
	const char *what;
};

static enum flow_status write_row(struct flow *flow)
{
	struct media_ws *media = flow_context(flow);
	struct storing *storing = flow_state(flow);

	return await_pg_query(flow, media->pg, &storing->batch, storing->sql, &storing->params);
}

static enum flow_status look(struct flow *flow)
{
	struct storing *storing = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(storing->batch, &error))
		return flow_fail_error(flow, &error);
	return FLOW_END;
}

static void storing_over(struct flow *flow)
{
	struct media_ws *media = flow_context(flow);
	struct storing *storing = flow_state(flow);
	struct leg *leg = storing->leg;

	if (flow_error(flow) != NULL) {
		metric_add(media->meters.unstored, 1);
		log_error(flow_log(flow), "%s is not stored: %s", storing->what,
			flow_error(flow)->text);
	}
	if (leg == NULL)
		return;
	leg->storing = NULL;
	bridge_event(&leg->bridge, &(struct bridge_event){.kind = BRIDGE_ON_STORED});
}

static const struct flow_step steps[] = {{"write", write_row}, {"look", look}, {NULL, NULL}};

static const struct flow_spec storing_flow = {
	.name = "store",
	.steps = steps,
	.finally = storing_over,
	.state_bytes = sizeof(struct storing),
	.arena_max_bytes = FLOW_ARENA_BYTES,
	.deadline_ms = TURN_MS,
};

/* Its log names the call after the bridge is gone: the texts of the context are copied. */
static struct flow *begin(struct bridge *bridge, const char *what, const char *sql)
{
	struct leg *leg = leg_of(bridge);
	struct flow *flow = flow_start(leg->media->loop, &storing_flow, leg->media, &bridge->log);
	struct storing *storing = flow_state(flow);

	storing->what = what;
	storing->sql = sql;
	pg_put_text(&storing->params, arena_strdup(flow_arena(flow), bridge->call_sid));
	return flow;
}

static void put(struct flow *flow, struct str text)
{
	struct storing *storing = flow_state(flow);

	pg_put_str(&storing->params, flow_arena(flow), text);
}

/* -- the stream -------------------------------------------------------------------------------------- */

/* A second stream of one call (back from a menu) begins without the outcome of the first. */
static const char opened_sql[] = "UPDATE voice_calls SET stream_sid = $2, talker = 'agent', "
				 "outcome = NULL WHERE call_sid = $1";

void store_opened(struct bridge *bridge)
{
	if (bridge->recorded)
		put(begin(bridge, "the stream", opened_sql), str_from(bridge->stream_sid));
}

/* -- where it goes on -------------------------------------------------------------------------------- */

static const char *const ends[] = {
	[ENGINE_HANGUP] = "hangup",
	[ENGINE_TRANSFER] = "transfer",
	[ENGINE_MESSAGE] = "message",
	[ENGINE_MENU] = "menu",
};

static const char outcome_sql[] = "UPDATE voice_calls SET talker = 'agent', outcome ="
				  " jsonb_build_object('end', $2::text, 'to', $3::text, 'reason', "
				  "$4::text) WHERE call_sid = $1";

void store_outcome(struct bridge *bridge)
{
	struct leg *leg = leg_of(bridge);
	struct flow *flow = begin(bridge, "the outcome", outcome_sql);

	put(flow, str_from(ends[bridge->end]));
	put(flow, str_from(bridge->end_to));
	put(flow, str_from(bridge->end_reason));
	flow_set_deadline(flow, BRIDGE_STORE_MS);
	((struct storing *)flow_state(flow))->leg = leg;
	leg->storing = flow;
}

/* -- turns ------------------------------------------------------------------------------------------- */

/* What is not known yet, or not said again, leaves what is there. */
static const char turn_sql[] =
	"INSERT INTO call_turns AS t (call_sid, enterprise_number, engine, turn, user_text, "
	"reply_text,"
	" heard_ms, recognise_ms, think_ms, speak_ms, total_ms, played_ms, interrupted, error)"
	" VALUES ($1, $2, $3, $4::int, $5, $6, $7::int, $8::int, $9::int, $10::int, $11::int,"
	" $12::int, $13::bool, $14)"
	" ON CONFLICT (call_sid, turn) DO UPDATE SET"
	" user_text = coalesce(nullif(excluded.user_text, ''), t.user_text),"
	" reply_text = coalesce(nullif(excluded.reply_text, ''), t.reply_text),"
	" heard_ms = coalesce(excluded.heard_ms, t.heard_ms),"
	" recognise_ms = coalesce(excluded.recognise_ms, t.recognise_ms),"
	" think_ms = coalesce(excluded.think_ms, t.think_ms),"
	" speak_ms = coalesce(excluded.speak_ms, t.speak_ms),"
	" total_ms = coalesce(excluded.total_ms, t.total_ms),"
	" played_ms = coalesce(excluded.played_ms, t.played_ms),"
	" interrupted = excluded.interrupted OR t.interrupted,"
	" error = coalesce(nullif(excluded.error, ''), t.error)";

static void put_text(struct flow *flow, struct str text)
{
	char *cut = arena_alloc(flow_arena(flow), TEXT_MAX_BYTES + 1);

	(void)str_copy(cut, TEXT_MAX_BYTES + 1, text);
	pg_put_text(&((struct storing *)flow_state(flow))->params, cut);
}

static void put_ms(struct flow *flow, int64_t ms)
{
	struct storing *storing = flow_state(flow);

	if (ms < 0 || ms > INT32_MAX)
		pg_put_null(&storing->params);
	else
		pg_put_int(&storing->params, flow_arena(flow), ms);
}

void store_turn(struct bridge *bridge, const struct engine_turn *turn)
{
	struct flow *flow = begin(bridge, "a turn", turn_sql);
	struct storing *storing = flow_state(flow);

	put(flow, str_from(bridge->call->enterprise));
	put(flow, str_from(bridge->driver->name));
	put_ms(flow, turn->turn);
	put_text(flow, turn->user_text);
	put_text(flow, turn->reply_text);
	put_ms(flow, turn->heard_ms);
	put_ms(flow, turn->recognise_ms);
	put_ms(flow, turn->think_ms);
	put_ms(flow, turn->speak_ms);
	put_ms(flow, turn->total_ms);
	put_ms(flow, turn->played_ms);
	pg_put_bool(&storing->params, turn->interrupted);
	put_text(flow, turn->error);
}
