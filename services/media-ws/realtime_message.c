/*
 * realtime_message: see realtime_message.h.
 */
#include "realtime_message.h"

#include "crypto.h"
#include "engine_tools.h"
#include "json_put.h"

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 32, FRAME_BYTES = 960 };

/* -- what comes ------------------------------------------------------------------------------------ */

static const struct {
	const char *type;
	enum realtime_event event;
} types[] = {
	{"response.output_audio.delta", REALTIME_AUDIO}, /* most of what comes */
	{"response.audio.delta", REALTIME_AUDIO},
	{"session.created", REALTIME_SESSION_CREATED},
	{"session.updated", REALTIME_SESSION_UPDATED},
	{"input_audio_buffer.speech_started", REALTIME_SPEECH_STARTED},
	{"input_audio_buffer.speech_stopped", REALTIME_SPEECH_STOPPED},
	{"conversation.item.input_audio_transcription.completed", REALTIME_USER_TEXT},
	{"response.created", REALTIME_RESPONSE_CREATED},
	{"response.output_audio.done", REALTIME_AUDIO_DONE},
	{"response.audio.done", REALTIME_AUDIO_DONE},
	{"response.output_audio_transcript.done", REALTIME_REPLY_TEXT},
	{"response.audio_transcript.done", REALTIME_REPLY_TEXT},
	{"response.output_item.done", REALTIME_TOOL}, /* if the item is one */
	{"response.done", REALTIME_RESPONSE_DONE},
	{"error", REALTIME_ERROR},
};

static enum realtime_event event_of(struct str type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (str_equal(type, str_from(types[i].type)))
			return types[i].event;
	}
	return REALTIME_OTHER;
}

static struct str text_at(const struct json *json, const char *name)
{
	return json_text(json_member(json, name));
}

static void read_item(const struct json *item, struct realtime_message *message)
{
	if (!str_equal(text_at(item, "type"), STR("function_call"))) {
		message->event = REALTIME_OTHER;
		return;
	}
	message->name = text_at(item, "name");
	message->call_id = text_at(item, "call_id");
	message->arguments = text_at(item, "arguments");
}

static void read_response(const struct json *response, struct realtime_message *message)
{
	const struct json *details = json_member(response, "status_details");

	message->response_id = text_at(response, "id");
	message->status = text_at(response, "status");
	message->code = text_at(json_member(details, "error"), "code");
	message->words = text_at(json_member(details, "error"), "message");
}

static void read_members(const struct json *json, struct realtime_message *message)
{
	double at_ms = json_number(json_member(json, "audio_start_ms")) +
		       json_number(json_member(json, "audio_end_ms"));

	message->item_id = text_at(json, "item_id");
	message->response_id = text_at(json, "response_id");
	message->audio = text_at(json, "delta");
	message->text = text_at(json, "transcript");
	message->at_ms = at_ms > 0 && at_ms < 1e12 ? (int64_t)at_ms : 0;
	if (message->event == REALTIME_TOOL)
		read_item(json_member(json, "item"), message);
	if (message->event == REALTIME_RESPONSE_CREATED || message->event == REALTIME_RESPONSE_DONE)
		read_response(json_member(json, "response"), message);
	if (message->event == REALTIME_ERROR) {
		message->code = text_at(json_member(json, "error"), "code");
		message->words = text_at(json_member(json, "error"), "message");
	}
	message->beta = json_member(json_member(json, "session"), "type") == NULL;
}

bool realtime_read(struct str text, struct realtime_message *message, struct error *error)
{
	struct str type;

	*message = (struct realtime_message){0};
	message->document = json_parse(text, (struct json_limits){MAX_BYTES, MAX_DEPTH}, error);
	if (message->document == NULL)
		return false;
	type = text_at(message->document, "type");
	if (type.size == 0) {
		json_free(&message->document);
		return error_set(error, ERROR_UPSTREAM, "type: missing");
	}
	message->event = event_of(type);
	read_members(message->document, message);
	return true;
}

void realtime_message_free(struct realtime_message *message)
{
	json_free(&message->document);
}

bool realtime_error_is_harmless(struct str code)
{
	static const char *const codes[] = {"response_cancel_not_active",
		"conversation_already_has_active_response", "input_audio_buffer_commit_empty",
		"invalid_truncate", "item_truncate_invalid_item_id",
		"item_truncation_invalid_audio_end_ms"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (str_equal(code, str_from(codes[i])))
			return true;
	}
	return false;
}

/* -- what goes ------------------------------------------------------------------------------------- */

static void open_message(struct json_writer *writer, struct buf *to, const char *type)
{
	json_begin(writer, to);
	json_open_object(writer);
	json_put_member_str(writer, "type", str_from(type));
}

static void open_member(struct json_writer *writer, const char *name)
{
	json_put_name(writer, name);
	json_open_object(writer);
}

static void put_format(struct json_writer *writer)
{
	open_member(writer, "format");
	json_put_member_str(writer, "type", STR("audio/pcmu"));
	json_close_object(writer);
}

