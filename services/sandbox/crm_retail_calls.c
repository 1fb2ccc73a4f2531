/*
 * crm_retail_calls: telephony of RetailCRM: popups by call/event, the journal by calls/upload.
 *
 * The trap of this API: a hung up popup is "no answered", a call in the journal "no answer". What is
 * uploaded again under its externalId is named in duplicateCalls and changes nothing.
 */
#include "crm_retail.h"

#include "json_put.h"

#include <stdio.h>

#define MAX_UPLOAD 50

static const char *const event_types[] = {"in", "out", "hangup", NULL};
static const char *const hangups[] = {"answered", "busy", "cancel", "failed", "no answered", NULL};
static const char *const call_types[] = {"in", "out", NULL};
static const char *const results[] = {
	"answered", "busy", "failed", "no answer", "not allowed", "unknown", NULL};

static const struct check_field campaign_fields[] = {
	MAY("name", CHECK_STRING), MAY("code", CHECK_STRING), {NULL}};
static const struct check_field analytics_fields[] = {
	MAY_HOLD("campaign", CHECK_OBJECT, campaign_fields),
	MAY("queryString", CHECK_STRING),
	{NULL},
};
static const struct check_field event_fields[] = {
	MUST("phone", CHECK_PHONE),
	MUST_BE("type", event_types),
	MAY("codes", CHECK_TEXTS),
	MAY("userIds", CHECK_INTS),
	MAY("site", CHECK_TEXT),
	MAY_BE("hangupStatus", hangups),
	MAY("externalPhone", CHECK_TEXT),
	MAY("callExternalId", CHECK_TEXT),
	MAY_HOLD("webAnalyticsData", CHECK_OBJECT, analytics_fields),
	{NULL},
};
static const struct check_field call_fields[] = {
	MUST("date", CHECK_TIME),
	MUST_BE("type", call_types),
	MUST("phone", CHECK_PHONE),
	MAY("code", CHECK_TEXT),
	MAY("userId", CHECK_INT),
	MUST_BE("result", results),
	MAY("duration", CHECK_INT),
	MAY("durationWaiting", CHECK_INT),
	MAY("externalId", CHECK_TEXT),
	MAY("recordUrl", CHECK_URL),
	MAY("source", CHECK_TEXT),
	MAY("externalPhone", CHECK_TEXT),
	MAY("site", CHECK_TEXT),
	MAY("clientId", CHECK_TEXT),
	{NULL},
};

static void refuse_entity(
	struct crm_request *request, const char *where, const struct check_problem *problem)
{
	char errors[256];

	snprintf(errors, sizeof(errors), "{\"%s%s\":\"%s\"}", where, problem->name,
		problem->fault == CHECK_MISSING	  ? "This value should not be blank."
		: problem->fault == CHECK_UNKNOWN ? "This form should not contain extra fields."
						  : "This value is not valid.");
	crm_refuse(request, 400, errors, "Errors in the entity format");
}

/* Under its externalId; a call without one is known by nothing, and each time a new one. */
static struct card *call_of(struct crm_request *request, struct str id)
{
	struct card *card =
		id.size > 0 ? office_find(request->office, CARD_CALL, "external_id", id) : NULL;

	if (card != NULL)
		return card;
	card = office_add(request->office, CARD_CALL, request->now_ms);
	card_set_key(request->office, card, "external_id", id);
	return card;
}

/* -- call/event ------------------------------------------------------------------------------------- */

/* Whom a popup is for: a user by his id, a user by his code, or somebody whom nobody knows. */
struct person {
	struct str user, extension;
	bool known;
};

static struct person by_code(const struct crm_request *request, struct str code)
{
	const struct card *user = crm_user_of_extension(request->office, code);

	return (struct person){user != NULL ? card_get(user, "id") : (struct str){0}, code,
		user != NULL || request->office->count[CARD_USER] == 0};
}

static struct person by_user(const struct crm_request *request, struct str id)
{
	const struct card *user = office_by_id(request->office, CARD_USER, id);

	return (struct person){id, user != NULL ? card_get(user, "code") : (struct str){0},
		crm_takes_user(request->office, id)};
}

static void tell(struct crm_request *request, struct card *call, bool over, struct person person)
{
	if (over)
		popup_hide(call, person.user, person.extension, request->now_ms);
	else
		popup_show(call, person.user, person.extension, request->now_ms);
}

