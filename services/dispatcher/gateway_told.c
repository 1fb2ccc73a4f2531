/*
 * gateway_told: see gateway_told.h. Which events a call has is crm_turns.h's to say.
 */
#include "gateway_told.h"

#include "dispatcher.h"

#include <inttypes.h>
#include <stdlib.h>

#define IDS_MAX_BYTES  ((size_t)1 << 20)
#define BODY_MAX_BYTES ((size_t)128 << 10)

static const char sql_rows[] =
	"SELECT call_id, payload, enterprise_number, trace_id FROM outbox"
	" WHERE call_id = ANY ($1::bigint[]) AND destination = 'gateway' ORDER BY call_id, slot";

enum { ROW_CALL, ROW_BODY, ROW_ENTERPRISE, ROW_TRACE };

static struct str call_key(const int64_t *call_id)
{
	return str_of((const char *)call_id, sizeof(*call_id));
}

/* -- memory --------------------------------------------------------------------------------------- */

struct gateway_told *gateway_told_find(const struct dispatcher *d, int64_t call_id)
{
	return table_get(d->gateway.told, call_key(&call_id));
}

struct gateway_told *gateway_told_new(struct dispatcher *d, const struct change *change)
{
	struct gateway_told *told = alloc_zeroed(1, sizeof(*told));
	told->call_id = change->call_id;
	told->shard = change->of->shard;
	told->enterprise = alloc_text(str_from(change->of->number));
	table_put(d->gateway.told, call_key(&told->call_id), told);
	return told;
}

static void told_forget(struct gateway *gateway, struct gateway_told *told)
{
	table_remove(gateway->told, call_key(&told->call_id));
	crm_told_free(&told->told);
	free(told->enterprise);
	free(told);
}

void gateway_told_forget(struct dispatcher *d, int64_t call_id)
{
	struct gateway_told *told = gateway_told_find(d, call_id);
	if (told != NULL)
		told_forget(&d->gateway, told);
}

void gateway_told_drop(struct gateway *gateway, unsigned shard)
{
	size_t at = 0;
	void *value;
	while (table_next(gateway->told, &at, NULL, &value)) {
		struct gateway_told *told = value;
		if (shard == SHARD_COUNT || told->shard == shard)
			told_forget(gateway, told);
	}
}

void gateway_told_sweep(struct dispatcher *d)
{
	size_t at = 0;
	void *value;
	while (table_next(d->gateway.told, &at, NULL, &value)) {
		struct gateway_told *told = value;
		const struct table *changing = d->round.changes.by_call;
		if (changing != NULL && table_get(changing, call_key(&told->call_id)) != NULL)
			continue; /* its end may be what the round is about to tell */
		if (!folding_remembers(d, str_from(told->enterprise), told->call_id))
			told_forget(&d->gateway, told);
	}
}

/* -- whose calls ---------------------------------------------------------------------------------- */

/* NULL: no CRM wants to know of its calls. */
const struct directory_tenant *gateway_tenant(const struct dispatcher *d, const char *enterprise)
{
	if (!gateway_wanted(d))
		return NULL;
	const struct directory_tenant *tenant = directory_find(&d->directory, str_from(enterprise));
	return tenant != NULL && tenant->active && tenant->has_crm ? tenant : NULL;
}

static bool is_external(const struct call *call)
{
	return call->direction == CALL_INCOMING || call->direction == CALL_OUTGOING;
}

/* -- reading what was told ------------------------------------------------------------------------ */

static bool needs_rows(const struct dispatcher *d, const struct change *change)
{
	const struct call *call = change_call(change);
	return !change->is_new && change->merged_into == 0 && call != NULL && is_external(call) &&
	       gateway_told_find(d, change->call_id) == NULL &&
	       gateway_tenant(d, change->of->number) != NULL;
}

static void ids_add(struct buf *ids, int64_t call_id)
{
	buf_printf(ids, "%c%" PRId64, ids->size > 0 ? ',' : '{', call_id);
}

void gateway_add_rows(struct pg_batch *batch, struct arena *arena, struct str call_ids)
{
	struct pg_params params = {0};
	pg_put_str(&params, arena, call_ids);
	pg_batch_add(batch, sql_rows, &params);
}

