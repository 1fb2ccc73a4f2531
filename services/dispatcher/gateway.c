/*
 * gateway: see gateway.h. Its parts: gateway_told (what is to tell), gateway_letters (what waits),
 * gateway_courier (sends it), gateway_report (writes down what came of it); here the rows are read.
 */
#include "gateway.h"

#include "dispatcher.h"
#include "gateway_letters.h"
#include "gateway_told.h"

#define GATEWAY_ARENA_BYTES ((size_t)32 << 20)
#define CONNECTIONS	    32
#define USER_AGENT	    "callweave/" CALLWEAVE_VERSION

static void meters_init_gateway(struct gateway_meters *meters, struct metrics *metrics)
{
	static const char dest[] = "dest=\"gateway\"";
	static const char *const results[GATEWAY_RESULTS] = {
		[GATEWAY_DONE] = "dest=\"gateway\",result=\"done\"",
		[GATEWAY_DUPLICATE] = "dest=\"gateway\",result=\"duplicate\"",
		[GATEWAY_TRY_AGAIN] = "dest=\"gateway\",result=\"try_again\"",
		[GATEWAY_REFUSED] = "dest=\"gateway\",result=\"refused\"",
	};
	for (unsigned i = 0; i < GATEWAY_RESULTS; i++)
		meters->attempts[i] = metrics_counter(metrics, "callweave_delivery_attempts_total",
			results[i], "Requests by what came of them");
	meters->latency_seconds = metrics_histogram(metrics, "callweave_delivery_latency_seconds",
		dest, "From the arrival of an event to the first request that tells of it");
	meters->waiting = metrics_gauge(metrics, "callweave_gateway_waiting", NULL,
		"Events for CRMs that wait in memory or are under way");
	meters->depth = metrics_gauge(
		metrics, "callweave_outbox_depth", dest, "Deliveries that wait or are under way");
	meters->oldest = metrics_gauge(metrics, "callweave_outbox_oldest_seconds", dest,
		"Age of the oldest state that still waits for its delivery");
	meters->dead = metrics_counter(metrics, "callweave_outbox_dead_total", dest,
		"Deliveries given up: a person must look");
}

void gateway_init(struct gateway *gateway, struct metrics *metrics)
{
	*gateway = (struct gateway){.told = table_new(),
		.lines = table_new(),
		.letters = table_new(),
		.arena = arena_new(GATEWAY_ARENA_BYTES),
		.lookup = -1,
		.click_lookup = -1};
	gateway->ready.last = &gateway->ready.first;
	gateway->resting.last = &gateway->resting.first;
	gateway->last_report = &gateway->first_report;
	flow_queue_init(&gateway->wake);
	meters_init_gateway(&gateway->meters, metrics);
}

bool gateway_wanted(const struct dispatcher *d)
{
	return d->config->gateway_url[0] != '\0';
}

void gateway_free(struct gateway *gateway)
{
	if (gateway->http != NULL)
		http_client_free(&gateway->http);
	gateway_letters_free(gateway);
	gateway_told_drop(gateway, SHARD_COUNT);
	table_free(&gateway->told);
	table_free(&gateway->lines);
	table_free(&gateway->letters);
	arena_free(&gateway->arena);
}

void gateway_connect(struct dispatcher *d)
{
	const struct http_client_options http = {.max_connections = CONNECTIONS,
		.max_connections_per_host = CONNECTIONS,
		.user_agent = USER_AGENT};
	d->gateway.http = http_client_new(d->loop, &http);
}

/* -- reading what is in the table only -------------------------------------------------------------- */

#define LOOK_MS	  250
#define ANEW_MS	  30000 /* rows that somebody put there by hand */
#define RETRY_MS  500
#define PAGE_ROWS 500

/* In the words of the index outbox_open. */
static const char sql_page[] =
	"SELECT id, call_id, shard, enterprise_number, payload, trace_id, attempts,"
	" greatest(0, (extract(epoch FROM next_at - now()) * 1000)::bigint),"
	" (extract(epoch FROM created_at) * 1000)::bigint FROM outbox"
	" WHERE shard = ANY ($1::smallint[]) AND id > $2::bigint"
	" AND (state IN ('queued', 'sending', 'failed') OR (state = 'unknown' AND final))"
	" AND destination = 'gateway' ORDER BY id LIMIT 500";

enum {
	PAGE_ID,
	PAGE_CALL,
	PAGE_SHARD,
	PAGE_ENTERPRISE,
	PAGE_BODY,
	PAGE_TRACE,
	PAGE_ATTEMPTS,
	PAGE_DUE_IN,
	PAGE_MADE
};

