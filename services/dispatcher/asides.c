/*
 * asides: see asides.h.
 */
#include "asides.h"

#include "dispatcher.h"
#include "html.h"
#include "phone.h"
#include "store.h"

#include <inttypes.h>

#define BODY_MAX_BYTES ((size_t)128 << 10)
#define ROWS_MAX_BYTES ((size_t)4 << 20)
#define URL_MAX_BYTES  1000
#define NAME_MAX_BYTES 200
#define TEXT_MAX_UNITS 3000 /* UTF-16; Telegram takes 4096, and there are lines around it */
#define HTML_BYTES     ((size_t)64 << 10)

struct aside {
	int64_t id;
	unsigned shard;
	const char *enterprise, *trace;
	int64_t since_ms;
	struct str phone, line, channel, text, name;
	struct aside *next;
};

struct wire {
	struct str unique_id, url, phone, line, channel, text, name;
	int64_t call_type;
};

static const struct json_field wire_fields[] = {
	JSON_FIELD_AS(struct wire, unique_id, "UniqueId", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, url, "Url", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, phone, "Phone", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, line, "Trunk", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, channel, "Channel", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, text, "Text", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, name, "Name", JSON_STRING, 0),
	JSON_FIELD_AS(struct wire, call_type, "CallType", JSON_INT64, 0),
	{.name = NULL},
};

/* A call that was merged into another is not found, and needs none. */
static const char sql_recordings[] =
	"UPDATE calls c SET call_url = x.url, recorded_at = coalesce(c.recorded_at, now())"
	" FROM json_to_recordset($1::json) AS x (enterprise text, call text, url text)"
	" WHERE c.unique_id = x.call AND c.enterprise_id = x.enterprise"
	" AND c.call_url IS DISTINCT FROM x.url";

void asides_init(struct asides *asides)
{
	*asides = (struct asides){.count = 0};
	buf_init(&asides->recordings, ROWS_MAX_BYTES);
}

void asides_free(struct asides *asides)
{
	buf_free(&asides->recordings);
}

void asides_begin(struct dispatcher *d)
{
	struct asides *asides = &d->round.asides;
	asides->texts = NULL;
	asides->last_text = &asides->texts;
	asides->count = 0;
	buf_clear(&asides->recordings);
}

/* -- taking ---------------------------------------------------------------------------------------- */

static void recording_take(
	struct dispatcher *d, const struct log_event *event, const struct wire *wire)
{
	struct buf *rows = &d->round.asides.recordings;
	bool link = html_link_works(wire->url) && wire->url.size <= URL_MAX_BYTES;
	if (!link || wire->unique_id.size == 0) {
		log_warn(&d->log, "recording: event %" PRId64 " has no link to one", event->at.id);
		return;
	}
	buf_add_char(rows, rows->size > 0 ? ',' : '[');
	buf_add(rows, STR("{\"enterprise\":"));
	json_add_string(rows, event->enterprise);
	buf_add(rows, STR(",\"call\":"));
	json_add_string(rows, wire->unique_id);
	buf_add(rows, STR(",\"url\":"));
	json_add_string(rows, wire->url);
	buf_add_char(rows, '}');
}

/* What we sent ourselves is nothing new to anybody. */
static void text_take(struct dispatcher *d, const struct log_event *event, const struct wire *wire)
{
	struct asides *asides = &d->round.asides;
	struct arena *arena = d->round.arena;
	if (wire->call_type != 0)
		return;
	struct aside *aside = arena_alloc(arena, sizeof(*aside));
	*aside = (struct aside){.id = event->at.id,
		.shard = event->shard,
		.enterprise = arena_strndup(arena, event->enterprise.data, event->enterprise.size),
		.trace = event->trace,
		.since_ms = event->received_ms,
		.phone = wire->phone,
		.line = wire->line,
		.channel = wire->channel,
		.text = wire->text,
		.name = wire->name};
	*asides->last_text = aside;
	asides->last_text = &aside->next;
}

