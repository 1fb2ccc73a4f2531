/*
 * gateway_report: what became of letters, as rows of the writer's next commit: they cost none of
 * their own.
 */
#include "dispatcher.h"
#include "gateway_letters.h"

#define MAX_REPORTS	 500
#define MAX_REPORT_BYTES ((size_t)1 << 20)

/* What 8020 took is told, whoever sent it. Of a failure only the shard's owner may speak. */
static const char sql_report[] =
	"UPDATE outbox o SET state = x.state, attempts = x.attempts, http_status = x.http_status,"
	" next_at = coalesce(x.next_at, o.next_at), last_error = x.words, updated_at = now(),"
	" failing_since = CASE WHEN x.state = 'failed'"
	" THEN coalesce(o.failing_since, now()) END"
	" FROM json_to_recordset($2::json) AS x (id bigint, shard smallint, state text,"
	" attempts integer, http_status integer, next_at timestamptz, words text)"
	" WHERE o.id = x.id AND o.destination = 'gateway' AND o.state <> 'sent'"
	" AND (x.state = 'sent' OR EXISTS (SELECT FROM fold_cursors f WHERE f.shard = x.shard"
	" AND f.owner = $1))";

struct report_row {
	int64_t id, shard;
	struct str state;
	int64_t attempts, http_status;
	struct str next_at, words;
};

static const struct json_field report_fields[] = {
	JSON_FIELD(struct report_row, id, JSON_INT64, 0),
	JSON_FIELD(struct report_row, shard, JSON_INT64, 0),
	JSON_FIELD(struct report_row, state, JSON_STRING, 0),
	JSON_FIELD(struct report_row, attempts, JSON_INT64, 0),
	JSON_FIELD(struct report_row, http_status, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, next_at, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct report_row, words, JSON_STRING, JSON_SKIP_EMPTY),
	{.name = NULL},
};

void gateway_report_add(struct dispatcher *d, struct gateway_letter *letter)
{
	struct gateway *gateway = &d->gateway;
	if (letter->dirty)
		return;
	letter->dirty = true;
	letter->next_report = NULL;
	*gateway->last_report = letter;
	gateway->last_report = &letter->next_report;
	gateway->reports++;
	flow_queue_wake_all(&d->writer.wake);
}

bool gateway_reports(const struct dispatcher *d)
{
	return d->gateway.reports > 0;
}

static struct gateway_letter *report_take(struct gateway *gateway)
{
	struct gateway_letter *letter = gateway->first_report;
	gateway->first_report = letter->next_report;
	if (gateway->first_report == NULL)
		gateway->last_report = &gateway->first_report;
	gateway->reports--;
	letter->dirty = false;
	letter->recording = true;
	return letter;
}

static void report_write(const struct gateway_letter *letter, struct buf *json)
{
	char at[CLOCK_TEXT_BYTES] = "";
	if (letter->next_wall_ms > 0)
		clock_format_rfc3339(letter->next_wall_ms, at);
	struct str words = str_from(letter->words);
	const struct report_row row = {.id = letter->row.id,
		.shard = letter->row.shard,
		.state = str_from(letter->state),
		.attempts = letter->row.attempts,
		.http_status = letter->http_status,
		.next_at = str_from(at),
		.words = str_is_utf8(words) ? words : STR("(unreadable)")};
	json_write(json, report_fields, &row);
}

void gateway_batch(struct dispatcher *d, struct pg_batch *batch, struct arena *arena)
{
	struct gateway *gateway = &d->gateway;
	struct pg_params params = {0};
	struct buf json;
	gateway->taken_count = 0;
	if (gateway->reports == 0)
		return;
	buf_init(&json, MAX_REPORT_BYTES);
	gateway->taken = arena_array(arena, MAX_REPORTS, sizeof(struct gateway_letter *));
	while (gateway->reports > 0 && gateway->taken_count < MAX_REPORTS) {
		struct gateway_letter *letter = report_take(gateway);
		buf_add_char(&json, gateway->taken_count == 0 ? '[' : ',');
		report_write(letter, &json);
		gateway->taken[gateway->taken_count++] = letter;
	}
	buf_add_char(&json, ']');
	pg_put_text(&params, d->name);
	pg_put_str(&params, arena, buf_str(&json));
	pg_batch_add(batch, sql_report, &params);
	buf_free(&json);
}

void gateway_recorded(struct dispatcher *d, bool ok)
{
	struct gateway *gateway = &d->gateway;
	for (unsigned i = 0; i < gateway->taken_count; i++)
		gateway_letter_recorded(d, gateway->taken[i], ok);
	gateway->taken_count = 0;
}
