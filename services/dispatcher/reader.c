/*
 * reader: see reader.h.
 */
#include "reader.h"

#include "arena.h"

#include <stdio.h>

enum {
	COLUMN_TX,
	COLUMN_ID,
	COLUMN_CREATED,
	COLUMN_SETTLED,
	COLUMN_SHARD,
	COLUMN_ENTERPRISE,
	COLUMN_TYPE,
	COLUMN_RECEIVED,
	COLUMN_SOURCE,
	COLUMN_TRACE,
	COLUMN_BODY,
	COLUMN_AGE,
};

/* created_at lies near the order of (tx, id) but not in it: a day of margin, and the older
 * partitions are still left out. $6, $7: where to stop, for shards that catch up. */
static const char sql_read[] =
	"SELECT tx::text AS transaction, id, (extract(epoch FROM created_at) * 1000)::bigint,"
	" tx < pg_snapshot_xmin(pg_current_snapshot()) AS settled, shard, enterprise_number, "
	"event_type,"
	" (extract(epoch FROM event_timestamp) * 1000)::bigint, data_source, trace_id, "
	"raw_data::text,"
	" (extract(epoch FROM clock_timestamp() - created_at) * 1000)::bigint"
	" FROM call_events WHERE (tx, id) > ($1::xid8, $2::bigint)"
	" AND created_at >= coalesce($3::timestamptz, '-infinity') - interval '1 day'"
	" AND shard = ANY ($4::smallint[]) AND (tx, id) <= ($5::xid8, $6::bigint)"
	" ORDER BY call_events.tx, call_events.id LIMIT $7::integer";

/* As PostgreSQL writes an array; at most 64 numbers. */
static char *wanted_shards(struct arena *arena, const struct shard_group *group)
{
	struct buf list;
	buf_init(&list, 1024);
	buf_add_char(&list, '{');
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		if (group->wanted[i])
			buf_printf(&list, "%s%u", list.size > 1 ? "," : "", i);
	}
	buf_add_char(&list, '}');
	char *copy = arena_strndup(arena, list.data, list.size);
	buf_free(&list);
	return copy;
}

void reader_add_query(struct pg_batch *batch, struct arena *arena, const struct shards *shards,
	const struct shard_group *group, unsigned limit)
{
	struct pg_params params = {0};
	pg_put_int(&params, arena, group->from.tx);
	pg_put_int(&params, arena, group->from.id);
	pg_put_time(&params, arena, group->from.at_ms);
	pg_put_text(&params, wanted_shards(arena, group));
	pg_put_int(&params, arena, group->lagging ? shards->main.tx : INT64_MAX);
	pg_put_int(&params, arena, group->lagging ? shards->main.id : INT64_MAX);
	pg_put_int(&params, arena, limit);
	pg_batch_add(batch, sql_read, &params);
}

/* Rows come in the order of transactions: behind the first that is not settled none is. */
void reader_look(const struct pg_batch *batch, struct reading *reading)
{
	int rows = pg_rows(batch, 0);
	*reading = (struct reading){0};
	for (int row = 0; row < rows; row++) {
		if (pg_bool(batch, 0, row, COLUMN_SETTLED)) {
			reading->rows++;
			continue;
		}
		reading->unsettled = true;
		reading->unsettled_ms = pg_int(batch, 0, row, COLUMN_AGE);
		return;
	}
}

void reader_event(
	const struct pg_batch *batch, unsigned row, struct arena *arena, struct log_event *event)
{
	int at = (int)row;
	struct str trace = pg_text(batch, 0, at, COLUMN_TRACE);
	*event = (struct log_event){
		.at = {.tx = pg_int(batch, 0, at, COLUMN_TX),
			.id = pg_int(batch, 0, at, COLUMN_ID),
			.at_ms = pg_int(batch, 0, at, COLUMN_CREATED)},
		.shard = (unsigned)pg_int(batch, 0, at, COLUMN_SHARD) % SHARD_COUNT,
		.enterprise = pg_text(batch, 0, at, COLUMN_ENTERPRISE),
		.type = pg_text(batch, 0, at, COLUMN_TYPE),
		.received_ms = pg_int(batch, 0, at, COLUMN_RECEIVED),
		.data_source = pg_text(batch, 0, at, COLUMN_SOURCE),
		.trace = arena_strndup(arena, trace.size > 0 ? trace.data : "", trace.size),
		.body = pg_text(batch, 0, at, COLUMN_BODY),
	};
}
