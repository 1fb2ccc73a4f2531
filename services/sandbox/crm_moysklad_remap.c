/*
 * crm_moysklad_remap: counterparties, their contact persons and employees of MoySklad's Remap API.
 */
#include "crm_moysklad.h"

#include "clock.h"
#include "json_put.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_LIMIT 1000

static const struct check_field counterparty_fields[] = {
	MUST("name", CHECK_TEXT),
	MAY("phone", CHECK_TEXT),
	MAY("email", CHECK_TEXT),
	MAY("description", CHECK_STRING),
	MAY("companyType", CHECK_TEXT),
	MAY("tags", CHECK_TEXTS),
	MAY_HOLD("owner", CHECK_OBJECT, moysklad_reference_fields),
	{NULL},
};

/* -- what it shows ---------------------------------------------------------------------------------- */

/* MoySklad has one name for a person or a company. */
static struct str name_of(struct crm_request *request, const struct card *card)
{
	static const char *const parts[] = {"last_name", "first_name", "middle_name"};
	struct str company = card_get(card, "company_name");
	struct buf name;
	const char *kept;

	if (company.size > 0)
		return company;
	buf_init(&name, CARD_MAX_TEXT);
	for (size_t i = 0; i < 3; i++) {
		struct str part = card_get(card, parts[i]);
		if (part.size > 0)
			buf_printf(&name, "%s%.*s", name.size > 0 ? " " : "", STR_ARG(part));
	}
	kept = arena_strndup(request->call->arena, name.data != NULL ? name.data : "", name.size);
	buf_free(&name);
	return str_from(kept);
}

static struct str first_phone(struct crm_request *request, const struct card *card)
{
	struct json *phones = card_json(card, "phones");
	struct str phone = json_text(json_first(phones));
	const char *kept = arena_strndup(request->call->arena, phone.data, phone.size);

	json_free(&phones);
	return str_from(kept);
}

static void put_moment(struct crm_request *request, const char *name, int64_t at_ms)
{
	char time[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(at_ms, time);
	time[10] = ' ';
	time[23] = '\0';
	json_put_member_str(&request->out, name, str_from(time));
}

static void put_members(struct crm_request *request, const struct card *card)
{
	struct str owner = card_get(card, "manager_id");

	moysklad_put_meta(request, NULL, "counterparty", card_get(card, "id"));
	json_put_member_str(&request->out, "id", card_get(card, "id"));
	json_put_member_str(&request->out, "name", name_of(request, card));
	json_put_member_str(&request->out, "companyType",
		card_is(card, "company", "true") ? STR("legal") : STR("individual"));
	json_put_member_str(&request->out, "phone", first_phone(request, card));
	if (card_get(card, "email").size > 0)
		json_put_member_str(&request->out, "email", card_get(card, "email"));
	if (card_has(card, "tags"))
		json_put_member_raw(&request->out, "tags", card_get(card, "tags"));
	put_moment(request, "created", card->at_ms);
	put_moment(request, "updated", card->changed_ms);
	json_put_member_bool(&request->out, "archived", card_is(card, "deleted", "true"));
	if (owner.size > 0)
		moysklad_put_meta(request, "owner", "employee", owner);
}

static void put_one(struct crm_request *request, const struct card *card)
{
	json_open_object(&request->out);
	put_members(request, card);
	json_close_object(&request->out);
}

/* -- filters ---------------------------------------------------------------------------------------- */

struct condition {
	struct str name, value;
	char operator[3];
};

/* "phone~=375", "updated>2026-01-01 00:00:00": the first of = ! ~ < > begins the operator. */
static bool read_condition(struct str text, struct condition *condition)
{
	static const char *const operators[] = {
		"!=", "!~", "~=", "=~", ">=", "<=", "=", "~", ">", "<"};
	size_t at = 0;

	while (at < text.size && strchr("=!~<>", text.data[at]) == NULL)
		at++;
	condition->name = str_of(text.data, at);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t size = strlen(operators[i]);
		if (text.size - at < size || memcmp(text.data + at, operators[i], size) != 0)
			continue;
		str_copy(condition->operator, sizeof(condition->operator), str_from(operators[i]));
		condition->value = str_of(text.data + at + size, text.size - at - size);
		return true;
	}
	return false;
}

