/*
 * recovery_upload: see recovery_upload.h.
 */
#include "recovery_upload.h"

#include <unistd.h>

enum {
	CLOCK_SKEW_S = 300, /* as Standard Webhooks has it */
	ROWS_A_BATCH = 1000,
	BATCH_MAX_US = 4000,
	COLUMN_MAX_BYTES = 80 << 20, /* a thousand bodies of 64 KiB */
	ROWS_MAX = 5000000,
	BAD_ALWAYS_ALLOWED = 100,
	TEXT_MAX_BYTES = 64 * 1024,
	ROWS_ARENA_BYTES = 8 << 20,
};

enum { COLUMN_N, COLUMN_TYPE, COLUMN_UNIQUE_ID, COLUMN_AT, COLUMN_BODY };

/* -- whose ------------------------------------------------------------------------------------------ */

/* The table of enterprises may be replaced while the upload is read: what is needed of it is copied. */
static void take_owner(
	struct flow *flow, const struct enterprise *enterprise, struct recovery_upload *upload)
{
	struct arena *arena = flow_arena(flow);

	upload->zone = clock_zone_new(
		arena_strndup(arena, enterprise->zone_name.data, enterprise->zone_name.size));
	upload->owner = (struct recovery_owner){
		.number = str_from(
			arena_strndup(arena, enterprise->number.data, enterprise->number.size)),
		.name2 = str_from(arena_strndup(arena,
			enterprise->name2.size > 0 ? enterprise->name2.data : "",
			enterprise->name2.size)),
		.secret = str_from(
			arena_strndup(arena, enterprise->secret.data, enterprise->secret.size)),
		.zone = upload->zone,
		.now_ms = clock_wall_ms(),
	};
	flow_set_enterprise(flow, upload->owner.number.data);
}

static bool check_timestamp(struct str timestamp, struct error *error)
{
	int64_t then_s = 0, now_s = clock_wall_ms() / 1000;

	if (!str_to_int64(timestamp, &then_s))
		return error_set(
			error, ERROR_AUTH, "X-Callweave-Timestamp: missing, or no seconds");
	if (then_s < now_s - CLOCK_SKEW_S || then_s > now_s + CLOCK_SKEW_S)
		return error_set(error, ERROR_AUTH,
			"X-Callweave-Timestamp: more than %d s away from this server's clock",
			CLOCK_SKEW_S);
	return true;
}

bool recovery_admit(struct flow *flow, const struct tenants *tenants,
	struct recovery_upload *upload, struct error *error)
{
	struct str token = str_trim(http_request_header(flow, "Token"));
	struct str accept = http_request_header(flow, "Accept");
	const struct enterprise *enterprise = tenants_by_token(tenants, token);

	buf_init(&upload->text, TEXT_MAX_BYTES);
	pg_array_int8_init(&upload->columns[COLUMN_N], COLUMN_MAX_BYTES);
	pg_array_text_init(&upload->columns[COLUMN_TYPE], COLUMN_MAX_BYTES);
	pg_array_text_init(&upload->columns[COLUMN_UNIQUE_ID], COLUMN_MAX_BYTES);
	pg_array_int8_init(&upload->columns[COLUMN_AT], COLUMN_MAX_BYTES);
	pg_array_text_init(&upload->columns[COLUMN_BODY], COLUMN_MAX_BYTES);
	upload->timestamp = http_request_header(flow, "X-Callweave-Timestamp");
	upload->signature = http_request_header(flow, "X-Callweave-Signature");
	upload->streams = memmem(accept.size > 0 ? accept.data : "", accept.size,
				  "application/x-ndjson", 20) != NULL;
	if (enterprise == NULL || !enterprise->active)
		return error_set(error, ERROR_AUTH, "Token: unknown");
	if (enterprise->secret.size == 0)
		return error_set(error, ERROR_AUTH,
			"this enterprise has no secret to sign uploads with: set "
			"enterprises.secret");
	take_owner(flow, enterprise, upload);
	return check_timestamp(upload->timestamp, error);
}

bool recovery_verify(struct flow *flow, struct recovery_upload *upload, struct error *error)
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char mac[2 * CRYPTO_SHA256_BYTES + 1];
	const char *text;

	crypto_hash_end(&upload->hash, digest);
	crypto_hex(digest, sizeof(digest), upload->digest);
	text = arena_printf(
		flow_arena(flow), "%.*s.%s", STR_ARG(upload->timestamp), upload->digest);
	crypto_hmac_sha256(upload->owner.secret, str_from(text), digest);
	crypto_hex(digest, sizeof(digest), mac);
	text = arena_printf(flow_arena(flow), "v1=%s", mac);
	if (!str_equal_secret(upload->signature, str_from(text)))
		return error_set(
			error, ERROR_AUTH, "X-Callweave-Signature: missing, or not of this body");
	upload->rows_arena = arena_new(ROWS_ARENA_BYTES);
	upload->batch_arena = arena_new(ROWS_ARENA_BYTES);
	return true;
}

/* -- what is in it ---------------------------------------------------------------------------------- */

static bool note_bad(
	struct recovery_upload *upload, int64_t place, const struct error *why, struct error *error)
{
	if (upload->bad < RECOVERY_BAD_SHOWN) {
		struct recovery_bad_line *line = &upload->bad_lines[upload->bad];

		line->place = place;
		str_copy(line->why, sizeof(line->why), str_from(why->text));
	}
	upload->bad++;
	if (upload->bad > BAD_ALWAYS_ALLOWED && upload->bad > upload->found)
		return error_set(error, ERROR_INPUT,
			"more bad lines than events; the first, %lld: %s",
			(long long)upload->bad_lines[0].place, upload->bad_lines[0].why);
	return true;
}

