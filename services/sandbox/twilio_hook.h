/*
 * twilio_hook: Twilio asks our customer's application: a signed request, and what its answer is worth.
 */
#ifndef SANDBOX_TWILIO_HOOK_H
#define SANDBOX_TWILIO_HOOK_H

#include "http_client.h"
#include "twilio_form.h"
#include "twilio_store.h"

#define TWILIO_MAX_TWIML 65536
#define TWILIO_MAX_HOPS	 10
#define TWILIO_MAX_MEDIA (4u << 20)

/* What kind of answer is expected. */
enum hook_kind { HOOK_TWIML, HOOK_CALLBACK, HOOK_MEDIA };

struct twilio_hook {
	/* filled by the asker; strings live as long as the flow */
	enum hook_kind kind;
	const char *method; /* "POST" */
	const char *url;
	const char *account_sid; /* whose token signs */
	const char *resource;	 /* the sid that alerts name */
	struct twilio_form form;

	/* filled by twilio_hook_read() */
	int code;	 /* of the alert that was raised; 0: a good answer */
	struct str type; /* content type without its parameters */
	struct str body;
	bool empty; /* 204, or a callback that has nothing to say */

	/* its own */
	struct http_call call;
	struct http_answer answer;
	unsigned hops;
};

/* Append a field; the arena keeps copies. */
void twilio_form_put(
	struct twilio_form *form, struct arena *arena, const char *name, struct str value);
void twilio_form_put_text(
	struct twilio_form *form, struct arena *arena, const char *name, const char *value);
void twilio_form_put_int(
	struct twilio_form *form, struct arena *arena, const char *name, int64_t value);
/* "a=1&b=2" */
struct str twilio_form_text(const struct twilio_form *form, struct arena *arena);

enum flow_status await_twilio_hook(
	struct flow *flow, struct twilio *twilio, struct twilio_hook *hook);
/* In the step after it. True: it was a redirection, ask again (url and method are the new ones). */
bool twilio_hook_follow(struct flow *flow, struct twilio *twilio, struct twilio_hook *hook);
/* Raises the alert that a bad answer is worth; code says which. */
void twilio_hook_read(struct flow *flow, struct twilio *twilio, struct twilio_hook *hook);

/* A URL as it stands in a document that came from `base`; NULL: it is none. */
const char *twilio_resolve(struct arena *arena, const char *base, struct str url);

#endif
