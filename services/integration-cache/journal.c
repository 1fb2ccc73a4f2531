/*
 * journal: see journal.h. One flow; what gathers during one commit makes the next.
 */
#include "journal.h"

#include "gateway_parts.h"
#include "json_put.h"

enum { MAX_REPORTS = 200, RETRY_MS = 300, COMMIT_DEADLINE_MS = 15000 };
#define JSON_MAX_BYTES ((size_t)16 << 20)

static const char sql_reports[] = "SELECT crm_report($1, $2::boolean, $3::json)";
static const char sql_channels[] = "SELECT crm_channel_report($1, $2::json)";

void journal_init(struct journal_writer *journal)
{
	*journal = (struct journal_writer){.arena = arena_new(JSON_MAX_BYTES * 4)};
	journal->last = &journal->first;
	flow_queue_init(&journal->wake);
}

/* What a channel that is gone still had to say, nobody will write. */
static void forget_channels(struct gateway *gateway, struct channel *dirty)
{
	struct channel *next;

	for (; dirty != NULL; dirty = next) {
		next = dirty->next_dirty;
		dirty->dirty = false;
		(void)channel_sweep(gateway, dirty);
	}
}

void journal_free(struct gateway *gateway)
{
	struct journal_writer *journal = &gateway->journal;

	forget_channels(gateway, journal->dirty);
	forget_channels(gateway, journal->taken_dirty);
	arena_free(&journal->arena);
}

/* -- the line --------------------------------------------------------------------------------------- */

void journal_add(struct gateway *gateway, struct report *report)
{
	struct journal_writer *journal = &gateway->journal;

	flow_queue_init(&report->recorded);
	report->next = NULL;
	report->in_line = true;
	*journal->last = report;
	journal->last = &report->next;
	journal->waiting++;
	flow_queue_wake_all(&journal->wake);
}

static void unlink_from(struct report **list, struct report *report)
{
	for (struct report **link = list; *link != NULL; link = &(*link)->next) {
		if (*link == report) {
			*link = report->next;
			return;
		}
	}
}

void journal_forget(struct gateway *gateway, struct report *report)
{
	struct journal_writer *journal = &gateway->journal;

	if (!report->in_line)
		return;
	unlink_from(&journal->taken, report);
	unlink_from(&journal->first, report);
	for (journal->last = &journal->first; *journal->last != NULL;)
		journal->last = &(*journal->last)->next;
	report->in_line = false;
	journal->waiting--;
}

void journal_channel(struct gateway *gateway, struct channel *channel)
{
	struct journal_writer *journal = &gateway->journal;

	channel->dirty_again = true;
	if (channel->dirty || channel->gone)
		return;
	channel->dirty = true;
	channel->next_dirty = journal->dirty;
	journal->dirty = channel;
	flow_queue_wake_all(&journal->wake);
}

bool journal_idle(const struct gateway *gateway)
{
	const struct journal_writer *journal = &gateway->journal;

	return journal->waiting == 0 && journal->dirty == NULL && journal->taken_dirty == NULL;
}

/* -- as JSON ---------------------------------------------------------------------------------------- */

static void put_text(struct json_writer *writer, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_str(writer, name, text);
}

static void put_json(struct json_writer *writer, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_raw(writer, name, text);
}

static void put_outcome(struct json_writer *writer, const struct report *report, bool plain)
{
	json_put_member_str(writer, "state", report->state);
	json_put_member_int(writer, "attempts", report->attempts);
	json_put_member_int(writer, "wait_ms", report->wait_ms);
	put_text(writer, "reason", plain ? STR("(unreadable)") : report->reason);
	if (report->http_status > 0)
		json_put_member_int(writer, "http_status", report->http_status);
	put_json(writer, "memory", report->memory);
	json_put_member_int(writer, "attempt", report->attempt);
	put_text(writer, "logged", report->logged);
	put_json(writer, "crm_success", report->crm_success);
	if (report->took_ms >= 0)
		json_put_member_int(writer, "took_ms", report->took_ms);
	if (!plain) {
		put_json(writer, "requests", report->requests);
		put_json(writer, "replies", report->replies);
	}
}

static void put_report(struct json_writer *writer, const struct report *report, bool plain)
{
	json_open_object(writer);
	json_put_member_int(writer, "id", report->id);
	json_put_member_str(writer, "enterprise", report->enterprise);
	json_put_member_str(writer, "crm", report->crm);
	json_put_member_int(writer, "epoch", report->epoch);
	json_put_member_str(writer, "call_key", report->call_key);
	json_put_member_str(writer, "kind", report->kind);
	json_put_member_int(writer, "call_id", report->call_id);
	json_put_member_str(writer, "trace", report->trace);
	put_outcome(writer, report, plain);
	json_close_object(writer);
}

static void put_channel(struct json_writer *writer, const struct channel *channel, int64_t now_ms)
{
	const struct breaker *breaker = &channel->breaker;

	json_open_object(writer);
	json_put_member_str(writer, "enterprise", str_from(channel->enterprise));
	json_put_member_str(writer, "crm", str_from(channel->crm));
	json_put_member_int(writer, "epoch", channel->epoch);
	json_put_member_int(writer, "failures", breaker->failures);
	json_put_member_bool(writer, "locked", breaker->state == BREAKER_LOCKED);
	if (breaker->state == BREAKER_OPEN)
		json_put_member_int(writer, "open_ms", breaker->until_ms - now_ms);
	put_text(writer, "reason", str_from(channel->reason));
	json_close_object(writer);
}

/* -- one commit ------------------------------------------------------------------------------------- */

