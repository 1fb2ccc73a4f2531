/*
 * crm_bitrix_people: users, contacts and companies of Bitrix24, in pages of fifty.
 */
#include "crm_bitrix.h"

#include "clock.h"
#include "json_put.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE 50

static void put_user(struct crm_request *request, const struct card *user, bool in_search)
{
	json_open_object(&request->out);
	json_put_member_str(&request->out, "ID", card_get(user, "id"));
	if (in_search) {
		json_put_member_str(&request->out, "TIMEMAN_STATUS", STR("OPENED"));
		json_put_member_str(&request->out, "USER_PHONE_INNER", card_get(user, "code"));
	} else {
		struct str first = card_get(user, "first_name"), last = card_get(user, "last_name");
		json_put_member_bool(&request->out, "ACTIVE", !card_is(user, "active", "false"));
		json_put_member_str(&request->out, "NAME",
			first.size + last.size > 0 ? first : card_get(user, "name"));
		json_put_member_str(&request->out, "LAST_NAME", last);
		json_put_member_str(&request->out, "EMAIL", card_get(user, "email"));
		json_put_member_str(&request->out, "UF_PHONE_INNER", card_get(user, "code"));
	}
	json_put_member_str(&request->out, "WORK_PHONE", card_get(user, "phone"));
	json_put_member_str(&request->out, "PERSONAL_PHONE", (struct str){0});
	json_put_member_str(&request->out, "PERSONAL_MOBILE", (struct str){0});
	json_close_object(&request->out);
}

/* -- searchCrmEntities ------------------------------------------------------------------------------ */

static void put_found(struct crm_request *request, const struct card *customer)
{
	bool company = card_is(customer, "company", "true");
	struct str owner = card_get(customer, "manager_id");
	const struct card *user = office_by_id(request->office, CARD_USER, owner);
	const char *name = arena_printf(request->call->arena, "%.*s %.*s",
		STR_ARG(card_get(customer, "last_name")),
		STR_ARG(card_get(customer, "first_name")));

	json_open_object(&request->out);
	json_put_member_str(
		&request->out, "CRM_ENTITY_TYPE", company ? STR("COMPANY") : STR("CONTACT"));
	crm_put_number(request, "CRM_ENTITY_ID", card_get(customer, "id"));
	crm_put_number(request, "ASSIGNED_BY_ID", owner);
	json_put_member_str(&request->out, "NAME",
		company ? card_get(customer, "company_name") : str_trim(str_from(name)));
	if (user != NULL) {
		json_put_name(&request->out, "ASSIGNED_BY");
		put_user(request, user, true);
	}
	json_close_object(&request->out);
}

void bitrix_search(struct crm_request *request)
{
	static const struct check_field fields[] = {MUST("PHONE_NUMBER", CHECK_PHONE), {NULL}};
	struct str phone = crm_arg(request, "PHONE_NUMBER");
	const struct card *customer;

	if (!bitrix_check(request, fields))
		return;
	bitrix_begin(request);
	json_open_array(&request->out);
	for (customer = office_customer(request->office, phone, NULL); customer != NULL;
		customer = office_customer(request->office, phone, customer))
		put_found(request, customer);
	json_close_array(&request->out);
	bitrix_end(request);
}

/* -- lists ------------------------------------------------------------------------------------------ */

struct list {
	int64_t start, count;
};

static bool begin_list(struct crm_request *request, struct list *list)
{
	list->start = crm_arg_int(request, "start", 0);
	list->count = 0;
	if (list->start < 0 || list->start % PAGE != 0) {
		crm_refuse(request, 400, "ERROR_CORE", "start takes multiples of %d", PAGE);
		return false;
	}
	bitrix_begin(request);
	json_open_array(&request->out);
	return true;
}

static bool is_on_page(struct list *list)
{
	int64_t at = list->count++;

	return at >= list->start && at < list->start + PAGE;
}

static void end_list(struct crm_request *request, const struct list *list)
{
	json_close_array(&request->out);
	if (list->start + PAGE < list->count)
		json_put_member_int(&request->out, "next", list->start + PAGE);
	json_put_member_int(&request->out, "total", list->count);
	bitrix_end(request);
}

/* A filter's value: "filter[ACTIVE]" of a form, or a member of "filter" or "FILTER" as JSON. */
static struct str filter_of(struct crm_request *request, const char *name)
{
	static const char *const tops[] = {"filter", "FILTER"};
	struct str found;

	for (size_t i = 0; i < 2; i++) {
		found = crm_arg(
			request, arena_printf(request->call->arena, "%s[%s]", tops[i], name));
		if (found.size > 0)
			return found;
		found = crm_member(request, json_member(request->json, tops[i]), name);
		if (found.size > 0)
			return found;
	}
	return crm_arg(request, name);
}

