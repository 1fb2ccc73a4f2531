/*
 * ws_audio_talk: the texts between us and a customer's engine. One table says what it may send; what it
 * does not know is answered by an error, never by silence.
 */
#include "alloc.h"
#include "clock.h"
#include "json_put.h"
#include "resample.h"
#include "ws_audio.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX_BYTES = 32 * 1024, TEXT_MAX_DEPTH = 8, ARGUMENTS_MAX_BYTES = 16 * 1024 };

/* -- to it ------------------------------------------------------------------------------------------- */

static void begin(struct engine *engine, struct json_writer *writer, const char *type)
{
	buf_clear(&engine->out);
	json_begin(writer, &engine->out);
	json_open_object(writer);
	json_put_member_str(writer, "type", str_from(type));
	json_put_member_str(writer, "call_id", str_from(engine->call->call_sid));
}

static void send_out(struct engine *engine, struct json_writer *writer)
{
	json_close_object(writer);
	if (engine->line != NULL && !engine->out.failed)
		(void)ws_audio_line_send(engine->line, false, buf_str(&engine->out));
	buf_clear(&engine->out);
}

void ws_audio_say_hello(struct engine *engine)
{
	struct json_writer writer;

	begin(engine, &writer, "hello");
	json_put_member_str(&writer, "codec", engine->mulaw ? STR("mulaw") : STR("pcm_s16le"));
	json_put_member_int(&writer, "rate", engine->rate);
	json_put_member_int(&writer, "channels", 1);
	json_put_member_str(&writer, "enterprise", str_from(engine->call->enterprise));
	json_put_member_str(&writer, "from", str_from(engine->call->peer));
	json_put_member_str(&writer, "to", str_from(engine->call->our_number));
	json_put_member_str(&writer, "language", str_from(engine->call->language));
	send_out(engine, &writer);
}

void ws_audio_tell_played(struct engine *engine, unsigned utterance, bool whole, int64_t played_ms)
{
	struct json_writer writer;

	begin(engine, &writer, "played");
	json_put_member_int(&writer, "utterance", utterance);
	json_put_member_bool(&writer, "whole", whole);
	json_put_member_int(&writer, "ms", played_ms);
	send_out(engine, &writer);
}

void ws_audio_tell_digit(struct engine *engine, char digit)
{
	struct json_writer writer;

	begin(engine, &writer, "dtmf");
	json_put_member_str(&writer, "digit", str_of(&digit, 1));
	send_out(engine, &writer);
}

void ws_audio_tell_end(struct engine *engine)
{
	struct json_writer writer;

	begin(engine, &writer, "bye");
	send_out(engine, &writer);
}

void ws_audio_tell_error(struct engine *engine, const char *words)
{
	struct json_writer writer;

	begin(engine, &writer, "error");
	json_put_member_str(&writer, "message", str_from(words));
	send_out(engine, &writer);
}

/* -- what was said ----------------------------------------------------------------------------------- */

static void forget_first(struct engine *engine)
{
	free(engine->history[engine->first].content);
	engine->first = (engine->first + 1) % WS_AUDIO_HISTORY;
	engine->count--;
}

void ws_audio_forget_history(struct engine *engine)
{
	while (engine->count > 0)
		forget_first(engine);
}

static void remember(struct engine *engine, bool assistant, struct str content)
{
	struct ws_audio_entry *entry;
	char words[WS_AUDIO_WORDS];

	if (engine->count == WS_AUDIO_HISTORY)
		forget_first(engine);
	entry = &engine->history[(engine->first + engine->count++) % WS_AUDIO_HISTORY];
	(void)str_copy(words, sizeof(words), content);
	entry->assistant = assistant;
	entry->wall_ms = clock_wall_ms();
	entry->content = alloc_text(str_from(words));
}

struct said { /* what a text of its may hold */
	struct str type, role, content, to, reason, name, id;
	const struct json *arguments;
};

static void on_transcript_wanted(struct engine *engine, const struct said *said)
{
	struct json_writer writer;
	char when[CLOCK_TEXT_BYTES];

	begin(engine, &writer, "transcript");
	json_put_name(&writer, "history");
	json_open_array(&writer);
	for (unsigned i = 0; i < engine->count; i++) {
		const struct ws_audio_entry *entry =
			&engine->history[(engine->first + i) % WS_AUDIO_HISTORY];

		clock_format_rfc3339(entry->wall_ms, when);
		json_open_object(&writer);
		json_put_member_str(
			&writer, "role", entry->assistant ? STR("assistant") : STR("user"));
		json_put_member_str(&writer, "content", str_from(entry->content));
		json_put_member_str(&writer, "timestamp", str_from(when));
		json_close_object(&writer);
	}
	json_close_array(&writer);
	send_out(engine, &writer);
}

