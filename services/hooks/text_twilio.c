/*
 * text_twilio: Programmable Messaging of Twilio
 * (twilio.com/docs/messaging/api/message-resource).
 *
 * A send has no idempotency key. What may have been sent is looked for in the account's list of messages
 * to that number; a status callback with our id in its URL settles it, too.
 */
#include "text_provider.h"

#include "clock.h"
#include "crypto.h"
#include "uri.h"

#include <stdio.h>

enum { ANSWER_DEPTH = 8, ANSWER_BYTES = 512 << 10 };
enum { BUSY_PAUSE_MS = 5000, KEY_PAUSE_MS = 60000, CLOCKS_DIFFER_MS = 60000 };

/* -- requests ---------------------------------------------------------------------------------------- */

static void put_field(struct buf *to, const char *name, struct str value)
{
	if (to->size > 0)
		buf_add_char(to, '&');
	buf_add(to, str_from(name));
	buf_add_char(to, '=');
	uri_encode(to, value);
}

static void put_address(
	struct buf *to, const char *name, const struct text_message *message, const char *number)
{
	bool chat = strcmp(message->channel, "whatsapp") == 0;
	char address[96];

	snprintf(address, sizeof(address), "%s%s", chat ? "whatsapp:" : "", number);
	put_field(to, name, str_from(address));
}

static const char *keep(struct arena *arena, struct buf *buf)
{
	const char *text = arena_strndup(arena, buf->data != NULL ? buf->data : "", buf->size);

	buf_free(buf);
	return text;
}

static const char *authorization(const struct text_access *access, struct arena *arena)
{
	const char *plain = arena_printf(arena, "%s:%s", access->account_sid, access->token);
	size_t size = strlen(plain);
	char *coded = arena_alloc(arena, CRYPTO_BASE64_TEXT(size));

	crypto_base64(plain, size, coded);
	return arena_printf(arena, "Basic %s", coded);
}

static const char *messages_url(const struct text_access *access, struct arena *arena)
{
	struct buf url;

	buf_init(&url, 1024);
	buf_printf(&url, "%s/2010-04-01/Accounts/", access->base_url);
	uri_encode(&url, str_from(access->account_sid));
	buf_add(&url, STR("/Messages.json"));
	return keep(arena, &url);
}

/* A template has its own text: of Body and ContentSid only one may be there. */
static void put_content(struct buf *form, const struct text_message *message)
{
	struct str content = json_text(json_member(message->template, "content_sid"));
	const struct json *variables = json_member(message->template, "variables");
	struct buf text;

	if (content.size == 0) {
		put_field(form, "Body", message->body);
		return;
	}
	put_field(form, "ContentSid", content);
	if (variables == NULL)
		return;
	buf_init(&text, (size_t)16 << 10);
	json_print(&text, variables, false);
	put_field(form, "ContentVariables", buf_str(&text));
	buf_free(&text);
}

static void twilio_send(const struct text_message *message, const struct text_access *access,
	struct arena *arena, struct http_call *call)
{
	struct buf form;

	buf_init(&form, (size_t)256 << 10);
	put_address(&form, "To", message, message->peer);
	put_address(&form, "From", message, message->ours);
	put_content(&form, message);
	for (const struct json *at = json_first(message->media); at != NULL; at = json_next(at))
		put_field(&form, "MediaUrl", json_text(json_member(at, "url")));
	if (access->status_url[0] != '\0')
		put_field(&form, "StatusCallback", str_from(access->status_url));
	*call = (struct http_call){
		.method = "POST",
		.url = messages_url(access, arena),
		.content_type = "application/x-www-form-urlencoded",
		.body = str_from(keep(arena, &form)),
		.headers = {{"Authorization", authorization(access, arena)}},
		.max_answer_bytes = ANSWER_BYTES,
	};
}

static void twilio_look(const struct text_message *message, const struct text_access *access,
	struct arena *arena, struct http_call *call)
{
	struct buf query;

	buf_init(&query, 1024);
	put_address(&query, "To", message, message->peer);
	put_address(&query, "From", message, message->ours);
	put_field(&query, "PageSize", STR("50"));
	*call = (struct http_call){
		.method = "GET",
		.url = arena_printf(
			arena, "%s?%s", messages_url(access, arena), keep(arena, &query)),
		.headers = {{"Authorization", authorization(access, arena)}},
		.max_answer_bytes = ANSWER_BYTES,
	};
}

/* -- answers ----------------------------------------------------------------------------------------- */

struct said {
	struct str sid, status, message, body, direction, date_created;
	int64_t code;
};

static const struct json_field said_fields[] = {
	JSON_FIELD(struct said, sid, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, status, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, message, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, body, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, direction, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, date_created, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, code, JSON_INT64, JSON_LAX),
	{0},
};

static struct json *parse(const struct http_answer *answer)
{
	return json_parse(answer->body,
		(struct json_limits){.max_bytes = ANSWER_BYTES, .max_depth = ANSWER_DEPTH}, NULL);
}

/* An empty one when it is no object, or of other types than documented. */
static struct said read_said(const struct http_answer *answer, struct arena *arena)
{
	struct json *json = parse(answer);
	struct said said = {0};