void bitrix_users(struct crm_request *request)
{
	struct str active = filter_of(request, "ACTIVE"), id = filter_of(request, "ID");
	bool only_active = str_equal_nocase(active, STR("true")) ||
			   str_equal_nocase(active, STR("Y")) || str_equal(active, STR("1"));
	struct list list;

	if (!begin_list(request, &list))
		return;
	for (const struct card *at = request->office->first[CARD_USER]; at != NULL; at = at->next) {
		if ((only_active && card_is(at, "active", "false")) ||
			(id.size > 0 && !str_equal(card_get(at, "id"), id)))
			continue;
		if (is_on_page(&list))
			put_user(request, at, false);
	}
	end_list(request, &list);
}

static void put_phones(struct crm_request *request, const struct card *customer)
{
	struct json *phones = card_json(customer, "phones");
	int64_t id = 0;

	json_put_name(&request->out, "PHONE");
	json_open_array(&request->out);
	for (const struct json *at = json_first(phones); at != NULL; at = json_next(at)) {
		char number[24];
		snprintf(number, sizeof(number), "%lld", (long long)++id);
		json_open_object(&request->out);
		json_put_member_str(&request->out, "ID", str_from(number));
		json_put_member_str(&request->out, "VALUE_TYPE", STR("WORK"));
		json_put_member_str(&request->out, "VALUE", json_text(at));
		json_put_member_str(&request->out, "TYPE_ID", STR("PHONE"));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	json_free(&phones);
}

/* 2026-11-21T12:00:00+00:00 */
static struct str moment(struct crm_request *request, int64_t at_ms)
{
	char time[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(at_ms, time);
	return str_from(arena_printf(request->call->arena, "%.19s+00:00", time));
}

static void put_entity(struct crm_request *request, const struct card *customer, bool company)
{
	json_open_object(&request->out);
	json_put_member_str(&request->out, "ID", card_get(customer, "id"));
	if (company) {
		json_put_member_str(&request->out, "TITLE", card_get(customer, "company_name"));
	} else {
		json_put_member_str(&request->out, "NAME", card_get(customer, "first_name"));
		json_put_member_str(
			&request->out, "SECOND_NAME", card_get(customer, "middle_name"));
		json_put_member_str(&request->out, "LAST_NAME", card_get(customer, "last_name"));
	}
	json_put_member_str(&request->out, "ASSIGNED_BY_ID", card_get(customer, "manager_id"));
	json_put_member_str(&request->out, "DATE_MODIFY", moment(request, customer->changed_ms));
	json_put_member_str(&request->out, "HAS_PHONE", STR("Y"));
	put_phones(request, customer);
	json_close_object(&request->out);
}

/* filter[>DATE_MODIFY], filter[>=DATE_MODIFY], filter[PHONE], filter[ID] */
static bool fits(struct crm_request *request, const struct card *customer)
{
	struct str after = filter_of(request, ">DATE_MODIFY");
	struct str from = filter_of(request, ">=DATE_MODIFY");
	struct str phone = filter_of(request, "PHONE"), id = filter_of(request, "ID");
	int64_t at_ms;

	/* It knows whole seconds. */
	if (after.size > 0 &&
		(!clock_parse(after, NULL, &at_ms) || customer->changed_ms / 1000 <= at_ms / 1000))
		return false;
	if (from.size > 0 &&
		(!clock_parse(from, NULL, &at_ms) || customer->changed_ms / 1000 < at_ms / 1000))
		return false;
	return (phone.size == 0 || customer_has_phone(customer, phone)) &&
	       (id.size == 0 || str_equal(card_get(customer, "id"), id));
}

static void list_entities(struct crm_request *request, bool company)
{
	const struct card **found = arena_array(request->call->arena,
		request->office->count[CARD_CUSTOMER] + 1, sizeof(struct card *));
	struct list list;
	size_t count = 0;

	for (const struct card *at = request->office->first[CARD_CUSTOMER]; at != NULL;
		at = at->next) {
		if (card_is(at, "company", "true") == company && !card_is(at, "deleted", "true") &&
			fits(request, at))
			found[count++] = at;
	}
	/* By time of change, which is also the order of ids as long as nothing changes. */
	qsort(found, count, sizeof(*found), card_by_change);
	if (!begin_list(request, &list))
		return;
	for (size_t i = 0; i < count; i++) {
		if (is_on_page(&list))
			put_entity(request, found[i], company);
	}
	end_list(request, &list);
}

void bitrix_contacts(struct crm_request *request)
{
	list_entities(request, false);
}

void bitrix_companies(struct crm_request *request)
{
	list_entities(request, true);
}