static bool put(struct recovery_upload *upload, const struct recovery_item *item,
	const struct recovery_event *event, struct error *error)
{
	struct pg_array *columns = upload->columns;

	if (upload->found == ROWS_MAX)
		return error_set(
			error, ERROR_INPUT, "more than %d events: send it in parts", ROWS_MAX);
	pg_array_add_int8(&columns[COLUMN_N], upload->found++);
	pg_array_add_str(&columns[COLUMN_TYPE], str_from(call_event_type_name(event->type)));
	pg_array_add_str(&columns[COLUMN_UNIQUE_ID], event->unique_id);
	pg_array_add_int8(&columns[COLUMN_AT], event->at_ms);
	pg_array_add_str(&columns[COLUMN_BODY], item->body);
	return true;
}

/* False: the whole upload is refused. */
static bool take(struct recovery_upload *upload, const struct recovery_item *item,
	enum recovery_next next, struct error *why)
{
	struct recovery_event event = {0};
	struct error error;

	if (next == RECOVERY_BAD ||
		!recovery_event_read(item, &upload->owner, upload->rows_arena, &event, why)) {
		if (why->kind == ERROR_AUTH)
			return error_prefix(why, "line %lld: ", (long long)item->place);
		if (note_bad(upload, item->place, why, &error))
			return true;
		*why = error;
		return false;
	}
	return put(upload, item, &event, why);
}

bool recovery_read_some(struct recovery_upload *upload, struct error *error)
{
	int64_t until_us = clock_monotonic_us() + BATCH_MAX_US;

	arena_reset(upload->rows_arena);
	for (int i = 0; i < RECOVERY_COLUMNS; i++)
		pg_array_clear(&upload->columns[i]);
	for (int i = 0; i < ROWS_A_BATCH && clock_monotonic_us() < until_us; i++) {
		struct recovery_item item = {0};
		enum recovery_next next = recovery_source_next(upload->source, &item, error);

		upload->ended = next == RECOVERY_END;
		if (next == RECOVERY_BROKEN)
			return false;
		if (upload->ended)
			break;
		if (!take(upload, &item, next, error))
			return false;
	}
	if (upload->ended && upload->found == 0 && upload->bad > 0)
		return error_set(error, ERROR_INPUT, "no event in it; line %lld: %s",
			(long long)upload->bad_lines[0].place, upload->bad_lines[0].why);
	return true;
}

/* -- words ------------------------------------------------------------------------------------------ */

static void put_count(struct json_writer *writer, const char *name, int64_t value)
{
	json_put_name(writer, name);
	json_put_int(writer, value);
}

static void open_text(struct recovery_upload *upload, struct json_writer *writer)
{
	buf_clear(&upload->text);
	json_begin(writer, &upload->text);
	json_open_object(writer);
	put_count(writer, "upload", upload->id);
	put_count(writer, "found", upload->found);
	put_count(writer, "bad", upload->bad);
}

static struct str close_text(struct recovery_upload *upload, struct json_writer *writer)
{
	json_close_object(writer);
	buf_add_char(&upload->text, '\n');
	return buf_str(&upload->text);
}

static void put_bad_lines(struct recovery_upload *upload, struct json_writer *writer)
{
	json_put_name(writer, "bad_lines");
	json_open_array(writer);
	for (int i = 0; i < upload->bad && i < RECOVERY_BAD_SHOWN; i++) {
		json_open_object(writer);
		put_count(writer, "line", upload->bad_lines[i].place);
		json_put_name(writer, "why");
		json_put_str(writer, str_from(upload->bad_lines[i].why));
		json_close_object(writer);
	}
	json_close_array(writer);
}

struct str recovery_progress(struct recovery_upload *upload)
{
	struct json_writer writer;

	open_text(upload, &writer);
	json_put_name(&writer, "state");
	json_put_str(&writer, STR("reading"));
	return close_text(upload, &writer);
}

struct str recovery_result(struct recovery_upload *upload)
{
	struct json_writer writer;

	open_text(upload, &writer);
	put_count(&writer, "new", upload->fresh);
	put_count(&writer, "known", upload->known);
	json_put_name(&writer, "state");
	json_put_str(&writer, STR("done"));
	put_bad_lines(upload, &writer);
	return close_text(upload, &writer);
}

struct str recovery_refusal(struct recovery_upload *upload)
{
	struct json_writer writer;

	open_text(upload, &writer);
	json_put_name(&writer, "state");
	json_put_str(&writer, STR("refused"));
	json_put_name(&writer, "detail");
	json_put_str(&writer, str_from(upload->error.text));
	put_bad_lines(upload, &writer);
	return close_text(upload, &writer);
}

void recovery_upload_end(struct recovery_upload *upload)
{
	unsigned char digest[CRYPTO_SHA256_BYTES];

	if (upload->hash != NULL)
		crypto_hash_end(&upload->hash, digest);
	recovery_source_free(&upload->source);
	recovery_gunzip_free(&upload->gunzip);
	if (upload->unpacked_fd > 0)
		close(upload->unpacked_fd);
	for (int i = 0; i < RECOVERY_COLUMNS; i++)
		pg_array_free(&upload->columns[i]);
	arena_free(&upload->rows_arena);
	arena_free(&upload->batch_arena);
	clock_zone_free(&upload->zone);
	buf_free(&upload->text);
}
