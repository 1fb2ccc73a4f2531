/*
 * outbox_rows: see outbox_rows.h.
 */
#include "outbox_rows.h"

#include "dispatcher.h"

#include <stdlib.h>

#define RECORDING_URL_MAX 1000

/* In the order of OUTBOX_ROWS. */
enum {
	ROW_ID,
	ROW_CALL,
	ROW_SHARD,
	ROW_ENTERPRISE,
	ROW_STATE,
	ROW_CHAT,
	ROW_VERSION,
	ROW_FINAL,
	ROW_HTML,
	ROW_MARKUP,
	ROW_DELETE,
	ROW_PLACE_AT,
	ROW_PLACE_SIZE,
	ROW_PLACE_WITH,
	ROW_ATTEMPTS,
	ROW_DUE_IN,
	ROW_FAILING_SINCE,
	ROW_CREATED,
	ROW_TRACE,
	ROW_MESSAGE,
	ROW_SENT_VERSION,
	ROW_UNKNOWN_SENDS,
	ROW_SENT_FINAL,
	ROW_SENT_AT,
	ROW_OLD_IDS,
	ROW_CALL_URL,
	ROW_RECORDED,
	ROW_TOKEN,
};

void outbox_row_look(const struct pg_batch *batch, int row, struct outbox_row *to)
{
	to->id = pg_int(batch, 0, row, ROW_ID);
	to->call_id = pg_int(batch, 0, row, ROW_CALL);
	to->shard = (unsigned)pg_int(batch, 0, row, ROW_SHARD) % SHARD_COUNT;
	to->enterprise = pg_text(batch, 0, row, ROW_ENTERPRISE);
}

const char *recording_url(const struct dispatcher *d, struct str call_url, bool recorded,
	struct str token, struct arena *arena)
{
	const char *base = d->config->recording_base;
	struct str url = str_trim(call_url);
	if (url.size == 0 && recorded && base[0] != '\0' && token.size > 0)
		url = str_from(arena_printf(arena, "%s%.*s", base, STR_ARG(token)));
	bool link = str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
	return link && url.size <= RECORDING_URL_MAX ? arena_strndup(arena, url.data, url.size)
						     : "";
}

static void row_recording(
	struct dispatcher *d, const struct pg_batch *batch, int row, struct live_call *call)
{
	struct arena *arena = arena_new((size_t)64 << 10);
	const char *url = recording_url(d, pg_text(batch, 0, row, ROW_CALL_URL),
		pg_bool(batch, 0, row, ROW_RECORDED), pg_text(batch, 0, row, ROW_TOKEN), arena);
	if (url[0] != '\0')
		live_call_set_recording(call, url);
	arena_free(&arena);
}

static void row_state(const struct pg_batch *batch, int row, struct live_state *state)
{
	struct str trace = pg_text(batch, 0, row, ROW_TRACE);
	*state = (struct live_state){
		.version = (int)pg_int(batch, 0, row, ROW_VERSION),
		.final = pg_bool(batch, 0, row, ROW_FINAL),
		.remove = pg_bool(batch, 0, row, ROW_DELETE),
		.html = pg_text(batch, 0, row, ROW_HTML),
		.place = {.at = (unsigned)pg_int(batch, 0, row, ROW_PLACE_AT),
			.size = (unsigned)pg_int(batch, 0, row, ROW_PLACE_SIZE),
			.with = pg_text(batch, 0, row, ROW_PLACE_WITH)},
		.since_ms = pg_int(batch, 0, row, ROW_CREATED),
		.trace = trace.size > 0 ? trace.data : "",
	};
}

static void row_delivery(
	struct dispatcher *d, const struct pg_batch *batch, int row, struct delivery *delivery)
{
	struct str olds = pg_text(batch, 0, row, ROW_OLD_IDS);
	struct str markup = pg_text(batch, 0, row, ROW_MARKUP);
	delivery_set_markup(delivery, markup.size > 0 ? markup.data : "");
	delivery->attempts = (unsigned)pg_int(batch, 0, row, ROW_ATTEMPTS);
	delivery->due_ms = loop_now_ms(d->loop) + pg_int(batch, 0, row, ROW_DUE_IN);
	delivery->failing_since_ms = pg_int(batch, 0, row, ROW_FAILING_SINCE);
	delivery->message_id = pg_int(batch, 0, row, ROW_MESSAGE);
	delivery->sent_version = (int)pg_int(batch, 0, row, ROW_SENT_VERSION);
	delivery->unknown_sends = (unsigned)pg_int(batch, 0, row, ROW_UNKNOWN_SENDS);
	delivery->sent_final = pg_bool(batch, 0, row, ROW_SENT_FINAL);
	delivery->sent_ms = pg_int(batch, 0, row, ROW_SENT_AT);
	delivery->old_count = 0;
	while (olds.size > 0 && delivery->old_count < DELIVERY_MAX_OLD) {
		if (str_to_int64(str_cut(&olds, ','), &delivery->old_ids[delivery->old_count]))
			delivery->old_count++;
	}
	if (str_equal(pg_text(batch, 0, row, ROW_STATE), STR("dead")))
		delivery_enter(d, delivery, DELIVERY_DEAD);
}

struct delivery *outbox_row_load(struct dispatcher *d, const struct pg_batch *batch, int row)
{
	struct outbox_row look;
	outbox_row_look(batch, row, &look);
	const struct directory_tenant *tenant = directory_find(&d->directory, look.enterprise);
	if (tenant == NULL || tenant->bot_token[0] == '\0')
		return NULL;
	struct live_call *call =
		outbox_call(&d->outbox, look.call_id, look.shard, look.enterprise.data);
	struct live_state state;
	row_state(batch, row, &state);
	if (state.version >= call->version)
		live_call_set(call, &state);
	live_call_choose(d, call);
	row_recording(d, batch, row, call);
	call->told_version = call->version; /* its latency says nothing about this process */
	struct bot *bot = bots_get(d, tenant->bot_token);
	struct delivery *delivery =
		live_call_add(d, call, bot_chat(d, bot, pg_int(batch, 0, row, ROW_CHAT)));
	row_delivery(d, batch, row, delivery);
	return delivery;
}

/* -- for plans ------------------------------------------------------------------------------------ */

/* The rows of a call's live message and what stands in the chats. */
static const char sql_lookup[] =
	"SELECT " OUTBOX_ROWS " WHERE o.call_id = ANY ($1::bigint[])"
	" AND o.destination LIKE 'telegram:%' AND o.slot = 0 ORDER BY o.call_id, o.id";

bool plan_needs_lookup(const struct dispatcher *d, const struct change *change)
{
	if (change->is_new || outbox_find(&d->outbox, change->call_id) != NULL)
		return false;
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(change->of->number));
	return tenant != NULL && tenant->bot_token[0] != '\0'; /* else nothing can be told */
}

void plan_add_lookup(struct pg_batch *batch, struct arena *arena, struct str call_ids)
{
	struct pg_params params = {0};
	pg_put_str(&params, arena, call_ids);
	pg_batch_add(batch, sql_lookup, &params);
}

/* Rows that still wait keep waiting in the database, until the plan has something newer for them. */
void plan_take_lookup(struct dispatcher *d, const struct pg_batch *batch)
{
	for (int row = 0; row < pg_rows(batch, 0); row++)
		(void)outbox_row_load(d, batch, row);
}
