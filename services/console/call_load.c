/*
 * call_load: see call_load.h.
 */
#include "call_load.h"

#include "call_sql.h"
#include "json.h"

#include <stdlib.h>

enum { BRIDGES_MAX_BYTES = 64 << 10, MAX_BRIDGES = 256 };

/* -- one value of a row ------------------------------------------------------------------------------- */

struct row {
	const struct pg_batch *batch;
	int statement, row;
};

static struct str text(const struct row *at, int column)
{
	return pg_text(at->batch, at->statement, at->row, column);
}

static int64_t number(const struct row *at, int column)
{
	return pg_int(at->batch, at->statement, at->row, column);
}

static int64_t moment(const struct row *at, int column)
{
	return pg_is_null(at->batch, at->statement, at->row, column) ? CALL_NO_TIME
								     : number(at, column);
}

static void copy(char to[CALL_NUMBER_BYTES], struct str from)
{
	(void)str_copy(to, CALL_NUMBER_BYTES, from);
}

/* -- the call ------------------------------------------------------------------------------------------- */

struct pg_batch *call_load_ask(const struct link *link, struct arena *arena)
{
	struct pg_batch *batch = pg_batch_new(arena);
	struct pg_params params = {0};

	pg_put_str(&params, arena, str_from(link->enterprise));
	pg_put_int(&params, arena, link->call_id);
	for (int i = 0; i < ASK_STATEMENTS; i++)
		pg_batch_add(batch, call_sql[i], &params);
	return batch;
}

static enum call_direction direction_of(struct str name)
{
	for (int i = CALL_UNKNOWN; i <= CALL_INTERNAL; i++) {
		if (str_equal(name, str_from(call_direction_name((enum call_direction)i))))
			return (enum call_direction)i;
	}
	return CALL_UNKNOWN;
}

static enum call_state state_of(struct str name)
{
	for (int i = CALL_GREETING; i <= CALL_LOST; i++) {
		if (str_equal(name, str_from(call_state_name((enum call_state)i))))
			return (enum call_state)i;
	}
	return CALL_LOST;
}

static void take_call(struct call_view *view, const struct row *at)
{
	struct call *call = &view->call;

	call->id = number(at, COL_ID);
	call->version = (unsigned)number(at, COL_VERSION);
	call->direction = direction_of(text(at, COL_DIRECTION));
	call->state = state_of(text(at, COL_STATE));
	call->answered = pg_bool(at->batch, at->statement, at->row, COL_ANSWERED);
	copy(call->external, text(at, COL_PHONE));
	copy(call->caller, text(at, COL_CALLER));
	copy(call->callee, text(at, COL_CALLEE));
	copy(call->line, text(at, COL_TRUNK));
	call->started_ms = moment(at, COL_STARTED);
	call->answered_ms = moment(at, COL_ANSWER);
	call->ended_ms = moment(at, COL_ENDED);
	view->unique_id = text(at, COL_UNIQUE_ID);
	view->source = text(at, COL_SOURCE);
	view->trace = text(at, COL_TRACE_ID);
	view->created_ms = number(at, COL_CREATED);
	view->updated_ms = number(at, COL_UPDATED);
	view->customer = text(at, COL_CUSTOMER);
}

static void take_enterprise(struct call_view *view, const struct row *at)
{
	view->enterprise = text(at, COL_ENTERPRISE);
	view->enterprise_name = text(at, COL_ENTERPRISE_NAME);
	view->locale = text(at, COL_LOCALE);
	view->country = text(at, COL_COUNTRY);
	view->zone = clock_zone_new(
		arena_strndup(view->arena, text(at, COL_ZONE).data, text(at, COL_ZONE).size));
}

static void append(struct arena *arena, struct call_numbers *to, struct str value)
{
	if (to->items == NULL)
		to->items = arena_array(arena, CALL_MAX_NUMBERS, sizeof(*to->items));
	if (to->count < CALL_MAX_NUMBERS)
		copy(to->items[to->count++], value);
}

