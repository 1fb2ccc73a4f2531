/*
 * The cards of the sandbox's CRMs: what was told is kept in order and counted, found by its id, and
 * bounded; popups open once and close; telephones are compared as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crm_cards.h"

#include <stdio.h>

#define TEXT(s, literal) assert_true(str_equal((s), STR(literal)))

static void test_a_card_keeps_its_fields(void **state)
{
	struct office *office = office_new(STR("key"), 1);
	struct card *card = office_add(office, CARD_CALL, 1000);

	card_set(card, "phone", STR("+375291112233"));
	card_set(card, "phone", STR("102"));
	card_set_int(card, "duration", 61);
	TEXT(card_get(card, "phone"), "102");
	TEXT(card_get(card, "duration"), "61");
	TEXT(card_get(card, "nothing"), "");
	assert_false(card_has(card, "nothing"));
	assert_false(card_fill(card, "phone", STR("103")));
	assert_true(card_fill(card, "record_url", STR("https://x")));
	assert_false(card_fill(card, "other", STR("")));
	office_free(&office);
}

static void test_cards_are_found_by_their_key_until_they_are_gone(void **state)
{
	struct office *office = office_new(STR("key"), 1);
	struct card *first = office_add(office, CARD_CALL, 1), *second;

	card_set_key(office, first, "external_id", STR("1.1"));
	assert_ptr_equal(office_find(office, CARD_CALL, "external_id", STR("1.1")), first);
	assert_null(office_find(office, CARD_LEAD, "external_id", STR("1.1")));
	second = office_add(office, CARD_CALL, 2);
	card_set_key(office, second, "external_id", STR("1.1"));
	assert_ptr_equal(office_find(office, CARD_CALL, "external_id", STR("1.1")), second);
	office_remove(office, first); /* whose key is the second's by now */
	assert_ptr_equal(office_find(office, CARD_CALL, "external_id", STR("1.1")), second);
	office_remove(office, second);
	assert_null(office_find(office, CARD_CALL, "external_id", STR("1.1")));
	assert_int_equal(office->count[CARD_CALL], 0);
	office_free(&office);
}

static void test_the_oldest_go_first(void **state)
{
	struct office *office = office_new(STR("key"), 1);

	for (int i = 0; i < OFFICE_MAX_KIND + 3; i++) {
		char id[24];
		struct card *card = office_add(office, CARD_CALL, i);
		snprintf(id, sizeof(id), "%d", i);
		card_set_key(office, card, "external_id", str_from(id));
	}
	assert_int_equal(office->count[CARD_CALL], OFFICE_MAX_KIND);
	assert_int_equal(office->first[CARD_CALL]->at_ms, 3);
	assert_null(office_find(office, CARD_CALL, "external_id", STR("2")));
	assert_non_null(office_find(office, CARD_CALL, "external_id", STR("3")));
	office_free(&office);
}

static void test_popups_open_once_and_close_for_whom_they_are_meant(void **state)
{
	struct office *office = office_new(STR("key"), 1);
	struct card *call = office_add(office, CARD_CALL, 1);

	popup_show(call, STR("16"), STR("150"), 10);
	popup_show(call, STR("17"), STR("151"), 11);
	popup_show(call, STR("16"), STR("150"), 12); /* it is open already */
	assert_int_equal(call->popups->times, 2);
	assert_null(call->popups->next->next);
	popup_hide(call, STR(""), STR("151"), 20); /* by his extension alone */
	assert_int_equal(call->popups->next->hidden_ms, 20);
	assert_int_equal(call->popups->hidden_ms, 0);
	popup_hide(call, STR("99"), STR(""), 21); /* nobody's */
	assert_true(popup_is_open(call));
	popup_hide(call, STR(""), STR(""), 22);
	assert_false(popup_is_open(call));
	popup_show(call, STR("17"), STR("151"), 30); /* once more: another one */
	assert_int_equal(call->popups->next->next->shown_ms, 30);
	office_free(&office);
}

static void test_what_was_told_is_counted_beyond_what_is_kept(void **state)
{
	struct office *office = office_new(STR("key"), 1);
	struct card *call = office_add(office, CARD_CALL, 1);

	for (int i = 0; i < CARD_MAX_TOLD + 10; i++)
		card_told(call, STR("upload"), i);
	assert_int_equal(call->told_count, CARD_MAX_TOLD + 10);
	assert_string_equal(call->told[CARD_MAX_TOLD - 1].what, "upload");
	office_free(&office);
}

static void test_telephones_are_equal_by_what_people_dial(void **state)
{
	assert_true(phones_equal(STR("+375 (29) 111-22-33"), STR("80291112233")));
	assert_true(phones_equal(STR("375291112233"), STR(" 375291112233")));
	assert_true(phones_equal(STR("102"), STR("102")));
	assert_false(phones_equal(STR("102"), STR("+375291112102")));
	assert_false(phones_equal(STR("+375291112233"), STR("+375291112234")));
	assert_false(phones_equal(STR(""), STR("")));
	assert_false(phones_equal(STR("anonymous"), STR("hidden")));
}

static void test_customers_are_found_by_any_of_their_phones(void **state)
{
	struct office *office = office_new(STR("key"), 1);
	struct card *first = office_add(office, CARD_CUSTOMER, 1);
	struct card *second = office_add(office, CARD_CUSTOMER, 1);

	card_set_raw(first, "phones", STR("[\"102\",\"+375291112233\"]"));
	card_set_raw(second, "phones", STR("[\"8 029 1112233\"]"));
	assert_ptr_equal(office_customer(office, STR("375291112233"), NULL), first);
	assert_ptr_equal(office_customer(office, STR("375291112233"), first), second);
	assert_null(office_customer(office, STR("375291112233"), second));
	card_set_raw(first, "deleted", STR("true"));
	assert_ptr_equal(office_customer(office, STR("375291112233"), NULL), second);
	card_set_raw(second, "phones", STR("no JSON")); /* declared by a careless test */
	assert_null(office_customer(office, STR("375291112233"), NULL));
	office_free(&office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_card_keeps_its_fields),
		cmocka_unit_test(test_cards_are_found_by_their_key_until_they_are_gone),
		cmocka_unit_test(test_the_oldest_go_first),
		cmocka_unit_test(test_popups_open_once_and_close_for_whom_they_are_meant),
		cmocka_unit_test(test_what_was_told_is_counted_beyond_what_is_kept),
		cmocka_unit_test(test_telephones_are_equal_by_what_people_dial),
		cmocka_unit_test(test_customers_are_found_by_any_of_their_phones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
