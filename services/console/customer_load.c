/*
 * customer_load: what is known of a customer, read in one round trip. Each statement is bounded and goes by
 * an index; all compare the enterprise.
 */
#include "customer_view.h"

#include <stdlib.h>

#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"
#define HIS_CALLS                                                                                  \
	"calls c WHERE c.enterprise_id = $1 AND c.phone_number = $2"                               \
	" ORDER BY c.start_time DESC NULLS LAST LIMIT 201"

enum { ASK_WHO, ASK_CALLS, ASK_TEXTS, ASK_TURNS, ASK_NAMES, ASK_STATEMENTS };

static const char *const sql[ASK_STATEMENTS] = {
	[ASK_WHO] = "SELECT e.number, e.name, e.locale, e.zone, coalesce(customer_name(k), ''),"
		    " coalesce(k.black_list, false) FROM enterprises e LEFT JOIN customers k"
		    " ON k.enterprise_number = e.number AND k.phone_e164 = $2 WHERE e.number = $1",
	[ASK_CALLS] = "SELECT c.id, " MS(
		"coalesce(c.start_time, c.created_at)") ", c.direction,"
							" c.state, c.answered, "
							"coalesce(" MS(
								"c.end_time - "
								"c.answer_time") " / 1000, "
										 "-1),"
										 " c.trunk,"
										 " coalesce"
										 "(c.call_"
										 "url, "
										 "''), "
										 "c.unique_"
										 "id,"
										 " array_"
										 "to_"
										 "string(c."
										 "talkers, "
										 "',') "
										 "FROM"
										 " " HIS_CALLS,
	[ASK_TEXTS] =
		"SELECT " MS("m.created_at") ", t.channel, m.direction, left(m.body, 4000),"
					     " m.status, m.error, jsonb_array_length(m.media)"
					     " FROM threads t JOIN messages m ON m.thread_id = t.id"
					     " WHERE t.enterprise_number = $1 AND t.peer = $2"
					     " ORDER BY m.created_at DESC, m.id DESC LIMIT 201",
	[ASK_TURNS] = "SELECT u.call_sid, " MS(
		"u.started_at") ", u.user_text, u.reply_text, u.error,"
				" coalesce(u.recognise_ms, -1), coalesce(u.think_ms, -1),"
				" coalesce(u.speak_ms, -1), coalesce(u.total_ms, -1), u.interrupted"
				" FROM call_turns u WHERE u.enterprise_number = $1 AND u.call_sid "
				"IN"
				" (SELECT c.unique_id FROM " HIS_CALLS ")"
				" ORDER BY u.call_sid, u.turn LIMIT 400",
	[ASK_NAMES] = "SELECT p.phone_number, concat_ws(' ', nullif(u.last_name, ''),"
		      " nullif(u.first_name, '')) FROM user_internal_phones p"
		      " JOIN users u ON u.id = p.user_id WHERE p.enterprise_number = $1"
		      " AND p.phone_number IN (SELECT unnest(c.talkers) FROM"
		      " (SELECT * FROM " HIS_CALLS ") AS c) LIMIT 400",
};

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

struct pg_batch *customer_ask(const struct customer_view *view, const struct link *link)
{
	struct pg_batch *batch = pg_batch_new(view->frame.arena);
	struct pg_params params = {0};

	pg_put_str(&params, view->frame.arena, str_from(link->enterprise));
	pg_put_text(&params, view->phone);
	for (int i = 0; i < ASK_STATEMENTS; i++)
		pg_batch_add(batch, sql[i], &params);
	return batch;
}

/* -- taking ---------------------------------------------------------------------------------------- */

static void take_who(struct customer_view *view, struct row at)
{
	struct str zone = text(&at, 3);

	view->frame.enterprise = text(&at, 0);
	view->frame.enterprise_name = text(&at, 1);
	view->frame.locale = text(&at, 2);
	view->frame.zone = clock_zone_new(arena_strndup(view->frame.arena, zone.data, zone.size));
	view->frame.names = table_new();
	view->name = text(&at, 4);
	view->black_list = pg_bool(at.batch, at.statement, at.row, 5);
}

static void take_names(struct customer_view *view, struct row at)
{
	for (at.row = 0; at.row < pg_rows(at.batch, at.statement); at.row++) {
		struct str name = text(&at, 1);

		if (name.size > 0)
			table_put(view->frame.names, text(&at, 0),
				arena_strndup(view->frame.arena, name.data, name.size));
	}
}

static struct customer_turn *take_turns(struct customer_view *view, struct row at, size_t *count)
{
	struct customer_turn *turns;

