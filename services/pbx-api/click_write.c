/*
 * click_write: see click_write.h.
 */
#include "click_write.h"

#include "click_words.h"
#include "clock.h"
#include "json_put.h"
#include "pbx_api.h"

enum { ANSWER_MAX_BYTES = 8192 };

/* -- answers --------------------------------------------------------------------------------------- */

static enum flow_status send(struct flow *flow, int status, struct buf *body)
{
	enum flow_status end;

	http_reply_header(flow, "Cache-Control", "no-store");
	end = http_reply_json(flow, status, body);
	buf_free(body);
	return end;
}

static const char *words_of(
	struct flow *flow, const struct click_answer *answer, const struct click *click)
{
	if (click->not_set_up)
		return click_words_not_set_up(answer->locale);
	return click_words(
		click->outcome.result, answer->locale, answer->want->extension, flow_arena(flow));
}

enum flow_status click_reply(
	struct flow *flow, const struct click_answer *answer, const struct click *click)
{
	enum ami_result result = click->outcome.result;
	bool good = !click->not_set_up && (result == AMI_ANSWERED || result == AMI_RINGING);
	struct str shown = str_from(click->shown);
	struct json_writer json;
	struct buf body;

	buf_init(&body, ANSWER_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_bool(&json, "success", good);
	json_put_member_str(&json, "message", str_from(words_of(flow, answer, click)));
	json_put_member_str(&json, "outcome",
		str_from(click->not_set_up ? "not_set_up" : ami_result_name(result)));
	json_put_member_str(&json, "enterprise", str_from(answer->enterprise));
	json_put_member_str(&json, "enterprise_number", str_from(answer->number));
	json_put_member_str(&json, "from_ext", answer->want->extension);
	json_put_member_str(&json, "to_phone", answer->want->phone);
	json_put_member_str(&json, "host_ip", str_from(answer->host));
	json_put_member_int(&json, "response_time_ms", clock_monotonic_ms() - answer->begun_ms);
	if (shown.size > 0)
		json_put_member_str(&json, "customer", shown);
	json_put_member_str(&json, "display_name", shown.size > 0 ? shown : answer->want->phone);
	json_close_object(&json);
	return send(flow, 200, &body);
}

enum flow_status click_refuse(struct flow *flow, int status, const char *words)
{
	struct json_writer json;
	struct buf body;

	buf_init(&body, ANSWER_MAX_BYTES);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_bool(&json, "success", false);
	json_put_member_str(&json, "message", str_from(words));
	json_put_member_str(&json, "detail", str_from(words));
	json_close_object(&json);
	return send(flow, status, &body);
}

/* -- for the dispatcher ------------------------------------------------------------------------------ */

static const char note_sql[] = "SELECT click_call_note($1, $2, $3, $4, $5)";

struct note {
	const struct click_origin *origin;
	struct pg_batch *batch;
};

static enum flow_status note_ask(struct flow *flow)
{
	const struct pbx_api *api = flow_context(flow);
	struct note *note = flow_state(flow);
	struct arena *arena = flow_arena(flow);
	struct pg_params params = {0};

	pg_put_text(&params, note->origin->enterprise);
	pg_put_str(&params, arena, note->origin->extension);
	pg_put_str(&params, arena, note->origin->phone);
	pg_put_str(&params, arena, note->origin->crm);
	pg_put_str(&params, arena, note->origin->call);
	return await_pg_query(flow, api->pg, &note->batch, note_sql, &params);
}

static enum flow_status note_read(struct flow *flow)
{
	const struct note *note = flow_state(flow);
	struct error error;

	return pg_batch_ok(note->batch, &error) ? FLOW_END : flow_fail_error(flow, &error);
}

static void note_over(struct flow *flow)
{
	if (flow_error(flow) != NULL)
		log_warn(flow_log(flow),
			"the call of this click will not be known as its CRM's: %s",
			flow_error(flow)->text);
}

static const struct flow_step note_steps[] = {
	{"ask", note_ask},
	{"read", note_read},
	{NULL, NULL},
};

static const struct flow_spec note_flow = {
	.name = "note",
	.steps = note_steps,
	.finally = note_over,
	.state_bytes = sizeof(struct note),
};

enum flow_status await_click_note(
	struct flow *flow, const struct click_origin *origin, int64_t at_most_ms)
{
	struct flow *child = flow_spawn(flow, &note_flow);
	struct note *note = flow_state(child);

	note->origin = origin;
	flow_set_deadline(child, at_most_ms);
	return await_children(flow);
}