static bool text_fits(const struct condition *condition, struct str text)
{
	struct str value = condition->value;
	const char *operator= condition->operator;
	bool within = value.size == 0 || (text.size > 0 && memmem(text.data, text.size, value.data,
								   value.size) != NULL);

	if (strcmp(operator, "=") == 0)
		return str_equal(text, value);
	if (strcmp(operator, "!=") == 0)
		return !str_equal(text, value);
	if (strcmp(operator, "~") == 0)
		return within;
	if (strcmp(operator, "!~") == 0)
		return !within;
	if (strcmp(operator, "~=") == 0)
		return str_starts(text, value);
	return strcmp(operator, "=~") == 0 && str_ends(text, value);
}

static bool moment_fits(const struct condition *condition, int64_t at_ms)
{
	int64_t value;

	if (!clock_parse(condition->value, NULL, &value))
		return false;
	switch (condition->operator[0]) {
	case '>':
		return condition->operator[1] == '=' ? at_ms >= value : at_ms> value;
	case '<':
		return condition->operator[1] == '=' ? at_ms <= value : at_ms<value;
	default:
		return at_ms == value;
	}
}

static bool is_known(const struct condition *condition)
{
	static const char *const names[] = {
		"phone", "name", "email", "id", "updated", "archived", NULL};

	for (size_t i = 0; names[i] != NULL; i++) {
		if (str_equal(condition->name, str_from(names[i])))
			return true;
	}
	return false;
}

static bool fits_one(
	struct crm_request *request, const struct card *card, const struct condition *condition)
{
	if (str_equal(condition->name, STR("phone")))
		return text_fits(condition, first_phone(request, card));
	if (str_equal(condition->name, STR("name")))
		return text_fits(condition, name_of(request, card));
	if (str_equal(condition->name, STR("updated")))
		return moment_fits(condition, card->changed_ms);
	if (str_equal(condition->name, STR("archived")))
		return str_equal(condition->value, STR("true")) == card_is(card, "deleted", "true");
	return text_fits(
		condition, card_get(card, condition->name.data[0] == 'i' ? "id" : "email"));
}

/* All of "a=1;b=2". Archived ones are shown only when they are asked for. */
static bool fits(struct crm_request *request, const struct card *card)
{
	struct str rest = crm_arg(request, "filter");
	struct condition condition;
	bool archived = false;

	while (rest.data != NULL && rest.size > 0) {
		(void)read_condition(str_cut(&rest, ';'), &condition);
		archived = archived || str_equal(condition.name, STR("archived"));
		if (!fits_one(request, card, &condition))
			return false;
	}
	return archived || !card_is(card, "deleted", "true");
}

static bool filter_is_good(struct crm_request *request)
{
	struct str rest = crm_arg(request, "filter");
	struct condition condition;

	while (rest.data != NULL && rest.size > 0) {
		struct str part = str_cut(&rest, ';');
		if (read_condition(part, &condition) && is_known(&condition))
			continue;
		crm_refuse(
			request, 412, "1002", "The filter '%.*s' is not understood", STR_ARG(part));
		return false;
	}
	return true;
}

/* -- lists ------------------------------------------------------------------------------------------ */

struct range {
	int64_t limit, offset, size;
};

static bool read_range(struct crm_request *request, struct range *range)
{
	*range = (struct range){
		crm_arg_int(request, "limit", MAX_LIMIT), crm_arg_int(request, "offset", 0), 0};
	if (range->limit >= 1 && range->limit <= MAX_LIMIT && range->offset >= 0)
		return true;
	crm_refuse(request, 412, "1001", "limit takes 1 to %d, offset 0 and more", MAX_LIMIT);
	return false;
}

static void begin_list(struct crm_request *request, const struct range *range)
{
	crm_begin(request, 200);
	json_put_name(&request->out, "meta");
	json_open_object(&request->out);
	json_put_member_int(&request->out, "size", range->size);
	json_put_member_int(&request->out, "limit", range->limit);
	json_put_member_int(&request->out, "offset", range->offset);
	json_close_object(&request->out);
	json_put_name(&request->out, "rows");
	json_open_array(&request->out);
}

void moysklad_counterparties(struct crm_request *request)
{
	struct str order = crm_arg(request, "order");
	const struct card **found;
	struct range range;

	if (!read_range(request, &range) || !filter_is_good(request))
		return;
	if (order.size > 0 && !str_starts(order, STR("updated")) &&
		!str_starts(order, STR("name")) && !str_starts(order, STR("id"))) {
		crm_refuse(request, 412, "1003", "order is not understood");
		return;
	}
	found = arena_array(request->call->arena, request->office->count[CARD_CUSTOMER] + 1,
		sizeof(struct card *));
	for (const struct card *at = request->office->first[CARD_CUSTOMER]; at != NULL;
		at = at->next) {
		if (fits(request, at))
			found[range.size++] = at;
	}
	if (str_starts(order, STR("updated")))
		qsort(found, (size_t)range.size, sizeof(*found), card_by_change);
	begin_list(request, &range);
	for (int64_t i = range.offset; i < range.size && i < range.offset + range.limit; i++)
		put_one(request, found[i]);
	json_close_array(&request->out);
	crm_end(request);
}