/* Each that is named twice, by id and by code, has one popup all the same. */
static void tell_all(struct crm_request *request, struct card *call, const struct json *event)
{
	bool over = str_equal(json_text(json_member(event, "type")), STR("hangup"));
	const struct json *codes = json_member(event, "codes");
	const struct json *users = json_member(event, "userIds");
	const struct json *at;
	struct person person;
	char id[24];

	if (over && json_count(codes) + json_count(users) == 0)
		popup_hide(call, (struct str){0}, (struct str){0}, request->now_ms);
	for (at = json_first(users); at != NULL; at = json_next(at)) {
		snprintf(id, sizeof(id), "%.0f", json_number(at));
		person = by_user(request, str_from(id));
		if (person.known)
			tell(request, call, over, person);
	}
	for (at = json_first(codes); at != NULL; at = json_next(at)) {
		bool twice = false;
		person = by_code(request, json_text(at));
		for (const struct json *user = json_first(users); user != NULL && !twice;
			user = json_next(user)) {
			snprintf(id, sizeof(id), "%.0f", json_number(user));
			twice = str_equal(person.user, str_from(id));
		}
		if (person.known && !twice)
			tell(request, call, over, person);
	}
}

static void put_unknown(struct crm_request *request, const struct json *event)
{
	const struct json *at;
	char id[24];

	json_put_name(&request->out, "notExistCodes");
	json_open_array(&request->out);
	for (at = json_first(json_member(event, "codes")); at != NULL; at = json_next(at)) {
		if (!by_code(request, json_text(at)).known)
			json_put_str(&request->out, json_text(at));
	}
	json_close_array(&request->out);
	json_put_name(&request->out, "notExistUsers");
	json_open_array(&request->out);
	for (at = json_first(json_member(event, "userIds")); at != NULL; at = json_next(at)) {
		snprintf(id, sizeof(id), "%.0f", json_number(at));
		if (!crm_takes_user(request->office, str_from(id)))
			json_put_raw(&request->out, str_from(id));
	}
	json_close_array(&request->out);
}

static void note_event(struct crm_request *request, const struct json *event)
{
	struct card *call = call_of(request, json_text(json_member(event, "callExternalId")));
	struct str type = json_text(json_member(event, "type"));
	struct str status = json_text(json_member(event, "hangupStatus"));
	const char *told = arena_printf(request->call->arena, "%.*s%s%.*s", STR_ARG(type),
		status.size > 0 ? " " : "", STR_ARG(status));

	if (!str_equal(type, STR("hangup")))
		(void)card_fill(call, "direction", type);
	(void)card_fill(call, "phone", json_text(json_member(event, "phone")));
	tell_all(request, call, event);
	card_told(call, str_from(told), request->now_ms);
}

static bool event_is_good(struct crm_request *request, const struct json *event)
{
	struct check_problem problem;
	struct str site = json_text(json_member(event, "site"));

	if (!check_object(event, event_fields, CHECK_NO_EXTRA, &problem)) {
		refuse_entity(request, "", &problem);
		return false;
	}
	if (json_count(json_member(event, "codes")) + json_count(json_member(event, "userIds")) ==
			0 &&
		!str_equal(json_text(json_member(event, "type")), STR("hangup"))) {
		crm_refuse(request, 400, "{\"codes\":\"Specify codes or userIds\"}",
			"Errors in the entity format");
		return false;
	}
	if (site.size > 0 && !retail_knows_site(request->office, site)) {
		crm_refuse(request, 400, "{\"site\":\"This value is not valid.\"}",
			"Errors in the entity format");
		return false;
	}
	return true;
}

void retail_call_event(struct crm_request *request)
{
	struct json *event = retail_form_json(request, "event", JSON_OBJECT);

	if (event != NULL && event_is_good(request, event)) {
		note_event(request, event);
		retail_begin(request, 200);
		put_unknown(request, event);
		crm_end(request);
	}
	json_free(&event);
}

/* -- calls/upload ----------------------------------------------------------------------------------- */

