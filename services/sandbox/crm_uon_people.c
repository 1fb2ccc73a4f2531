/*
 * crm_uon_people: tourists and managers of U-ON. It may keep numbers with a space instead of the
 * plus, so they are compared by digits.
 */
#include "crm_uon.h"

#include "json_put.h"

#include <stdio.h>

/* Cards keep what all CRMs have in common; this API's names for it. */
static const char *const names[][2] = {{"u_id", "id"}, {"u_surname", "last_name"},
	{"u_name", "first_name"}, {"u_sname", "middle_name"}, {"u_company", "company_name"},
	{"u_email", "email"}, {"u_manager_id", "manager_id"}, {"u_note", "note"}};
#define NAMES (sizeof(names) / sizeof(names[0]))

static const char *const phone_names[] = {"u_phone", "u_phone_mobile", "u_phone_home"};

static const struct check_field user_fields[] = {
	MAY("u_type", CHECK_INT),
	MAY("u_surname", CHECK_STRING),
	MAY("u_name", CHECK_STRING),
	MAY("u_sname", CHECK_STRING),
	MAY("u_phone", CHECK_PHONE),
	MAY("u_phone_mobile", CHECK_PHONE),
	MAY("u_phone_home", CHECK_PHONE),
	MAY("u_email", CHECK_STRING),
	MAY("u_note", CHECK_STRING),
	MAY("u_company", CHECK_STRING),
	MAY("u_manager_id", CHECK_INT),
	MAY("u_office_id", CHECK_INT),
	MAY("u_source", CHECK_INT), /* a tourist who recommended us */
	{NULL},
};

static void put_phones(struct crm_request *request, const struct card *user)
{
	struct json *phones = card_json(user, "phones");

	for (size_t i = 0; i < 3; i++)
		json_put_member_str(&request->out, phone_names[i], json_text(json_item(phones, i)));
	json_free(&phones);
}

static void put_user(struct crm_request *request, const struct card *user)
{
	json_open_object(&request->out);
	for (size_t i = 0; i < NAMES; i++)
		json_put_member_str(&request->out, names[i][0], card_get(user, names[i][1]));
	json_put_member_str(
		&request->out, "u_type", card_is(user, "company", "true") ? STR("2") : STR("1"));
	put_phones(request, user);
	json_close_object(&request->out);
}

/* -- look-ups --------------------------------------------------------------------------------------- */

void uon_user_by_phone(struct crm_request *request)
{
	struct str phone = request->parts[0];
	const struct card *user = office_customer(request->office, phone, NULL);

	if (!check_is_phone(phone)) {
		crm_refuse(request, 400, "", "Wrong phone");
		return;
	}
	if (user == NULL) {
		uon_nothing(request);
		return;
	}
	uon_begin_list(request, "users");
	for (; user != NULL; user = office_customer(request->office, phone, user))
		put_user(request, user);
	uon_end_list(request);
}

static struct card *find_user(struct crm_request *request)
{
	struct card *user = office_by_id(request->office, CARD_CUSTOMER, request->parts[0]);

	if (user != NULL && !card_is(user, "deleted", "true"))
		return user;
	uon_nothing(request);
	return NULL;
}

void uon_user(struct crm_request *request)
{
	const struct card *user = find_user(request);

	if (user == NULL)
		return;
	uon_begin_list(request, "user");
	put_user(request, user);
	uon_end_list(request);
}

void uon_users(struct crm_request *request)
{
	int64_t page = uon_page(request, request->parts[0]), at = 0;
	int64_t total = (int64_t)request->office->count[CARD_CUSTOMER];

	if (page == 0)
		return;
	if ((page - 1) * UON_PAGE >= total) {
		uon_nothing(request);
		return;
	}
	uon_begin_list(request, "users");
	for (const struct card *user = request->office->first[CARD_CUSTOMER]; user != NULL;
		user = user->next, at++) {
		if (at >= (page - 1) * UON_PAGE && at < page * UON_PAGE &&
			!card_is(user, "deleted", "true"))
			put_user(request, user);
	}
	uon_end_list(request);
}

