/*
 * crm_retail_people: customers and companies of RetailCRM, and the history by which they are followed.
 */
#include "crm_retail.h"

#include "clock.h"
#include "json_put.h"

#include <stdio.h>

static const struct check_field phone_fields[] = {MUST("number", CHECK_PHONE), {NULL}};
static const struct check_field customer_fields[] = {
	MAY("externalId", CHECK_TEXT),
	MAY("firstName", CHECK_STRING),
	MAY("lastName", CHECK_STRING),
	MAY("patronymic", CHECK_STRING),
	MAY("email", CHECK_TEXT),
	MAY_HOLD("phones", CHECK_LIST, phone_fields),
	MAY("managerId", CHECK_INT),
	MAY("createdAt", CHECK_TIME),
	MAY("source", CHECK_ANY),
	MAY("customFields", CHECK_ANY),
	{NULL},
};

static void put_phones(struct crm_request *request, const struct card *customer)
{
	struct json *phones = card_json(customer, "phones");

	json_put_name(&request->out, "phones");
	json_open_array(&request->out);
	for (const struct json *at = json_first(phones); at != NULL; at = json_next(at)) {
		json_open_object(&request->out);
		json_put_member_str(&request->out, "number", json_text(at));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	json_free(&phones);
}

static void put_name(struct crm_request *request, const struct card *customer)
{
	static const char *const names[][2] = {{"firstName", "first_name"},
		{"lastName", "last_name"}, {"patronymic", "middle_name"}, {"email", "email"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str value = card_get(customer, names[i][1]);
		if (value.size > 0)
			json_put_member_str(&request->out, names[i][0], value);
	}
}

void retail_put_customer(struct crm_request *request, const struct card *customer)
{
	bool company = card_is(customer, "company", "true");

	json_open_object(&request->out);
	json_put_member_str(
		&request->out, "type", company ? STR("customer_corporate") : STR("customer"));
	crm_put_number(request, "id", card_get(customer, "id"));
	if (company)
		json_put_member_str(&request->out, "nickName", card_get(customer, "company_name"));
	put_name(request, customer);
	crm_put_number(request, "managerId", card_get(customer, "manager_id"));
	put_phones(request, customer);
	json_close_object(&request->out);
}

/* -- lists ------------------------------------------------------------------------------------------ */

/* filter[ids][]=1&filter[ids][]=2: any of them. */
static bool is_wanted_id(const struct args *args, const char *name, struct str id)
{
	bool any = false;

	for (size_t i = 0; i < args->count; i++) {
		if (!str_starts(args->items[i].name, str_from(name)))
			continue;
		any = true;
		if (str_equal(args->items[i].value, id))
			return true;
	}
	return !any;
}

static bool contains(struct str text, struct str part)
{
	return part.size == 0 ||
	       (text.size > 0 && memmem(text.data, text.size, part.data, part.size) != NULL);
}

static bool has_contact(const struct crm_request *request, const struct card *company)
{
	struct json *contacts = card_json(company, "contacts");
	bool has = false;

	if (contacts == NULL)
		return is_wanted_id(request->args, "filter[contactIds]", (struct str){0});
	for (const struct json *at = json_first(contacts); at != NULL && !has; at = json_next(at))
		has = is_wanted_id(request->args, "filter[contactIds]", json_text(at));
	json_free(&contacts);
	return has;
}

static bool fits(const struct crm_request *request, const struct card *customer, bool company)
{
	struct str phone = crm_arg(request, "filter[phone]");
	struct str name = crm_arg(request, "filter[name]");

	if (card_is(customer, "deleted", "true") ||
		card_is(customer, "company", "true") != company ||
		!is_wanted_id(request->args, "filter[ids]", card_get(customer, "id")))
		return false;
	if (phone.size > 0 && !customer_has_phone(customer, phone))
		return false;
	/* The name's filter takes phones, too. */
	if (name.size > 0 && !contains(card_get(customer, "first_name"), name) &&
		!contains(card_get(customer, "last_name"), name) &&
		!customer_has_phone(customer, name))
		return false;
	return !company || has_contact(request, customer);
}

static void list(struct crm_request *request, const char *name, bool company)
{
	struct retail_page page;

	if (!retail_begin_list(request, &page, name))
		return;
	for (const struct card *at = request->office->first[CARD_CUSTOMER]; at != NULL;
		at = at->next) {
		if (!fits(request, at, company))
			continue;
		if (retail_shows_next(&page))
			retail_put_customer(request, at);
	}
	retail_end_list(request, &page);
}

void retail_customers(struct crm_request *request)
{
	list(request, "customers", false);
}

void retail_companies(struct crm_request *request)
{
	list(request, "customersCorporate", true);
}

/* By our own id with by=id; the API's default is the shop's externalId, which nobody has here. */
static struct card *find_one(struct crm_request *request)
{
	struct card *card =
		str_equal(crm_arg(request, "by"), STR("id"))
			? office_by_id(request->office, CARD_CUSTOMER, request->parts[0])
			: NULL;

	if (card == NULL || card_is(card, "deleted", "true"))
		crm_refuse(request, 404, "", "Not found");
	return card != NULL && !card_is(card, "deleted", "true") ? card : NULL;
}

void retail_customer(struct crm_request *request)
{
	const struct card *customer = find_one(request);

	if (customer == NULL)
		return;
	retail_begin(request, 200);
	json_put_name(&request->out, "customer");
	retail_put_customer(request, customer);
	crm_end(request);
}

void retail_company_contacts(struct crm_request *request)
{
	const struct card *company = find_one(request);
	struct json *contacts;
	int64_t count = 0;

	if (company == NULL)
		return;
	contacts = card_json(company, "contacts");
	retail_begin(request, 200);
	json_put_name(&request->out, "contacts");
	json_open_array(&request->out);
	for (const struct json *at = json_first(contacts); at != NULL; at = json_next(at)) {
		json_open_object(&request->out);
		crm_put_number(request, "id", json_text(at));
		json_put_member_bool(&request->out, "isMain", count++ == 0);
		json_put_name(&request->out, "customer");
		json_open_object(&request->out);
		crm_put_number(request, "id", json_text(at));
		json_close_object(&request->out);
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	crm_end(request);
	json_free(&contacts);
}

/* -- changes ---------------------------------------------------------------------------------------- */

/* The phones as a plain list of texts, which is how cards keep them. */
static void set_phones(struct card *card, const struct json *phones)
{
	struct json_writer writer;
	struct buf text;

	if (phones == NULL)
		return;
	buf_init(&text, CARD_MAX_TEXT);
	json_begin(&writer, &text);
	json_open_array(&writer);
	for (const struct json *at = json_first(phones); at != NULL; at = json_next(at))
		json_put_str(&writer, json_text(json_member(at, "number")));
	json_close_array(&writer);
	card_set_raw(card, "phones", buf_str(&text));
	buf_free(&text);
}

static void set_fields(struct crm_request *request, struct card *card, const struct json *customer)
{
	static const char *const names[][2] = {{"firstName", "first_name"},
		{"lastName", "last_name"}, {"patronymic", "middle_name"}, {"email", "email"},
		{"managerId", "manager_id"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (json_member(customer, names[i][0]) != NULL)
			card_set(card, names[i][1], crm_member(request, customer, names[i][0]));
	}
	set_phones(card, json_member(customer, "phones"));
}

static struct json *read_customer(struct crm_request *request)
{
	struct json *customer = retail_form_json(request, "customer", JSON_OBJECT);
	struct str site = crm_arg(request, "site");
	struct check_problem problem;

	if (customer == NULL)
		return NULL;
	if (!check_object(customer, customer_fields, CHECK_NO_EXTRA, &problem))
		crm_refuse_problem(request, "", &problem);
	else if (site.size > 0 && !retail_knows_site(request->office, site))
		crm_refuse(request, 400, "{\"site\":\"This value is not valid.\"}",
			"Errors in the entity format");
	else
		return customer;
	json_free(&customer);
	return NULL;
}

static void say_id(struct crm_request *request, int status, struct str id)
{
	retail_begin(request, status);
	crm_put_number(request, "id", id);
	crm_end(request);
}

void retail_customer_create(struct crm_request *request)
{
	struct json *customer = read_customer(request);
	struct card *card;
	char id[24];

	if (customer == NULL)
		return;
	card = office_add(request->office, CARD_CUSTOMER, request->now_ms);
	snprintf(id, sizeof(id), "%lld", 100000 + (long long)card->id);
	card_set(card, "id", str_from(id));
	set_fields(request, card, customer);
	card_set(card, "created_by", STR("api"));
	crm_customer_changed(request, card, "created");
	say_id(request, 201, str_from(id));
	json_free(&customer);
}

void retail_customer_edit(struct crm_request *request)
{
	struct card *card = find_one(request);
	struct json *customer = card != NULL ? read_customer(request) : NULL;

	if (customer == NULL)
		return;
	set_fields(request, card, customer);
	card->updates++;
	crm_customer_changed(request, card, "changed");
	say_id(request, 200, request->parts[0]);
	json_free(&customer);
}

static void put_change(struct crm_request *request, const struct card *change)
{
	struct str id = card_get(change, "customer");
	const struct card *customer = office_by_id(request->office, CARD_CUSTOMER, id);
	char time[CLOCK_TEXT_BYTES];

	json_open_object(&request->out);
	json_put_member_raw(&request->out, "id", card_get(change, "id"));
	clock_format_rfc3339(change->at_ms, time);
	time[10] = ' ';
	time[19] = '\0';
	json_put_member_str(&request->out, "createdAt", str_from(time));
	json_put_member_str(&request->out, "source", STR("user"));
	if (card_is(change, "what", "created"))
		json_put_member_bool(&request->out, "created", true);
	if (card_is(change, "what", "deleted"))
		json_put_member_bool(&request->out, "deleted", true);
	json_put_member_str(&request->out, "field", STR("phones"));
	json_put_name(&request->out, "customer");
	if (customer != NULL) {
		retail_put_customer(request, customer);
	} else {
		json_open_object(&request->out);
		crm_put_number(request, "id", id);
		json_close_object(&request->out);
	}
	json_close_object(&request->out);
}

void retail_history(struct crm_request *request)
{
	int64_t since = crm_arg_int(request, "filter[sinceId]", 0), id = 0;
	struct retail_page page;

	if (!retail_begin_list(request, &page, "history"))
		return;
	for (const struct card *at = request->office->first[CARD_CHANGE]; at != NULL;
		at = at->next) {
		if (!str_to_int64(card_get(at, "id"), &id) || id <= since)
			continue;
		if (retail_shows_next(&page))
			put_change(request, at);
	}
	retail_end_list(request, &page);
}
