/*
 * pg_params: values on their way to PostgreSQL, and arrays in its binary format.
 *
 * Arrays are the hot path of ingest: one statement takes a thousand rows as a few arrays, each a
 * block of bytes that grew as the events came, so nothing is formatted or copied at commit time.
 */
#include "pg.h"

#include "clock.h"

#include <inttypes.h>
#include <stdlib.h>

enum { OID_INT8 = 20, OID_TEXT = 25 };
enum { ARRAY_HEADER_BYTES = 20, ARRAY_COUNT_OFFSET = 12, ARRAY_ONE_DIMENSION = 1 };

static void put(struct pg_params *params, const char *value, size_t length, int format)
{
	if (params->count >= PG_MAX_PARAMS || length > INT32_MAX)
		abort(); /* the statement is the program's own: no input leads here */
	params->values[params->count] = value;
	params->lengths[params->count] = (int)length;
	params->formats[params->count] = format;
	params->count++;
}

void pg_put_null(struct pg_params *params)
{
	put(params, NULL, 0, 0);
}

void pg_put_text(struct pg_params *params, const char *text)
{
	put(params, text, text != NULL ? strlen(text) : 0, 0);
}

void pg_put_str(struct pg_params *params, struct arena *arena, struct str text)
{
	put(params, arena_strndup(arena, text.data != NULL ? text.data : "", text.size), text.size,
		0);
}

void pg_put_int(struct pg_params *params, struct arena *arena, int64_t value)
{
	pg_put_text(params, arena_printf(arena, "%" PRId64, value));
}

void pg_put_bool(struct pg_params *params, bool value)
{
	pg_put_text(params, value ? "t" : "f");
}

void pg_put_time(struct pg_params *params, struct arena *arena, int64_t wall_ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (wall_ms == PG_NO_TIME) {
		pg_put_null(params);
		return;
	}
	clock_format_rfc3339(wall_ms, text);
	pg_put_text(params, arena_strdup(arena, text));
}

static void store32(char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (char)(unsigned char)(value >> (24 - 8 * i));
}

static void append32(struct buf *buf, uint32_t value)
{
	char bytes[4];

	store32(bytes, value);
	(void)buf_append(buf, bytes, sizeof(bytes)); /* buf->failed remembers */
}

/* The header of array_recv() in the server: dimensions, "has nulls" (a hint that it recomputes),
 * the element's type, then length and lower bound of the one dimension. */
static void array_begin(struct pg_array *array)
{
	append32(&array->bytes, ARRAY_ONE_DIMENSION);
	append32(&array->bytes, 1);
	append32(&array->bytes, array->element_oid);
	append32(&array->bytes, 0); /* the count: set when it is sent */
	append32(&array->bytes, 1);
}

static void array_init(struct pg_array *array, size_t max_bytes, uint32_t element_oid)
{
	*array = (struct pg_array){.element_oid = element_oid};
	buf_init(&array->bytes, max_bytes + ARRAY_HEADER_BYTES);
	array_begin(array);
}

void pg_array_text_init(struct pg_array *array, size_t max_bytes)
{
	array_init(array, max_bytes, OID_TEXT);
}

void pg_array_int8_init(struct pg_array *array, size_t max_bytes)
{
	array_init(array, max_bytes, OID_INT8);
}

void pg_array_add_str(struct pg_array *array, struct str text)
{
	if (array->element_oid != OID_TEXT || text.size > INT32_MAX)
		abort();
	append32(&array->bytes, (uint32_t)text.size);
	(void)buf_append(&array->bytes, text.data, text.size);
	array->count++;
}

void pg_array_add_int8(struct pg_array *array, int64_t value)
{
	if (array->element_oid != OID_INT8)
		abort();
	append32(&array->bytes, sizeof(value));
	append32(&array->bytes, (uint32_t)((uint64_t)value >> 32));
	append32(&array->bytes, (uint32_t)value);
	array->count++;
}

void pg_array_add_null(struct pg_array *array)
{
	append32(&array->bytes, UINT32_MAX);
	array->count++;
}

void pg_array_clear(struct pg_array *array)
{
	array->count = 0;
	buf_clear(&array->bytes);
	array_begin(array);
}

void pg_array_free(struct pg_array *array)
{
	buf_free(&array->bytes);
	array->count = 0;
}

void pg_put_array(struct pg_params *params, struct pg_array *array)
{
	if (array->bytes.failed)
		abort(); /* half an element may be in it */
	store32(array->bytes.data + ARRAY_COUNT_OFFSET, (uint32_t)array->count);
	put(params, array->bytes.data, array->bytes.size, 1);
}