static void append_id(struct call_view *view, struct str id)
{
	struct call *call = &view->call;

	if (call->unique_ids == NULL)
		call->unique_ids =
			arena_array(view->arena, CALL_MAX_NUMBERS, sizeof(*call->unique_ids));
	if (call->unique_id_count < CALL_MAX_NUMBERS)
		(void)str_copy(call->unique_ids[call->unique_id_count++], CALL_ID_BYTES, id);
}

static void take_numbers(struct call_view *view, struct row at)
{
	append_id(view, view->unique_id); /* the primary one is first */
	for (at.row = 0; at.row < pg_rows(at.batch, at.statement); at.row++) {
		struct str kind = text(&at, 0), value = text(&at, 1);

		if (str_equal(kind, STR("talkers")))
			append(view->arena, &view->call.talkers, value);
		else if (str_equal(kind, STR("rang")))
			append(view->arena, &view->call.rang, value);
		else if (!str_equal(value, view->unique_id))
			append_id(view, value);
	}
}

static enum call_transfer_result result_of(struct str name)
{
	for (int i = TRANSFER_PENDING; i <= TRANSFER_UNANSWERED; i++) {
		if (str_equal(name,
			    str_from(call_transfer_result_name((enum call_transfer_result)i))))
			return (enum call_transfer_result)i;
	}
	return TRANSFER_PENDING;
}

static void take_transfers(struct call_view *view, struct row at)
{
	int count = pg_rows(at.batch, at.statement);
	struct call_transfer *transfers =
		arena_array(view->arena, (size_t)count + 1, sizeof(*transfers));

	for (at.row = 0; at.row < count; at.row++) {
		struct call_transfer *to = &transfers[at.row];

		copy(to->from, text(&at, 0));
		copy(to->to, text(&at, 1));
		to->kind =
			str_equal(text(&at, 2), STR("blind")) ? TRANSFER_BLIND : TRANSFER_ATTENDED;
		to->result = result_of(text(&at, 3));
		to->at_ms = moment(&at, 4);
	}
	view->call.transfers = transfers;
	view->call.transfer_count = (unsigned)count;
}

/* The first name of a number counts: the statement puts the surest first. */
static void take_names(struct call_view *view, struct row at)
{
	for (at.row = 0; at.row < pg_rows(at.batch, at.statement); at.row++) {
		struct str name = text(&at, 1);

		if (name.size > 0 && table_get(view->names, text(&at, 0)) == NULL)
			table_put(view->names, text(&at, 0),
				arena_strndup(view->arena, name.data, name.size));
	}
}

static void take_reasons(struct call_view *view, struct row at)
{
	int count = pg_rows(at.batch, at.statement);

	view->reasons = arena_array(view->arena, (size_t)count + 1, sizeof(*view->reasons));
	view->reason_count = (size_t)count;
	for (at.row = 0; at.row < count; at.row++)
		view->reasons[at.row] = (struct view_reason){
			.at_ms = moment(&at, 0), .event_id = number(&at, 1), .why = text(&at, 2)};
}

static void take_chats(struct call_view *view, struct row at)
{
	int count = pg_rows(at.batch, at.statement);

	view->chats = arena_array(view->arena, (size_t)count + 1, sizeof(*view->chats));
	view->chat_count = (size_t)count;
	for (at.row = 0; at.row < count; at.row++)
		view->chats[at.row] = (struct view_chat){
			.destination = text(&at, 0),
			.state = text(&at, 1),
			.version = number(&at, 2),
			.sent_version = number(&at, 3),
			.message_id = number(&at, 4),
			.attempts = number(&at, 5),
			.http_status = number(&at, 6),
			.last_error = text(&at, 7),
			.updated_ms = moment(&at, 8),
			.next_ms = moment(&at, 9),
		};
}

