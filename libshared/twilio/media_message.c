/*
 * media_message: see media_message.h. Fifty of these a second and call come in, nearly all of one shape:
 * that one is read in place by a small scanner. Whatever the scanner does not know (escapes, members
 * that are new) it leaves to json.h, so there is one opinion on what is right.
 */
#include "media_message.h"

#include "crypto.h"
#include "json.h"

enum { MAX_BYTES = 64 * 1024, MAX_DEPTH = 8, MAX_SID = 64 };

/* -- the fast way -------------------------------------------------------------------------------- */

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *cursor, char wanted)
{
	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	if (cursor->at == cursor->end || *cursor->at != wanted)
		return false;
	cursor->at++;
	return true;
}

/* A string without escapes. What is in it is checked by whom it is for; so of two with one name, of
 * which the last would count, none comes by this way. */
static bool take_text(struct cursor *cursor, struct str *text)
{
	const char *quote;

	if (text->data != NULL || !take(cursor, '"'))
		return false;
	quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
	if (quote == NULL)
		return false;
	*text = str_of(cursor->at, (size_t)(quote - cursor->at));
	cursor->at = quote + 1;
	return memchr(text->data, '\\', text->size) == NULL;
}

static bool take_number(struct cursor *cursor, int64_t *number)
{
	struct str text = {0};

	return take_text(cursor, &text) && str_is_digits(text) && str_to_int64(text, number);
}

static bool take_track(struct cursor *cursor)
{
	struct str text = {0};

	return take_text(cursor, &text) &&
	       (str_equal(text, STR("inbound")) || str_equal(text, STR("outbound")));
}

static bool take_name(struct cursor *cursor, struct str *name)
{
	*name = (struct str){0};
	return take_text(cursor, name) && take(cursor, ':');
}

static bool take_media(struct cursor *cursor, struct media_message *message)
{
	struct str name;
	bool known;

	if (message->payload.data != NULL || !take(cursor, '{'))
		return false;
	do {
		if (!take_name(cursor, &name))
			return false;
		if (str_equal(name, STR("payload")))
			known = take_text(cursor, &message->payload);
		else if (str_equal(name, STR("chunk")))
			known = take_number(cursor, &message->chunk);
		else if (str_equal(name, STR("timestamp")))
			known = take_number(cursor, &message->timestamp_ms);
		else
			known = str_equal(name, STR("track")) && take_track(cursor);
		if (!known)
			return false;
	} while (take(cursor, ','));
	return take(cursor, '}');
}

static bool take_member(struct cursor *cursor, struct media_message *message)
{
	struct str name, event = {0};

	if (!take_name(cursor, &name))
		return false;
	if (str_equal(name, STR("event")))
		return take_text(cursor, &event) && str_equal(event, STR("media"));
	if (str_equal(name, STR("media")))
		return take_media(cursor, message);
	if (str_equal(name, STR("streamSid")))
		return take_text(cursor, &message->stream_sid);
	return str_equal(name, STR("sequenceNumber")) && take_number(cursor, &message->sequence);
}

static bool read_fast(struct str text, struct media_message *message)
{
	struct cursor cursor = {text.data, text.data + text.size};

	if (!take(&cursor, '{'))
		return false;
	do {
		if (!take_member(&cursor, message))
			return false;
	} while (take(&cursor, ','));
	message->event = MEDIA_MEDIA;
	/* All that a frame has: what is missing is to be said in words, by the other way. */
	return take(&cursor, '}') && cursor.at == cursor.end && message->payload.data != NULL &&
	       message->stream_sid.data != NULL && message->sequence >= 0;
}

/* -- every message ------------------------------------------------------------------------------- */

struct envelope {
	struct str event, stream_sid;
	int64_t sequence;
	const struct json *start, *media, *mark, *dtmf;
};

