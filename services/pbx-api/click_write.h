/*
 * click_write: the answers to clicks, and what the dispatcher has to know of them.
 */
#ifndef PBX_API_CLICK_WRITE_H
#define PBX_API_CLICK_WRITE_H

#include "click_pbx.h"
#include "clicks.h"

/* Whose click it is. Texts are the flow's. */
struct click_answer {
	const char *enterprise, *number, *host, *locale;
	const struct click_want *want;
	int64_t begun_ms; /* monotonic */
};

enum flow_status click_reply(
	struct flow *flow, const struct click_answer *answer, const struct click *click);
/* {"success":false,"message","detail"}. */
enum flow_status click_refuse(struct flow *flow, int status, const char *words);

/* The CRM in which it was clicked, and its own id of the call, for the call that comes of it: kept in
 * click_calls before the PBX is asked. A failure is logged and holds nothing up. */
struct click_origin {
	const char *enterprise;
	struct str extension, phone, crm, call;
};
enum flow_status await_click_note(
	struct flow *flow, const struct click_origin *origin, int64_t at_most_ms);

#endif
