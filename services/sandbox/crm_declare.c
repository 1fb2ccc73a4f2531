/*
 * crm_declare: POST /_sandbox/crm/accounts: a test or scripts/up says who works in an office, whom it
 * knows, and which credentials it has. Said again, what has the same id is changed, as by its users.
 */
#include "crm.h"

#include "clock.h"

#include <stdio.h>

#define MAX_BODY (1u << 20)

/* Numbers become texts, since ids are both in the world; what is neither stays JSON. */
static void set_member(struct card *card, const struct json *member)
{
	struct buf text;

	if (json_kind(member) == JSON_TEXT) {
		card_set(card, json_name(member), json_text(member));
		return;
	}
	buf_init(&text, CARD_MAX_TEXT);
	json_print(&text, member, false);
	if (json_kind(member) == JSON_NUMBER)
		card_set(card, json_name(member), buf_str(&text));
	else
		card_set_raw(card, json_name(member), buf_str(&text));
	buf_free(&text);
}

static struct str id_of(const struct json *item, char to[32])
{
	const struct json *id = json_member(item, "id");

	if (json_kind(id) != JSON_NUMBER)
		return json_text(id);
	snprintf(to, 32, "%.0f", json_number(id));
	return str_from(to);
}

static void take_item(
	struct office *office, enum card_kind kind, const struct json *item, int64_t now_ms)
{
	char number[32];
	struct str id = id_of(item, number);
	struct card *card = office_by_id(office, kind, id);
	bool is_new = card == NULL;

	if (is_new)
		card = office_add(office, kind, now_ms);
	else
		card->updates++;
	for (const struct json *at = json_first(item); at != NULL; at = json_next(at))
		set_member(card, at);
	if (kind == CARD_CUSTOMER)
		office_note_change(office, card,
			card_is(card, "deleted", "true") ? "deleted"
			: is_new			 ? "created"
							 : "changed",
			now_ms);
}

static const struct {
	const char *name;
	enum card_kind kind;
} lists[] = {{"users", CARD_USER}, {"customers", CARD_CUSTOMER}, {"choices", CARD_CHOICE}};
#define LISTS (sizeof(lists) / sizeof(lists[0]))

static bool is_list(const char *name)
{
	for (size_t i = 0; i < LISTS; i++) {
		if (strcmp(lists[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool lists_are_good(const struct json *body, struct error *error)
{
	for (size_t i = 0; i < LISTS; i++) {
		const struct json *list = json_member(body, lists[i].name), *item;
		if (list != NULL && json_kind(list) != JSON_ARRAY)
			return error_set(error, ERROR_INPUT, "%s: not an array", lists[i].name);
		for (item = json_first(list); item != NULL; item = json_next(item)) {
			char number[32];
			if (id_of(item, number).size == 0)
				return error_set(error, ERROR_INPUT, "%s: an item without id",
					lists[i].name);
		}
	}
	return true;
}

/* Tokens that the portal's application has already: declared, not issued. */
static void take_tokens(struct office *office, const struct json *body, int64_t now_ms)
{
	struct str refresh = json_text(json_member(body, "refresh_token"));
	struct str access = json_text(json_member(body, "access_token"));
	struct card *tokens;

	if (refresh.size + access.size == 0)
		return;
	tokens = office_add(office, CARD_TOKEN, now_ms);
	if (refresh.size > 0)
		card_set_key(office, tokens, "refresh_token", refresh);
	if (access.size > 0)
		card_set_key(office, tokens, "access_token", access);
	card_set(tokens, "refresh_state", STR("good"));
	card_set_int(tokens, "until_ms", now_ms + 3600 * (int64_t)1000);
}

static void take_body(struct office *office, const struct json *body, int64_t now_ms)
{
	struct card *settings = office_settings(office);

	office->declared = true;
	office->revoked = json_is_true(json_member(body, "revoked"));
	for (const struct json *at = json_first(body); at != NULL; at = json_next(at)) {
		if (!is_list(json_name(at)) && strcmp(json_name(at), "key") != 0)
			set_member(settings, at);
	}
	for (size_t i = 0; i < LISTS; i++) {
		const struct json *item = json_first(json_member(body, lists[i].name));
		for (; item != NULL; item = json_next(item))
			take_item(office, lists[i].kind, item, now_ms);
	}
	take_tokens(office, body, now_ms);
}

static bool declare_from(struct sandbox *sandbox, const struct json *body, struct error *error)
{
	struct crm *crm = crm_named(sandbox, json_text(json_member(body, "crm")));
	struct str key = json_text(json_member(body, "key"));
	struct office *office;

	if (crm == NULL)
		return error_set(error, ERROR_INPUT, "crm: unknown");
	if (!crm_key_is_well_formed(key))
		return error_set(
			error, ERROR_INPUT, "key: takes 4 to 200 letters, digits and any of -_.=");
	if (!lists_are_good(body, error))
		return false;
	office = crm_office(crm, key);
	if (office == NULL)
		return error_set(error, ERROR_BUSY, "there are %d accounts", CRM_MAX_OFFICES);
	take_body(office, body, clock_wall_ms());
	crm->revision++;
	flow_queue_wake_all(&sandbox->changed);
	return true;
}

static enum flow_status declare_office(struct flow *flow)
{
	struct error error;
	struct json *body =
		json_parse(http_request(flow)->body, (struct json_limits){MAX_BODY, 8}, &error);
	bool good = body != NULL && declare_from(flow_context(flow), body, &error);

	json_free(&body);
	return good ? admin_say_ok(flow) : flow_fail_error(flow, &error);
}

const struct flow_spec crm_declare_flow = ONE_STEP("crm_declare", declare_office);