static void take_deliveries(struct call_view *view, struct row at)
{
	int count = pg_rows(at.batch, at.statement);

	view->deliveries = arena_array(view->arena, (size_t)count + 1, sizeof(*view->deliveries));
	view->delivery_count = (size_t)count;
	for (at.row = 0; at.row < count; at.row++)
		view->deliveries[at.row] = (struct view_delivery){
			.at_ms = moment(&at, 0),
			.destination = text(&at, 1),
			.what = text(&at, 2),
			.version = number(&at, 3),
			.outcome = text(&at, 4),
			.http_status = number(&at, 5),
			.words = text(&at, 6),
			.took_ms =
				pg_is_null(at.batch, at.statement, at.row, 7) ? -1 : number(&at, 7),
			.trace = text(&at, 8),
		};
}

static void take_crm(struct call_view *view, struct row at)
{
	int count = pg_rows(at.batch, at.statement);

	view->crm = arena_array(view->arena, (size_t)count + 1, sizeof(*view->crm));
	view->crm_count = (size_t)count;
	for (at.row = 0; at.row < count; at.row++)
		view->crm[at.row] = (struct view_crm){
			.at_ms = moment(&at, 0),
			.crm = text(&at, 1),
			.event = text(&at, 2),
			.status = text(&at, 3),
			.words = text(&at, 4),
			.request = text(&at, 5),
			.response = text(&at, 6),
		};
}

bool call_load_take(struct call_view *view, const struct pg_batch *batch)
{
	struct row at = {.batch = batch, .statement = ASK_ROW};

	if (pg_rows(batch, ASK_ROW) != 1)
		return false;
	take_call(view, &at);
	take_enterprise(view, &at);
	view->names = table_new();
	take_numbers(view, (struct row){.batch = batch, .statement = ASK_NUMBERS});
	take_transfers(view, (struct row){.batch = batch, .statement = ASK_TRANSFERS});
	take_names(view, (struct row){.batch = batch, .statement = ASK_NAMES});
	take_reasons(view, (struct row){.batch = batch, .statement = ASK_REASONS});
	take_chats(view, (struct row){.batch = batch, .statement = ASK_CHATS});
	take_deliveries(view, (struct row){.batch = batch, .statement = ASK_DELIVERIES});
	take_crm(view, (struct row){.batch = batch, .statement = ASK_CRM});
	return true;
}

/* -- its events ------------------------------------------------------------------------------------------ */

/* The partitions to look into, by when the call is known to have been written: an event that came days
 * afterwards is older than the call's last change. */
static void put_days(struct pg_params *params, const struct call_view *view)
{
	static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	int64_t from_ms = view->created_ms, to_ms = view->updated_ms;

	if (view->call.started_ms != CALL_NO_TIME && view->call.started_ms < from_ms)
		from_ms = view->call.started_ms;
	if (view->call.ended_ms != CALL_NO_TIME && view->call.ended_ms > to_ms)
		to_ms = view->call.ended_ms;
	pg_put_time(params, view->arena, from_ms - day_ms);
	pg_put_time(params, view->arena, to_ms + day_ms);
}

struct pg_batch *call_load_ask_events(const struct call_view *view)
{
	struct pg_batch *batch = pg_batch_new(view->arena);
	struct pg_params params = {0};

	pg_put_str(&params, view->arena, view->enterprise);
	put_days(&params, view);
	pg_put_int(&params, view->arena, view->call.id);
	pg_batch_add(batch, call_sql_events, &params);
	return batch;
}

