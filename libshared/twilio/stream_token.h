/*
 * stream_token: the proof that a stream belongs to the call that we answered with <Connect><Stream>.
 *
 * It travels as <Parameter name="token"> (a query would be cut off): call, end of validity, nonce,
 * HMAC-SHA256 with the suite's internal secret. Valid for 60 s and once: who reads it remembers the
 * nonce.
 */
#ifndef CALLWEAVE_STREAM_TOKEN_H
#define CALLWEAVE_STREAM_TOKEN_H

#include "error.h"
#include "str.h"

#define STREAM_TOKEN_BYTES    160 /* with a NUL; name and value stay below Twilio's 500 characters */
#define STREAM_TOKEN_VALID_MS 60000
#define STREAM_NONCE_BYTES    33 /* hex, and a NUL */

void stream_token_make(
	struct str secret, struct str call_sid, int64_t until_ms, char to[STREAM_TOKEN_BYTES]);
/* ERROR_AUTH with words: not ours, another call's, too old. */
bool stream_token_check(struct str secret, struct str token, struct str call_sid, int64_t now_ms,
	char nonce[STREAM_NONCE_BYTES], struct error *error);

#endif