enum { GATEWAY_WAIT, GATEWAY_LOOK, GATEWAY_TAKE };

/* Nothing wakes those that rest but this clock. */
static enum flow_status gateway_wait(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway *gateway = &d->gateway;
	metric_set(gateway->meters.waiting, (double)table_count(gateway->letters));
	bool reads = gateway->behind && gateway_wanted(d) && pg_ready(d->side_pg) &&
		     gateway_has_room(d) && !d->draining;
	return reads ? FLOW_NEXT : await_queue_for(flow, &gateway->wake, LOOK_MS);
}

static enum flow_status gateway_look(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway *gateway = &d->gateway;
	struct pg_params params = {0};
	gateway_wake_rested(d);
	if (loop_now_ms(d->loop) - gateway->read_ms > ANEW_MS)
		gateway->behind = true;
	gateway_kick(d);
	if (!gateway->behind || !gateway_wanted(d) || !pg_ready(d->side_pg) ||
		!gateway_has_room(d) || d->draining)
		return flow_goto(flow, GATEWAY_WAIT);
	if (gateway->page_end == 0)
		gateway->left = 0;
	gateway->reading = true;
	arena_reset(gateway->arena);
	gateway->batch = pg_batch_new(gateway->arena);
	pg_put_text(&params, shards_owned_list(&d->shards, gateway->arena));
	pg_put_int(&params, gateway->arena, gateway->page_end);
	pg_batch_add(gateway->batch, sql_page, &params);
	return await_pg(flow, d->side_pg, gateway->batch);
}

static const char *page_text(const struct pg_batch *batch, int row, int column)
{
	struct str text = pg_text(batch, 0, row, column);
	return text.size > 0 ? text.data : "";
}

/* Its texts are copied by who keeps it. */
static void page_put(struct dispatcher *d, const struct pg_batch *batch, int row)
{
	const struct gateway_row found = {.id = pg_int(batch, 0, row, PAGE_ID),
		.call_id = pg_int(batch, 0, row, PAGE_CALL),
		.shard = (unsigned)pg_int(batch, 0, row, PAGE_SHARD) % SHARD_COUNT,
		.enterprise = page_text(batch, row, PAGE_ENTERPRISE),
		.body = page_text(batch, row, PAGE_BODY),
		.trace = page_text(batch, row, PAGE_TRACE),
		.attempts = (unsigned)pg_int(batch, 0, row, PAGE_ATTEMPTS),
		.due_ms = loop_now_ms(d->loop) + pg_int(batch, 0, row, PAGE_DUE_IN),
		.made_ms = pg_int(batch, 0, row, PAGE_MADE)};
	const struct shard *shard = &d->shards.items[found.shard];
	if (shard->state == SHARD_OWNED && !shard->drop) /* else it was lost meanwhile */
		(void)gateway_put(d, &found);
}

static enum flow_status gateway_page(struct flow *flow)
{
	struct dispatcher *d = flow_context(flow);
	struct gateway *gateway = &d->gateway;
	const struct pg_batch *batch = gateway->batch;
	struct error error;
	bool ok = pg_batch_ok(batch, &error);
	int rows = pg_rows(batch, 0);
	for (int row = 0; row < rows; row++) {
		page_put(d, batch, row);
		gateway->page_end = pg_int(batch, 0, row, PAGE_ID);
	}
	gateway_page_read(d);
	if (!ok)
		log_warn(flow_log(flow), "gateway: rows are not read yet: %s", error.text);
	if (ok && rows < PAGE_ROWS) { /* what came meanwhile begins anew, from the first */
		gateway->behind = gateway->left > 0;
		gateway->page_end = 0;
		gateway->read_ms = loop_now_ms(d->loop);
	}
	gateway_kick(d);
	(void)flow_goto(flow, GATEWAY_WAIT);
	return ok ? FLOW_NEXT : await_pg_again(flow, d->side_pg, RETRY_MS);
}

static const struct flow_step gateway_steps[] = {
	[GATEWAY_WAIT] = {"wait", gateway_wait},
	[GATEWAY_LOOK] = {"look", gateway_look},
	[GATEWAY_TAKE] = {"take", gateway_page},
	{NULL, NULL},
};

const struct flow_spec gateway_flow = {
	.name = "gateway", .steps = gateway_steps, .deadline_ms = FLOW_FOREVER};
