/*
 * text_baileys: WhatsApp through baileys-bridge, a phone of the enterprise's own
 * (docs/protocol/texts.md).
 *
 * The bridge cannot be asked what it sent, but a message bears our id: sent again it is the same to
 * WhatsApp, so what is in doubt is simply repeated.
 */
#include "text_provider.h"

#include "json_put.h"

enum { ANSWER_DEPTH = 16, ANSWER_BYTES = 64 << 10 };

/* The bridge makes a JID of a number; who hides his number has one already. */
static const char *address(const struct text_message *message, struct arena *arena)
{
	if (strncmp(message->peer, "lid:", 4) == 0)
		return arena_printf(arena, "%s@lid", message->peer + 4);
	return message->peer;
}

/* Of 0-9 and A-Z, as WhatsApp's own; a new one when a person has it sent anew. */
static const char *id_of(const struct text_message *message, struct arena *arena)
{
	return arena_printf(arena, "CALLWEAVE%lldX%lld", (long long)message->id,
		(long long)message->created_ms);
}

static void baileys_send(const struct text_message *message, const struct text_access *access,
	struct arena *arena, struct http_call *call)
{
	struct json_writer json;
	struct buf body;

	buf_init(&body, (size_t)512 << 10);
	json_begin(&json, &body);
	json_open_object(&json);
	json_put_member_str(&json, "to", str_from(address(message, arena)));
	json_put_member_str(&json, "text", message->body);
	json_put_member_str(&json, "message_id", str_from(id_of(message, arena)));
	json_close_object(&json);
	*call = (struct http_call){
		.method = "POST",
		.url = arena_printf(arena, "%s/sendMessage", access->base_url),
		.content_type = "application/json",
		.body = str_of(arena_strndup(arena, body.data, body.size), body.size),
		.headers = {{"X-BAILEYS-SECRET", access->secret}},
		.max_answer_bytes = ANSWER_BYTES,
	};
	buf_free(&body);
}

struct said {
	struct str message_id, error;
	bool ok;
};

static const struct json_field said_fields[] = {
	JSON_FIELD(struct said, message_id, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, error, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, ok, JSON_BOOL, 0),
	{0},
};

static struct said read_said(const struct http_answer *answer, struct arena *arena)
{
	const struct json_limits limits = {.max_bytes = ANSWER_BYTES, .max_depth = ANSWER_DEPTH};
	struct json *json = json_parse(answer->body, limits, NULL);
	struct said said = {0};

	if (json == NULL || !json_read(json, said_fields, &said, arena, NULL))
		said = (struct said){0};
	json_free(&json);
	return said;
}

/* Without a connected phone nothing was sent, and another provider may do it; after any other failure it
 * may have been, so that only the same id is tried again. */
static void baileys_sent(
	const struct http_answer *answer, struct arena *arena, struct text_result *result)
{
	struct said said;
	struct str words = str_from(answer->error.text);

	result->pause_ms = -1;
	result->outcome = answer->reach == HTTP_NOT_SENT ? TEXT_ELSEWHERE : TEXT_AGAIN;
	if (answer->reach == HTTP_ANSWERED) {
		said = read_said(answer, arena);
		words = said.error.size > 0 ? said.error : STR("the bridge gave no reason");
		if (answer->status == 200 && said.ok) {
			result->outcome = TEXT_SENT;
			result->status = "sent";
			result->id = said.message_id;
		} else if (answer->status == 400) {
			result->outcome = TEXT_REFUSED;
		} else if (answer->status != 200 &&
			   str_equal(said.error, STR("Socket not connected"))) {
			result->outcome = TEXT_ELSEWHERE;
		}
	}
	if (result->outcome != TEXT_SENT)
		str_copy(result->words, sizeof(result->words), words);
}

const struct text_provider text_baileys = {
	.name = "baileys",
	.repeatable = true,
	.send = baileys_send,
	.sent = baileys_sent,
};
