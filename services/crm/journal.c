/*
 * journal: see journal.h. What was said is masked and cut already (record.h).
 */
#include "journal.h"

static const char sql_journal[] =
	"INSERT INTO integration_logs (enterprise_number, integration_type, event_type,"
	" call_unique_id, trace_id, status, http_status, crm_success, latency_ms, request_data,"
	" response_data, error_message) VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7::integer,"
	" $8::boolean, $9::integer, $10::jsonb, $11::jsonb, nullif($12, ''))";

static const char *status_of(enum outcome outcome)
{
	if (outcome == OUTCOME_DONE)
		return "success";
	return outcome == OUTCOME_SKIPPED ? "skipped" : "error";
}

static void put_items(struct pg_params *params, struct arena *arena, const struct buf *items)
{
	pg_put_text(params, arena_printf(arena, "[%.*s]", STR_ARG(buf_str(items))));
}

static void put_answer(struct pg_params *params, struct arena *arena, const struct attempt *attempt)
{
	if (attempt->http_status > 0)
		pg_put_int(params, arena, attempt->http_status);
	else
		pg_put_null(params);
	if (attempt->crm_success >= 0)
		pg_put_bool(params, attempt->crm_success == 1);
	else
		pg_put_null(params);
	pg_put_int(params, arena, attempt->took_ms);
}

void journal_put(struct pg_batch *batch, struct flow *flow, const struct attempt *attempt,
	const char *event, struct str key)
{
	const struct adapter *adapter = flow_context(flow);
	const char *trace = flow_log(flow)->trace;
	struct arena *arena = flow_arena(flow);
	struct pg_params params = {0};

	pg_put_text(&params, attempt->portal->account.number);
	pg_put_text(&params, adapter->driver->code);
	pg_put_text(&params, event);
	pg_put_str(&params, arena, key);
	pg_put_text(&params, trace != NULL ? trace : "");
	pg_put_text(&params, status_of(attempt->outcome));
	put_answer(&params, arena, attempt);
	put_items(&params, arena, &attempt->record.requests);
	put_items(&params, arena, &attempt->record.replies);
	pg_put_text(&params, attempt->reason);
	pg_batch_add(batch, sql_journal, &params);
}
