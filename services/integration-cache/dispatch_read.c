/*
 * dispatch_read: the body of a request: whose it is, which call, what is told of it.
 */
#include "dispatch.h"

#include "crm_raw.h"

#include <stdio.h>

enum { BODY_MAX_BYTES = 64 * 1024, BODY_MAX_DEPTH = 16, KEY_MAX_BYTES = 200 };

struct body {
	struct str token, unique_id, event_type, record_url, origin, trace;
	int64_t turn;
	const struct json *raw, *call;
};

static const struct json_field body_fields[] = {
	JSON_FIELD(struct body, token, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD_AS(struct body, unique_id, "uniqueId", JSON_STRING, JSON_REQUIRED | JSON_LAX),
	JSON_FIELD(struct body, event_type, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct body, record_url, JSON_STRING, 0),
	JSON_FIELD(struct body, origin, JSON_STRING, 0),
	JSON_FIELD(struct body, trace, JSON_STRING, 0),
	JSON_FIELD(struct body, turn, JSON_INT64, 0),
	JSON_FIELD(struct body, raw, JSON_RAW, 0),
	JSON_FIELD(struct body, call, JSON_RAW, 0),
	{0},
};

static bool read_kind(const struct body *body, enum crm_kind *kind, struct error *error)
{
	static const struct {
		const char *event_type;
		enum crm_kind kind;
	} kinds[] = {
		{"dial", CRM_RINGING},
		{"answer", CRM_ANSWERED},
		{"hangup", CRM_HANGUP},
		{"recording", CRM_RECORDING},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!str_equal(body->event_type, str_from(kinds[i].event_type)))
			continue;
		*kind = kinds[i].kind;
		if (*kind == CRM_HANGUP && str_equal(body->origin, STR("download")))
			*kind = CRM_RECOVERED;
		return true;
	}
	return error_set(error, ERROR_INPUT, "event_type: not dial, answer, hangup or recording");
}

static bool check_body(const struct body *body, struct error *error)
{
	if (body->unique_id.size == 0 || body->unique_id.size > KEY_MAX_BYTES)
		return error_set(
			error, ERROR_INPUT, "uniqueId: not 1 to %d characters", KEY_MAX_BYTES);
	if (body->turn < 0 || body->turn > DISPATCH_MAX_TURN)
		return error_set(error, ERROR_INPUT, "turn: not 0 to %d", DISPATCH_MAX_TURN);
	if (body->call == NULL && (body->raw == NULL || json_kind(body->raw) != JSON_OBJECT))
		return error_set(error, ERROR_INPUT, "raw: not an object");
	return true;
}

static bool find_account(const struct accounts *accounts, const struct body *body,
	struct dispatch *to, struct error *error)
{
	const char *why = accounts_why_not(accounts);

	if (why != NULL)
		return error_set(error, ERROR_BUSY, "%s", why);
	to->account = accounts_find_any(accounts, body->token);
	if (to->account != NULL && to->account->active)
		return true;
	error_set(error, ERROR_MISSING, "enterprise not found by token");
	return false;
}

/* Of callers that know the event and not the call. */
static bool read_raw(
	const struct body *body, struct arena *arena, struct dispatch *to, struct error *error)
{
	const struct crm_raw_source source = {
		.unique_id = body->unique_id,
		.raw = body->raw,
		.over = str_equal(body->event_type, STR("hangup")),
		.country = to->account->country,
		.zone = to->account->zone,
		.numbers = to->account->numbers,
		.record_url = body->record_url,
	};
	enum crm_raw_is is = crm_raw_read(&source, arena, &to->call, error);

	to->external = is == CRM_RAW_CALL;
	return is != CRM_RAW_WRONG;
}

static bool read_call(
	const struct body *body, struct arena *arena, struct dispatch *to, struct error *error)
{
	to->external = true;
	if (!crm_call_read(body->call, arena, &to->call, error))
		return error_prefix(error, "call: ");
	to->call.key = body->unique_id; /* under which it is told, and nothing else */
	if (to->call.record_url.size == 0)
		to->call.record_url = body->record_url;
	return true;
}

/* A recovered call is history: nobody wants to hear that it rang once. */
static bool is_worth_telling(const struct body *body, const struct dispatch *dispatch)
{
	bool live = dispatch->kind == CRM_RINGING || dispatch->kind == CRM_ANSWERED;

	return dispatch->external && !(live && str_equal(body->origin, STR("download")));
}

static bool read_body(const struct accounts *accounts, const struct body *body, struct arena *arena,
	struct dispatch *to, struct error *error)
{
	if (!check_body(body, error) || !read_kind(body, &to->kind, error) ||
		!find_account(accounts, body, to, error) ||
		!(body->call != NULL ? read_call : read_raw)(body, arena, to, error))
		return false;
	to->external = is_worth_telling(body, to);
	to->trace = body->trace;
	if (body->turn == 0)
		(void)str_copy(
			to->kind_text, sizeof(to->kind_text), str_from(crm_kind_name(to->kind)));
	else
		snprintf(to->kind_text, sizeof(to->kind_text), "%s:%d", crm_kind_name(to->kind),
			(int)body->turn);
	return true;
}

bool dispatch_read(const struct accounts *accounts, struct str body, struct arena *arena,
	struct dispatch *to, struct error *error)
{
	struct json *json =
		json_parse(body, (struct json_limits){BODY_MAX_BYTES, BODY_MAX_DEPTH}, error);
	struct body read = {0};
	bool ok;

	if (json == NULL)
		return false;
	*to = (struct dispatch){0};
	ok = json_read(json, body_fields, &read, arena, error) &&
	     read_body(accounts, &read, arena, to, error);
	json_free(&json);
	return ok;
}
