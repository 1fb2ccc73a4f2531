/* address: what a tenant's configuration must not make us reach, in every way to write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "address.h"

static bool is_public(const char *text)
{
	struct address address;

	if (!address_read(str_from(text), &address))
		fail_msg("%s is no address", text);
	return address_is_public(&address);
}

static void test_what_is_not_public(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
		"100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.9.1", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.5", "192.168.1.1",
		"198.18.0.1", "198.19.255.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
		"239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
		"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
		"64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:c0a8:101::1",
		"2002:a9fe:a9fe::", "2001:0:1::1", "2001:db8::1", "100::1", "fc00::1", "fd12:3::4",
		"fe80::1", "febf::1", "fec0::1", "ff02::1", "[::1]", "fd00:ec2::254"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (is_public(texts[i]))
			fail_msg("%s counts as public", texts[i]);
	}
}

static void test_what_is_public(void **state)
{
	static const char *const texts[] = {"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0",
		"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.1.1",
		"172.15.255.255", "172.32.0.0", "192.167.1.1", "192.169.0.1", "198.17.1.1",
		"198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "[2a00:1450::1]"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!is_public(texts[i]))
			fail_msg("%s does not count as public", texts[i]);
	}
}

static void test_what_is_no_address(void **state)
{
	static const char *const texts[] = {"", "localhost", "127.1", "2130706433", "0x7f000001",
		"127.0.0.1 ", "127.0.0.1/8", "1.2.3.4.5", "256.1.1.1", "::g", "[::1",
		"fe80::1%eth0", "11111111111111111111111111111111111111111111111111111111"};
	struct address address;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(address_read(str_from(texts[i]), &address));
	assert_false(address_read(STR("1.2.3.4\0"), &address));
}

static bool listed(const struct address_list *list, const char *text)
{
	struct address address;

	assert_true(address_read(str_from(text), &address));
	return address_list_has(list, &address);
}

static void test_a_list(void **state)
{
	struct address_list list;
	struct error error;

	assert_true(address_list_read(
		STR(" 127.0.0.1,10.1.0.0/16  fd00::/8\n192.168.7.128/25 "), &list, &error));
	assert_int_equal(list.count, 4);
	assert_true(listed(&list, "127.0.0.1"));
	assert_true(listed(&list, "::ffff:127.0.0.1"));
	assert_false(listed(&list, "127.0.0.2"));
	assert_true(listed(&list, "10.1.255.1"));
	assert_false(listed(&list, "10.2.0.1"));
	assert_true(listed(&list, "fdff::1"));
	assert_false(listed(&list, "fc00::1"));
	assert_true(listed(&list, "192.168.7.200"));
	assert_false(listed(&list, "192.168.7.100"));
	assert_true(address_list_read(STR(""), &list, &error));
	assert_false(listed(&list, "127.0.0.1"));
	assert_true(address_list_read(STR("0.0.0.0/0"), &list, &error));
	assert_true(listed(&list, "127.0.0.1"));
	assert_false(listed(&list, "::1"));
}

static void test_a_wrong_list(void **state)
{
	static const char *const texts[] = {"localhost", "10.0.0.0/33", "10.0.0.0/", "::/129",
		"10.0.0.0/-1", "10.0.0.0/8/8", "/8"};
	struct address_list list;
	struct error error;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(address_list_read(str_from(texts[i]), &list, &error));
		assert_non_null(strstr(error.text, "is no address"));
	}
}

static void test_texts(void **state)
{
	static const char *const texts[] = {"127.0.0.1", "::1", "2a00:1450::1"};
	struct address address;
	char text[ADDRESS_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(address_read(str_from(texts[i]), &address));
		address_text(&address, text);
		assert_string_equal(text, texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_public),
		cmocka_unit_test(test_what_is_public),
		cmocka_unit_test(test_what_is_no_address),
		cmocka_unit_test(test_a_list),
		cmocka_unit_test(test_a_wrong_list),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
