/*
 * answer: see answer.h.
 */
#include "answer.h"

#include "uri.h"

struct path_parts answer_path(struct flow *flow)
{
	struct str rest = http_request(flow)->tail;
	struct path_parts parts = {.count = 0};

	while (str_ends(rest, STR("/")))
		rest.size--;
	while (rest.data != NULL && rest.size > 0) {
		struct str part = str_cut(&rest, '/');

		if (parts.count == ANSWER_MAX_PARTS || part.size == 0 ||
			!uri_decode(part, false, flow_arena(flow), &parts.items[parts.count]))
			return (struct path_parts){.count = 0};
		parts.count++;
	}
	return parts;
}

const struct account *answer_account(struct flow *flow, struct str key)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct account *account = accounts_find_any(cache->accounts, key);

	return account != NULL && account->active ? account : NULL;
}

bool answer_is_internal(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct str secret = service_internal_secret(cache->service);
	struct str shown = http_request_header(flow, SERVICE_SECRET_HEADER);

	return secret.size > 0 && str_equal_secret(shown, secret);
}

void answer_begin(struct answer *answer)
{
	buf_init(&answer->buf, ANSWER_MAX_BYTES);
	json_begin(&answer->json, &answer->buf);
}

enum flow_status answer_send(struct flow *flow, int status, struct answer *answer)
{
	enum flow_status next = http_reply_json(flow, status, &answer->buf);

	buf_free(&answer->buf);
	return next;
}

void answer_begin_object(struct answer *answer)
{
	answer_begin(answer);
	json_open_object(&answer->json);
}

enum flow_status answer_send_object(struct flow *flow, int status, struct answer *answer)
{
	json_close_object(&answer->json);
	return answer_send(flow, status, answer);
}

enum flow_status answer_invalid(
	struct flow *flow, const char *where, const char *name, const char *words)
{
	struct answer answer;

	answer_begin_object(&answer);
	json_put_name(&answer.json, "detail");
	json_open_array(&answer.json);
	json_open_object(&answer.json);
	json_put_name(&answer.json, "loc");
	json_open_array(&answer.json);
	json_put_str(&answer.json, str_from(where));
	if (name != NULL)
		json_put_str(&answer.json, str_from(name));
	json_close_array(&answer.json);
	json_put_member_str(&answer.json, "msg", str_from(words));
	json_put_member_str(&answer.json, "type", STR("value_error"));
	json_close_object(&answer.json);
	json_close_array(&answer.json);
	return answer_send_object(flow, 422, &answer);
}

enum flow_status answer_no_such_path(struct flow *flow)
{
	return http_reply_detail(flow, 404, "Not Found");
}

void answer_put_seconds(struct json_writer *json, const char *name, int64_t ms)
{
	json_put_name(json, name);
	json_put_double(json, (double)ms / 1000);
}

void answer_put_time(struct json_writer *json, const char *name, int64_t wall_ms)
{
	char text[CLOCK_TEXT_BYTES];

	json_put_name(json, name);
	if (wall_ms == 0) {
		json_put_null(json);
		return;
	}
	clock_format_rfc3339(wall_ms, text);
	json_put_str(json, str_from(text));
}
