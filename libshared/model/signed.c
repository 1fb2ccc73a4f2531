/*
 * signed: see signed.h.
 */
#include "signed.h"

#include "crypto.h"

#include <inttypes.h>
#include <stdio.h>

#define SIGN_BYTES 10 /* 80 bits: nobody can try that many within a link's life */
#define SIGN_TEXT  (2 * SIGN_BYTES + 1)

static void sign(struct str key, const char *text, char to[SIGN_TEXT])
{
	unsigned char digest[CRYPTO_SHA256_BYTES];
	crypto_hmac_sha256(key, str_from(text), digest);
	crypto_hex(digest, SIGN_BYTES, to);
}

/* What a link says, as it is signed: "call|0367|123|<until>", "customer|0367|375290000001|<until>". */
static void link_sign(struct str key, const char *kind, const struct signed_query *query,
	struct str what, char to[SIGN_TEXT])
{
	char text[200];
	snprintf(text, sizeof(text), "%s|%.*s|%.*s|%.*s", kind, STR_ARG(query->enterprise),
		STR_ARG(what), STR_ARG(query->until));
	sign(key, text, to);
}

static void link_make(struct str key, const char *kind, struct signed_query *query, struct str what,
	struct buf *to)
{
	char mac[SIGN_TEXT];
	link_sign(key, kind, query, what, mac);
	buf_printf(to, "/%s/%.*s/%.*s?until=%.*s&sign=%s", kind, STR_ARG(query->enterprise),
		STR_ARG(what), STR_ARG(query->until), mac);
}

static bool link_check(struct str key, const char *kind, const struct signed_query *query,
	struct str what, struct error *error)
{
	char mac[SIGN_TEXT];
	if (key.size < SIGNED_KEY_MIN_BYTES || !str_is_digits(query->until) ||
		query->until.size > 12)
		return error_set(error, ERROR_AUTH, "this link is not complete");
	link_sign(key, kind, query, what, mac);
	if (!str_equal_secret(query->sign, str_from(mac)))
		return error_set(error, ERROR_AUTH, "this link was not made here");
	return true;
}

static bool is_over(const struct signed_query *query, int64_t now_ms)
{
	int64_t until_s = 0;
	return !str_to_int64(query->until, &until_s) || now_ms / 1000 > until_s;
}

static struct str decimal(int64_t number, char to[24])
{
	snprintf(to, 24, "%" PRId64, number);
	return str_from(to);
}

void signed_link(
	struct str key, struct str enterprise, int64_t call_id, int64_t until_ms, struct buf *to)
{
	char id[24], until[24];
	struct signed_query query = {
		.enterprise = enterprise, .until = decimal(until_ms / 1000, until)};
	link_make(key, "call", &query, decimal(call_id, id), to);
}

bool signed_link_check(
	struct str key, const struct signed_query *query, int64_t now_ms, struct error *error)
{
	char id[24];
	if (!link_check(key, "call", query, decimal(query->call_id, id), error))
		return false;
	if (is_over(query, now_ms))
		return error_set(
			error, ERROR_AUTH, "this link is over; press the button in the chat again");
	return true;
}

void signed_customer_link(
	struct str key, struct str enterprise, struct str phone, int64_t until_ms, struct buf *to)
{
	char until[24];
	struct signed_query query = {
		.enterprise = enterprise, .until = decimal(until_ms / 1000, until)};
	link_make(key, "customer", &query, phone, to);
}

bool signed_customer_check(struct str key, const struct signed_query *query, struct str phone,
	int64_t now_ms, struct error *error)
{
	if (!link_check(key, "customer", query, phone, error))
		return false;
	if (is_over(query, now_ms))
		return error_set(error, ERROR_AUTH, "this link is over");
	return true;
}

/* -- buttons -------------------------------------------------------------------------------------- */

static const char actions[] = {[CALLBACK_LISTEN] = 'l',
	[CALLBACK_WHISPER] = 'w',
	[CALLBACK_CONFERENCE] = 'c',
	[CALLBACK_CALL_BACK] = 'b'};

/* "<what>|<chat>" is signed, "<what>:<sign>" is sent: the chat is known from the press. */
static void callback_sign(struct str key, struct str what, int64_t chat_id, char to[SIGN_TEXT])
{
	char text[SIGNED_CALLBACK_BYTES + 32];
	snprintf(text, sizeof(text), "press|%.*s|%" PRId64, STR_ARG(what), chat_id);
	sign(key, text, to);
}

void signed_callback(struct str key, const struct callback *callback, int64_t chat_id,
	int64_t until_ms, char to[SIGNED_CALLBACK_BYTES])
{
	/* 1 + 1 + 12 + 1 + 15 + 1 + 8 + 1 + 20: 60 of the 64 bytes at most; a longer phone is cut, and
	 * then its signature does not help anybody. */
	char what[SIGNED_CALLBACK_BYTES], mac[SIGN_TEXT];
	snprintf(what, sizeof(what), "%c:%" PRIx64 ":%.15s:%" PRIx64, actions[callback->action],
		(uint64_t)callback->call_id, callback->phone, (uint64_t)(until_ms / 1000));
	callback_sign(key, str_from(what), chat_id, mac);
	snprintf(to, SIGNED_CALLBACK_BYTES, "%.43s:%s", what, mac);
}

static bool hex_to_int64(struct str text, int64_t *value)
{
	uint64_t sum = 0;
	if (text.size == 0 || text.size > 15)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		int digit = str_hex_digit(text.data[i]);
		if (digit < 0)
			return false;
		sum = sum << 4 | (uint64_t)digit;
	}
	*value = (int64_t)sum;
	return true;
}

static bool action_from(struct str text, enum callback_action *action)
{
	for (size_t i = 0; i < sizeof(actions); i++) {
		if (text.size == 1 && text.data[0] == actions[i]) {
			*action = (enum callback_action)i;
			return true;
		}
	}
	return false;
}

bool signed_callback_read(struct str key, struct str data, int64_t chat_id, int64_t now_ms,
	struct callback *callback, struct error *error)
{
	char mac[SIGN_TEXT];
	int64_t until_s = 0;
	if (key.size < SIGNED_KEY_MIN_BYTES || data.size < SIGN_TEXT + 1)
		return error_set(error, ERROR_AUTH, "this button is not ours");
	struct str what = str_of(data.data, data.size - SIGN_TEXT);
	struct str given = str_of(data.data + what.size + 1, SIGN_TEXT - 1);
	callback_sign(key, what, chat_id, mac);
	if (data.data[what.size] != ':' || !str_equal_secret(given, str_from(mac)))
		return error_set(error, ERROR_AUTH, "this button is not ours");
	struct str action = str_cut(&what, ':'), id = str_cut(&what, ':'),
		   phone = str_cut(&what, ':');
	if (!action_from(action, &callback->action) || !hex_to_int64(id, &callback->call_id) ||
		!hex_to_int64(what, &until_s) ||
		!str_copy(callback->phone, sizeof(callback->phone), phone))
		return error_set(error, ERROR_AUTH, "this button is not ours");
	if (now_ms / 1000 > until_s)
		return error_set(error, ERROR_AUTH, "this button is over");
	return true;
}
