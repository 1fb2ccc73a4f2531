/*
 * golden_world: the account, the job and the replies of a golden file.
 */
#include "golden.h"

#include "uri.h"

static const struct json_limits limits = {.max_bytes = GOLDEN_MAX_BYTES, .max_depth = 32};

const struct json *golden_parse(struct golden *golden, struct str text)
{
	struct json *json = json_parse(text, limits, NULL);

	if (json == NULL)
		return NULL;
	assert_true(golden->document_count < GOLDEN_MAX_DOCUMENTS);
	golden->documents[golden->document_count++] = json;
	return json;
}

void golden_free(struct golden *golden)
{
	for (unsigned i = 0; i < golden->document_count; i++)
		json_free(&golden->documents[i]);
	clock_zone_free(&golden->zone);
	arena_free(&golden->arena);
}

struct str golden_text(const struct json *json, struct arena *arena)
{
	struct buf buf;
	struct str text;

	if (json == NULL || json_kind(json) == JSON_TEXT)
		return json_text(json);
	buf_init(&buf, GOLDEN_MAX_BYTES);
	json_print(&buf, json, false);
	text = str_of(arena_strndup(arena, buf.data, buf.size), buf.size);
	buf_free(&buf);
	return text;
}

static const char *member_text(const struct json *json, const char *name, struct arena *arena)
{
	struct str text = json_text(json_member(json, name));

	return arena_strndup(arena, text.size > 0 ? text.data : "", text.size);
}

struct crm_account golden_account(struct golden *golden)
{
	const struct json *json = json_member(golden->json, "account");
	const struct json *oauth = json_member(json, "oauth");

	clock_zone_free(&golden->zone);
	golden->zone = clock_zone_new(member_text(json, "zone", golden->arena));
	return (struct crm_account){
		.number = member_text(json, "number", golden->arena),
		.name = member_text(json, "name", golden->arena),
		.country = member_text(json, "country", golden->arena),
		.locale = member_text(json, "locale", golden->arena),
		.zone = golden->zone,
		.oauth_url = member_text(json, "oauth_url", golden->arena),
		.config = json_member(json, "config"),
		.oauth = json_first(oauth) != NULL ? oauth : NULL,
		.hook_url = member_text(json, "hook_url", golden->arena),
	};
}

static enum crm_task task_of(struct str name)
{
	for (int task = 0; task < CRM_TASKS; task++) {
		if (str_equal(str_from(crm_task_name((enum crm_task)task)), name))
			return (enum crm_task)task;
	}
	fail_msg("no task: %.*s", STR_ARG(name));
	return CRM_TELL;
}

struct crm_job golden_job(struct golden *golden, const struct crm_account *account)
{
	const struct json *json = golden->json;
	const struct json *call = json_member(json, "call");
	struct arena *arena = golden->arena;
	struct error error = {0};
	struct crm_job job = {
		.task = task_of(json_text(json_member(json, "task"))),
		.account = account,
		.arena = arena,
		.turn = (unsigned)json_number(json_member(json, "turn")),
		.late = json_is_true(json_member(json, "late")),
		.phone = json_text(json_member(json, "phone")),
		.code = json_text(json_member(json, "code")),
		.own = arena_alloc(arena, golden->driver->own_bytes + 1),
		.customers = arena_array(arena, CRM_MAX_FOUND, sizeof(struct crm_customer)),
		.employees = arena_array(arena, CRM_MAX_FOUND, sizeof(struct crm_employee)),
	};

	if (json_first(json_member(json, "memory")) != NULL)
		job.memory = golden_text(json_member(json, "memory"), arena);
	assert_true(clock_parse(json_text(json_member(json, "now")), NULL, &job.now_ms));
	if (call != NULL) {
		struct crm_call *told = arena_alloc(arena, sizeof(*told));

		if (!crm_call_read(call, arena, told, &error))
			fail_msg("%s", error.text);
		assert_true(crm_kind_read(json_text(json_member(json, "kind")), &job.kind));
		job.call = told;
	}
	return job;
}

struct crm_reply golden_reply(struct golden *golden, const struct json *json)
{
	const struct json *headers = json_member(json, "headers");
	struct crm_reply reply = {
		.status = (int)json_number(json_member(json, "status")),
		.retry_after_ms = -1,
	};
	int64_t seconds;

	golden->reply_arena = arena_new(4 * GOLDEN_MAX_BYTES);
	reply.body = golden_text(json_member(json, "body"), golden->reply_arena);
	reply.body.data = arena_strndup(golden->reply_arena,
		reply.body.data != NULL ? reply.body.data : "", reply.body.size);
	golden->reply_json = json_parse(reply.body, limits, NULL);
	reply.json = golden->reply_json;
	for (const struct json *at = json_first(headers); at != NULL; at = json_next(at)) {
		struct str value = json_text(at);

		reply.headers[reply.header_count].name = str_from(json_name(at));
		reply.headers[reply.header_count++].value = str_of(
			arena_strndup(golden->reply_arena, value.data, value.size), value.size);
	}
	if (str_to_int64(crm_reply_header(&reply, "retry-after"), &seconds) && seconds >= 0)
		reply.retry_after_ms = seconds * 1000;
	return reply;
}

void golden_reply_free(struct golden *golden)
{
	json_free(&golden->reply_json);
	arena_free(&golden->reply_arena);
}

enum { SECRET_MIN_BYTES = 4 };

static bool holds(struct str text, struct str part)
{
	return part.size >= SECRET_MIN_BYTES && text.size >= part.size &&
	       memmem(text.data, text.size, part.data, part.size) != NULL;
}

const char *golden_leak(struct golden *golden, struct str text)
{
	const struct json *account = json_member(golden->json, "account");
	const char *const places[] = {"config", "oauth"};

	for (const char *const *name = golden->driver->secrets; name != NULL && *name != NULL;
		name++) {
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			const struct json *place = json_member(account, places[i]);

			if (holds(text, json_text(json_member(place, *name))))
				return *name;
		}
	}
	return NULL;
}