static struct card *find(struct crm_request *request)
{
	struct card *card = office_by_id(request->office, CARD_CUSTOMER, request->parts[0]);

	if (card == NULL)
		crm_refuse(request, 404, "1021", "Counterparty is not found");
	return card;
}

static void show(struct crm_request *request, const struct card *card)
{
	crm_begin(request, 200);
	put_members(request, card);
	crm_end(request);
}

void moysklad_counterparty(struct crm_request *request)
{
	const struct card *card = find(request);

	if (card != NULL)
		show(request, card);
}

/* Declared as [{"name", "phone", "position"}]. */
void moysklad_contacts(struct crm_request *request)
{
	const struct card *card = find(request);
	struct range range = {.limit = MAX_LIMIT};
	struct json *people;

	if (card == NULL)
		return;
	people = card_json(card, "people");
	range.size = (int64_t)json_count(people);
	begin_list(request, &range);
	for (const struct json *at = json_first(people); at != NULL; at = json_next(at)) {
		json_open_object(&request->out);
		json_put_member_str(&request->out, "id", crm_member(request, at, "id"));
		json_put_member_str(&request->out, "name", crm_member(request, at, "name"));
		json_put_member_str(&request->out, "phone", crm_member(request, at, "phone"));
		json_put_member_str(&request->out, "position", crm_member(request, at, "position"));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	crm_end(request);
	json_free(&people);
}

void moysklad_employees(struct crm_request *request)
{
	struct range range;
	int64_t at = 0;

	if (!read_range(request, &range))
		return;
	range.size = (int64_t)request->office->count[CARD_USER];
	begin_list(request, &range);
	for (const struct card *user = request->office->first[CARD_USER]; user != NULL;
		user = user->next, at++) {
		if (at < range.offset || at >= range.offset + range.limit)
			continue;
		json_open_object(&request->out);
		moysklad_put_meta(request, NULL, "employee", card_get(user, "id"));
		json_put_member_str(&request->out, "id", card_get(user, "id"));
		json_put_member_str(&request->out, "name", card_get(user, "name"));
		json_put_member_str(&request->out, "email", card_get(user, "email"));
		json_put_member_str(&request->out, "phone", card_get(user, "phone"));
		json_close_object(&request->out);
	}
	json_close_array(&request->out);
	crm_end(request);
}

/* -- changes ---------------------------------------------------------------------------------------- */

static void set_fields(struct crm_request *request, struct card *card)
{
	const struct json *body = request->json;
	struct str phone = json_text(json_member(body, "phone"));
	struct str owner = moysklad_id_of(json_member(body, "owner"));
	struct buf phones;

	card_set(card, "company_name", json_text(json_member(body, "name")));
	if (json_member(body, "email") != NULL)
		card_set(card, "email", json_text(json_member(body, "email")));
	if (json_member(body, "tags") != NULL)
		card_set_raw(card, "tags", crm_member(request, body, "tags"));
	if (owner.size > 0)
		card_set(card, "manager_id", owner);
	if (phone.size == 0)
		return;
	buf_init(&phones, CARD_MAX_TEXT);
	buf_add_char(&phones, '[');
	json_add_string(&phones, phone);
	buf_add_char(&phones, ']');
	card_set_raw(card, "phones", buf_str(&phones));
	buf_free(&phones);
}

void moysklad_counterparty_create(struct crm_request *request)
{
	struct card *card;

	if (!moysklad_check(request, counterparty_fields))
		return;
	card = office_add(request->office, CARD_CUSTOMER, request->now_ms);
	card_set(card, "id", moysklad_new_id(request));
	card_set(card, "created_by", STR("api"));
	set_fields(request, card);
	crm_customer_changed(request, card, "created");
	show(request, card);
}

void moysklad_counterparty_change(struct crm_request *request)
{
	struct card *card = find(request);

	if (card == NULL || !moysklad_check(request, counterparty_fields))
		return;
	set_fields(request, card);
	card->updates++;
	crm_customer_changed(request, card, "changed");
	show(request, card);
}
