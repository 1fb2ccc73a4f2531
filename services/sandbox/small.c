/*
 * small: see small.h.
 */
#include "small.h"

void small_read(void *state, struct outside_call *call)
{
	const struct args_source source = {
		.query = call->query, .content_type = call->content_type, .body = call->body};

	call->method = call->http_method;
	call->shown_path = call->path;
	call->args_error.kind = ERROR_NONE;
	(void)args_read(&call->args, &source, call->arena, &call->args_error);
}

void small_begin(struct outside_call *call, int status, struct json_writer *json)
{
	call->status = status;
	buf_clear(&call->reply); /* a fault may have had it act already */
	json_begin(json, &call->reply);
	json_open_object(json);
}

void small_end(struct json_writer *json)
{
	json_close_object(json);
}

void small_refuse(struct outside_call *call, int status, const char *name, const char *words)
{
	struct json_writer json;

	small_begin(call, status, &json);
	json_put_member_str(&json, name, str_from(words));
	small_end(&json);
}

struct json *small_body(const struct outside_call *call)
{
	const struct json_limits limits = {(size_t)1 << 20, 16};

	return json_parse(call->body, limits, NULL);
}

struct str small_text(const struct json *json, const char *name)
{
	const struct json *member = json_member(json, name);

	return member != NULL ? json_text(member) : STR("");
}

struct str small_keep(struct outside_call *call, struct str text)
{
	return str_of(
		arena_strndup(call->arena, text.size > 0 ? text.data : "", text.size), text.size);
}

struct str small_between(struct str path, const char *before, const char *after)
{
	struct str head = str_from(before), tail = str_from(after);

	if (path.size < head.size + tail.size || !str_starts(path, head) || !str_ends(path, tail))
		return STR("");
	return str_of(path.data + head.size, path.size - head.size - tail.size);
}
