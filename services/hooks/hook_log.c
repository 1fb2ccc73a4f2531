/*
 * hook_log: see hook_log.h. Copies are taken while a request is answered; all else is done afterwards.
 */
#include "hook_log.h"

#include "alloc.h"
#include "clock.h"
#include "hooks.h"
#include "log_mask.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MAX_WAITING = 4096, /* requests */
	MAX_TEXT = 8 << 10, /* of a request, of an answer: the rest is cut off */
	MAX_BYTES = 16 << 20,
	A_BATCH = 256,
	COLUMNS = 11,
	GATHER_MS = 200,
	AGAIN_MS = 1000,
	WRITE_MS = 10000,
	WRITE_BYTES = 32 << 20,
};

struct entry {
	struct entry *next;
	int64_t at_ms;
	int status;
	int64_t took_us;
	const char *signature;
	struct str id, method, path, peer, number, sid, query, body, answer; /* in text */
	size_t bytes;
	char text[];
};

struct hook_log {
	struct hooks *hooks;
	struct entry *first, **last;
	unsigned waiting;
	size_t bytes;
	struct flow_queue arrived;
	struct pg_array columns[COLUMNS];
	struct metric *dropped, *written;
};

/* -- taking ---------------------------------------------------------------------------------------------- */

static struct str cut(struct str text)
{
	return str_of(text.data, text.size < MAX_TEXT ? text.size : MAX_TEXT);
}

static char *add(char *to, struct str from, struct str *copy)
{
	if (from.size > 0)
		memcpy(to, from.data, from.size);
	*copy = str_of(to, from.size);
	return to + from.size;
}

static struct entry *entry_new(const struct http_seen *seen)
{
	static const struct hook_note none = {.signature = ""};
	const struct hook_note *note = seen->note != NULL ? seen->note : &none;
	const struct http_request *request = seen->request;
	struct str id = str_from(request->trace), peer = str_from(request->peer);
	struct str path = cut(request->path), query = cut(request->query);
	struct str body = cut(request->body), answer = cut(seen->answer);
	bool audio = str_starts(request->path, STR("/static/")) && seen->status == 200;
	answer.size = audio ? 0 : answer.size;
	size_t bytes = sizeof(struct entry) + id.size + peer.size + request->method.size +
		       path.size + query.size + body.size + answer.size + note->number.size +
		       note->sid.size;
	struct entry *entry = alloc_zeroed(1, bytes);
	char *to = entry->text;

	to = add(to, id, &entry->id);
	to = add(to, peer, &entry->peer);
	to = add(to, request->method, &entry->method);
	to = add(to, path, &entry->path);
	to = add(to, query, &entry->query);
	to = add(to, body, &entry->body);
	to = add(to, answer, &entry->answer);
	to = add(to, cut(note->number), &entry->number);
	(void)add(to, cut(note->sid), &entry->sid);
	entry->signature = note->signature;
	entry->at_ms = clock_wall_ms();
	entry->status = seen->status;
	entry->took_us = seen->took_us;
	entry->bytes = bytes;
	return entry;
}

void hook_log_seen(void *context, const struct http_seen *seen)
{
	struct hooks *hooks = context;
	struct hook_log *log = hooks->log;
	struct entry *entry;

	if (log == NULL || service_has_path(seen->request->path))
		return;
	if (log->waiting >= MAX_WAITING || log->bytes >= MAX_BYTES) {
		metric_add(log->dropped, 1);
		return;
	}
	entry = entry_new(seen);
	*log->last = entry;
	log->last = &entry->next;
	log->waiting++;
	log->bytes += entry->bytes;
	flow_queue_wake(&log->arrived, 1);
}

static void drop_first(struct hook_log *log)
{
	struct entry *entry = log->first;

	log->first = entry->next;
	if (log->first == NULL)
		log->last = &log->first;
	log->waiting--;
	log->bytes -= entry->bytes;
	free(entry);
}

/* -- a row --------------------------------------------------------------------------------------------------- */

