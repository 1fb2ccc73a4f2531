/*
 * crypto: the few primitives that callweave needs, from OpenSSL; and a checksum.
 */
#ifndef CALLWEAVE_CRYPTO_H
#define CALLWEAVE_CRYPTO_H

#include "str.h"

#define CRYPTO_SHA256_BYTES 32
#define CRYPTO_MD5_BYTES    16
#define CRYPTO_SHA1_BYTES   20
#define CRYPTO_UUID_TEXT    37 /* 36 and a NUL */

void crypto_sha256(struct str data, unsigned char digest[CRYPTO_SHA256_BYTES]);
/* The same over pieces: for what does not lie in memory at once. crypto_hash_end() frees it. */
struct crypto_hash;
struct crypto_hash *crypto_hash_new(void);
void crypto_hash_add(struct crypto_hash *hash, struct str piece);
void crypto_hash_end(struct crypto_hash **hash, unsigned char digest[CRYPTO_SHA256_BYTES]);

/* Broken as hashes; only for wires that ask for them: the handshake of WebSockets (SHA-1), Asterisk's
 * manager login and MoySklad's header (MD5). */
void crypto_sha1(struct str data, unsigned char digest[CRYPTO_SHA1_BYTES]);
void crypto_md5(struct str data, unsigned char digest[CRYPTO_MD5_BYTES]);

void crypto_hmac_sha256(struct str key, struct str data, unsigned char digest[CRYPTO_SHA256_BYTES]);
/* Only for wires that ask for it (Twilio's signatures). */
void crypto_hmac_sha1(struct str key, struct str data, unsigned char digest[CRYPTO_SHA1_BYTES]);
void crypto_random(void *to, size_t size_bytes); /* aborts when the system gives none */
void crypto_uuid4(char to[CRYPTO_UUID_TEXT]);	 /* RFC 9562, lower case */
uint32_t crypto_crc32c(
	uint32_t seed, const void *data, size_t size_bytes); /* Castagnoli, RFC 3720 */

/* RFC 4648 with padding. `to` holds CRYPTO_BASE64_TEXT(size_bytes). */
#define CRYPTO_BASE64_TEXT(size_bytes) (((size_bytes) + 2) / 3 * 4 + 1)
void crypto_base64(const void *data, size_t size_bytes, char *to);
/* The bytes of a text with its padding; false when it is not in this alphabet, or holds more than
 * `capacity` bytes. */
bool crypto_base64_read(struct str text, unsigned char *to, size_t capacity, size_t *size_bytes);

/* Lower-case hex of `size_bytes` bytes; `to` holds twice that and a NUL. */
void crypto_hex(const void *data, size_t size_bytes, char *to);

#endif
