/*
 * writer: see writer.h.
 */
#include "writer.h"

#include "dispatcher.h"

#include <stdio.h>

#define WRITER_MAX_REPORTS 500
#define WRITER_MAX_BYTES   ((size_t)32 << 20)
#define RETRY_MS	   200

/* Claims hold their shards' rows, so that no other owner can begin while they are being written. */
static const char sql_hold[] =
	"SELECT 1 FROM fold_cursors WHERE owner = $1 AND shard IN"
	" (SELECT x.shard FROM json_to_recordset($2::json) AS x (shard smallint, state text)"
	" WHERE x.state = 'sending') ORDER BY shard FOR SHARE";

static const char sql_outbox[] = "SELECT outbox_report($1, $2::json)";

/* What an old owner learns late never hides what the new one knows. */
static const char sql_messages[] =
	"INSERT INTO telegram_messages AS m (call_id, chat_id, enterprise_number, message_id,"
	" sent_version, sent_at, sent_final, old_message_ids, text, unknown_sends)"
	" SELECT x.call_id, x.chat_id, x.enterprise, nullif(x.message_id, 0), x.sent_version,"
	" x.sent_at, x.sent_final, x.old_ids::bigint[], coalesce(x.text, ''), x.unknown_sends"
	" FROM json_to_recordset($1::json) AS x (call_id bigint, chat_id bigint, enterprise text,"
	" message_id bigint, sent_version integer, sent_at timestamptz, sent_final boolean,"
	" old_ids text, text text, unknown_sends integer, late boolean, state text)"
	" WHERE (x.message_id <> 0 OR x.unknown_sends > 0 OR x.state IN ('sent', 'queued'))"
	" AND x.state <> 'sending' AND NOT (x.late AND EXISTS (SELECT FROM telegram_messages t"
	" WHERE t.call_id = x.call_id AND t.chat_id = x.chat_id AND t.message_id IS NOT NULL))"
	" ON CONFLICT (call_id, chat_id) DO UPDATE SET message_id = excluded.message_id,"
	" sent_version = excluded.sent_version, sent_at = excluded.sent_at,"
	" sent_final = excluded.sent_final, old_message_ids = excluded.old_message_ids,"
	" text = CASE WHEN excluded.text = '' THEN m.text ELSE excluded.text END,"
	" unknown_sends = greatest(m.unknown_sends, excluded.unknown_sends), updated_at = now()";

void writer_init(struct writer *writer)
{
	*writer = (struct writer){.arena = arena_new(WRITER_MAX_BYTES * 3)};
	writer->last = &writer->first;
	flow_queue_init(&writer->wake);
}

void writer_free(struct writer *writer)
{
	arena_free(&writer->arena);
}

void writer_add(struct dispatcher *d, struct delivery *delivery)
{
	struct writer *writer = &d->writer;
	delivery->report.next = NULL;
	*writer->last = delivery;
	writer->last = &delivery->report.next;
	writer->count++;
	flow_queue_wake_all(&writer->wake);
}

static struct delivery *writer_take(struct writer *writer)
{
	struct delivery *delivery = writer->first;
	writer->first = delivery->report.next;
	if (writer->first == NULL)
		writer->last = &writer->first;
	writer->count--;
	return delivery;
}

/* -- rows ----------------------------------------------------------------------------------------- */

struct report_row {
	int64_t n, shard, epoch, call_id, chat_id;
	struct str destination, enterprise, state;
	int64_t version, unknown_sends, attempts;
	struct str next_at, failing_since, words;
	int64_t http_status, message_id, sent_version;
	struct str sent_at;
	bool sent_final;
	struct str old_ids, text;
	bool late;
};

static const struct json_field report_fields[] = {
	JSON_FIELD(struct report_row, n, JSON_INT64, 0),
	JSON_FIELD(struct report_row, shard, JSON_INT64, 0),
	JSON_FIELD(struct report_row, epoch, JSON_INT64, 0),
	JSON_FIELD(struct report_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct report_row, chat_id, JSON_INT64, 0),
	JSON_FIELD(struct report_row, destination, JSON_STRING, 0),
	JSON_FIELD(struct report_row, enterprise, JSON_STRING, 0),
	JSON_FIELD(struct report_row, state, JSON_STRING, 0),
	JSON_FIELD(struct report_row, version, JSON_INT64, 0),
	JSON_FIELD(struct report_row, unknown_sends, JSON_INT64, 0),
	JSON_FIELD(struct report_row, attempts, JSON_INT64, 0),
	JSON_FIELD(struct report_row, next_at, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, failing_since, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, words, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, http_status, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, message_id, JSON_INT64, 0),
	JSON_FIELD(struct report_row, sent_version, JSON_INT64, 0),
	JSON_FIELD(struct report_row, sent_at, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, sent_final, JSON_BOOL, 0),
	JSON_FIELD(struct report_row, old_ids, JSON_STRING, 0),
	JSON_FIELD(struct report_row, text, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, late, JSON_BOOL, 0),
	{.name = NULL},
};

