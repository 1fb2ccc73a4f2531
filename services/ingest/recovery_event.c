/*
 * recovery_event: an event of a file is read as strictly as one that is posted.
 */
#include "recovery.h"

enum { BODY_MAX_BYTES = 64 * 1024, FUTURE_MS = 24 * 3600 * 1000 };

static bool read_type(
	const struct recovery_item *item, enum call_event_type *type, struct error *error)
{
	struct str name = str_trim(item->event);

	if (str_starts(name, STR("/")))
		name = str_of(name.data + 1, name.size - 1);
	if (name.size == 0)
		return error_set(error, ERROR_INPUT, "event: missing");
	return call_event_type_from(name, type) ||
	       error_set(error, ERROR_INPUT, "event: \"%.*s\" is not known",
		       (int)(name.size < 40 ? name.size : 40), name.data);
}

/* Of the host's own clock, which may be wrong; but an event of next week would never be folded. */
static bool read_time(const struct recovery_item *item, const struct recovery_owner *owner,
	int64_t *at_ms, struct error *error)
{
	if (!clock_parse(str_trim(item->time), owner->zone, at_ms))
		return error_set(error, ERROR_INPUT, "time: not a time");
	if (*at_ms > owner->now_ms + FUTURE_MS)
		return error_set(error, ERROR_INPUT, "time: in the future");
	return *at_ms > 0 || error_set(error, ERROR_INPUT, "time: before 1970");
}

/* As with posts: "Token", with some senders "token". None at all: the upload's own says it. */
static bool check_token(const struct json *body, struct str token,
	const struct recovery_owner *owner, struct error *error)
{
	if (token.size == 0)
		token = str_trim(json_text(json_member(body, "token")));
	if (token.size == 0 || str_equal_secret(token, owner->number) ||
		(owner->name2.size > 0 && str_equal_secret(token, owner->name2)) ||
		(owner->secret.size > 0 && str_equal_secret(token, owner->secret)))
		return true;
	return error_set(error, ERROR_AUTH, "Token: of another enterprise");
}

bool recovery_event_read(const struct recovery_item *item, const struct recovery_owner *owner,
	struct arena *arena, struct recovery_event *event, struct error *error)
{
	struct json_limits limits = {BODY_MAX_BYTES, CALL_EVENT_JSON_DEPTH};
	struct call_event read;
	struct json *body;
	bool ok;

	if (!read_type(item, &event->type, error) || !read_time(item, owner, &event->at_ms, error))
		return false;
	body = json_parse(item->body, limits, error);
	if (body == NULL)
		return error_prefix(error, "body: ");
	ok = call_event_read(event->type, body, owner->zone, arena, &read, error) &&
	     check_token(body, read.token, owner, error);
	json_free(&body);
	event->unique_id = read.unique_id;
	return ok;
}