/* The server finds the ends of utterances, answers, and stops when it is interrupted. */
static void put_turns(struct json_writer *writer)
{
	open_member(writer, "turn_detection");
	json_put_member_str(writer, "type", STR("server_vad"));
	json_put_name(writer, "threshold");
	json_put_double(writer, 0.5);
	json_put_member_int(writer, "prefix_padding_ms", 300);
	json_put_member_int(writer, "silence_duration_ms", 400);
	json_put_member_bool(writer, "create_response", true);
	json_put_member_bool(writer, "interrupt_response", true);
	json_close_object(writer);
}

static void put_transcription(struct json_writer *writer, const char *name,
	const struct engine_options *options, const struct engine_call *call)
{
	open_member(writer, name);
	json_put_member_str(writer, "model", options->transcription_model);
	if (call->language[0] != '\0')
		json_put_member_str(writer, "language", str_from(call->language));
	json_close_object(writer);
}

static void put_audio_of_today(struct json_writer *writer, const struct engine_options *options,
	const struct engine_call *call)
{
	json_put_member_str(writer, "type", STR("realtime"));
	json_put_member_raw(writer, "output_modalities", STR("[\"audio\"]"));
	open_member(writer, "audio");
	open_member(writer, "input");
	put_format(writer);
	put_turns(writer);
	put_transcription(writer, "transcription", options, call);
	json_close_object(writer);
	open_member(writer, "output");
	put_format(writer);
	json_put_member_str(writer, "voice", options->voice);
	json_close_object(writer);
	json_close_object(writer);
}

static void put_audio_of_beta(struct json_writer *writer, const struct engine_options *options,
	const struct engine_call *call)
{
	json_put_member_raw(writer, "modalities", STR("[\"audio\",\"text\"]"));
	json_put_member_str(writer, "input_audio_format", STR("g711_ulaw"));
	json_put_member_str(writer, "output_audio_format", STR("g711_ulaw"));
	json_put_member_str(writer, "voice", options->voice);
	put_turns(writer);
	put_transcription(writer, "input_audio_transcription", options, call);
}

void realtime_put_session(struct buf *to, bool beta, const struct engine_options *options,
	const struct engine_call *call)
{
	struct json_writer writer;
	struct buf instructions;

	buf_init(&instructions, 32 * 1024);
	engine_instructions(&instructions, options, call);
	open_message(&writer, to, "session.update");
	open_member(&writer, "session");
	if (beta)
		put_audio_of_beta(&writer, options, call);
	else
		put_audio_of_today(&writer, options, call);
	json_put_member_str(&writer, "instructions", buf_str(&instructions));
	json_put_name(&writer, "tools");
	engine_tools_put(&writer, TOOLS_OF_REALTIME);
	json_put_member_str(&writer, "tool_choice", STR("auto"));
	json_close_object(&writer);
	json_close_object(&writer);
	buf_free(&instructions);
}

/* Fifty times a second a call: no writer, nothing to escape. */
void realtime_put_audio(struct buf *to, const uint8_t *mulaw, size_t bytes)
{
	char base64[CRYPTO_BASE64_TEXT(FRAME_BYTES)];

	(void)buf_add(to, STR("{\"type\":\"input_audio_buffer.append\",\"audio\":\""));
	while (bytes > 0) { /* whole threes, so that only the last part is padded */
		size_t size = bytes < FRAME_BYTES ? bytes : FRAME_BYTES;

		crypto_base64(mulaw, size, base64);
		(void)buf_add(to, str_from(base64));
		mulaw += size;
		bytes -= size;
	}
	(void)buf_add(to, STR("\"}"));
}

void realtime_put_truncate(struct buf *to, struct str item_id, int64_t played_ms)
{
	struct json_writer writer;

	open_message(&writer, to, "conversation.item.truncate");
	json_put_member_str(&writer, "item_id", item_id);
	json_put_member_int(&writer, "content_index", 0);
	json_put_member_int(&writer, "audio_end_ms", played_ms);
	json_close_object(&writer);
}

void realtime_put_user_text(struct buf *to, struct str text)
{
	struct json_writer writer;

	open_message(&writer, to, "conversation.item.create");
	open_member(&writer, "item");
	json_put_member_str(&writer, "type", STR("message"));
	json_put_member_str(&writer, "role", STR("user"));
	json_put_name(&writer, "content");
	json_open_array(&writer);
	json_open_object(&writer);
	json_put_member_str(&writer, "type", STR("input_text"));
	json_put_member_str(&writer, "text", text);
	json_close_object(&writer);
	json_close_array(&writer);
	json_close_object(&writer);
	json_close_object(&writer);
}

void realtime_put_tool_result(struct buf *to, struct str call_id, struct str result)
{
	struct json_writer writer;

	open_message(&writer, to, "conversation.item.create");
	open_member(&writer, "item");
	json_put_member_str(&writer, "type", STR("function_call_output"));
	json_put_member_str(&writer, "call_id", call_id);
	json_put_member_str(&writer, "output", result);
	json_close_object(&writer);
	json_close_object(&writer);
}

void realtime_put_response(struct buf *to, struct str instructions)
{
	struct json_writer writer;

	open_message(&writer, to, "response.create");
	if (instructions.size > 0) {
		open_member(&writer, "response");
		json_put_member_str(&writer, "instructions", instructions);
		json_close_object(&writer);
	}
	json_close_object(&writer);
}