/* JSON has no place for NUL or broken UTF-8; words come from outside. */
static struct str clean_words(const char *words)
{
	struct str text = str_from(words);
	return str_is_utf8(text) ? text : STR("(unreadable)");
}

/* Zero: not known, and NULL in the database. */
static struct str time_text(int64_t wall_ms, char to[CLOCK_TEXT_BYTES])
{
	if (wall_ms <= 0)
		return STR("");
	clock_format_rfc3339(wall_ms, to);
	return str_from(to);
}

/* As PostgreSQL writes an array. */
#define OLD_IDS_BYTES (DELIVERY_MAX_OLD * 22 + 3)
static struct str old_ids_text(const struct delivery *delivery, char to[OLD_IDS_BYTES])
{
	int size = snprintf(to, OLD_IDS_BYTES, "{");
	for (unsigned i = 0; i < delivery->old_count; i++)
		size += snprintf(to + size, (size_t)(OLD_IDS_BYTES - size), "%s%lld",
			i > 0 ? "," : "", (long long)delivery->old_ids[i]);
	size += snprintf(to + size, (size_t)(OLD_IDS_BYTES - size), "}");
	return str_of(to, (size_t)size);
}

/* What stands in the chat, if it is the newest; an older text is about to be replaced. */
static struct str shown_text(const struct delivery *delivery)
{
	const struct live_call *call = delivery->call;
	bool newest = delivery->sent_version == call->version && delivery->message_id != 0;
	return newest && !call->remove ? str_from(call->html) : STR("");
}

static void report_write(
	struct dispatcher *d, const struct delivery *delivery, unsigned n, struct buf *json)
{
	const struct live_call *call = delivery->call;
	const struct report *report = &delivery->report;
	char destination[40], next_at[CLOCK_TEXT_BYTES], failing[CLOCK_TEXT_BYTES],
		sent_at[CLOCK_TEXT_BYTES], old_ids[OLD_IDS_BYTES];
	snprintf(destination, sizeof(destination), "telegram:%lld", (long long)delivery->chat->id);
	const struct report_row row = {
		.n = n,
		.shard = call->shard,
		.epoch = d->shards.items[call->shard].epoch,
		.call_id = call->id,
		.chat_id = delivery->chat->id,
		.destination = str_from(destination),
		.enterprise = str_from(call->enterprise),
		.state = str_from(report->state),
		.version = report->version,
		.unknown_sends = delivery->unknown_sends,
		.attempts = delivery->attempts,
		.next_at = time_text(report->next_wall_ms, next_at),
		.failing_since = time_text(delivery->failing_since_ms, failing),
		.words = clean_words(report->words),
		.http_status = report->http_status,
		.message_id = delivery->message_id,
		.sent_version = delivery->sent_version,
		.sent_at = time_text(delivery->sent_ms, sent_at),
		.sent_final = delivery->sent_final,
		.old_ids = old_ids_text(delivery, old_ids),
		.text = shown_text(delivery),
		.late = call->orphan,
	};
	json_write(json, report_fields, &row);
}

/* -- the commit ----------------------------------------------------------------------------------- */

enum { WRITER_WAIT, WRITER_COMMIT, WRITER_RECORDED, WRITER_AGAIN };

/* No timer: what accumulates during one commit makes the next. */
static enum flow_status writer_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	bool any = d->writer.count > 0 || gateway_reports(d);
	return any ? FLOW_NEXT : await_queue(flow, &d->writer.wake);
}

/* Take what is dirty; true when there is a claim among it.
 *
 * Dirty is what changed since it was last written, recording what is on its way: one delivery can be
 * both, and is then written again. */