void uon_user_search(struct crm_request *request)
{
	static const struct check_field fields[] = {MUST("phone", CHECK_PHONE), {NULL}};

	if (!uon_check(request, fields))
		return;
	request->parts[0] = crm_arg(request, "phone");
	uon_user_by_phone(request);
}

/* -- changes ---------------------------------------------------------------------------------------- */

static void set_phones(struct crm_request *request, struct card *user)
{
	struct json_writer writer;
	struct buf text;
	int count = 0;

	buf_init(&text, CARD_MAX_TEXT);
	json_begin(&writer, &text);
	json_open_array(&writer);
	for (size_t i = 0; i < 3; i++) {
		struct str phone = crm_arg(request, phone_names[i]);
		if (phone.size == 0)
			continue;
		json_put_str(&writer, phone);
		count++;
	}
	json_close_array(&writer);
	if (count > 0)
		card_set_raw(user, "phones", buf_str(&text));
	buf_free(&text);
}

static void set_fields(struct crm_request *request, struct card *user)
{
	for (size_t i = 1; i < NAMES; i++) { /* behind the id */
		if (args_has(request->args, names[i][0]))
			card_set(user, names[i][1], crm_arg(request, names[i][0]));
	}
	if (args_has(request->args, "u_type"))
		card_set_raw(user, "company",
			str_equal(crm_arg(request, "u_type"), STR("1")) ? STR("false")
									: STR("true"));
	set_phones(request, user);
}

void uon_user_create(struct crm_request *request)
{
	struct card *user;
	char id[24];

	if (!uon_check(request, user_fields))
		return;
	if (crm_arg(request, "u_surname").size + crm_arg(request, "u_name").size +
			crm_arg(request, "u_company").size + crm_arg(request, "u_phone").size +
			crm_arg(request, "u_phone_mobile").size +
			crm_arg(request, "u_email").size ==
		0) {
		crm_refuse(request, 400, "", "Parameter 'u_name' is missing");
		return;
	}
	user = office_add(request->office, CARD_CUSTOMER, request->now_ms);
	snprintf(id, sizeof(id), "%lld", 100000 + (long long)user->id);
	card_set(user, "id", str_from(id));
	card_set(user, "created_by", STR("api"));
	set_fields(request, user);
	crm_customer_changed(request, user, "created");
	uon_say_id(request, user);
}

void uon_user_update(struct crm_request *request)
{
	struct card *user = find_user(request);

	if (user == NULL || !uon_check(request, user_fields))
		return;
	set_fields(request, user);
	user->updates++;
	crm_customer_changed(request, user, "changed");
	uon_say_id(request, user);
}

/* -- managers --------------------------------------------------------------------------------------- */

static void put_manager(struct crm_request *request, const struct card *user)
{
	struct str last = card_get(user, "last_name"), first = card_get(user, "first_name");

	json_open_object(&request->out);
	json_put_member_str(&request->out, "u_id", card_get(user, "id"));
	json_put_member_str(&request->out, "u_surname", last);
	json_put_member_str(&request->out, "u_name",
		first.size + last.size > 0 ? first : card_get(user, "name"));
	json_put_member_str(&request->out, "u_email", card_get(user, "email"));
	json_put_member_str(&request->out, "u_phone", card_get(user, "phone"));
	json_put_member_str(&request->out, "u_phone_internal", card_get(user, "code"));
	json_put_member_str(
		&request->out, "active", card_is(user, "active", "false") ? STR("0") : STR("1"));
	json_close_object(&request->out);
}

void uon_managers(struct crm_request *request)
{
	if (request->office->count[CARD_USER] == 0) {
		uon_nothing(request);
		return;
	}
	uon_begin_list(request, "users");
	for (const struct card *at = request->office->first[CARD_USER]; at != NULL; at = at->next)
		put_manager(request, at);
	uon_end_list(request);
}

void uon_manager(struct crm_request *request)
{
	const struct card *user = office_by_id(request->office, CARD_USER, request->parts[0]);

	if (user == NULL) {
		uon_nothing(request);
		return;
	}
	uon_begin_list(request, "users");
	put_manager(request, user);
	uon_end_list(request);
}