/* Forms are kept as lines, readable; all of it without secrets and with phones masked as in logs. */
static void show(struct str text, bool form, struct arena *arena, bool phones, struct buf *to)
{
	struct buf lines, open;
	struct twilio_form fields;
	struct error ignored;

	buf_init(&lines, (size_t)4 * MAX_TEXT);
	buf_init(&open, (size_t)4 * MAX_TEXT);
	if (form && twilio_form_read(text, arena, &fields, &ignored)) {
		for (size_t i = 0; i < fields.count; i++)
			buf_printf(&lines, "%.*s=%.*s\n", STR_ARG(fields.fields[i].name),
				STR_ARG(fields.fields[i].value));
	} else {
		buf_add(&lines, text);
	}
	hook_mask(buf_str(&lines), &open);
	if (phones)
		buf_add(to, buf_str(&open));
	else
		log_mask(to, buf_str(&open));
	buf_free(&lines);
	buf_free(&open);
}

/* Bytes that are no UTF-8 never reach PostgreSQL. */
static void add_text(struct pg_array *column, struct str text)
{
	struct buf clean;
	size_t at = 0;

	if (str_is_utf8(text) && (text.size == 0 || memchr(text.data, '\0', text.size) == NULL)) {
		pg_array_add_str(column, text);
		return;
	}
	buf_init(&clean, (size_t)16 * MAX_TEXT);
	while (at < text.size) {
		struct str rest = str_of(text.data + at, text.size - at);
		size_t size = rest.data[0] != '\0' ? str_utf8_size(rest) : 0;

		buf_add(&clean, size > 0 ? str_of(rest.data, size) : STR("?"));
		at += size > 0 ? size : 1;
	}
	pg_array_add_str(column, buf_str(&clean));
	buf_free(&clean);
}

static bool is_form(struct str text)
{
	return text.size > 0 && text.data[0] != '{' && text.data[0] != '[' &&
	       memchr(text.data, '=', text.size) != NULL;
}

static void add_shown(struct flow *flow, struct pg_array *column, struct str text, struct str more)
{
	const struct hooks *hooks = flow_context(flow);
	bool phones = hooks->settings->show_phones;
	struct buf shown;

	buf_init(&shown, (size_t)16 * MAX_TEXT);
	show(text, is_form(text), flow_arena(flow), phones, &shown);
	show(more, is_form(more), flow_arena(flow), phones, &shown);
	add_text(column, buf_str(&shown));
	buf_free(&shown);
}

static void add_row(struct flow *flow, struct pg_array *columns, const struct entry *entry)
{
	char at[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(entry->at_ms, at);
	add_text(&columns[0], entry->id);
	add_text(&columns[1], str_from(at));
	add_text(&columns[2], entry->method);
	add_text(&columns[3], entry->path);
	add_text(&columns[4], entry->peer);
	add_text(&columns[5], entry->number);
	add_text(&columns[6], entry->sid);
	add_text(&columns[7], str_from(entry->signature));
	pg_array_add_int8(&columns[8], entry->status);
	pg_array_add_int8(&columns[9], entry->took_us);
	add_shown(flow, &columns[10], entry->query, entry->body);
}

/* -- writing ------------------------------------------------------------------------------------------------- */

static const char sql_write[] =
	"INSERT INTO hook_requests (request_id, received_at, method, path, peer, our_number, sid, "
	"signature, status, took_us, request, answer) SELECT a, b::timestamptz, c, d, e, f, g, h, "
	"i::integer, least(j, 2147483647)::integer, k, l FROM unnest($1::text[], $2::text[], "
	"$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int8[], "
	"$10::int8[], $11::text[], $12::text[]) AS t (a, b, c, d, e, f, g, h, i, j, k, l)";

struct writing {
	struct pg_batch *batch;
	struct pg_array answers;
	unsigned count;
};

static enum flow_status write_send(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct hook_log *log = hooks->log;
	struct writing *writing = flow_state(flow);
	struct pg_params params = {0};

	for (int i = 0; i < COLUMNS; i++)
		pg_array_clear(&log->columns[i]);
	pg_array_text_init(&writing->answers, WRITE_BYTES);
	for (const struct entry *at = log->first; at != NULL && writing->count < A_BATCH;
		at = at->next) {
		add_row(flow, log->columns, at);
		add_shown(flow, &writing->answers, at->answer, str_of(NULL, 0));
		writing->count++;
	}
	for (int i = 0; i < COLUMNS; i++)
		pg_put_array(&params, &log->columns[i]);
	pg_put_array(&params, &writing->answers);
	return await_pg_query(flow, hooks->pg, &writing->batch, sql_write, &params);
}

/* A row that PostgreSQL refuses takes its batch with it: rather that than to be stuck. */
static enum flow_status write_over(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct hook_log *log = hooks->log;
	struct writing *writing = flow_state(flow);
	struct error error;
	bool good = pg_batch_ok(writing->batch, &error);

	if (!good && error.kind != ERROR_INPUT)
		return flow_fail_error(flow, &error);
	if (!good)
		log_error(
			flow_log(flow), "%u requests are not kept: %s", writing->count, error.text);
	metric_add(good ? log->written : log->dropped, writing->count);
	for (unsigned i = 0; i < writing->count; i++)
		drop_first(log);
	return FLOW_END;
}

static void write_finally(struct flow *flow)
{
	struct writing *writing = flow_state(flow);

	pg_array_free(&writing->answers);
}

static const struct flow_step write_steps[] = {
	{"send", write_send},
	{"over", write_over},
	{NULL, NULL},
};

static const struct flow_spec write_flow = {
	.name = "hook-log-write",
	.steps = write_steps,
	.finally = write_finally,
	.state_bytes = sizeof(struct writing),
	.arena_max_bytes = WRITE_BYTES,
	.deadline_ms = WRITE_MS,
};

/* -- for ever ------------------------------------------------------------------------------------------------ */

enum { LOG_WAIT, LOG_GATHER, LOG_WRITE };

static bool usable(const struct hooks *hooks)
{
	return pg_ready(hooks->pg) && schema_why_not(hooks->schema) == NULL;
}

static enum flow_status log_wait(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);
	struct hook_log *log = hooks->log;

	if (log->first == NULL)
		return await_queue(flow, &log->arrived);
	return FLOW_NEXT;
}

