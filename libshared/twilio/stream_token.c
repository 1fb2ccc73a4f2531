/*
 * stream_token: see stream_token.h. "<call>.<until, ms>.<nonce>.<HMAC>"; the HMAC is over all before it, with
 * a word in front so that it is no proof of anything else under the same secret.
 */
#include "stream_token.h"

#include "crypto.h"
#include "str.h"

#include <inttypes.h>
#include <stdio.h>

enum { SECRET_MIN_BYTES = 32, CALL_MAX_BYTES = 40 };

#define MAC_TEXT (2 * CRYPTO_SHA256_BYTES + 1)

static void sign(struct str secret, struct str said, char to[MAC_TEXT])
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char text[STREAM_TOKEN_BYTES + 8];

	snprintf(text, sizeof(text), "stream|%.*s", STR_ARG(said));
	crypto_hmac_sha256(secret, str_from(text), digest);
	crypto_hex(digest, sizeof(digest), to);
}

void stream_token_make(
	struct str secret, struct str call_sid, int64_t until_ms, char to[STREAM_TOKEN_BYTES])
{
	unsigned char random[(STREAM_NONCE_BYTES - 1) / 2];
	char nonce[STREAM_NONCE_BYTES], mac[MAC_TEXT];
	size_t size;

	to[0] = '\0';
	if (secret.size < SECRET_MIN_BYTES || call_sid.size > CALL_MAX_BYTES)
		return;
	crypto_random(random, sizeof(random));
	crypto_hex(random, sizeof(random), nonce);
	size = (size_t)snprintf(
		to, STREAM_TOKEN_BYTES, "%.*s.%" PRId64 ".%s", STR_ARG(call_sid), until_ms, nonce);
	sign(secret, str_from(to), mac);
	snprintf(to + size, STREAM_TOKEN_BYTES - size, ".%s", mac);
}

bool stream_token_check(struct str secret, struct str token, struct str call_sid, int64_t now_ms,
	char nonce[STREAM_NONCE_BYTES], struct error *error)
{
	struct str rest = token, call, until, once, said;
	char mac[MAC_TEXT];
	int64_t until_ms;

	nonce[0] = '\0';
	if (secret.size < SECRET_MIN_BYTES)
		return error_set(error, ERROR_AUTH, "there is no internal secret to check by");
	if (token.size == 0 || token.size >= STREAM_TOKEN_BYTES)
		return error_set(error, ERROR_AUTH, "no token");
	call = str_cut(&rest, '.');
	until = str_cut(&rest, '.');
	once = str_cut(&rest, '.');
	if (rest.data == NULL || once.size != STREAM_NONCE_BYTES - 1)
		return error_set(error, ERROR_AUTH, "the token is not one of ours");
	said = str_of(token.data, (size_t)(rest.data - 1 - token.data));
	sign(secret, said, mac);
	if (!str_equal_secret(rest, str_from(mac)) || !str_to_int64(until, &until_ms))
		return error_set(error, ERROR_AUTH, "the token is not one of ours");
	if (!str_equal(call, call_sid))
		return error_set(error, ERROR_AUTH, "the token is another call's");
	if (now_ms > until_ms)
		return error_set(error, ERROR_AUTH, "the token is too old");
	(void)str_copy(nonce, STREAM_NONCE_BYTES, once);
	return true;
}