struct write_state {
	struct pg_batch *batch;
	bool done;
};

/* Those that could not be written come first again. */
static void take_reports(struct journal_writer *journal, struct json_writer *writer)
{
	struct report **last = &journal->taken;
	unsigned count = 0;

	for (; *last != NULL; last = &(*last)->next) {
		put_report(writer, *last, journal->plain);
		count++;
	}
	while (journal->first != NULL && count++ < MAX_REPORTS) {
		struct report *report = journal->first;

		journal->first = report->next;
		report->next = NULL;
		*last = report;
		last = &report->next;
		put_report(writer, report, journal->plain);
	}
	if (journal->first == NULL)
		journal->last = &journal->first;
}

static void take_channels(struct gateway *gateway, struct json_writer *writer)
{
	struct journal_writer *journal = &gateway->journal;
	struct channel **last = &journal->taken_dirty;

	while (*last != NULL)
		last = &(*last)->next_dirty;
	*last = journal->dirty;
	journal->dirty = NULL;
	for (struct channel *channel = journal->taken_dirty; channel != NULL;
		channel = channel->next_dirty) {
		channel->dirty_again = false;
		put_channel(writer, channel, loop_now_ms(gateway->loop));
	}
}

static void add_list(struct pg_batch *batch, struct arena *arena, const char *sql,
	struct pg_params *params, struct buf *json)
{
	if (json->size > 2) { /* more than [] */
		pg_put_str(params, arena, buf_str(json));
		pg_batch_add(batch, sql, params);
	}
	buf_free(json);
}

static enum flow_status write_send(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct journal_writer *journal = &gateway->journal;
	struct write_state *state = flow_state(flow);
	struct pg_params reports = {0}, channels = {0};
	struct json_writer writer;
	struct buf json;

	arena_reset(journal->arena);
	state->batch = pg_batch_new(journal->arena);
	pg_put_text(&reports, gateway->name);
	channels = reports;
	pg_put_bool(&reports, journal->again);
	buf_init(&json, JSON_MAX_BYTES);
	json_begin(&writer, &json);
	json_open_array(&writer);
	take_reports(journal, &writer);
	json_close_array(&writer);
	add_list(state->batch, journal->arena, sql_reports, &reports, &json);
	json_begin(&writer, &json);
	json_open_array(&writer);
	take_channels(gateway, &writer);
	json_close_array(&writer);
	add_list(state->batch, journal->arena, sql_channels, &channels, &json);
	return await_pg(flow, gateway->work_pg, state->batch);
}

static void end_reports(struct journal_writer *journal)
{
	struct report *next;

	for (struct report *report = journal->taken; report != NULL; report = next) {
		next = report->next;
		report->next = NULL;
		report->in_line = false;
		report->is_recorded = true;
		journal->waiting--;
		flow_queue_wake_all(&report->recorded);
	}
	journal->taken = NULL;
}

static void end_channels(struct gateway *gateway)
{
	struct channel *next;

	for (struct channel *channel = gateway->journal.taken_dirty; channel != NULL;
		channel = next) {
		next = channel->next_dirty;
		channel->dirty = false;
		if (channel->dirty_again)
			journal_channel(gateway, channel);
		(void)channel_sweep(gateway, channel);
	}
	gateway->journal.taken_dirty = NULL;
}

static enum flow_status write_read(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	struct journal_writer *journal = &gateway->journal;
	struct write_state *state = flow_state(flow);
	struct error error;

	if (!pg_batch_ok(state->batch, &error)) {
		journal->plain = error.kind == ERROR_INPUT;
		return flow_fail_error(flow, &error);
	}
	state->done = true;
	end_reports(journal);
	end_channels(gateway);
	return FLOW_END;
}

static void write_finally(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);
	const struct write_state *state = flow_state(flow);

	gateway->journal.again = !state->done;
	if (state->done)
		gateway->journal.plain = false;
	else
		log_warn(flow_log(flow), "deliveries: %u outcomes are not recorded yet: %s",
			gateway->journal.waiting, flow_error(flow)->text);
}

static const struct flow_step write_steps[] = {
	{"send", write_send},
	{"read", write_read},
	{NULL, NULL},
};

static const struct flow_spec write_flow = {
	.name = "record",
	.steps = write_steps,
	.finally = write_finally,
	.state_bytes = sizeof(struct write_state),
	.deadline_ms = COMMIT_DEADLINE_MS,
};

/* -- commit after commit ---------------------------------------------------------------------------- */

enum { JOURNAL_WAIT, JOURNAL_WRITE, JOURNAL_REST };

static enum flow_status journal_wait(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	return journal_idle(gateway) ? await_queue(flow, &gateway->journal.wake) : FLOW_NEXT;
}

static enum flow_status journal_write(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	if (journal_idle(gateway))
		return flow_goto(flow, JOURNAL_WAIT);
	(void)flow_spawn(flow, &write_flow);
	return await_children(flow);
}

static enum flow_status journal_rest(struct flow *flow)
{
	struct gateway *gateway = flow_context(flow);

	(void)flow_goto(flow, JOURNAL_WAIT);
	return gateway->journal.again ? await_pg_again(flow, gateway->work_pg, RETRY_MS)
				      : FLOW_NEXT;
}

static const struct flow_step journal_steps[] = {
	[JOURNAL_WAIT] = {"wait", journal_wait},
	[JOURNAL_WRITE] = {"write", journal_write},
	[JOURNAL_REST] = {"rest", journal_rest},
	{NULL, NULL},
};

const struct flow_spec journal_flow = {
	.name = "journal", .steps = journal_steps, .deadline_ms = FLOW_FOREVER};
