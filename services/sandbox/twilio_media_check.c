/*
 * twilio_media_check: strictness as tables of members.
 */
#include "twilio_media_check.h"

#include "crypto.h"
#include "json.h"

static const struct {
	const char *event;
	enum media_sent_kind kind;
	const char *members[4]; /* beside each other; the last of media and mark holds: */
	const char *inner;
} events[] = {
	{"media", SENT_MEDIA, {"event", "streamSid", "media"}, "payload"},
	{"mark", SENT_MARK, {"event", "streamSid", "mark"}, "name"},
	{"clear", SENT_CLEAR, {"event", "streamSid"}, NULL},
};

static bool has_exactly(const struct json *object, const char *const *names)
{
	size_t count = 0;

	for (; names[count] != NULL; count++) {
		if (json_member(object, names[count]) == NULL)
			return false;
	}
	return json_count(object) == count;
}

static const char *read_payload(struct str payload, struct arena *arena, struct media_sent *sent)
{
	unsigned char *audio = arena_alloc(arena, payload.size + 1);

	if (payload.size == 0)
		return "media.payload is empty";
	if (!crypto_base64_read(payload, audio, payload.size, &sent->bytes))
		return "media.payload is no base64";
	sent->audio = audio;
	return NULL;
}

static const char *check_inner(const struct json *json, const char *event, const char *inner,
	struct arena *arena, struct media_sent *sent)
{
	const struct json *object = json_member(json, event);
	const struct json *value = json_member(object, inner);
	const char *const names[] = {inner, NULL};
	struct str text = json_text(value);

	if (json_kind(object) != JSON_OBJECT || !has_exactly(object, names))
		return "the members of media or mark are not exactly payload or name";
	if (json_kind(value) != JSON_TEXT)
		return "payload or name is no text";
	if (sent->kind == SENT_MEDIA)
		return read_payload(text, arena, sent);
	sent->name = str_of(arena_strndup(arena, text.data, text.size), text.size);
	return text.size > 0 ? NULL : "mark.name is empty";
}

static const char *check(const struct json *json, struct str stream_sid, struct arena *arena,
	struct media_sent *sent)
{
	struct str event = json_text(json_member(json, "event"));

	if (json_kind(json) != JSON_OBJECT)
		return "no JSON object";
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (!str_equal(event, str_from(events[i].event)))
			continue;
		sent->kind = events[i].kind;
		if (!has_exactly(json, events[i].members))
			return "a member is missing, or there is one too many";
		if (!str_equal(json_text(json_member(json, "streamSid")), stream_sid))
			return "streamSid is not this stream's";
		return events[i].inner == NULL
			       ? NULL
			       : check_inner(json, events[i].event, events[i].inner, arena, sent);
	}
	return "event is not media, mark or clear";
}

const char *media_check(
	struct str text, struct str stream_sid, struct arena *arena, struct media_sent *sent)
{
	struct json *json = json_parse(text, (struct json_limits){8u << 20, 4}, NULL);
	const char *words;

	*sent = (struct media_sent){0};
	if (json == NULL)
		return "no JSON";
	words = check(json, stream_sid, arena, sent);
	json_free(&json);
	return words;
}
