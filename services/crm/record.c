/*
 * record: see record.h. A body is kept as JSON where it is some, also out of a form, so that people
 * and SQL can read it; else as text.
 */
#include "record.h"

#include "args.h"
#include "json_put.h"

#include <stdio.h>

enum { PARSE_BYTES = 1 << 20, PARSE_DEPTH = 32, ARENA_BYTES = 8 << 20, URL_BYTES = 1024 };
/* A body may be a mebibyte; masked and escaped it may be several times that before it is cut. */
enum { MASKED_BYTES = 8 << 20 };

void record_init(struct record *record)
{
	*record = (struct record){0};
	buf_init(&record->requests, RECORD_BYTES);
	buf_init(&record->replies, RECORD_BYTES);
}

void record_free(struct record *record)
{
	buf_free(&record->requests);
	buf_free(&record->replies);
}

/* -- bodies ------------------------------------------------------------------------------------------ */

static void put_cut(struct json_writer *writer, struct str masked)
{
	char text[RECORD_PART_BYTES / 2], words[64];
	struct buf whole;

	(void)str_copy(text, sizeof(text), masked);
	(void)snprintf(words, sizeof(words), "... (cut, %zu bytes)", masked.size);
	buf_init(&whole, RECORD_PART_BYTES);
	(void)buf_add(&whole, str_from(text));
	(void)buf_add(&whole, str_from(words));
	json_put_str(writer, buf_str(&whole));
	buf_free(&whole);
}

static void put_text(const struct mask *mask, struct str text, struct json_writer *writer)
{
	struct buf masked;

	buf_init(&masked, MASKED_BYTES);
	mask_text(mask, text, &masked);
	if (masked.size > RECORD_PART_BYTES / 2 || !str_is_utf8(buf_str(&masked)))
		put_cut(writer, buf_str(&masked));
	else
		json_put_str(writer, buf_str(&masked));
	buf_free(&masked);
}

static void put_json(const struct mask *mask, const struct json *json, struct json_writer *writer)
{
	struct buf masked;

	buf_init(&masked, MASKED_BYTES);
	mask_json(mask, json, &masked);
	if (masked.failed)
		json_put_str(writer, STR("... (cut)"));
	else if (masked.size > RECORD_PART_BYTES)
		put_cut(writer, buf_str(&masked));
	else
		json_put_raw(writer, buf_str(&masked));
	buf_free(&masked);
}

static struct json *parsed(struct str text)
{
	struct str trimmed = str_trim(text);

	if (trimmed.size == 0 || strchr("{[", trimmed.data[0]) == NULL)
		return NULL;
	return json_parse(text, (struct json_limits){PARSE_BYTES, PARSE_DEPTH}, NULL);
}

/* A form as an object: values that are JSON as JSON. */
static bool form_as_json(struct str content_type, struct str body, struct buf *to)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	const struct args_source source = {.content_type = content_type, .body = body};
	struct args *args = arena_alloc(arena, sizeof(*args));
	bool done = body.size <= PARSE_BYTES && args_read(args, &source, arena, NULL);

	for (size_t i = 0; done && i < args->count; i++) {
		struct json *json = parsed(args->items[i].value);

		args->items[i].is_json = json != NULL;
		json_free(&json);
	}
	if (done)
		args_write(args, to);
	arena_free(&arena);
	return done;
}

static void put_body(const struct mask *mask, struct str content_type, struct str body,
	struct json_writer *writer)
{
	struct json *json = NULL;
	struct buf form;

	buf_init(&form, MASKED_BYTES);
	if (str_starts(content_type, STR("application/x-www-form-urlencoded"))) {
		if (form_as_json(content_type, body, &form))
			json = parsed(buf_str(&form));
	} else {
		json = parsed(body);
	}
	if (json != NULL)
		put_json(mask, json, writer);
	else
		put_text(mask, body, writer);
	json_free(&json);
	buf_free(&form);
}

/* -- items ------------------------------------------------------------------------------------------- */

static size_t used(const struct record *record)
{
	return record->requests.size + record->replies.size;
}

/* An item, unless there is no room: then it is only counted. */
static void add(struct record *record, struct buf *to, struct buf *item)
{
	if (item->failed || used(record) + item->size + 1 > RECORD_BYTES) {
		record->cut++;
	} else {
		if (to->size > 0)
			(void)buf_add_char(to, ',');
		(void)buf_add(to, buf_str(item));
	}
	buf_free(item);
}

void record_request(
	struct record *record, const struct mask *mask, const struct crm_request *request)
{
	struct json_writer writer;
	struct buf item, url;

	buf_init(&item, RECORD_BYTES);
	buf_init(&url, MASKED_BYTES);
	mask_url(mask, str_from(request->url), &url);
	if (url.size > URL_BYTES) {
		url.size = URL_BYTES;
		url.data[URL_BYTES] = '\0';
	}
	json_begin(&writer, &item);
	json_open_object(&writer);
	json_put_member_str(&writer, "name", str_from(request->name));
	json_put_member_str(&writer, "method", str_from(request->method));
	json_put_member_str(&writer, "url", buf_str(&url));
	if (request->body.size > 0) {
		json_put_name(&writer, "body");
		put_body(mask, str_from(request->content_type), request->body, &writer);
	}
	json_close_object(&writer);
	buf_free(&url);
	add(record, &record->requests, &item);
}

void record_reply(struct record *record, const struct mask *mask, const struct crm_reply *reply)
{
	struct json_writer writer;
	struct buf item;

	buf_init(&item, RECORD_BYTES);
	json_begin(&writer, &item);
	json_open_object(&writer);
	json_put_member_int(&writer, "status", reply->status);
	json_put_name(&writer, "body");
	if (reply->json != NULL)
		put_json(mask, reply->json, &writer);
	else
		put_text(mask, reply->body, &writer);
	json_close_object(&writer);
	add(record, &record->replies, &item);
}

void record_silence(struct record *record, const struct mask *mask, const char *words)
{
	struct json_writer writer;
	struct buf item;

	buf_init(&item, RECORD_BYTES);
	json_begin(&writer, &item);
	json_open_object(&writer);
	json_put_member_int(&writer, "status", 0);
	json_put_name(&writer, "error");
	put_text(mask, str_from(words), &writer);
	json_close_object(&writer);
	add(record, &record->replies, &item);
}

static void put_array(struct json_writer *writer, const char *name, const struct buf *items)
{
	struct buf array;

	buf_init(&array, RECORD_BYTES + 2);
	(void)buf_printf(&array, "[%.*s]", STR_ARG(buf_str(items)));
	json_put_member_raw(writer, name, buf_str(&array));
	buf_free(&array);
}

void record_write(const struct record *record, struct json_writer *writer)
{
	put_array(writer, "requests", &record->requests);
	put_array(writer, "replies", &record->replies);
	if (record->cut > 0)
		json_put_member_int(writer, "cut", record->cut);
}
