/*
 * voice_sweep: calls whose end nobody told, since the number's status callback is not configured at
 * Twilio, or was lost: they end by their age, or their live message would ring for ever.
 */
#include "voice.h"

enum { REST_MS = 60000, FIRST_MS = 5000, ROUND_MS = 60000 };

/* Longer than each can take: Twilio's own limit of a <Dial> is four hours, ours of a stream one. */
static const char sql_lost[] =
	"SELECT call_sid, enterprise_number, our_number, peer, last_sequence FROM voice_calls "
	"WHERE state <> 'over' AND started_at < now() - interval '30 minutes' AND started_at < "
	"now() - CASE state WHEN 'operator' THEN interval '270 minutes' WHEN 'stream' THEN "
	"interval '90 minutes' ELSE interval '30 minutes' END ORDER BY started_at LIMIT 100";

struct sweep {
	struct voice voice; /* first: as every voice flow has it */
	struct pg_batch *batch;
	int row;
};

static const char *copy(struct flow *flow, const struct sweep *sweep, int column)
{
	struct str text = pg_text(sweep->batch, 0, sweep->row, column);

	return arena_strndup(flow_arena(flow), text.size > 0 ? text.data : "", text.size);
}

static enum flow_status sweep_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct sweep *sweep = flow_state(flow);
	struct pg_params none = {0};

	return await_pg_query(flow, hooks->pg, &sweep->batch, sql_lost, &none);
}

static enum flow_status sweep_end(struct flow *flow)
{
	struct sweep *sweep = flow_state(flow);
	struct voice *voice = &sweep->voice;
	struct error error;

	if (!pg_batch_ok(sweep->batch, &error))
		return flow_fail_error(flow, &error);
	if (sweep->row == pg_rows(sweep->batch, 0))
		return FLOW_END;
	voice->sid = copy(flow, sweep, 0);
	voice->caller.enterprise = copy(flow, sweep, 1);
	voice->our = copy(flow, sweep, 2);
	voice->peer = copy(flow, sweep, 3);
	voice->trace = "";
	voice_look(flow, voice);
	log_info(flow_log(flow), "the end of call %s was never told: is the status callback set?",
		voice->sid);
	flow_goto(flow, 1);
	return await_voice_status(
		flow, voice, STR(VOICE_LOST), pg_int(sweep->batch, 0, sweep->row++, 4));
}

static const struct flow_step round_steps[] = {
	{"ask", sweep_ask},
	{"end", sweep_end},
	{NULL, NULL},
};

static const struct flow_spec round_flow = {
	.name = "voice-sweep-round",
	.steps = round_steps,
	.finally = voice_finally,
	.state_bytes = sizeof(struct sweep),
	.arena_max_bytes = VOICE_ARENA_BYTES * 4,
	.deadline_ms = ROUND_MS,
};

/* -- for ever ------------------------------------------------------------------------------------------- */

static enum flow_status sweep_first(struct flow *flow)
{
	return await_sleep(flow, FIRST_MS);
}

static enum flow_status sweep_round(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);

	if (!pg_ready(hooks->pg) || schema_why_not(hooks->schema) != NULL ||
		hook_numbers_why_not(hooks->numbers) != NULL)
		return FLOW_NEXT;
	flow_spawn(flow, &round_flow);
	return await_children(flow);
}

static enum flow_status sweep_rest(struct flow *flow)
{
	flow_goto(flow, 1);
	return await_sleep(flow, REST_MS);
}

static const struct flow_step sweep_steps[] = {
	{"first", sweep_first},
	{"round", sweep_round},
	{"rest", sweep_rest},
	{NULL, NULL},
};

const struct flow_spec voice_sweep_flow = {
	.name = "voice-sweep", .steps = sweep_steps, .deadline_ms = FLOW_FOREVER};
