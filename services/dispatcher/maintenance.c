/*
 * maintenance: see maintenance.h. Large deletions go in pieces, each a transaction of its own.
 */
#include "maintenance.h"

#include "alloc.h"
#include "dispatcher.h"
#include "gateway_told.h"

#include <malloc.h>
#include <stdlib.h>

#define MAINTENANCE_ARENA_BYTES ((size_t)4 << 20)
#define LOOK_MS			1000
#define PIECE_ROWS		1000
#define RETRY_MS		60000

static const char sql_make[] = "SELECT call_events_make_partitions(7)";
static const char sql_drop[] = "SELECT call_events_drop_older_than($1::integer)";
static const char sql_forget[] = "SELECT fold_forget(1000)";
/* Calls whose round could not count them: somebody held the customer's row. */
static const char sql_count[] = "SELECT customer_count_late()";
/* Rows of the outbox that fit, with what was known of their chats. */
#define SQL_DELETE_ROWS(which)                                                                     \
	"WITH old AS (SELECT id, call_id, destination FROM outbox WHERE " which                    \
	" AND updated_at < now() - make_interval(days => $1::integer)"                             \
	" ORDER BY updated_at LIMIT 1000 FOR UPDATE SKIP LOCKED),"                                 \
	" shown AS (DELETE FROM telegram_messages m USING old WHERE m.call_id = old.call_id"       \
	" AND old.destination = 'telegram:' || m.chat_id)"                                         \
	" DELETE FROM outbox o USING old WHERE o.id = old.id"
static const char sql_sent[] = SQL_DELETE_ROWS("state = 'sent' AND final");
static const char sql_attention[] = SQL_DELETE_ROWS("state IN ('dead', 'unknown')");
static const char sql_told[] =
	"DELETE FROM delivery_log WHERE ctid = ANY (ARRAY(SELECT ctid FROM delivery_log"
	" WHERE at < now() - make_interval(days => $1::integer) LIMIT 1000))";
/* Two days later Telegram does not let a message be changed; see DELIVERY_CHANGE_MS. */
static const char sql_recordings[] =
	"DELETE FROM recording_requests WHERE created_at < now() - interval '48 hours'";
/* Whoever takes them up finds nobody to send them by. */
static const char sql_bury[] =
	"UPDATE outbox o SET state = 'dead', updated_at = now(),"
	" last_error = 'the enterprise has no bot any more'"
	" WHERE (state IN ('queued', 'failed') OR (state = 'unknown' AND final))"
	" AND destination LIKE 'telegram:%' AND NOT EXISTS (SELECT FROM enterprises e"
	" WHERE e.number = o.enterprise_number AND e.bot_token IS NOT NULL)";
/* Those that can be sent are given up by who tries them; here those that nobody has tried. */
static const char sql_bury_gateway[] =
	"UPDATE outbox SET state = 'dead', updated_at = now(),"
	" last_error = coalesce(last_error, 'not taken within a day')"
	" WHERE state IN ('queued', 'failed') AND destination = 'gateway'"
	" AND created_at < now() - interval '25 hours'";
#define SQL_DEPTH(which)                                                                           \
	"count(*) FILTER (WHERE " which                                                            \
	"), coalesce(extract(epoch FROM now() - min(updated_at) FILTER (WHERE " which              \
	")), 0)::bigint"
static const char sql_depth[] = "SELECT " SQL_DEPTH("destination <> 'gateway'") ", " SQL_DEPTH(
	"destination = 'gateway'") " FROM outbox"
				   " WHERE state IN ('queued', 'sending', 'failed') OR (state = "
				   "'unknown' AND final)";

/* `days` is the setting that goes in as $1; a task with pieces is repeated while they are full. */
struct task {
	const char *name, *sql;
	int64_t every_ms;
	size_t days_offset;
	bool has_days, pieces;
	void (*then)(struct dispatcher *d);
};

/* Gauges, and memory that nobody uses any more. */
static void look_around(struct dispatcher *d)
{
	const struct pg_batch *batch = d->maintenance.batch;
	metric_set(d->meters.outbox_depth, (double)pg_int(batch, 0, 0, 0));
	metric_set(d->meters.outbox_oldest, (double)pg_int(batch, 0, 0, 1));
	metric_set(d->gateway.meters.depth, (double)pg_int(batch, 0, 0, 2));
	metric_set(d->gateway.meters.oldest, (double)pg_int(batch, 0, 0, 3));
	metric_set(d->meters.live_calls, (double)table_count(d->outbox.calls));
	metric_set(d->meters.shards, shards_count(&d->shards, SHARD_OWNED));
	folding_sweep(d);
	people_sweep(d);
	gateway_told_sweep(d);
	bots_sweep(d);
	/* After a burst the heap is mostly holes. */
	(void)malloc_trim(0);
}

static void warn_uncounted(struct dispatcher *d)
{
	int64_t late = pg_int(d->maintenance.batch, 0, 0, 0);
	if (late > 0)
		log_warn(&d->log, "maintenance: %lld calls are not counted for their customers yet",
			(long long)late);
}

