/*
 * faults: the list of what shall go wrong. Apart from the services, which then need not know that
 * faults exist: one kind of fault serves all of them, also those that come later.
 */
#include "faults.h"

#include "alloc.h"
#include "json_put.h"
#include "outside.h"

#include <stdlib.h>

/* In order of age: the oldest that fits meets a request. A thousand are looked through for each
 * one, which costs less than a system call. */
struct faults {
	struct fault list[FAULTS_MAX];
	size_t count;
	int64_t last_id, fired;
};

struct faults *faults_new(void)
{
	return alloc_zeroed(1, sizeof(struct faults));
}

static void remove_at(struct faults *faults, size_t at)
{
	free(faults->list[at].body);
	faults->count--;
	memmove(&faults->list[at], &faults->list[at + 1],
		(faults->count - at) * sizeof(faults->list[0]));
}

void faults_clear(struct faults *faults)
{
	while (faults->count > 0)
		remove_at(faults, faults->count - 1);
}

void faults_free(struct faults **faults)
{
	if (*faults == NULL)
		return;
	faults_clear(*faults);
	free(*faults);
	*faults = NULL;
}

struct input {
	struct str service, path, body, words;
	const struct json *drop;
	int64_t status, retry_after, delay_ms, times, chat_id;
	bool act_first;
};

static const struct json_field input_fields[] = {
	JSON_FIELD(struct input, service, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct input, path, JSON_STRING, 0),
	JSON_FIELD(struct input, body, JSON_STRING, 0),
	JSON_FIELD_AS(struct input, words, "description", JSON_STRING, 0),
	JSON_FIELD(struct input, drop, JSON_RAW, 0),
	JSON_FIELD(struct input, status, JSON_INT64, 0),
	JSON_FIELD(struct input, retry_after, JSON_INT64, 0),
	JSON_FIELD(struct input, delay_ms, JSON_INT64, 0),
	JSON_FIELD(struct input, times, JSON_INT64, 0),
	JSON_FIELD(struct input, chat_id, JSON_INT64, JSON_LAX),
	JSON_FIELD(struct input, act_first, JSON_BOOL, 0),
	{NULL},
};

/* true is the older form of "before"; tests write whichever reads better. */
static bool read_drop(const struct json *json, enum fault_drop *drop)
{
	*drop = FAULT_ANSWER;
	if (json == NULL || json_kind(json) == JSON_NULL)
		return true;
	if (json_kind(json) == JSON_BOOLEAN)
		*drop = json_is_true(json) ? FAULT_DROP_BEFORE : FAULT_ANSWER;
	else if (str_equal(json_text(json), STR("before")))
		*drop = FAULT_DROP_BEFORE;
	else if (str_equal(json_text(json), STR("after")))
		*drop = FAULT_DROP_AFTER;
	else if (str_equal(json_text(json), STR("middle")))
		*drop = FAULT_DROP_MIDDLE;
	else if (str_equal(json_text(json), STR("stall")))
		*drop = FAULT_STALL;
	else
		return false;
	return true;
}

static bool check(const struct input *input, struct fault *fault, struct error *error)
{
	/* A misspelt service would make a fault that never fires and a test that passes for
	 * nothing. */
	if (outside_find_name(input->service) < 0)
		return error_set(error, ERROR_INPUT, "service: unknown");
	if (input->status != 0 && (input->status < 200 || input->status > 599))
		return error_set(error, ERROR_INPUT, "status: takes 200 to 599");
	/* 0 would be used up before it meets anything. */
	if (input->times < -1 || input->times == 0)
		return error_set(error, ERROR_INPUT, "times: takes 1 or more, or -1");
	if (input->delay_ms < 0 || input->delay_ms > FAULTS_MAX_DELAY_MS)
		return error_set(
			error, ERROR_INPUT, "delay_ms: takes 0 to %d", FAULTS_MAX_DELAY_MS);
	if (input->retry_after < 0 || input->retry_after > FAULTS_MAX_RETRY_S)
		return error_set(
			error, ERROR_INPUT, "retry_after: takes 0 to %d", FAULTS_MAX_RETRY_S);
	if (input->body.size > FAULTS_MAX_BODY)
		return error_set(error, ERROR_INPUT, "body: longer than %d bytes", FAULTS_MAX_BODY);
	if (!read_drop(input->drop, &fault->drop))
		return error_set(error, ERROR_INPUT,
			"drop: takes true, \"before\", \"after\", \"middle\" or \"stall\"");
	if (!str_copy(fault->service, sizeof(fault->service), input->service) ||
		!str_copy(fault->path, sizeof(fault->path), input->path) ||
		!str_copy(fault->words, sizeof(fault->words), input->words))
		return error_set(error, ERROR_INPUT, "path, description: too long");
	return true;
}