static void enter_call(struct crm_request *request, struct card *card, const struct json *call)
{
	const struct card *user;
	struct str code = crm_member(request, call, "code"), id;

	id = crm_member(request, call, "userId");
	user = id.size > 0 ? office_by_id(request->office, CARD_USER, id)
			   : crm_user_of_extension(request->office, code);
	if (user != NULL && id.size == 0)
		id = card_get(user, "id");
	if (user != NULL && code.size == 0)
		code = card_get(user, "code");
	card_set(card, "direction", crm_member(request, call, "type"));
	card_set(card, "phone", crm_member(request, call, "phone"));
	card_set(card, "user", id);
	card_set(card, "extension", code);
	card_set(card, "result", crm_member(request, call, "result"));
	card_set(card, "started", crm_member(request, call, "date"));
	card_set(card, "record_url", crm_member(request, call, "recordUrl"));
	card_set(card, "line", crm_member(request, call, "externalPhone"));
	card_set_raw(card, "duration", crm_member(request, call, "duration"));
	card_set_raw(card, "waiting", crm_member(request, call, "durationWaiting"));
}

/* True: it was new to the journal. */
static bool upload(struct crm_request *request, const struct json *call)
{
	struct card *card = call_of(request, json_text(json_member(call, "externalId")));
	struct card *settings = office_settings(request->office);
	struct str record = json_text(json_member(call, "recordUrl"));

	card_told(card, STR("upload"), request->now_ms);
	if (++card->entries == 1) {
		enter_call(request, card, call);
		return true;
	}
	/* Not documented whether a link that comes later is taken: an office may be declared so. */
	if (card_is(settings, "fills_records", "true") && card_fill(card, "record_url", record))
		card->updates++;
	return false;
}

static bool calls_are_good(struct crm_request *request, const struct json *calls)
{
	struct check_problem problem;
	char where[24];
	int at = 0;

	if (json_count(calls) == 0 || json_count(calls) > MAX_UPLOAD) {
		crm_refuse(request, 400, "{\"calls\":\"1 to 50 calls are allowed\"}",
			"Errors in the entity format");
		return false;
	}
	for (const struct json *call = json_first(calls); call != NULL; call = json_next(call)) {
		snprintf(where, sizeof(where), "calls[%d].", at++);
		problem = (struct check_problem){CHECK_WRONG_TYPE, ""};
		if (json_kind(call) != JSON_OBJECT ||
			!check_object(call, call_fields, CHECK_NO_EXTRA, &problem)) {
			refuse_entity(request, where, &problem);
			return false;
		}
	}
	return true;
}

void retail_calls_upload(struct crm_request *request)
{
	struct json *calls = retail_form_json(request, "calls", JSON_ARRAY);
	int64_t fresh = 0;

	if (calls == NULL || !calls_are_good(request, calls)) {
		json_free(&calls);
		return;
	}
	retail_begin(request, 200);
	json_put_name(&request->out, "duplicateCalls");
	json_open_array(&request->out);
	for (const struct json *call = json_first(calls); call != NULL; call = json_next(call)) {
		if (upload(request, call))
			fresh++;
		else
			json_put_str(&request->out, json_text(json_member(call, "externalId")));
	}
	json_close_array(&request->out);
	json_put_member_int(&request->out, "processedCallsCount", fresh);
	crm_end(request);
	json_free(&calls);
}

/* -- manager ---------------------------------------------------------------------------------------- */

static void put_manager(struct crm_request *request, const struct card *user)
{
	json_put_name(&request->out, "manager");
	json_open_object(&request->out);
	crm_put_number(request, "id", card_get(user, "id"));
	json_put_member_str(&request->out, "firstName", card_get(user, "name"));
	json_put_member_str(&request->out, "email", card_get(user, "email"));
	json_put_member_str(&request->out, "code", card_get(user, "code"));
	json_close_object(&request->out);
}

void retail_manager(struct crm_request *request)
{
	static const struct check_field fields[] = {MUST("phone", CHECK_PHONE),
		MAY("details", CHECK_BOOL), MAY("ignoreStatus", CHECK_BOOL), {NULL}};
	const struct card *customer, *user;
	struct check_problem problem;

	if (!check_args(request->args, fields, &problem)) {
		crm_refuse_problem(request, "", &problem);
		return;
	}
	customer = office_customer(request->office, crm_arg(request, "phone"), NULL);
	user = customer != NULL
		       ? office_by_id(request->office, CARD_USER, card_get(customer, "manager_id"))
		       : NULL;
	retail_begin(request, 200);
	if (user != NULL)
		put_manager(request, user);
	if (customer != NULL && args_true(request->args, "details")) {
		json_put_name(&request->out, "customer");
		retail_put_customer(request, customer);
	}
	crm_end(request);
}
