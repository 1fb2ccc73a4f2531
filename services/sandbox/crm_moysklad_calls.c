/*
 * crm_moysklad_calls: MoySklad's Phone API: calls, their events (popups), employees.
 *
 * What a call has already is not overwritten by a later PUT, except the comment; recordings are
 * added. Events of a call must come with a sequence that grows.
 */
#include "crm_moysklad.h"

#include "json_put.h"

#include <stdio.h>

static const char *const event_types[] = {"SHOW", "STARTTIME", "HIDE", "HIDE_ALL", NULL};

static const struct check_field event_fields[] = {
	MUST_BE("eventType", event_types),
	MAY("extension", CHECK_TEXT),
	MUST("sequence", CHECK_INT),
	MAY_HOLD("employee", CHECK_OBJECT, moysklad_reference_fields),
	{NULL},
};

#define COMMON_FIELDS                                                                              \
	MAY("extension", CHECK_TEXT), MAY("comment", CHECK_STRING), MAY("duration", CHECK_INT),    \
		MAY("endTime", CHECK_TIME_MS), MAY("recordUrl", CHECK_URLS),                       \
		MAY_HOLD("counterparty", CHECK_OBJECT, moysklad_reference_fields),                 \
		MAY_HOLD("employee", CHECK_OBJECT, moysklad_reference_fields),                     \
		MAY_HOLD("events", CHECK_LIST, event_fields),                                      \
	{                                                                                          \
		NULL                                                                               \
	}

static const struct check_field new_fields[] = {
	MUST("externalId", CHECK_TEXT),
	MUST("number", CHECK_TEXT),
	MUST("isIncoming", CHECK_BOOL),
	MUST("startTime", CHECK_TIME_MS),
	COMMON_FIELDS,
};
static const struct check_field change_fields[] = {
	MAY("externalId", CHECK_TEXT),
	MAY("number", CHECK_TEXT),
	MAY("isIncoming", CHECK_BOOL),
	MAY("startTime", CHECK_TIME_MS),
	COMMON_FIELDS,
};

#define MAX_COMMENT 4096

/* -- what it shows ---------------------------------------------------------------------------------- */

static void put_records(struct crm_request *request, const struct card *call)
{
	struct str records = card_get(call, "records");

	if (records.size > 0)
		json_put_member_raw(&request->out, "recordUrl", records);
}

static void put_call(struct crm_request *request, const struct card *call)
{
	static const char *const names[][2] = {{"id", "id"}, {"externalId", "external_id"},
		{"number", "phone"}, {"extension", "extension"}, {"startTime", "started"},
		{"endTime", "ended"}, {"comment", "result"}};
	struct str duration = card_get(call, "duration_ms");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (card_get(call, names[i][1]).size > 0)
			json_put_member_str(
				&request->out, names[i][0], card_get(call, names[i][1]));
	}
	json_put_member_bool(&request->out, "isIncoming", card_is(call, "direction", "in"));
	if (duration.size > 0)
		json_put_member_raw(&request->out, "duration", duration);
	if (card_get(call, "customer").size > 0)
		moysklad_put_meta(
			request, "counterparty", "counterparty", card_get(call, "customer"));
	if (card_get(call, "user").size > 0)
		moysklad_put_meta(request, "employee", "employee", card_get(call, "user"));
	put_records(request, call);
}

static void show(struct crm_request *request, const struct card *call)
{
	crm_begin(request, 200);
	put_call(request, call);
	crm_end(request);
}

static struct card *find(struct crm_request *request, const char *name)
{
	struct card *call = office_find(request->office, CARD_CALL, name, request->parts[0]);

	if (call == NULL)
		crm_refuse(request, 404, "1021", "Call '%.*s' is not found",
			STR_ARG(request->parts[0]));
	return call;
}

void moysklad_call_show(struct crm_request *request)
{
	const struct card *call = find(request, "id");

	if (call != NULL)
		show(request, call);
}

void moysklad_call_show_by_extid(struct crm_request *request)
{
	const struct card *call = find(request, "external_id");

	if (call != NULL)
		show(request, call);
}

/* -- events ----------------------------------------------------------------------------------------- */