static void buried(struct dispatcher *d)
{
	int64_t count = pg_affected(d->maintenance.batch, 0);
	metric_add(d->meters.dead, (double)count);
	if (count > 0)
		log_warn(&d->log, "outbox: %lld deliveries of enterprises without a bot are dead",
			(long long)count);
}

static void buried_gateway(struct dispatcher *d)
{
	int64_t count = pg_affected(d->maintenance.batch, 0);
	metric_add(d->gateway.meters.dead, (double)count);
	if (count > 0)
		log_warn(&d->log, "gateway: %lld events are given up: not taken within a day",
			(long long)count);
}

static const struct task tasks[] = {
	{.name = "make partitions", .sql = sql_make, .every_ms = 3600000},
	{.name = "drop old events",
		.sql = sql_drop,
		.every_ms = 3600000,
		.has_days = true,
		.days_offset = offsetof(struct dispatcher_config, event_days)},
	{.name = "delete old deliveries",
		.sql = sql_sent,
		.every_ms = 3600000,
		.has_days = true,
		.pieces = true,
		.days_offset = offsetof(struct dispatcher_config, sent_days)},
	{.name = "count calls late", .sql = sql_count, .every_ms = 5000, .then = warn_uncounted},
	{.name = "delete old records of what was told",
		.sql = sql_told,
		.every_ms = 3600000,
		.has_days = true,
		.pieces = true,
		.days_offset = offsetof(struct dispatcher_config, sent_days)},
	{.name = "delete what nobody has looked at",
		.sql = sql_attention,
		.every_ms = 3600000,
		.has_days = true,
		.pieces = true,
		.days_offset = offsetof(struct dispatcher_config, event_days)},
	{.name = "forget late recordings", .sql = sql_recordings, .every_ms = 3600000},
	{.name = "bury what nobody can send", .sql = sql_bury, .every_ms = 10000, .then = buried},
	{.name = "bury what nobody took",
		.sql = sql_bury_gateway,
		.every_ms = 60000,
		.then = buried_gateway},
	{.name = "forget ended calls", .sql = sql_forget, .every_ms = 10000, .pieces = true},
	{.name = "look around", .sql = sql_depth, .every_ms = 5000, .then = look_around},
};
enum { TASK_COUNT = sizeof(tasks) / sizeof(tasks[0]) };

void maintenance_init(struct maintenance *maintenance)
{
	*maintenance = (struct maintenance){
		.arena = arena_new(MAINTENANCE_ARENA_BYTES),
		.due_ms = alloc_zeroed(TASK_COUNT, sizeof(int64_t)),
	};
}

void maintenance_free(struct maintenance *maintenance)
{
	arena_free(&maintenance->arena);
	free(maintenance->due_ms);
	maintenance->due_ms = NULL;
}

static enum flow_status maintenance_wait(struct flow *flow)
{
	return await_sleep(flow, LOOK_MS);
}

/* One task at a time: none is in a hurry, and together they would delay the directory. */
static enum flow_status maintenance_run(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct maintenance *maintenance = &d->maintenance;
	struct pg_params params = {0};
	int64_t now = loop_now_ms(d->loop);
	unsigned next = 0;
	while (next < TASK_COUNT && maintenance->due_ms[next] > now)
		next++;
	if (next == TASK_COUNT || !pg_ready(d->side_pg))
		return flow_goto(flow, 0);
	const struct task *task = &tasks[next];
	maintenance->task = next;
	maintenance->due_ms[next] = now + task->every_ms;
	arena_reset(maintenance->arena);
	maintenance->batch = pg_batch_new(maintenance->arena);
	if (task->has_days)
		pg_put_int(&params, maintenance->arena,
			*(const int64_t *)((const char *)d->config + task->days_offset));
	pg_batch_add(maintenance->batch, task->sql, &params);
	return await_pg(flow, d->side_pg, maintenance->batch);
}

static enum flow_status maintenance_done(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct maintenance *maintenance = &d->maintenance;
	const struct task *task = &tasks[maintenance->task];
	struct error error;
	if (!pg_batch_ok(maintenance->batch, &error)) {
		log_warn(flow_log(flow), "maintenance: %s: %s", task->name, error.text);
		maintenance->due_ms[maintenance->task] = loop_now_ms(d->loop) + RETRY_MS;
		return flow_goto(flow, 0);
	}
	if (task->pieces && pg_affected(maintenance->batch, 0) == PIECE_ROWS)
		maintenance->due_ms[maintenance->task] = 0;
	if (task->then != NULL)
		task->then(d);
	return flow_goto(flow, 1);
}

static const struct flow_step maintenance_steps[] = {
	{"wait", maintenance_wait},
	{"run", maintenance_run},
	{"done", maintenance_done},
	{NULL, NULL},
};

const struct flow_spec maintenance_flow = {
	.name = "maintenance", .steps = maintenance_steps, .deadline_ms = FLOW_FOREVER};