static const struct json_field envelope_fields[] = {
	JSON_FIELD(struct envelope, event, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD_AS(struct envelope, stream_sid, "streamSid", JSON_STRING, 0),
	JSON_FIELD_AS(struct envelope, sequence, "sequenceNumber", JSON_INT64, JSON_LAX),
	JSON_FIELD(struct envelope, start, JSON_RAW, 0),
	JSON_FIELD(struct envelope, media, JSON_RAW, 0),
	JSON_FIELD(struct envelope, mark, JSON_RAW, 0),
	JSON_FIELD(struct envelope, dtmf, JSON_RAW, 0),
	{0},
};

static const struct json_field media_fields[] = {
	JSON_FIELD(struct media_message, payload, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct media_message, chunk, JSON_INT64, JSON_LAX),
	JSON_FIELD_AS(struct media_message, timestamp_ms, "timestamp", JSON_INT64, JSON_LAX),
	{0},
};

static const struct json_field mark_fields[] = {
	JSON_FIELD(struct media_message, name, JSON_STRING, JSON_REQUIRED),
	{0},
};

struct start {
	struct str account_sid, call_sid;
	const struct json *format, *parameters;
};

static const struct json_field start_fields[] = {
	JSON_FIELD_AS(struct start, account_sid, "accountSid", JSON_STRING, 0),
	JSON_FIELD_AS(struct start, call_sid, "callSid", JSON_STRING, JSON_REQUIRED),
	JSON_FIELD_AS(struct start, format, "mediaFormat", JSON_RAW, 0),
	JSON_FIELD_AS(struct start, parameters, "customParameters", JSON_RAW, 0),
	{0},
};

static const struct json_field format_fields[] = {
	JSON_FIELD(struct media_message, encoding, JSON_STRING, 0),
	JSON_FIELD_AS(struct media_message, sample_rate, "sampleRate", JSON_INT64, JSON_LAX),
	JSON_FIELD(struct media_message, channels, JSON_INT64, JSON_LAX),
	{0},
};

static struct str keep(struct arena *arena, struct str text)
{
	return str_of(arena_strndup(arena, text.data, text.size), text.size);
}

static bool read_parameters(const struct json *parameters, struct arena *arena,
	struct media_message *message, struct error *error)
{
	const struct json *at = parameters != NULL ? json_first(parameters) : NULL;

	if (parameters != NULL && json_kind(parameters) != JSON_OBJECT)
		return error_set(error, ERROR_INPUT, "start.customParameters: not an object");
	for (; at != NULL; at = json_next(at)) {
		unsigned place = message->parameter_count;

		if (place == MEDIA_MAX_PARAMETERS)
			return error_set(error, ERROR_INPUT, "start.customParameters: too many");
		if (json_kind(at) != JSON_TEXT)
			return error_set(error, ERROR_INPUT, "start.customParameters: not texts");
		message->parameters[place].name = keep(arena, str_from(json_name(at)));
		message->parameters[place].value = keep(arena, json_text(at));
		message->parameter_count++;
	}
	return true;
}

static bool read_start(const struct envelope *envelope, struct arena *arena,
	struct media_message *message, struct error *error)
{
	struct start start = {0};

	if (envelope->start == NULL)
		return error_set(error, ERROR_INPUT, "start: missing");
	if (!json_read(envelope->start, start_fields, &start, arena, error))
		return error_prefix(error, "start.");
	message->account_sid = start.account_sid;
	message->call_sid = start.call_sid;
	if (start.format != NULL && !json_read(start.format, format_fields, message, arena, error))
		return error_prefix(error, "start.mediaFormat.");
	return read_parameters(start.parameters, arena, message, error);
}

static bool read_media(const struct envelope *envelope, struct arena *arena,
	struct media_message *message, struct error *error)
{
	if (envelope->media == NULL)
		return error_set(error, ERROR_INPUT, "media: missing");
	if (!json_read(envelope->media, media_fields, message, arena, error))
		return error_prefix(error, "media.");
	return true;
}

static bool read_mark(const struct envelope *envelope, struct arena *arena,
	struct media_message *message, struct error *error)
{
	if (envelope->mark == NULL)
		return error_set(error, ERROR_INPUT, "mark: missing");
	if (!json_read(envelope->mark, mark_fields, message, arena, error))
		return error_prefix(error, "mark.");
	return true;
}

static bool is_dial_key(char c)
{
	return c != '\0' && strchr("0123456789*#ABCDabcd", c) != NULL;
}

static bool read_dtmf(const struct envelope *envelope, struct arena *arena,
	struct media_message *message, struct error *error)
{
	struct str digit = json_text(json_member(envelope->dtmf, "digit"));

	if (digit.size != 1 || !is_dial_key(digit.data[0]))
		return error_set(error, ERROR_INPUT, "dtmf.digit: not a key of a telephone");
	message->digit = digit.data[0];
	return true;
}

static bool read_nothing(const struct envelope *envelope, struct arena *arena,
	struct media_message *message, struct error *error)
{
	return true;
}

static const struct kind {
	const char *name;
	bool (*read)(const struct envelope *envelope, struct arena *arena,
		struct media_message *message, struct error *error);
	bool of_stream;
} kinds[] = {
	[MEDIA_CONNECTED] = {"connected", read_nothing, false},
	[MEDIA_START] = {"start", read_start, true},
	[MEDIA_MEDIA] = {"media", read_media, true},
	[MEDIA_DTMF] = {"dtmf", read_dtmf, true},
	[MEDIA_MARK] = {"mark", read_mark, true},
	[MEDIA_STOP] = {"stop", read_nothing, true},
	[MEDIA_UNKNOWN] = {"", read_nothing, false},
};

static enum media_event event_of(struct str name)
{
	unsigned event = MEDIA_CONNECTED;

	while (event < MEDIA_UNKNOWN && !str_equal(name, str_from(kinds[event].name)))
		event++;
	return (enum media_event)event;
}

/* It is written into every frame that goes back: nothing in it may need an escape. */
static bool is_sid(struct str sid)
{
	for (size_t i = 0; i < sid.size; i++) {
		char c = sid.data[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    c == '-' || c == '_'))
			return false;
	}
	return sid.size > 0 && sid.size <= MAX_SID;
}

