/* crypto: published vectors, and the shape of what is random. */
#include "crypto.h"

#include "check.h"

#include <stdlib.h>

static void check_hex(const unsigned char *digest, const char *expected)
{
	char text[2 * CRYPTO_SHA256_BYTES + 1];

	crypto_hex(digest, CRYPTO_SHA256_BYTES, text);
	assert_string_equal(text, expected);
}

/* FIPS 180-4's examples. */
static void sha256(void **state)
{
	unsigned char digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(STR("abc"), digest);
	check_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256(str_of(NULL, 0), digest);
	check_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void sha256_in_pieces_is_the_whole(void **state)
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	struct crypto_hash *hash = crypto_hash_new();

	crypto_hash_add(hash, STR("a"));
	crypto_hash_add(hash, str_of(NULL, 0));
	crypto_hash_add(hash, STR("bc"));
	crypto_hash_end(&hash, digest);
	assert_null(hash);
	check_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 1321, A.5. */
static void md5(void **state)
{
	unsigned char digest[CRYPTO_MD5_BYTES];
	char text[2 * CRYPTO_MD5_BYTES + 1];

	crypto_md5(STR("message digest"), digest);
	crypto_hex(digest, sizeof(digest), text);
	assert_string_equal(text, "f96b697d7cb7938d525a2f31aaf161d0");
	crypto_md5(str_of(NULL, 0), digest);
	crypto_hex(digest, sizeof(digest), text);
	assert_string_equal(text, "d41d8cd98f00b204e9800998ecf8427e");
}

/* RFC 4231, cases 2 and 6 (a key longer than a block), and an empty key. */
static void hmac_sha256(void **state)
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char key[131];

	crypto_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), digest);
	check_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	crypto_hmac_sha256(str_of(key, sizeof(key)),
		STR("Test Using Larger Than Block-Size Key - Hash Key First"), digest);
	check_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	crypto_hmac_sha256(str_of(NULL, 0), str_of(NULL, 0), digest);
	check_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 4648, 10, both ways; and what is none. */
static void base64(void **state)
{
	static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
	static const char *const coded[] = {
		"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	static const char *const wrong[] = {"", "Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v Zm9v",
		" Zm9", "Zm=v", "Zm8=Zm8=", "Zm9-"};
	unsigned char bytes[6];
	size_t size;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		char text[CRYPTO_BASE64_TEXT(6)];

		crypto_base64(plain[i], strlen(plain[i]), text);
		assert_string_equal(text, coded[i]);
		if (i > 0) {
			assert_true(
				crypto_base64_read(str_from(text), bytes, sizeof(bytes), &size));
			assert_int_equal(size, strlen(plain[i]));
			assert_memory_equal(bytes, plain[i], size);
			assert_false(crypto_base64_read(str_from(text), bytes, size - 1, &size));
		}
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(crypto_base64_read(str_from(wrong[i]), bytes, sizeof(bytes), &size));
}

/* RFC 3720, B.4, and the check value of the catalogue of CRCs. */
static void crc32c(void **state)
{
	unsigned char bytes[32];

	assert_int_equal(crypto_crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crypto_crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crypto_crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(crypto_crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
	assert_int_equal(crypto_crc32c(0, NULL, 0), 0);
}

static void crc32c_in_pieces_is_the_whole(void **state)
{
	const char text[] = "the quick brown fox jumps over the lazy dog";
	uint32_t whole = crypto_crc32c(0, text, sizeof(text));

	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		uint32_t first = crypto_crc32c(0, text, cut);

		assert_int_equal(crypto_crc32c(first, text + cut, sizeof(text) - cut), whole);
	}
}

static void uuid4_has_its_form(void **state)
{
	char one[CRYPTO_UUID_TEXT], two[CRYPTO_UUID_TEXT];

	for (int round = 0; round < 100; round++) {
		crypto_uuid4(one);
		assert_int_equal(strlen(one), 36);
		for (size_t i = 0; i < 36; i++) {
			if (i == 8 || i == 13 || i == 18 || i == 23)
				assert_int_equal(one[i], '-');
			else
				assert_non_null(strchr("0123456789abcdef", one[i]));
		}
		assert_int_equal(one[14], '4');
		assert_non_null(strchr("89ab", one[19]));
	}
	crypto_uuid4(two);
	assert_string_not_equal(one, two);
}

static void random_fills_every_byte(void **state)
{
	unsigned char seen[64] = {0};
	unsigned char bytes[64];

	for (int round = 0; round < 20; round++) {
		crypto_random(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_not_equal(seen[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(sha256_in_pieces_is_the_whole),
		cmocka_unit_test(md5),
		cmocka_unit_test(hmac_sha256),
		cmocka_unit_test(base64),
		cmocka_unit_test(crc32c),
		cmocka_unit_test(crc32c_in_pieces_is_the_whole),
		cmocka_unit_test(uuid4_has_its_form),
		cmocka_unit_test(random_fills_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