/* The caller's words begin a turn, its own belong to the one that is there. */
static void on_turn(struct engine *engine, const struct said *said)
{
	bool assistant = str_equal(said->role, STR("assistant"));
	struct engine_turn turn = {.heard_ms = -1,
		.recognise_ms = -1,
		.think_ms = -1,
		.speak_ms = -1,
		.total_ms = -1,
		.played_ms = -1};

	if (!assistant && !str_equal(said->role, STR("user"))) {
		ws_audio_tell_error(engine, "role: user or assistant");
		return;
	}
	remember(engine, assistant, said->content);
	engine->turn += !assistant || engine->turn == 0;
	turn.turn = engine->turn;
	turn.user_text = assistant ? STR("") : said->content;
	turn.reply_text = assistant ? said->content : STR("");
	bridge_turn(engine->bridge, &turn);
}

/* -- from it ------------------------------------------------------------------------------------------- */

static void tell_recording(struct engine *engine, bool on)
{
	struct json_writer writer;

	engine->recording = on;
	begin(engine, &writer, "recording");
	json_put_member_bool(&writer, "on", on);
	send_out(engine, &writer);
}

static void on_start_recording(struct engine *engine, const struct said *said)
{
	tell_recording(engine, true);
}

static void on_stop_recording(struct engine *engine, const struct said *said)
{
	tell_recording(engine, false);
}

static void on_hush(struct engine *engine, const struct said *said)
{
	(void)bridge_hush(engine->bridge);
	engine->talks = false;
	engine->has_odd = false;
	if (engine->from_it != NULL)
		resampler_reset(engine->from_it);
}

static void on_end_of_speech(struct engine *engine, const struct said *said)
{
	if (engine->talks)
		(void)bridge_say_end(engine->bridge);
	engine->talks = false;
}

static void finish(struct engine *engine, enum engine_end end, const struct said *said)
{
	bridge_finish(engine->bridge,
		&(struct engine_outcome){.end = end, .to = said->to, .reason = said->reason});
}

static void on_transfer(struct engine *engine, const struct said *said)
{
	finish(engine, ENGINE_TRANSFER, said);
}

static void on_hang_up(struct engine *engine, const struct said *said)
{
	finish(engine, ENGINE_HANGUP, said);
}

static void on_voicemail(struct engine *engine, const struct said *said)
{
	finish(engine, ENGINE_MESSAGE, said);
}

static void on_menu(struct engine *engine, const struct said *said)
{
	finish(engine, ENGINE_MENU, said);
}

static void tool_done(struct engine *engine, const char *id, bool well, struct str answer)
{
	struct json_writer writer;

	begin(engine, &writer, "tool_result");
	json_put_member_str(&writer, "id", str_from(id));
	json_put_member_bool(&writer, "ok", well);
	json_put_member_str(&writer, "answer", answer);
	send_out(engine, &writer);
}

static void on_tool(struct engine *engine, const struct said *said)
{
	struct buf arguments;
	char name[32], id[128];

	(void)str_copy(name, sizeof(name), said->name);
	(void)str_copy(id, sizeof(id), said->id);
	buf_init(&arguments, ARGUMENTS_MAX_BYTES);
	if (said->arguments != NULL)
		json_print(&arguments, said->arguments, false);
	bridge_tool(engine->bridge, name, id, buf_str(&arguments), tool_done);
	buf_free(&arguments);
}

static const struct {
	const char *type;
	void (*take)(struct engine *engine, const struct said *said);
} kinds[] = {
	{"start_recording", on_start_recording},
	{"stop_recording", on_stop_recording},
	{"get_transcript", on_transcript_wanted},
	{"turn", on_turn},
	{"hush", on_hush},
	{"end_of_speech", on_end_of_speech},
	{"transfer", on_transfer},
	{"hangup", on_hang_up},
	{"voicemail", on_voicemail},
	{"menu", on_menu},
	{"tool", on_tool},
};

static const struct json_field said_fields[] = {
	JSON_FIELD(struct said, type, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct said, role, JSON_STRING, 0),
	JSON_FIELD(struct said, content, JSON_STRING, 0),
	JSON_FIELD(struct said, to, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, reason, JSON_STRING, 0),
	JSON_FIELD(struct said, name, JSON_STRING, 0),
	JSON_FIELD(struct said, id, JSON_STRING, JSON_LAX),
	JSON_FIELD(struct said, arguments, JSON_RAW, 0),
	{0},
};

static void take(struct engine *engine, const struct said *said)
{
	char words[96];

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_equal(said->type, str_from(kinds[i].type))) {
			kinds[i].take(engine, said);
			return;
		}
	}
	(void)snprintf(words, sizeof(words), "unknown type: %.*s",
		said->type.size < 60 ? (int)said->type.size : 60, said->type.data);
	ws_audio_tell_error(engine, words);
}

void ws_audio_take_text(struct engine *engine, struct str text)
{
	struct json_limits limits = {TEXT_MAX_BYTES, TEXT_MAX_DEPTH};
	struct arena *arena = arena_new((size_t)256 << 10);
	struct said said = {0};
	struct error error;
	struct json *document = json_parse(text, limits, &error);

	if (document != NULL && json_read(document, said_fields, &said, arena, &error))
		take(engine, &said);
	else
		ws_audio_tell_error(engine, error.text);
	json_free(&document);
	arena_free(&arena);
}