static bool writer_collect(struct dispatcher *d, struct buf *json)
{
	struct writer *writer = &d->writer;
	bool claims = false;
	writer->taken = arena_array(writer->arena, WRITER_MAX_REPORTS, sizeof(*writer->taken));
	writer->taken_count = 0;
	buf_add_char(json, '[');
	while (writer->count > 0 && writer->taken_count < WRITER_MAX_REPORTS) {
		struct delivery *delivery = writer_take(writer);
		if (writer->taken_count > 0)
			buf_add_char(json, ',');
		report_write(d, delivery, writer->taken_count, json);
		claims = claims || delivery->report.claim;
		delivery->report.recording = true;
		delivery->report.dirty = false;
		writer->taken[writer->taken_count++] = delivery;
	}
	buf_add_char(json, ']');
	return claims;
}

/* Outcomes at Telegram. */
static void writer_add_reports(struct dispatcher *d, struct writer *writer)
{
	struct pg_params both = {0}, json_only = {0};
	struct buf json;
	buf_init(&json, WRITER_MAX_BYTES);
	bool claims = writer_collect(d, &json);
	pg_put_text(&both, d->name);
	pg_put_str(&both, writer->arena, buf_str(&json));
	pg_put_str(&json_only, writer->arena, buf_str(&json));
	buf_free(&json);
	if (claims)
		pg_batch_add(writer->batch, sql_hold, &both);
	pg_batch_add(writer->batch, sql_outbox, &both);
	pg_batch_add(writer->batch, sql_messages, &json_only);
	writer->outbox_at = claims ? 1 : 0;
}

static enum flow_status writer_commit(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct writer *writer = &d->writer;
	if (writer->count == 0 && !gateway_reports(d))
		return flow_goto(flow, WRITER_WAIT);
	arena_reset(writer->arena);
	writer->batch = pg_batch_new(writer->arena);
	writer->taken_count = 0;
	if (writer->count > 0)
		writer_add_reports(d, writer);
	told_batch(&d->told, writer->batch, writer->arena);
	gateway_batch(d, writer->batch, writer->arena);
	return await_pg(flow, d->pg, writer->batch);
}

/* A claim that is not among the answers was refused: its shard has another owner. */
static void writer_grant(struct writer *writer)
{
	for (int row = 0; row < pg_rows(writer->batch, writer->outbox_at); row++) {
		int64_t n = pg_int(writer->batch, writer->outbox_at, row, 0);
		if (n >= 0 && n < (int64_t)writer->taken_count)
			writer->taken[n]->report.granted = true;
	}
}

/* One delivery's part of the commit is over. */
static void writer_end(struct dispatcher *d, struct delivery *delivery, bool ok)
{
	struct report *report = &delivery->report;
	if (!ok && !report->dirty) {
		report->dirty = true;
		writer_add(d, delivery);
	}
	if (ok && report->claim && !report->dirty) {
		report->claim = false;
		flow_queue_wake_all(&delivery->chat->wake);
	}
	delivery_recorded(d, delivery);
	if (delivery->state == DELIVERY_WAITING && delivery->old_count > 0)
		couriers_kick(d, delivery->chat); /* the old message may go now */
	live_call_settle(d, delivery->call);
}

static enum flow_status writer_recorded(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct writer *writer = &d->writer;
	struct error error;
	bool ok = pg_batch_ok(writer->batch, &error);
	if (ok && writer->taken_count > 0)
		writer_grant(writer);
	if (!ok)
		log_warn(flow_log(flow), "outbox: %u outcomes are not recorded yet: %s",
			writer->taken_count, error.text);
	told_recorded(&d->told, ok);
	gateway_recorded(d, ok);
	for (unsigned i = 0; i < writer->taken_count; i++)
		writer_end(d, writer->taken[i], ok);
	writer->taken_count = 0;
	return ok ? FLOW_NEXT : await_pg_again(flow, d->pg, RETRY_MS);
}

static enum flow_status writer_again(struct flow *flow)
{
	return flow_goto(flow, WRITER_WAIT);
}

static const struct flow_step writer_steps[] = {
	[WRITER_WAIT] = {"wait", writer_wait},
	[WRITER_COMMIT] = {"commit", writer_commit},
	[WRITER_RECORDED] = {"recorded", writer_recorded},
	[WRITER_AGAIN] = {"again", writer_again},
	{NULL, NULL},
};

const struct flow_spec writer_flow = {
	.name = "writer", .steps = writer_steps, .deadline_ms = FLOW_FOREVER};