/* An event that cannot be read is shown all the same, and is not drawn. */
static void take_event(struct call_view *view, struct view_event *to, const struct row *at)
{
	static const struct json_limits limits = {VIEW_MAX_EVENT_BYTES, 2 * CALL_EVENT_JSON_DEPTH};
	struct error error;
	struct json *body;

	to->type = text(at, 2);
	to->source = text(at, 3);
	to->trace = text(at, 4);
	to->raw_bytes = (size_t)number(at, 5);
	to->json = text(at, 6);
	body = json_parse(to->json.size > 0 ? to->json : STR("{}"), limits, &error);
	if (!call_event_type_from(to->type, &to->event.type) || body == NULL ||
		!call_event_read(to->event.type, body, view->zone, view->arena, &to->event, &error))
		to->event = (struct call_event){.type = EVENT_TYPES};
	to->event.id = number(at, 0);
	to->event.at_ms = number(at, 1);
	json_free(&body);
}

void call_load_take_events(struct call_view *view, const struct pg_batch *batch)
{
	struct row at = {.batch = batch};
	int count = pg_rows(batch, 0);

	if (view->events == NULL)
		view->events =
			arena_array(view->arena, 2 * (VIEW_MAX_EVENTS + 1), sizeof(*view->events));
	view->events_cut = view->events_cut || count > VIEW_MAX_EVENTS;
	for (at.row = 0; at.row < count; at.row++)
		take_event(view, &view->events[view->event_count++], &at);
}

/* -- those of its bridges, which carry no channel's id ----------------------------------------------------- */

static bool is_first(const struct call_view *view, size_t event)
{
	struct str bridge = view->events[event].event.bridge_id;

	for (size_t i = 0; i < event; i++) {
		if (str_equal(view->events[i].event.bridge_id, bridge))
			return false;
	}
	return bridge.size > 0;
}

struct pg_batch *call_load_ask_bridges(const struct call_view *view)
{
	struct pg_batch *batch = pg_batch_new(view->arena);
	struct pg_params params = {0};
	struct json_writer writer;
	struct buf ids;
	unsigned count = 0;

	buf_init(&ids, BRIDGES_MAX_BYTES);
	json_begin(&writer, &ids);
	json_open_array(&writer);
	for (size_t i = 0; i < view->event_count && count < MAX_BRIDGES; i++) {
		if (!is_first(view, i))
			continue;
		json_put_str(&writer, view->events[i].event.bridge_id);
		count++;
	}
	json_close_array(&writer);
	pg_put_str(&params, view->arena, view->enterprise);
	put_days(&params, view);
	pg_put_str(&params, view->arena, buf_str(&ids));
	buf_free(&ids);
	pg_batch_add(batch, call_sql_bridges, &params);
	return count > 0 ? batch : NULL;
}

/* -- the drawing --------------------------------------------------------------------------------------------- */

static int by_time(const void *one, const void *other)
{
	const struct call_event *a = &((const struct view_event *)one)->event;
	const struct call_event *b = &((const struct view_event *)other)->event;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

void call_load_finish(struct call_view *view)
{
	struct call_event *events =
		arena_array(view->arena, view->event_count + 1, sizeof(*events));
	struct timeline_source source = {.call = &view->call, .events = events};

	if (view->event_count > 0)
		qsort(view->events, view->event_count, sizeof(*view->events), by_time);
	for (size_t i = 0; i < view->event_count; i++) {
		if (view->events[i].event.type != EVENT_TYPES)
			events[source.event_count++] = view->events[i].event;
	}
	source.country = arena_strndup(view->arena, view->country.data, view->country.size);
	source.now_ms = view->now_ms;
	timeline_make(&source, &view->drawing);
}

/* -- names ------------------------------------------------------------------------------------------------------ */

const char *view_name(const struct call_view *view, const char *number)
{
	const char *name = table_get(view->names, str_from(number));

	return name != NULL ? name : "";
}

const char *view_line_name(const struct call_view *view, const char *line)
{
	const char *name =
		table_get(view->names, str_from(arena_printf(view->arena, "line:%s", line)));

	return name != NULL ? name : "";
}

void call_view_free(struct call_view *view)
{
	table_free(&view->names);
	clock_zone_free(&view->zone);
}
