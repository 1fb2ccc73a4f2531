/*
 * twilio_signature: is this request Twilio's? (twilio.com/docs/usage/webhooks/webhooks-security)
 *
 * base64(HMAC-SHA1(auth token, URL + each POST field sorted by name: name + value)). Which URL is not
 * always sure: ports and, for WebSockets, the last slash are tried in the documented variants. Every
 * check takes the same time, whatever is wrong. All tokens are tried (rotation). Without a token
 * nothing is right: it fails closed.
 */
#ifndef CALLWEAVE_TWILIO_SIGNATURE_H
#define CALLWEAVE_TWILIO_SIGNATURE_H

#include "buf.h"
#include "twilio_form.h"

#define TWILIO_SIGNATURE_BYTES 29 /* 28 and a NUL */
#define TWILIO_MAX_TOKENS      4

struct twilio_request {
	struct str url;			/* as Twilio saw it: scheme, host, path, raw query */
	const struct twilio_form *form; /* of a form POST; NULL: GET, JSON or a WebSocket */
	struct str body;		/* raw; of JSON: its bodySHA256 is checked */
	bool json;
	bool websocket;	      /* wss://: path with and without its last slash */
	struct str signature; /* X-Twilio-Signature */
};

struct twilio_tokens {
	struct str items[TWILIO_MAX_TOKENS]; /* primary first; empty ones are skipped */
	unsigned count;
};

/* False: words in `error` (ERROR_AUTH), never a token or a signature. */
bool twilio_signature_check(const struct twilio_request *request,
	const struct twilio_tokens *tokens, struct arena *arena, struct error *error);

/* The URLs that were tried, each behind a space: for the log. */
void twilio_signature_urls(
	const struct twilio_request *request, struct arena *arena, struct buf *to);

/* For those who play Twilio. */
void twilio_signature_make(const struct twilio_request *request, struct str token,
	struct arena *arena, char to[TWILIO_SIGNATURE_BYTES]);

#endif
