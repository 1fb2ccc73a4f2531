/*
 * hook_log: every request that came and what was answered, in hook_requests.
 *
 * Also 404s and refused ones: who looks for a call that stayed silent begins here (P1). Written in the
 * background, in batches; bounded: what does not fit is dropped and counted. Secrets are masked.
 */
#ifndef HOOKS_HOOK_LOG_H
#define HOOKS_HOOK_LOG_H

#include "http_server.h"

struct hooks;
struct hook_log;

/* What a webhook's flow tells of its request, by http_note(). */
struct hook_note {
	struct str number, sid; /* live as long as the flow */
	const char *signature;	/* ok | wrong | missing | not asked for; a constant */
};

struct hook_log *hook_log_new(struct hooks *hooks);
void hook_log_free(struct hook_log **log);
bool hook_log_idle(const struct hook_log *log); /* nothing waits to be written */

/* service_spec.seen */
void hook_log_seen(void *context, const struct http_seen *seen);

/* Append `text` (a form, JSON or TwiML) without what stands under names of secrets. Pure. */
void hook_mask(struct str text, struct buf *to);

#endif