bool asides_take(struct dispatcher *d, const struct log_event *event)
{
	const struct json_limits limits = {BODY_MAX_BYTES, CALL_EVENT_JSON_DEPTH};
	bool recording = str_equal(event->type, STR("recording"));
	struct wire wire = {.call_type = 0};
	struct error error;
	if (!recording && !str_equal(event->type, STR("text")))
		return false;
	struct json *body = json_parse(event->body, limits, &error);
	bool ok = body != NULL && json_read(body, wire_fields, &wire, d->round.arena, &error);
	d->round.asides.count++;
	if (!ok)
		log_warn(&d->log, "event %" PRId64 " of the log is skipped: %s", event->at.id,
			error.text);
	else if (recording)
		recording_take(d, event, &wire);
	else
		text_take(d, event, &wire);
	json_free(&body);
	return true;
}

/* -- telling --------------------------------------------------------------------------------------- */

/* At most so many UTF-16 units of it, in whole characters. */
static struct str text_cut(struct str text, int units)
{
	size_t at = 0;
	while (at < text.size && units > 0) {
		size_t size = str_utf8_size(str_of(text.data + at, text.size - at));
		size = size > 0 ? size : 1;
		units -= size == 4 ? 2 : 1;
		if (units >= 0)
			at += size;
	}
	return str_of(text.data, at);
}

/* 💬 WhatsApp, the number with the name, the line; then what was written. All of it is somebody else's
 * words: escaped. */
static void text_write(const struct tenant *tenant, const struct aside *aside, struct buf *to)
{
	char phone[PHONE_TEXT_BYTES];
	char line[64];
	struct str text = text_cut(aside->text, TEXT_MAX_UNITS);
	(void)str_copy(line, sizeof(line), aside->line);
	const char *line_name = tenant_line_name(tenant, line);
	bool whatsapp = str_equal(aside->channel, STR("whatsapp"));
	phone_format(aside->phone, phone);
	buf_printf(to, "💬 <b>%s</b>\n📱", whatsapp ? "WhatsApp" : "SMS");
	buf_add_html(to, str_from(phone));
	if (aside->name.size > 0) {
		buf_add_char(to, ' ');
		buf_add_html(to, text_cut(aside->name, NAME_MAX_BYTES));
	}
	buf_add(to, STR("\n📞"));
	buf_add_html(to, line_name[0] != '\0' ? str_from(line_name) : str_from(line));
	if (text.size == 0)
		return;
	buf_add(to, STR("\n\n"));
	buf_add_html(to, text);
	if (text.size < aside->text.size)
		buf_add(to, STR("…"));
}

static struct plan *text_plan(struct dispatcher *d, const struct aside *aside)
{
	const struct directory_tenant *tenant =
		directory_find(&d->directory, str_from(aside->enterprise));
	struct arena *arena = d->round.arena;
	struct plan *plan = NULL;
	struct buf html;
	if (tenant == NULL)
		return NULL;
	buf_init(&html, HTML_BYTES);
	text_write(&tenant->tenant, aside, &html);
	if (!html.failed)
		plan = plan_announcement(d,
			&(struct plan_wish){.call_id = aside->id,
				.shard = aside->shard,
				.enterprise = aside->enterprise,
				.trace = aside->trace,
				.since_ms = aside->since_ms},
			str_of(arena_strndup(arena, html.data, html.size), html.size), arena);
	buf_free(&html);
	return plan;
}

void asides_plan(struct dispatcher *d, struct store *store)
{
	struct round *round = &d->round;
	for (const struct aside *at = round->asides.texts; at != NULL; at = at->next) {
		struct plan *plan = text_plan(d, at);
		if (plan == NULL)
			continue;
		store_plan(store, plan);
		*round->last_plan = plan;
		round->last_plan = &plan->next;
	}
}

void asides_add_recordings(struct dispatcher *d, struct pg_batch *batch)
{
	struct buf *rows = &d->round.asides.recordings;
	struct pg_params params = {0};
	if (rows->size == 0 || rows->failed)
		return;
	buf_add_char(rows, ']');
	pg_put_str(&params, d->round.arena, buf_str(rows));
	pg_batch_add(batch, sql_recordings, &params);
}