	*count = (size_t)pg_rows(at.batch, at.statement);
	turns = arena_array(view->frame.arena, *count + 1, sizeof(*turns));
	for (at.row = 0; at.row < (int)*count; at.row++)
		turns[at.row] = (struct customer_turn){.call_sid = text(&at, 0),
			.at_ms = number(&at, 1),
			.heard = text(&at, 2),
			.reply = text(&at, 3),
			.error = text(&at, 4),
			.recognise_ms = number(&at, 5),
			.think_ms = number(&at, 6),
			.speak_ms = number(&at, 7),
			.total_ms = number(&at, 8),
			.interrupted = pg_bool(at.batch, at.statement, at.row, 9)};
	return turns;
}

static void take_talkers(struct arena *arena, struct call_numbers *to, struct str all)
{
	to->items = arena_array(arena, CALL_MAX_NUMBERS, sizeof(*to->items));
	while (all.size > 0 && to->count < CALL_MAX_NUMBERS)
		(void)str_copy(to->items[to->count++], CALL_NUMBER_BYTES, str_cut(&all, ','));
}

static struct customer_call *take_call(struct customer_view *view, const struct row *at)
{
	struct customer_call *call = arena_alloc(view->frame.arena, sizeof(*call));

	*call = (struct customer_call){.id = number(at, 0),
		.direction = text(at, 2),
		.state = text(at, 3),
		.answered = pg_bool(at->batch, at->statement, at->row, 4),
		.seconds = number(at, 5),
		.line = text(at, 6),
		.url = text(at, 7),
		.unique_id = text(at, 8)};
	take_talkers(view->frame.arena, &call->talkers, text(at, 9));
	return call;
}

/* Rows of turns lie together call by call. */
static void find_turns(struct customer_call *call, const struct customer_turn *turns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!str_equal(turns[i].call_sid, call->unique_id))
			continue;
		if (call->turns == NULL)
			call->turns = &turns[i];
		call->turn_count++;
	}
}

static void add_item(struct customer_view *view, struct customer_item item)
{
	view->items[view->item_count++] = item;
}

static void take_calls(struct customer_view *view, const struct pg_batch *batch,
	const struct link *link, struct str key)
{
	struct row at = {.batch = batch, .statement = ASK_CALLS};
	size_t count;
	const struct customer_turn *turns =
		take_turns(view, (struct row){.batch = batch, .statement = ASK_TURNS}, &count);

	for (; at.row < pg_rows(batch, ASK_CALLS) && at.row < CUSTOMER_MAX_ITEMS; at.row++) {
		struct customer_call *call = take_call(view, &at);

		call->page = link_to_call(link, key, call->id, view->frame.arena);
		find_turns(call, turns, count);
		add_item(view, (struct customer_item){.at_ms = number(&at, 1), .call = call});
	}
}

static void take_texts(struct customer_view *view, const struct pg_batch *batch)
{
	struct row at = {.batch = batch, .statement = ASK_TEXTS};

	for (; at.row < pg_rows(batch, ASK_TEXTS) && at.row < CUSTOMER_MAX_ITEMS; at.row++) {
		struct customer_text *one = arena_alloc(view->frame.arena, sizeof(*one));

		*one = (struct customer_text){.channel = text(&at, 1),
			.direction = text(&at, 2),
			.body = text(&at, 3),
			.status = text(&at, 4),
			.error = text(&at, 5),
			.media = number(&at, 6)};
		add_item(view, (struct customer_item){.at_ms = number(&at, 0), .text = one});
	}
}

static int newest_first(const void *one, const void *other)
{
	int64_t a = ((const struct customer_item *)one)->at_ms;
	int64_t b = ((const struct customer_item *)other)->at_ms;

	return (a < b) - (a > b);
}

bool customer_take(struct customer_view *view, const struct pg_batch *batch,
	const struct link *link, struct str key)
{
	if (pg_rows(batch, ASK_WHO) != 1)
		return false;
	take_who(view, (struct row){.batch = batch, .statement = ASK_WHO});
	take_names(view, (struct row){.batch = batch, .statement = ASK_NAMES});
	view->items =
		arena_array(view->frame.arena, 2 * CUSTOMER_MAX_ITEMS + 1, sizeof(*view->items));
	take_calls(view, batch, link, key);
	take_texts(view, batch);
	view->more = pg_rows(batch, ASK_CALLS) > CUSTOMER_MAX_ITEMS ||
		     pg_rows(batch, ASK_TEXTS) > CUSTOMER_MAX_ITEMS;
	if (view->item_count > 1)
		qsort(view->items, view->item_count, sizeof(*view->items), newest_first);
	return true;
}