static bool read_whole(const struct json *document, struct arena *arena,
	struct media_message *message, struct error *error)
{
	struct envelope envelope = {.sequence = -1};
	const struct kind *kind;

	if (!json_read(document, envelope_fields, &envelope, arena, error))
		return false;
	message->event = event_of(envelope.event);
	message->stream_sid = envelope.stream_sid;
	message->sequence = envelope.sequence;
	kind = &kinds[message->event];
	if (kind->of_stream && envelope.sequence < 0)
		return error_set(error, ERROR_INPUT, "sequenceNumber: missing");
	return kind->read(&envelope, arena, message, error);
}

static bool read_slow(
	struct str text, struct arena *arena, struct media_message *message, struct error *error)
{
	struct json_limits limits = {MAX_BYTES, MAX_DEPTH};
	struct json *document = json_parse(text, limits, error);
	bool well;

	if (document == NULL)
		return false;
	*message = (struct media_message){.sequence = -1};
	well = read_whole(document, arena, message, error);
	json_free(&document);
	return well;
}

bool media_message_read(
	struct str text, struct arena *arena, struct media_message *message, struct error *error)
{
	*message = (struct media_message){.sequence = -1};
	if (!read_fast(text, message) && !read_slow(text, arena, message, error))
		return false;
	if (kinds[message->event].of_stream && !is_sid(message->stream_sid))
		return error_set(error, ERROR_INPUT, "streamSid: not one");
	return true;
}

struct str media_parameter(const struct media_message *message, const char *name)
{
	for (unsigned i = 0; i < message->parameter_count; i++) {
		if (str_equal(message->parameters[i].name, str_from(name)))
			return message->parameters[i].value;
	}
	return (struct str){0};
}

/* -- to Twilio ----------------------------------------------------------------------------------- */

static void put_head(struct buf *to, struct str event, struct str stream_sid)
{
	buf_add(to, STR("{\"event\":\""));
	buf_add(to, event);
	buf_add(to, STR("\",\"streamSid\":\""));
	buf_add(to, stream_sid);
}

void media_put_audio(struct buf *to, struct str stream_sid, const uint8_t *mulaw, size_t bytes)
{
	char *payload;

	put_head(to, STR("media"), stream_sid);
	buf_add(to, STR("\",\"media\":{\"payload\":\""));
	payload = buf_reserve(to, CRYPTO_BASE64_TEXT(bytes));
	if (payload == NULL) {
		to->failed = true;
		return;
	}
	crypto_base64(mulaw, bytes, payload);
	buf_grew(to, CRYPTO_BASE64_TEXT(bytes) - 1);
	buf_add(to, STR("\"}}"));
}

void media_put_mark(struct buf *to, struct str stream_sid, struct str name)
{
	put_head(to, STR("mark"), stream_sid);
	buf_add(to, STR("\",\"mark\":{\"name\":"));
	json_add_string(to, name);
	buf_add(to, STR("}}"));
}

void media_put_clear(struct buf *to, struct str stream_sid)
{
	put_head(to, STR("clear"), stream_sid);
	buf_add(to, STR("\"}"));
}
