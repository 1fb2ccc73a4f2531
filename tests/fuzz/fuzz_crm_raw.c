/*
 * fuzz_crm_raw: any bytes as a raw event of a PBX, and as a call that is read from JSON.
 *
 * Beyond "does not crash": what is wrong has words; a call that comes out can be written and is read
 * again as the same; its phone is a number, and hidden exactly when there is none.
 */
#include "crm_raw.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 64 << 20 };

static const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_number(struct str phone)
{
	for (size_t i = 0; i < phone.size; i++) {
		if ((phone.data[i] < '0' || phone.data[i] > '9') &&
			!(i == 0 && phone.data[i] == '+'))
			return false;
	}
	return true;
}

static struct str write_call(const struct crm_call *call, struct arena *arena)
{
	struct str text;
	struct buf buf;

	buf_init(&buf, MEMORY_MAX);
	crm_call_write(&buf, call);
	require(!buf.failed);
	text = str_of(arena_strndup(arena, buf.data, buf.size), buf.size);
	buf_free(&buf);
	return text;
}

/* Longer texts than a call may have are refused when it is read. */
static void check_written(const struct crm_call *call, struct arena *arena)
{
	struct str text = write_call(call, arena);
	struct json *json = json_parse(text, limits, NULL);
	struct error error = {0};
	struct crm_call again;

	require(json != NULL || text.size > limits.max_bytes);
	if (json != NULL && crm_call_read(json, arena, &again, &error))
		require(str_equal(text, write_call(&again, arena)));
	json_free(&json);
}

static void check_raw(const struct json *json, bool over, struct arena *arena)
{
	const struct crm_raw_source source = {
		.unique_id = STR("1763740800.1"), .raw = json, .over = over, .country = "BY"};
	struct error error = {0};
	struct crm_call call;
	enum crm_raw_is is = crm_raw_read(&source, arena, &call, &error);

	if (is == CRM_RAW_WRONG)
		require(error.kind == ERROR_INPUT && error.text[0] != '\0');
	if (is != CRM_RAW_CALL)
		return;
	require(is_number(call.phone) && call.hidden == (call.phone.size == 0));
	require(over || call.result == CRM_OPEN);
	require(call.result == CRM_TALKED || call.talkers.count == 0);
	check_written(&call, arena);
}

static void check_call(const struct json *json, struct arena *arena)
{
	struct error error = {0};
	struct crm_call call;

	if (crm_call_read(json, arena, &call, &error))
		check_written(&call, arena);
	else
		require(error.kind == ERROR_INPUT && error.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(MEMORY_MAX);
	struct json *json = json_parse(str_of((const char *)data, size), limits, NULL);

	if (json != NULL) {
		check_raw(json, false, arena);
		check_raw(json, true, arena);
		check_call(json, arena);
	}
	json_free(&json);
	arena_free(&arena);
	return 0;
}