void gateway_add_lookup(struct dispatcher *d, const struct changes *changes, struct arena *arena,
	struct pg_batch **batch, int before)
{
	struct buf ids;
	buf_init(&ids, IDS_MAX_BYTES);
	d->gateway.lookup = -1;
	for (unsigned i = 0; i < changes->count; i++) {
		if (needs_rows(d, changes->items[i]))
			ids_add(&ids, changes->items[i]->call_id);
	}
	for (unsigned i = 0; gateway_wanted(d) && i < d->recordings.count; i++)
		ids_add(&ids, d->recordings.items[i].call_id);
	if (ids.size > 0) {
		buf_add_char(&ids, '}');
		if (*batch == NULL)
			*batch = pg_batch_new(arena);
		d->gateway.lookup = before;
		gateway_add_rows(*batch, arena, buf_str(&ids));
		before++;
	}
	buf_free(&ids);
	gateway_add_clicks(d, changes, arena, batch, before);
}

/* A row of those, where it lies. */
struct row_at {
	const struct pg_batch *batch;
	int at, row;
};

static bool row_event(
	struct dispatcher *d, struct row_at row, struct arena *arena, struct crm_event *event)
{
	struct error error;
	if (crm_event_read(pg_text(row.batch, row.at, row.row, ROW_BODY), arena, event, &error))
		return true;
	log_error(&d->log, "gateway: what was told of call %" PRId64 " cannot be read: %s",
		pg_int(row.batch, row.at, row.row, ROW_CALL), error.text);
	return false;
}

/* Its newest event with the whole call, and how often a recording was told. */
static void row_to_recordings(struct dispatcher *d, const struct pg_batch *batch, int row,
	const struct crm_event *event, struct arena *arena)
{
	int at = d->gateway.lookup;
	for (unsigned i = 0; i < d->recordings.count; i++) {
		struct recording *recording = &d->recordings.items[i];
		if (recording->call_id != pg_int(batch, at, row, ROW_CALL))
			continue;
		struct crm_event *copy = arena_alloc(arena, sizeof(*copy));
		*copy = *event;
		recording->last_told = copy;
		recording->told_count += event->kind == CRM_RECORDING;
		recording->enterprise = pg_text(batch, at, row, ROW_ENTERPRISE).data;
		recording->trace = pg_text(batch, at, row, ROW_TRACE).data;
	}
}

/* Of whom there are no rows, nothing was told. */
void gateway_take_lookup(struct dispatcher *d, const struct changes *changes,
	const struct pg_batch *batch, struct arena *arena)
{
	int at = d->gateway.lookup;
	gateway_take_clicks(d, changes, batch);
	if (at < 0)
		return;
	for (unsigned i = 0; i < changes->count; i++) {
		if (needs_rows(d, changes->items[i]))
			gateway_told_new(d, changes->items[i])->reading = true;
	}
	for (int row = 0; row < pg_rows(batch, at); row++) {
		struct gateway_told *told = gateway_told_find(d, pg_int(batch, at, row, ROW_CALL));
		struct crm_event event;
		if (!row_event(d, (struct row_at){batch, at, row}, arena, &event))
			continue;
		if (told != NULL && told->reading)
			crm_told_add(&told->told, &event);
		row_to_recordings(d, batch, row, &event, arena);
	}
	for (unsigned i = 0; i < changes->count; i++) {
		struct gateway_told *told = gateway_told_find(d, changes->items[i]->call_id);
		if (told != NULL)
			told->reading = false;
	}
	d->gateway.lookup = -1;
}

/* -- planning ------------------------------------------------------------------------------------- */

void gateway_plan_begin(struct gateway_plan *plan, struct arena *arena)
{
	*plan = (struct gateway_plan){.arena = arena};
	plan->last = &plan->first;
}

static void plan_add(struct dispatcher *d, struct gateway_plan *plan,
	const struct gateway_item *about, const struct crm_event *event)
{
	struct buf body;
	buf_init(&body, BODY_MAX_BYTES);
	crm_event_write(&body, event, str_from(about->trace));
	if (body.failed) { /* cannot be: numbers and names have their bounds */
		log_error(&d->log, "gateway: an event of call %" PRId64 " is too long to be told",
			about->call_id);
	} else {
		struct gateway_item *item = arena_alloc(plan->arena, sizeof(*item));
		*item = *about;
		item->body = str_of(arena_strndup(plan->arena, body.data, body.size), body.size);
		*plan->last = item;
		plan->last = &item->next;
		plan->count++;
	}
	buf_free(&body);
}

static struct str customer_name(const struct dispatcher *d, int64_t call_id)
{
	const struct message_customer *customer = people_find(d, call_id);
	return str_from(customer != NULL ? customer->name : NULL);
}

static struct crm_turns turns_of(const struct dispatcher *d, const struct call *call,
	const struct directory_tenant *tenant, struct arena *arena)
{
	return (struct crm_turns){.call = call,
		.line_name = str_from(tenant_line_name(&tenant->tenant, call->line)),
		.customer_name = customer_name(d, call->id),
		.now_ms = clock_wall_ms(),
		.arena = arena};
}

