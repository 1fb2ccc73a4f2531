/*
 * crypto: the one file that includes OpenSSL; the checksum beside it needs no library.
 */
#include "crypto.h"

#include "crc32c_table.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>

/* One call: a context of its own would cost more than hashing a token does. */
void crypto_sha256(struct str data, unsigned char digest[CRYPTO_SHA256_BYTES])
{
	if (SHA256((const unsigned char *)data.data, data.size, digest) == NULL)
		abort();
}

void crypto_sha1(struct str data, unsigned char digest[CRYPTO_SHA1_BYTES])
{
	if (SHA1((const unsigned char *)data.data, data.size, digest) == NULL)
		abort();
}

void crypto_md5(struct str data, unsigned char digest[CRYPTO_MD5_BYTES])
{
	unsigned size_bytes = CRYPTO_MD5_BYTES;

	if (EVP_Digest(data.data, data.size, digest, &size_bytes, EVP_md5(), NULL) != 1)
		abort();
}

struct crypto_hash *crypto_hash_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		abort();
	return (struct crypto_hash *)context;
}

void crypto_hash_add(struct crypto_hash *hash, struct str piece)
{
	if (EVP_DigestUpdate((EVP_MD_CTX *)hash, piece.data, piece.size) != 1)
		abort();
}

void crypto_hash_end(struct crypto_hash **hash, unsigned char digest[CRYPTO_SHA256_BYTES])
{
	if (EVP_DigestFinal_ex((EVP_MD_CTX *)*hash, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free((EVP_MD_CTX *)*hash);
	*hash = NULL;
}

static void hmac(const EVP_MD *hash, struct str key, struct str data, unsigned char *digest)
{
	unsigned size_bytes;
	const char *key_data =
		key.size > 0 ? key.data : ""; /* NULL would mean "the key of before" */

	if (key.size > INT32_MAX)
		abort();
	if (HMAC(hash, key_data, (int)key.size, (const unsigned char *)data.data, data.size, digest,
		    &size_bytes) == NULL)
		abort();
}

void crypto_hmac_sha256(struct str key, struct str data, unsigned char digest[CRYPTO_SHA256_BYTES])
{
	hmac(EVP_sha256(), key, data, digest);
}

void crypto_hmac_sha1(struct str key, struct str data, unsigned char digest[CRYPTO_SHA1_BYTES])
{
	hmac(EVP_sha1(), key, data, digest);
}

/* There is nothing sensible to do without randomness: keys and ids would be guessable. */
void crypto_random(void *to, size_t size_bytes)
{
	if (size_bytes > INT32_MAX || RAND_bytes(to, (int)size_bytes) != 1)
		abort();
}

/* Bytes in the groups 4-2-2-2-6 of RFC 9562. */
void crypto_uuid4(char to[CRYPTO_UUID_TEXT])
{
	static const size_t group_ends[] = {4, 6, 8, 10, 16};
	unsigned char bytes[16];
	size_t from = 0;

	crypto_random(bytes, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40; /* version 4 */
	bytes[8] = (bytes[8] & 0x3f) | 0x80; /* the variant of RFC 9562 */
	for (size_t i = 0; i < sizeof(group_ends) / sizeof(group_ends[0]); i++) {
		crypto_hex(bytes + from, group_ends[i] - from, to);
		to += 2 * (group_ends[i] - from);
		*to++ = '-';
		from = group_ends[i];
	}
	to[-1] = '\0';
}

uint32_t crypto_crc32c(uint32_t seed, const void *data, size_t size_bytes)
{
	const unsigned char *bytes = data;
	uint32_t crc = ~seed;

	/* Four bytes a step: each table holds what a byte does from its distance to the end. */
	for (; size_bytes >= 4; size_bytes -= 4, bytes += 4) {
		crc ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		       (uint32_t)bytes[3] << 24;
		crc = crc32c_table[3][crc & 0xff] ^ crc32c_table[2][crc >> 8 & 0xff] ^
		      crc32c_table[1][crc >> 16 & 0xff] ^ crc32c_table[0][crc >> 24];
	}
	for (; size_bytes > 0; size_bytes--, bytes++)
		crc = crc >> 8 ^ crc32c_table[0][(crc ^ *bytes) & 0xff];
	return ~crc;
}

/* -1: not of the alphabet. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void crypto_base64(const void *data, size_t size_bytes, char *to)
{
	if (size_bytes > INT32_MAX / 2)
		abort();
	to[0] = '\0';
	EVP_EncodeBlock((unsigned char *)to, data, (int)size_bytes);
}

/* Not EVP_DecodeBlock(): it takes white space around and knows nothing of padding; and a frame of a
 * telephone's audio is 54 groups, fifty times a second and call. */
bool crypto_base64_read(struct str text, unsigned char *to, size_t capacity, size_t *size_bytes)
{
	size_t padding = str_ends(text, STR("==")) ? 2 : str_ends(text, STR("=")) ? 1 : 0;
	size_t digits = text.size - padding, size = text.size / 4 * 3 - padding, done = 0;
	uint32_t group = 0;

	*size_bytes = 0;
	if (text.size == 0 || text.size % 4 != 0 || size > capacity)
		return false;
	for (size_t at = 0; at < digits; at++) {
		int digit = base64_digit(text.data[at]);

		if (digit < 0)
			return false;
		group = group << 6 | (uint32_t)digit;
		/* Every digit but the first of a group completes a byte. */
		if (at % 4 != 0)
			to[done++] = (unsigned char)(group >> (6 - 2 * (at % 4)));
	}
	*size_bytes = size;
	return true;
}

/* Not snprintf(): this runs once a signature and once a request id. */
void crypto_hex(const void *data, size_t size_bytes, char *to)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size_bytes; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 0x0f];
	}
	*to = '\0';
}
