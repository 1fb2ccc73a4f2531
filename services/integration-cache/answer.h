/*
 * answer: what the routes share: parts of a path, who asks, answers in JSON and in words.
 */
#ifndef INTEGRATION_CACHE_ANSWER_H
#define INTEGRATION_CACHE_ANSWER_H

#include "cache.h"
#include "json_put.h"

#define ANSWER_MAX_PARTS 4
#define ANSWER_MAX_BYTES ((size_t)16 << 20)

/* The path behind the route's *, cut at slashes and decoded; in the flow's arena. */
struct path_parts {
	struct str items[ANSWER_MAX_PARTS];
	unsigned count; /* 0: it is malformed, or longer */
};
struct path_parts answer_path(struct flow *flow);

/* By number, name, token or secret; NULL: unknown, or not active. */
const struct account *answer_account(struct flow *flow, struct str key);

/* The request carries the internal secret. */
bool answer_is_internal(struct flow *flow);

/* An answer under construction; answer_send() frees it. */
struct answer {
	struct buf buf;
	struct json_writer json;
};
void answer_begin(struct answer *answer);
enum flow_status answer_send(struct flow *flow, int status, struct answer *answer);
/* The same around the members of one object. */
void answer_begin_object(struct answer *answer);
enum flow_status answer_send_object(struct flow *flow, int status, struct answer *answer);

/* {"detail": [{"loc": [where, name], "msg": words, "type": "value_error"}]} and 422 */
enum flow_status answer_invalid(
	struct flow *flow, const char *where, const char *name, const char *words);
enum flow_status answer_no_such_path(struct flow *flow);

void answer_put_seconds(struct json_writer *json, const char *name, int64_t ms);
void answer_put_time(struct json_writer *json, const char *name, int64_t wall_ms); /* or null */

#endif