static bool read_fault(
	const struct json *json, struct fault *fault, struct arena *arena, struct error *error)
{
	struct input input = {.times = 1};

	if (!json_read(json, input_fields, &input, arena, error) || !check(&input, fault, error))
		return false;
	fault->status = (int)input.status;
	fault->retry_after_s = input.retry_after;
	fault->delay_ms = input.delay_ms;
	fault->times = input.times;
	fault->chat_id = input.chat_id;
	/* "after" means that the service has acted and only its answer is lost: the case that
	 * makes clients send twice. */
	fault->act_first = input.act_first || fault->drop == FAULT_DROP_AFTER;
	if (input.body.size > 0)
		fault->body = alloc_text(input.body);
	return true;
}

bool faults_add(struct faults *faults, struct str text, int64_t *id, struct error *error)
{
	struct json *json = json_parse(text, (struct json_limits){1 << 20, 8}, error);
	struct arena *arena;
	struct fault fault = {0};
	bool good;

	if (json == NULL)
		return false;
	arena = arena_new(4 << 20);
	good = read_fault(json, &fault, arena, error);
	if (good && faults->count == FAULTS_MAX) {
		free(fault.body);
		good = error_set(error, ERROR_BUSY, "%d faults are waiting already", FAULTS_MAX);
	}
	if (good) {
		*id = fault.id = ++faults->last_id;
		faults->list[faults->count++] = fault;
	}
	arena_free(&arena);
	json_free(&json);
	return good;
}

static bool contains(struct str text, const char *part)
{
	return part[0] == 0 || (text.size > 0 && memmem(text.data, text.size, part, strlen(part)));
}

static bool meets(const struct fault *fault, const struct fault_subject *subject)
{
	return str_equal(subject->service, str_from(fault->service)) &&
	       (fault->chat_id == 0 || fault->chat_id == subject->chat_id) &&
	       (contains(subject->method, fault->path) || contains(subject->path, fault->path));
}

bool faults_meet(struct faults *faults, const struct fault_subject *subject, struct arena *arena,
	struct fault *fault)
{
	for (size_t i = 0; i < faults->count; i++) {
		if (!meets(&faults->list[i], subject))
			continue;
		*fault = faults->list[i];
		/* A copy, because the original is freed when its last time is used up, and the
		 * request may hang for long yet. */
		if (fault->body != NULL)
			fault->body = arena_strdup(arena, fault->body);
		faults->fired++;
		if (faults->list[i].times > 0 && --faults->list[i].times == 0)
			remove_at(faults, i);
		return true;
	}
	return false;
}

void faults_write(const struct faults *faults, struct buf *to)
{
	static const char *const drops[] = {[FAULT_ANSWER] = "",
		[FAULT_DROP_BEFORE] = "before",
		[FAULT_DROP_AFTER] = "after",
		[FAULT_DROP_MIDDLE] = "middle",
		[FAULT_STALL] = "stall"};
	struct json_writer writer;

	/* Enough to recognise a fault by; words and body are as long as their author wished. */
	json_begin(&writer, to);
	json_open_array(&writer);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->list[i];
		json_open_object(&writer);
		json_put_member_int(&writer, "id", fault->id);
		json_put_member_str(&writer, "service", str_from(fault->service));
		json_put_member_str(&writer, "path", str_from(fault->path));
		json_put_member_int(&writer, "chat_id", fault->chat_id);
		json_put_member_int(&writer, "status", fault->status);
		json_put_member_int(&writer, "retry_after", fault->retry_after_s);
		json_put_member_int(&writer, "delay_ms", fault->delay_ms);
		json_put_member_str(&writer, "drop", str_from(drops[fault->drop]));
		json_put_member_int(&writer, "remaining", fault->times);
		json_close_object(&writer);
	}
	json_close_array(&writer);
}

int64_t faults_fired(const struct faults *faults)
{
	return faults->fired;
}
