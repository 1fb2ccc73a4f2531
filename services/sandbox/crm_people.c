/*
 * crm_people: customers by their telephones, and cards as JSON. Numbers are compared by digits:
 * people write them as they like, and CRMs find them all the same.
 */
#include "crm_cards.h"

#include "json_put.h"

#include <ctype.h>
#include <stdio.h>

#define SAME_DIGITS 9 /* a number without the codes of country and trunk */

struct digits {
	char text[24];
	size_t size;
};

static struct digits digits_of(struct str phone)
{
	struct digits digits = {.size = 0};

	for (size_t i = 0; i < phone.size && digits.size < sizeof(digits.text); i++) {
		if (isdigit((unsigned char)phone.data[i]))
			digits.text[digits.size++] = phone.data[i];
	}
	return digits;
}

bool phones_equal(struct str a, struct str b)
{
	struct digits one = digits_of(a), two = digits_of(b);
	size_t count = one.size < two.size ? one.size : two.size;

	if (count == 0 || (count < SAME_DIGITS && one.size != two.size))
		return false;
	if (count > SAME_DIGITS)
		count = SAME_DIGITS;
	return memcmp(one.text + one.size - count, two.text + two.size - count, count) == 0;
}

bool customer_has_phone(const struct card *customer, struct str phone)
{
	struct json *phones = card_json(customer, "phones");
	bool has = false;

	for (const struct json *at = json_first(phones); at != NULL && !has; at = json_next(at))
		has = phones_equal(json_text(at), phone);
	json_free(&phones);
	return has;
}

struct card *office_customer(
	const struct office *office, struct str phone, const struct card *after)
{
	struct card *at = after != NULL ? after->next : office->first[CARD_CUSTOMER];

	for (; at != NULL; at = at->next) {
		if (!card_is(at, "deleted", "true") && customer_has_phone(at, phone))
			return at;
	}
	return NULL;
}

int card_by_change(const void *one, const void *other)
{
	const struct card *a = *(const struct card *const *)one;
	const struct card *b = *(const struct card *const *)other;

	if (a->changed_ms != b->changed_ms)
		return a->changed_ms < b->changed_ms ? -1 : 1;
	return a->id < b->id ? -1 : 1;
}

/* -- as JSON ---------------------------------------------------------------------------------------- */

static void put_moment(struct json_writer *writer, const char *name, int64_t at_ms)
{
	json_put_name(writer, name);
	if (at_ms > 0)
		json_put_int(writer, at_ms);
	else
		json_put_null(writer);
}

static void put_popups(const struct card *card, struct json_writer *writer)
{
	json_put_name(writer, "popups");
	json_open_array(writer);
	for (const struct popup *at = card->popups; at != NULL; at = at->next) {
		json_open_object(writer);
		json_put_member_str(writer, "user", str_from(at->user));
		json_put_member_str(writer, "extension", str_from(at->extension));
		put_moment(writer, "shown_at", at->shown_ms);
		put_moment(writer, "hidden_at", at->hidden_ms);
		json_put_member_int(writer, "times", at->times);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_told(const struct card *card, struct json_writer *writer)
{
	json_put_name(writer, "told");
	json_open_array(writer);
	for (unsigned i = 0; i < card->told_count && i < CARD_MAX_TOLD; i++) {
		json_open_object(writer);
		json_put_member_str(writer, "what", str_from(card->told[i].what));
		json_put_member_int(writer, "at_ms", card->told[i].at_ms);
		json_close_object(writer);
	}
	json_close_array(writer);
	json_put_member_int(writer, "told_count", card->told_count);
}

/* Who, for people: the name of the user whose id the call has. */
static struct str name_of_user(const struct office *office, const struct card *card)
{
	struct str id = card_get(card, "user");
	const struct card *user = id.size > 0 ? office_by_id(office, CARD_USER, id) : NULL;

	return user != NULL ? card_get(user, "name") : (struct str){0};
}

/* Always there, so that a test may compare whole objects. */
static void put_call(
	const struct office *office, const struct card *card, struct json_writer *writer)
{
	static const char *const texts[] = {"external_id", "direction", "phone", "user",
		"extension", "result", "started", "record_url"};
	static const char *const numbers[] = {"duration", "waiting"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!card_has(card, texts[i]))
			json_put_member_str(writer, texts[i], (struct str){0});
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!card_has(card, numbers[i]))
			json_put_member_raw(writer, numbers[i], STR("null"));
	}
	json_put_member_str(writer, "user_name", name_of_user(office, card));
	put_popups(card, writer);
	put_told(card, writer);
}

struct office_name office_name(const struct office *office)
{
	const struct card *settings = office->first[CARD_SETTING];
	struct str declared = settings != NULL ? card_get(settings, "name") : (struct str){0};
	struct office_name name;

	snprintf(name.text, sizeof(name.text), "#%lld", (long long)office->number);
	if (declared.size > 0)
		str_copy(name.text, sizeof(name.text), declared);
	return name;
}

void card_write(const char *crm, const struct office *office, const struct card *card,
	struct json_writer *writer)
{
	struct office_name name = office_name(office);

	json_open_object(writer);
	json_put_member_str(writer, "crm", str_from(crm));
	json_put_member_str(writer, "account", str_from(name.text));
	json_put_member_str(writer, "kind", str_from(card_kind_name(card->kind)));
	json_put_member_int(writer, "number", card->id);
	for (unsigned i = 0; i < card->field_count; i++) {
		struct str value = str_from(card->fields[i].value);
		if (card->fields[i].raw)
			json_put_member_raw(writer, card->fields[i].name, value);
		else
			json_put_member_str(writer, card->fields[i].name, value);
	}
	if (card->kind == CARD_CALL)
		put_call(office, card, writer);
	json_put_member_int(writer, "entries", card->entries);
	json_put_member_int(writer, "updates", card->updates);
	json_put_member_int(writer, "at_ms", card->at_ms);
	json_put_member_int(writer, "changed_ms", card->changed_ms);
	json_close_object(writer);
}
