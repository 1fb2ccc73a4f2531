/*
 * signed: texts that only we can have made: links to a call's page, and the data of buttons.
 *
 * HMAC-SHA256 cut to 80 bits, as hex, over what the text says, for whom, and until when. The key is
 * the suite's (CALLWEAVE_LINK_KEY); without one there are no links and no buttons. Checks take the
 * same time whatever is wrong.
 */
#ifndef CALLWEAVE_SIGNED_H
#define CALLWEAVE_SIGNED_H

#include "buf.h"
#include "error.h"

#define SIGNED_KEY_MIN_BYTES  32
#define SIGNED_CALLBACK_BYTES 65 /* Bot API: callback_data has 1 to 64 bytes; and a NUL */
#define SIGNED_PHONE_BYTES    24

/* "/call/0367/123?until=1763740800&sign=..." is appended. */
void signed_link(
	struct str key, struct str enterprise, int64_t call_id, int64_t until_ms, struct buf *to);

/* What a link says of itself: `until` and `sign` as they came. */
struct signed_query {
	struct str enterprise;
	int64_t call_id;
	struct str until, sign;
};

/* Is this link ours, and not over? ERROR_AUTH with words for people. */
bool signed_link_check(
	struct str key, const struct signed_query *query, int64_t now_ms, struct error *error);

/* The same for a customer's page: "/customer/0367/375290000001?until=...&sign=...", the number without
 * its plus. `query.call_id` is not looked at. */
void signed_customer_link(
	struct str key, struct str enterprise, struct str phone, int64_t until_ms, struct buf *to);
bool signed_customer_check(struct str key, const struct signed_query *query, struct str phone,
	int64_t now_ms, struct error *error);

enum callback_action { CALLBACK_LISTEN, CALLBACK_WHISPER, CALLBACK_CONFERENCE, CALLBACK_CALL_BACK };

/* What a button asks for: for the first three, `phone` joins the conversation of `call_id`; for the
 * last, `phone` calls the other side of `call_id`. */
struct callback {
	enum callback_action action;
	int64_t call_id;
	char phone[SIGNED_PHONE_BYTES]; /* the presser's own extension or mobile, digits */
};

/* Bound to the chat in which the button stands: data that is copied to another chat is refused. */
void signed_callback(struct str key, const struct callback *callback, int64_t chat_id,
	int64_t until_ms, char to[SIGNED_CALLBACK_BYTES]);
bool signed_callback_read(struct str key, struct str data, int64_t chat_id, int64_t now_ms,
	struct callback *callback, struct error *error);

#endif