/* Whom an event is about: the employee named, or whoever has the extension. */
static struct str user_of(struct crm_request *request, const struct json *body)
{
	struct str id = moysklad_id_of(json_member(body, "employee"));
	const struct card *user = NULL;

	if (id.size == 0) {
		user = crm_user_of_extension(
			request->office, json_text(json_member(body, "extension")));
		id = user != NULL ? card_get(user, "id") : id;
	}
	return id;
}

static void apply_event(struct crm_request *request, struct card *call, const struct json *event)
{
	struct str type = json_text(json_member(event, "eventType"));
	struct str extension = json_text(json_member(event, "extension"));
	struct str user = user_of(request, event);
	const char *told =
		arena_printf(request->call->arena, "%.*s %.*s", STR_ARG(type), STR_ARG(extension));

	card_set_int(call, "sequence", (int64_t)json_number(json_member(event, "sequence")));
	card_told(call, str_trim(str_from(told)), request->now_ms);
	if (str_equal(type, STR("SHOW"))) {
		popup_show(call, user, extension, request->now_ms);
	} else if (str_equal(type, STR("HIDE"))) {
		popup_hide(call, user, extension, request->now_ms);
	} else if (str_equal(type, STR("HIDE_ALL"))) {
		popup_hide(call, (struct str){0}, (struct str){0}, request->now_ms);
	} else {
		(void)card_fill(call, "talk_user", user);
		(void)card_fill(call, "talk_extension", extension);
		card_set_int(call, "talk_began_ms", request->now_ms);
	}
}

/* A sequence that does not grow is refused: what comes late must not undo what came after it. */
static bool event_is_good(
	struct crm_request *request, const struct card *call, const struct json *event)
{
	struct str type = json_text(json_member(event, "eventType"));
	int64_t last = -1, sequence = (int64_t)json_number(json_member(event, "sequence"));

	if (!str_equal(type, STR("HIDE_ALL")) && json_member(event, "extension") == NULL &&
		json_member(event, "employee") == NULL) {
		crm_refuse(request, 400, "3000", "Field 'extension' is missing");
		return false;
	}
	if (call != NULL && card_has(call, "sequence"))
		(void)str_to_int64(card_get(call, "sequence"), &last);
	if (sequence > last)
		return true;
	crm_refuse(request, 412, "1040", "Field 'sequence' must be greater than %lld",
		(long long)last);
	return false;
}

static void take_event(struct crm_request *request, struct card *call)
{
	if (call == NULL || !moysklad_check(request, event_fields) ||
		!event_is_good(request, call, request->json))
		return;
	apply_event(request, call, request->json);
	crm_no_content(request);
}

void moysklad_call_event(struct crm_request *request)
{
	take_event(request, find(request, "id"));
}

void moysklad_call_event_by_extid(struct crm_request *request)
{
	take_event(request, find(request, "external_id"));
}

/* -- calls ------------------------------------------------------------------------------------------ */

static bool body_is_good(struct crm_request *request, const struct check_field *fields)
{
	const struct json *event;

	if (!moysklad_check(request, fields))
		return false;
	if (json_text(json_member(request->json, "comment")).size > MAX_COMMENT) {
		crm_refuse(request, 400, "2001", "Field 'comment' is too long");
		return false;
	}
	for (event = json_first(json_member(request->json, "events")); event != NULL;
		event = json_next(event)) {
		if (!event_is_good(request, NULL, event))
			return false;
	}
	return true;
}

/* Adds what is not among them yet. */
static bool add_records(struct card *call, const struct json *urls)
{
	struct str have = card_get(call, "records");
	struct json_writer writer;
	const struct json *last = NULL;
	struct buf text;

	if (json_count(urls) == 0)
		return false;
	buf_init(&text, CARD_MAX_TEXT);
	if (have.size > 2) {
		buf_add(&text, str_of(have.data, have.size - 1));
		buf_add_char(&text, ',');
	} else {
		buf_add_char(&text, '[');
	}
	for (const struct json *at = json_first(urls); at != NULL; at = json_next(at)) {
		if (last != NULL)
			buf_add_char(&text, ',');
		json_begin(&writer, &text);
		json_put_str(&writer, json_text(at));
		last = at;
	}
	buf_add_char(&text, ']');
	card_set_raw(call, "records", buf_str(&text));
	buf_free(&text);
	(void)card_fill(call, "record_url", json_text(json_first(urls)));
	return true;
}