static enum flow_status log_gather(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);

	if (hooks->log->waiting >= A_BATCH && usable(hooks))
		return FLOW_NEXT;
	return await_sleep(flow, usable(hooks) ? GATHER_MS : AGAIN_MS);
}

static enum flow_status log_write(struct flow *flow)
{
	struct hooks *hooks = flow_context(flow);

	flow_goto(flow, LOG_WAIT);
	if (!usable(hooks) || hooks->log->first == NULL)
		return FLOW_NEXT;
	flow_spawn(flow, &write_flow);
	return await_children(flow);
}

static const struct flow_step log_steps[] = {
	[LOG_WAIT] = {"wait", log_wait},
	[LOG_GATHER] = {"gather", log_gather},
	[LOG_WRITE] = {"write", log_write},
	{NULL, NULL},
};

static const struct flow_spec log_flow = {
	.name = "hook-log", .steps = log_steps, .deadline_ms = FLOW_FOREVER};

/* -- life -------------------------------------------------------------------------------------------------------- */

struct hook_log *hook_log_new(struct hooks *hooks)
{
	struct hook_log *log = alloc_zeroed(1, sizeof(*log));
	struct metrics *metrics = service_metrics(hooks->service);

	log->hooks = hooks;
	log->last = &log->first;
	flow_queue_init(&log->arrived);
	for (int i = 0; i < COLUMNS; i++) {
		if (i == 8 || i == 9)
			pg_array_int8_init(&log->columns[i], WRITE_BYTES);
		else
			pg_array_text_init(&log->columns[i], WRITE_BYTES);
	}
	log->written = metrics_counter(metrics, "callweave_hook_requests_kept_total", NULL,
		"Requests that were written to hook_requests");
	log->dropped = metrics_counter(metrics, "callweave_hook_requests_dropped_total", NULL,
		"Requests that were not: too many at once, or PostgreSQL was away for long");
	hooks->log = log;
	flow_start(hooks->loop, &log_flow, hooks, service_log(hooks->service));
	return log;
}

void hook_log_free(struct hook_log **log)
{
	if (*log == NULL)
		return;
	while ((*log)->first != NULL)
		drop_first(*log);
	for (int i = 0; i < COLUMNS; i++)
		pg_array_free(&(*log)->columns[i]);
	free(*log);
	*log = NULL;
}

/* A drain does not wait for PostgreSQL to come back. */
bool hook_log_idle(const struct hook_log *log)
{
	return log->first == NULL || !usable(log->hooks);
}
