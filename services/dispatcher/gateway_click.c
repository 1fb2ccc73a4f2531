/*
 * gateway_click: calls that somebody began by a click in a CRM: that CRM is told so, for it has begun to
 * keep such a call itself. pbx-api notes the clicks (migration 0013).
 */
#include "dispatcher.h"
#include "gateway_told.h"

#define WANTED_MAX_BYTES ((size_t)1 << 20)

static const char sql_clicks[] =
	"SELECT x.call, k.crm, k.origin_call FROM json_to_recordset($1::json) AS x (call bigint,"
	" enterprise text, ext text, phone text, began timestamptz)"
	" CROSS JOIN LATERAL click_call_of(x.call, x.enterprise, x.ext, x.phone, x.began) AS k";

struct click_row {
	int64_t call;
	struct str enterprise, ext, phone, began;
};

static const struct json_field click_fields[] = {
	JSON_FIELD(struct click_row, call, JSON_INT64, 0),
	JSON_FIELD(struct click_row, enterprise, JSON_STRING, 0),
	JSON_FIELD(struct click_row, ext, JSON_STRING, 0),
	JSON_FIELD(struct click_row, phone, JSON_STRING, 0),
	JSON_FIELD(struct click_row, began, JSON_STRING, 0),
	{.name = NULL},
};

/* An outgoing call from when it is known who calls whom, and as long as nothing was told of it. One that
 * is not known at all has its rows read first. */
static bool asks(const struct dispatcher *d, const struct change *change)
{
	const struct call *call = change_call(change);
	const struct gateway_told *told = gateway_told_find(d, change->call_id);
	if (call == NULL || change->merged_into != 0 || call->direction != CALL_OUTGOING ||
		call->caller[0] == '\0' || call->external[0] != '+' ||
		gateway_tenant(d, change->of->number) == NULL)
		return false;
	if (told == NULL)
		return change->is_new;
	return !told->click_asked && told->told.key[0] == '\0';
}

void gateway_add_clicks(struct dispatcher *d, const struct changes *changes, struct arena *arena,
	struct pg_batch **batch, int before)
{
	struct pg_params params = {0};
	struct buf wanted;
	buf_init(&wanted, WANTED_MAX_BYTES);
	d->gateway.click_lookup = -1;
	for (unsigned i = 0; i < changes->count; i++) {
		const struct change *change = changes->items[i];
		if (!asks(d, change))
			continue;
		const struct call *call = change_call(change);
		char began[CLOCK_TEXT_BYTES];
		clock_format_rfc3339(
			call->started_ms != CALL_NO_TIME ? call->started_ms : change->since_ms,
			began);
		const struct click_row row = {.call = change->call_id,
			.enterprise = str_from(change->of->number),
			.ext = str_from(call->caller),
			.phone = str_from(call->external),
			.began = str_from(began)};
		buf_add_char(&wanted, wanted.size > 0 ? ',' : '[');
		json_write(&wanted, click_fields, &row);
	}
	buf_add_char(&wanted, ']');
	if (wanted.size > 1 && !wanted.failed) {
		if (*batch == NULL)
			*batch = pg_batch_new(arena);
		pg_put_str(&params, arena, buf_str(&wanted));
		pg_batch_add(*batch, sql_clicks, &params);
		d->gateway.click_lookup = before;
	}
	buf_free(&wanted);
}

void gateway_take_clicks(
	struct dispatcher *d, const struct changes *changes, const struct pg_batch *batch)
{
	int at = d->gateway.click_lookup;
	if (at < 0)
		return;
	for (unsigned i = 0; i < changes->count; i++) {
		if (!asks(d, changes->items[i]))
			continue;
		struct gateway_told *told = gateway_told_find(d, changes->items[i]->call_id);
		if (told == NULL)
			told = gateway_told_new(d, changes->items[i]);
		told->click_asked = true;
	}
	for (int row = 0; row < pg_rows(batch, at); row++) {
		struct gateway_told *told = gateway_told_find(d, pg_int(batch, at, row, 0));
		if (told != NULL)
			crm_told_set_origin(&told->told, pg_text(batch, at, row, 1),
				pg_text(batch, at, row, 2));
	}
	d->gateway.click_lookup = -1;
}
