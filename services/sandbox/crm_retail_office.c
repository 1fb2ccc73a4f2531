/*
 * crm_retail_office: users, sites and integration modules of RetailCRM.
 */
#include "crm_retail.h"

#include "json_put.h"

#include <stdio.h>

/* -- people ----------------------------------------------------------------------------------------- */

static void put_user(struct crm_request *request, const struct card *user)
{
	static const char *const names[][2] = {{"firstName", "first_name"},
		{"lastName", "last_name"}, {"email", "email"}, {"phone", "phone"}};
	struct str status = card_get(user, "status");

	json_open_object(&request->out);
	crm_put_number(request, "id", card_get(user, "id"));
	json_put_member_bool(&request->out, "active", !card_is(user, "active", "false"));
	json_put_member_bool(&request->out, "isManager", true);
	json_put_member_bool(&request->out, "isAdmin", false);
	json_put_member_bool(&request->out, "online", true);
	json_put_member_str(&request->out, "status", status.size > 0 ? status : STR("free"));
	/* Declared with one name, he has that as his first. */
	if (!card_has(user, "first_name") && !card_has(user, "last_name"))
		json_put_member_str(&request->out, "firstName", card_get(user, "name"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (card_get(user, names[i][1]).size > 0)
			json_put_member_str(
				&request->out, names[i][0], card_get(user, names[i][1]));
	}
	json_close_object(&request->out);
}

void retail_users(struct crm_request *request)
{
	struct retail_page page;

	if (!retail_begin_list(request, &page, "users"))
		return;
	for (const struct card *at = request->office->first[CARD_USER]; at != NULL; at = at->next) {
		if (retail_shows_next(&page))
			put_user(request, at);
	}
	retail_end_list(request, &page);
}

void retail_user(struct crm_request *request)
{
	const struct card *user = office_by_id(request->office, CARD_USER, request->parts[0]);

	if (user == NULL) {
		crm_refuse(request, 404, "", "Not found");
		return;
	}
	retail_begin(request, 200);
	json_put_name(&request->out, "user");
	put_user(request, user);
	crm_end(request);
}

void retail_groups(struct crm_request *request)
{
	struct retail_page page;

	if (!retail_begin_list(request, &page, "groups"))
		return;
	json_put_raw(&request->out,
		STR("{\"name\":\"Managers\",\"code\":\"manager\",\"isManager\":true}"));
	page.total = 1;
	retail_end_list(request, &page);
}

/* -- reference -------------------------------------------------------------------------------------- */

static void put_site(struct crm_request *request, struct str code, struct str name)
{
	json_put_name(&request->out, arena_strndup(request->call->arena, code.data, code.size));
	json_open_object(&request->out);
	json_put_member_str(&request->out, "code", code);
	json_put_member_str(&request->out, "name", name);
	json_close_object(&request->out);
}

void retail_sites(struct crm_request *request)
{
	bool any = false;

	retail_begin(request, 200);
	json_put_name(&request->out, "sites");
	json_open_object(&request->out);
	for (const struct card *at = request->office->first[CARD_CHOICE]; at != NULL;
		at = at->next) {
		if (!card_is(at, "type", "site"))
			continue;
		put_site(request, card_get(at, "id"), card_get(at, "name"));
		any = true;
	}
	if (!any)
		put_site(request, STR("main"), STR("Main"));
	json_close_object(&request->out);
	crm_end(request);
}

void retail_credentials(struct crm_request *request)
{
	retail_begin(request, 200);
	json_put_member_str(&request->out, "siteAccess", STR("access_full"));
	json_put_member_raw(&request->out, "credentials",
		STR("[\"/api/credentials\",\"/api/customers\",\"/api/customers/create\","
		    "\"/api/customers/history\",\"/api/customers-corporate\","
		    "\"/api/integration-modules/{code}\","
		    "\"/api/integration-modules/{code}/edit\",\"/api/reference/sites\","
		    "\"/api/telephony/call/event\",\"/api/telephony/calls/upload\","
		    "\"/api/telephony/manager\",\"/api/user-groups\",\"/api/users\"]"));
	crm_end(request);
}

/* -- modules ---------------------------------------------------------------------------------------- */

static const struct check_field code_fields[] = {
	MUST("userId", CHECK_ANY), MUST("code", CHECK_ANY), {NULL}};
static const struct check_field line_fields[] = {
	MAY("siteCode", CHECK_TEXT), MUST("externalPhone", CHECK_TEXT), {NULL}};
static const struct check_field telephony_fields[] = {
	MAY("makeCallUrl", CHECK_URL),
	MAY("allowEdit", CHECK_BOOL),
	MAY("inputEventSupported", CHECK_BOOL),
	MAY("outputEventSupported", CHECK_BOOL),
	MAY("hangupEventSupported", CHECK_BOOL),
	MAY("changeUserStatusUrl", CHECK_URL),
	MAY_HOLD("additionalCodes", CHECK_LIST, code_fields),
	MAY_HOLD("externalPhones", CHECK_LIST, line_fields),
	{NULL},
};
static const struct check_field integrations_fields[] = {
	MAY_HOLD("telephony", CHECK_OBJECT, telephony_fields), {NULL}};
static const struct check_field module_fields[] = {
	MUST("code", CHECK_TEXT),
	MUST("integrationCode", CHECK_TEXT),
	MAY("active", CHECK_BOOL),
	MAY("freeze", CHECK_BOOL),
	MAY("native", CHECK_BOOL),
	MAY("name", CHECK_TEXT),
	MAY("logo", CHECK_URL),
	MAY("clientId", CHECK_TEXT),
	MAY("baseUrl", CHECK_URL),
	MAY("accountUrl", CHECK_URL),
	MAY("availableCountries", CHECK_TEXTS),
	MAY_HOLD("integrations", CHECK_OBJECT, integrations_fields),
	{NULL},
};

/* `actions` is a member of the SDK that the server refuses. */
static bool module_is_good(struct crm_request *request, const struct json *module, bool is_new)
{
	struct str logo = json_text(json_member(module, "logo"));
	struct check_problem problem;

	if (!check_object(module, module_fields, CHECK_NO_EXTRA, &problem))
		crm_refuse_problem(request, "", &problem);
	else if (!str_equal(json_text(json_member(module, "code")), request->parts[0]))
		crm_refuse(request, 400, "", "Parameter 'code' differs from the address");
	else if (logo.size > 0 && !str_ends(logo, STR(".svg")))
		crm_refuse(request, 400, "{\"logo\":\"Logo image must be svg\"}",
			"Errors in the entity format");
	else if (is_new && json_member(module, "baseUrl") == NULL)
		crm_refuse(request, 400, "{\"baseUrl\":\"This value should not be blank.\"}",
			"Errors in the entity format");
	else if (is_new && json_member(module, "name") == NULL)
		crm_refuse(request, 400, "{\"name\":\"This value should not be blank.\"}",
			"Errors in the entity format");
	else
		return true;
	return false;
}

static void keep_module(struct crm_request *request, struct card *card, const struct json *module)
{
	const struct json *telephony =
		json_member(json_member(module, "integrations"), "telephony");
	struct buf text;

	if (card == NULL) {
		card = office_add(request->office, CARD_MODULE, request->now_ms);
		card_set(card, "id", request->parts[0]);
	} else {
		card->updates++;
	}
	card->changed_ms = request->now_ms;
	buf_init(&text, CARD_MAX_TEXT);
	json_print(&text, module, false);
	card_set_raw(card, "module", buf_str(&text));
	buf_free(&text);
	/* Of the latest: where a click on a number goes. */
	card_set(card, "client_id", json_text(json_member(module, "clientId")));
	card_set(card, "make_call_url", json_text(json_member(telephony, "makeCallUrl")));
	card_set(card, "status_url", json_text(json_member(telephony, "changeUserStatusUrl")));
	card_set_raw(card, "active",
		json_kind(json_member(module, "active")) == JSON_BOOLEAN &&
				!json_is_true(json_member(module, "active"))
			? STR("false")
			: STR("true"));
}

void retail_module_edit(struct crm_request *request)
{
	struct card *card = office_by_id(request->office, CARD_MODULE, request->parts[0]);
	struct json *module = retail_form_json(request, "integrationModule", JSON_OBJECT);

	if (module != NULL && module_is_good(request, module, card == NULL)) {
		keep_module(request, card, module);
		retail_begin(request, 200);
		json_put_member_raw(&request->out, "info", STR("{}"));
		crm_end(request);
	}
	json_free(&module);
}

void retail_module(struct crm_request *request)
{
	const struct card *card = office_by_id(request->office, CARD_MODULE, request->parts[0]);

	if (card == NULL) {
		crm_refuse(request, 404, "", "Integration module not found");
		return;
	}
	retail_begin(request, 200);
	json_put_member_raw(&request->out, "integrationModule", card_get(card, "module"));
	crm_end(request);
}