void gateway_plan_change(struct dispatcher *d, const struct change *change, const struct call *call,
	struct gateway_plan *plan)
{
	const struct directory_tenant *tenant = gateway_tenant(d, change->of->number);
	struct gateway_told *told = gateway_told_find(d, change->call_id);
	struct crm_event events[CRM_MAX_EVENTS];
	if (tenant == NULL || call == NULL || change->merged_into != 0 ||
		call->direction == CALL_INTERNAL)
		return;
	if (told == NULL && change->is_new)
		told = gateway_told_new(d, change);
	if (told == NULL)
		return; /* its enterprise has had a CRM for a moment only: its next change tells */
	struct crm_turns turns = turns_of(d, call, tenant, plan->arena);
	turns.since_ms = change->since_ms;
	const struct gateway_item about = {.call_id = call->id,
		.shard = change->of->shard,
		.version = call->version,
		.enterprise = change->of->number,
		.trace = change->trace,
		.since_ms = change->since_ms};
	unsigned count = crm_turns(&told->told, &turns, events);
	for (unsigned i = 0; i < count; i++) {
		plan_add(d, plan, &about, &events[i]);
		crm_told_add(&told->told, &events[i]);
	}
}

void gateway_plan_recording(
	struct dispatcher *d, const struct recording *recording, struct gateway_plan *plan)
{
	struct crm_event event;
	if (recording->last_told == NULL || gateway_tenant(d, recording->enterprise) == NULL ||
		!crm_turn_recording(recording->last_told, recording->told_count,
			str_from(recording->url), &event))
		return;
	const struct gateway_item about = {.call_id = recording->call_id,
		.shard = recording->shard,
		.enterprise = recording->enterprise,
		.trace = recording->trace,
		.since_ms = clock_wall_ms()};
	plan_add(d, plan, &about, &event);
	struct gateway_told *told = gateway_told_find(d, recording->call_id);
	if (told != NULL)
		crm_told_add(&told->told, &event);
}

/* Told before, as the rows say: one that stands is told anew where it ended otherwise. */
static void past_read(struct dispatcher *d, const struct gateway_past *past, struct arena *arena,
	struct crm_told *told)
{
	for (int row = 0; past->batch != NULL && row < pg_rows(past->batch, past->at); row++) {
		struct crm_event event;
		if (pg_int(past->batch, past->at, row, ROW_CALL) == past->call_id &&
			row_event(d, (struct row_at){past->batch, past->at, row}, arena, &event))
			crm_told_add(told, &event);
	}
}

void gateway_plan_past(
	struct dispatcher *d, const struct gateway_past *past, struct gateway_plan *plan)
{
	const struct directory_tenant *tenant = gateway_tenant(d, past->enterprise);
	struct crm_told told = {.key = ""};
	struct crm_event events[CRM_MAX_EVENTS];
	if (tenant == NULL || !is_external(past->call))
		return;
	past_read(d, past, plan->arena, &told);
	struct call call = *past->call; /* as the log numbers it; its record may have another */
	call.id = past->call_id;
	struct crm_turns turns = turns_of(d, &call, tenant, plan->arena);
	turns.past = true;
	const struct gateway_item about = {.call_id = call.id,
		.shard = past->shard,
		.version = call.version,
		.enterprise = past->enterprise,
		.trace = ""};
	unsigned count = crm_turns(&told, &turns, events);
	for (unsigned i = 0; i < count; i++)
		plan_add(d, plan, &about, &events[i]);
	crm_told_free(&told);
}

/* -- after the commit ----------------------------------------------------------------------------- */

void gateway_apply(
	struct dispatcher *d, const struct gateway_plan *plan, const struct pg_batch *batch, int at)
{
	struct gateway_item **items =
		arena_array(plan->arena, plan->count + 1, sizeof(struct gateway_item *));
	unsigned count = 0;
	for (struct gateway_item *it = plan->first; it != NULL; it = it->next)
		items[count++] = it;
	for (int row = 0; plan->count > 0 && row < pg_rows(batch, at); row++) {
		int64_t n = pg_int(batch, at, row, 0);
		if (n < 0 || n >= (int64_t)count)
			continue;
		const struct gateway_item *item = items[n];
		gateway_add(d, &(struct gateway_row){.id = pg_int(batch, at, row, 1),
				       .call_id = item->call_id,
				       .shard = item->shard,
				       .enterprise = item->enterprise,
				       .body = item->body.data,
				       .trace = item->trace,
				       .since_ms = item->since_ms,
				       .made_ms = clock_wall_ms()});
	}
	gateway_kick(d);
}