/* endTime beats duration. Durations are milliseconds here; the card's are seconds, as elsewhere. */
static void set_times(struct crm_request *request, struct card *call)
{
	int64_t duration = (int64_t)json_number(json_member(request->json, "duration"));

	if (card_fill(call, "ended", json_text(json_member(request->json, "endTime"))))
		call->updates++;
	if (json_member(request->json, "duration") == NULL || card_has(call, "duration_ms"))
		return;
	card_set_int(call, "duration_ms", duration);
	card_set_int(call, "duration", (duration + 500) / 1000);
}

static void set_common(struct crm_request *request, struct card *call)
{
	const struct json *body = request->json, *event;
	struct str comment = json_text(json_member(body, "comment"));

	(void)card_fill(call, "extension", json_text(json_member(body, "extension")));
	(void)card_fill(call, "user", user_of(request, body));
	(void)card_fill(call, "customer", moysklad_id_of(json_member(body, "counterparty")));
	if (json_member(body, "comment") != NULL)
		card_set(call, "result", comment);
	set_times(request, call);
	(void)add_records(call, json_member(body, "recordUrl"));
	for (event = json_first(json_member(body, "events")); event != NULL;
		event = json_next(event))
		apply_event(request, call, event);
}

void moysklad_call_create(struct crm_request *request)
{
	const struct json *body = request->json;
	struct card *call;
	struct str id;

	if (!body_is_good(request, new_fields))
		return;
	id = json_text(json_member(body, "externalId"));
	call = office_find(request->office, CARD_CALL, "external_id", id);
	if (call != NULL) {
		card_told(call, STR("call again"), request->now_ms);
		crm_refuse(request, 412, "3006", "A call with externalId '%.*s' exists already",
			STR_ARG(id));
		return;
	}
	call = office_add(request->office, CARD_CALL, request->now_ms);
	call->entries = 1;
	card_set_key(request->office, call, "external_id", id);
	card_set_key(request->office, call, "id", moysklad_new_id(request));
	card_set(call, "phone", json_text(json_member(body, "number")));
	card_set(call, "started", json_text(json_member(body, "startTime")));
	card_set(call, "direction",
		json_is_true(json_member(body, "isIncoming")) ? STR("in") : STR("out"));
	card_told(call, STR("call"), request->now_ms);
	set_common(request, call);
	show(request, call);
}

static void change(struct crm_request *request, struct card *call)
{
	if (call == NULL || !body_is_good(request, change_fields))
		return;
	call->updates++;
	card_told(call, STR("put"), request->now_ms);
	set_common(request, call);
	show(request, call);
}

void moysklad_call_change(struct crm_request *request)
{
	change(request, find(request, "id"));
}

void moysklad_call_change_by_extid(struct crm_request *request)
{
	change(request, find(request, "external_id"));
}

/* -- employees -------------------------------------------------------------------------------------- */

/* filter=extention=150 or extention~=15: the misspelling is the API's. */
static bool fits(struct str filter, struct str extension)
{
	struct str value;

	if (filter.size == 0)
		return true;
	if (str_starts(filter, STR("extention~="))) {
		value = str_of(filter.data + 11, filter.size - 11);
		return str_starts(extension, value);
	}
	if (!str_starts(filter, STR("extention=")))
		return false;
	return str_equal(extension, str_of(filter.data + 10, filter.size - 10));
}

void moysklad_phone_employees(struct crm_request *request)
{
	crm_begin(request, 200);
	json_put_name(&request->out, "employees");
	json_open_array(&request->out);
	for (const struct card *at = request->office->first[CARD_USER]; at != NULL; at = at->next) {
		if (!fits(crm_arg(request, "filter"), card_get(at, "code")))
			continue;
		json_open_object(&request->out);
		moysklad_put_meta(request, NULL, "employee", card_get(at, "id"));
		json_put_member_str(&request->out, "extention", card_get(at, "code"));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	crm_end(request);
}
