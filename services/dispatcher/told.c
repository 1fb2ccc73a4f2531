/*
 * told: see told.h.
 */
#include "told.h"

#include "dispatcher.h"

#include <stdio.h>

#define TOLD_MAX_BYTES ((size_t)8 << 20) /* some 30,000 rows: minutes without a database */

/* A commit in doubt is repeated: the same row again does nothing. */
static const char sql_told[] =
	"INSERT INTO delivery_log (call_id, at, destination, what, enterprise_number, version,"
	" outcome, http_status, words, took_ms, trace_id)"
	" SELECT call_id, at, destination, what, enterprise, version, outcome, http_status, words,"
	" took_ms, trace FROM json_to_recordset($1::json) AS x (call_id bigint, at timestamptz,"
	" destination text, what text, enterprise text, version integer, outcome text,"
	" http_status integer, words text, took_ms integer, trace text) ON CONFLICT DO NOTHING";

static const char *const outcomes[] = {
	[TELEGRAM_DONE] = "done",
	[TELEGRAM_SLOW_DOWN] = "slow_down",
	[TELEGRAM_MOVED] = "moved",
	[TELEGRAM_MESSAGE_GONE] = "message_gone",
	[TELEGRAM_CHAT_CLOSED] = "chat_closed",
	[TELEGRAM_BOT_REFUSED] = "bot_refused",
	[TELEGRAM_REJECTED] = "rejected",
	[TELEGRAM_TRY_AGAIN] = "try_again",
	[TELEGRAM_UNCLEAR] = "unknown",
};

static const char *const whats[] = {[ERRAND_NONE] = "",
	[ERRAND_SEND] = "send",
	[ERRAND_EDIT] = "edit",
	[ERRAND_DELETE] = "delete",
	[ERRAND_CLEAR] = "delete"};

struct told_row {
	int64_t call_id;
	struct str at, destination, what, enterprise;
	int64_t version;
	struct str outcome;
	int64_t http_status;
	struct str words;
	int64_t took_ms;
	struct str trace;
};

static const struct json_field told_fields[] = {
	JSON_FIELD(struct told_row, call_id, JSON_INT64, 0),
	JSON_FIELD(struct told_row, at, JSON_STRING, 0),
	JSON_FIELD(struct told_row, destination, JSON_STRING, 0),
	JSON_FIELD(struct told_row, what, JSON_STRING, 0),
	JSON_FIELD(struct told_row, enterprise, JSON_STRING, 0),
	JSON_FIELD(struct told_row, version, JSON_INT64, 0),
	JSON_FIELD(struct told_row, outcome, JSON_STRING, 0),
	JSON_FIELD(struct told_row, http_status, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct told_row, words, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct told_row, took_ms, JSON_INT64, 0),
	JSON_FIELD(struct told_row, trace, JSON_STRING, 0),
	{.name = NULL},
};

void told_init(struct told *told)
{
	buf_init(&told->rows, TOLD_MAX_BYTES);
	buf_init(&told->commit, TOLD_MAX_BYTES);
}

void told_free(struct told *told)
{
	buf_free(&told->rows);
	buf_free(&told->commit);
}

/* Without room the row is left out, whole: this is a record, and calls go on. */
static void told_close(struct dispatcher *d, struct told *told, size_t before)
{
	if (!told->rows.failed) {
		told->full = false;
		return;
	}
	told->rows.size = before;
	told->rows.failed = false;
	if (!told->full)
		log_warn(&d->log, "telegram: what is told is not recorded: the database is away "
				  "for too long");
	told->full = true;
}

void told_add(struct dispatcher *d, const struct delivery *delivery, const struct errand *errand,
	enum telegram_outcome outcome, const char *words)
{
	struct told *told = &d->told;
	const struct live_call *call = delivery->call;
	size_t before = told->rows.size;
	char at[CLOCK_TEXT_BYTES], destination[40];
	clock_format_rfc3339(clock_wall_ms(), at);
	snprintf(destination, sizeof(destination), "telegram:%lld", (long long)delivery->chat->id);
	const struct told_row row = {
		.call_id = call->id,
		.at = str_from(at),
		.destination = str_from(destination),
		.what = str_from(whats[errand->kind]),
		.enterprise = str_from(call->enterprise),
		.version = errand->version,
		.outcome = str_from(outcomes[outcome]),
		.http_status = errand->answer.reach == HTTP_ANSWERED ? errand->answer.status : 0,
		.words = str_from(words),
		.took_ms = errand->answer.took_ms,
		.trace = str_from(call->trace),
	};
	buf_add_char(&told->rows, before == 0 ? '[' : ',');
	json_write(&told->rows, told_fields, &row);
	told_close(d, told, before);
}

void told_batch(struct told *told, struct pg_batch *batch, struct arena *arena)
{
	struct pg_params params = {0};
	if (told->commit.size == 0) {
		struct buf empty = told->commit;
		told->commit = told->rows;
		told->rows = empty;
	}
	if (told->commit.size == 0)
		return;
	struct str rows = buf_str(&told->commit);
	char *text = arena_alloc(arena, rows.size + 2);
	memcpy(text, rows.data, rows.size);
	text[rows.size] = ']';
	text[rows.size + 1] = '\0';
	pg_put_text(&params, text);
	pg_batch_add(batch, sql_told, &params);
}

void told_recorded(struct told *told, bool ok)
{
	if (ok)
		buf_clear(&told->commit);
}