	if (json == NULL || !json_read(json, said_fields, &said, arena, NULL))
		said = (struct said){0};
	json_free(&json);
	return said;
}

static void set_words(struct text_result *result, int status, const struct said *said)
{
	char code[16] = "";
	struct str words;

	if (said->code > 0)
		snprintf(code, sizeof(code), "%d", (int)(said->code % 1000000));
	else if (status > 0)
		snprintf(code, sizeof(code), "%d", status);
	words = text_error_words(str_from(code), said->message);
	if (words.size == 0)
		words = STR("Twilio gave no reason");
	str_copy(result->code, sizeof(result->code), str_from(code));
	str_copy(result->words, sizeof(result->words), words);
}

static void accept(const struct said *said, struct text_result *result)
{
	const char *status = text_status_name(said->status);

	result->outcome = TEXT_SENT;
	result->id = said->sid;
	result->status = status != NULL ? status : "queued";
}

/* 429 and 503 did nothing; after any other 5xx nobody knows. What has the key wrong may be mended: it is
 * tried again, slowly, with words that say it. */
static enum text_outcome judge(int status, int64_t code)
{
	if (status == 429 || status == 503 || code == 20429 || code == 63018)
		return TEXT_AGAIN;
	if (status == 401 || status == 403 || code == 20003)
		return TEXT_AGAIN;
	if (code == 21610)
		return TEXT_STOPPED;
	return status >= 500 || status < 300 ? TEXT_DOUBTFUL : TEXT_REFUSED;
}

static void unanswered(const struct http_answer *answer, struct text_result *result)
{
	result->outcome = answer->reach == HTTP_NOT_SENT ? TEXT_ELSEWHERE : TEXT_DOUBTFUL;
	str_copy(result->words, sizeof(result->words), str_from(answer->error.text));
}

static void twilio_sent(
	const struct http_answer *answer, struct arena *arena, struct text_result *result)
{
	struct said said;

	result->pause_ms = -1;
	if (answer->reach != HTTP_ANSWERED) {
		unanswered(answer, result);
		return;
	}
	said = read_said(answer, arena);
	if (answer->status >= 200 && answer->status < 300 && said.sid.size > 0) {
		accept(&said, result);
		return;
	}
	result->outcome = judge(answer->status, said.code);
	set_words(result, answer->status, &said);
	if (answer->retry_after_ms >= 0)
		result->pause_ms = answer->retry_after_ms;
	else if (answer->status == 401 || answer->status == 403)
		result->pause_ms = KEY_PAUSE_MS;
	else if (answer->status == 429)
		result->pause_ms = BUSY_PAUSE_MS;
}

/* "Sat, 21 Nov 2026 22:03:18 +0000" (RFC 2822), always in UTC here; 0: it is none. */
static int64_t read_date(struct str text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct str day, month, year, time;
	char name[4], date[64];
	const char *place;
	int64_t wall_ms;

	(void)str_cut(&text, ' ');
	day = str_cut(&text, ' ');
	month = str_cut(&text, ' ');
	year = str_cut(&text, ' ');
	time = str_cut(&text, ' ');
	(void)str_copy(name, sizeof(name), month);
	place = month.size == 3 ? strstr(months, name) : NULL;
	if (place == NULL)
		return 0;
	snprintf(date, sizeof(date), "%.*s-%02d-%s%.*s %.*s", STR_ARG(year),
		(int)(place - months) / 3 + 1, day.size == 1 ? "0" : "", STR_ARG(day),
		STR_ARG(time));
	return clock_parse(str_from(date), NULL, &wall_ms) ? wall_ms : 0;
}

static bool may_be(const struct text_message *message, const struct said *said)
{
	return said->sid.size > 0 && str_equal(said->body, message->body) &&
	       !str_equal(said->direction, STR("inbound")) &&
	       read_date(said->date_created) >= message->created_ms - CLOCKS_DIFFER_MS;
}

/* What stands in the list with the same text, not older than ours. Which of these is no other message of
 * ours is for the database to say. */
static void twilio_seen(const struct text_message *message, const struct http_answer *answer,
	struct arena *arena, struct text_result *result)
{
	struct json *json =
		answer->reach == HTTP_ANSWERED && answer->status == 200 ? parse(answer) : NULL;
	const struct json *list = json_member(json, "messages");

	result->outcome = TEXT_DOUBTFUL;
	result->pause_ms = -1;
	str_copy(result->words, sizeof(result->words),
		STR("it may have been sent; Twilio does not say whether it was"));
	if (list != NULL && json_kind(list) == JSON_ARRAY)
		result->outcome = TEXT_ABSENT;
	for (const struct json *at = json_first(list); at != NULL; at = json_next(at)) {
		struct said said = {0};

		if (!json_read(at, said_fields, &said, arena, NULL) || !may_be(message, &said) ||
			result->candidate_count == TEXT_MAX_CANDIDATES)
			continue;
		result->candidates[result->candidate_count++] = said.sid;
		result->outcome = TEXT_FOUND;
	}
	json_free(&json);
}

const struct text_provider text_twilio = {
	.name = "twilio",
	.send = twilio_send,
	.sent = twilio_sent,
	.look = twilio_look,
	.seen = twilio_seen,
};
