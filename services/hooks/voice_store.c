/*
 * voice_store: what is kept of a call, as JSON for one statement each (later.h). What a statement has
 * changed decides whether the one world hears of it, so nothing is told twice.
 */
#include "voice.h"

#include "clock.h"
#include "json_put.h"

enum { JSON_BYTES = 64 << 10 };

static const char *const state_names[] = {
	[VOICE_MENU] = "menu",
	[VOICE_STREAM] = "stream",
	[VOICE_OPERATOR] = "operator",
	[VOICE_VOICEMAIL] = "voicemail",
};

/* $1: the JSON. A caller's enterprise is part of each condition: a CallSid alone proves nothing. */
#define INPUT "WITH j AS (SELECT $1::jsonb AS d, $2::boolean AS replayed), "
#define EVENTS                                                                                     \
	" SELECT count(call_event_add(e.item ->> 'enterprise', e.item ->> 'id', e.item ->> "       \
	"'type', "                                                                                 \
	"e.item -> 'body', e.item ->> 'trace')) FROM changed, j, "                                 \
	"jsonb_array_elements(j.d -> 'events') AS e (item)"
#define OURS " WHERE c.call_sid = d ->> 'sid' AND c.enterprise_number = d ->> 'enterprise' "

const struct later_kind voice_start_kind = {"voice_start",
	INPUT "changed AS (INSERT INTO voice_calls (call_sid, enterprise_number, account_sid, "
	      "our_number, peer, language, engine, dialogue, state, talker, started_at) "
	      "SELECT d ->> 'sid', d ->> 'enterprise', d ->> 'account', d ->> 'our', d ->> 'peer', "
	      "d ->> 'language', d ->> 'engine', d ->> 'dialogue', d ->> 'state', d ->> 'talker', "
	      "to_timestamp((d ->> 'at')::double precision / 1000) FROM j "
	      "ON CONFLICT (call_sid) DO NOTHING RETURNING 1)" EVENTS};

const struct later_kind voice_move_kind = {"voice_move", INPUT
	"changed AS (UPDATE voice_calls c SET state = d ->> 'state', talker = d ->> 'talker', "
	"tries = (d ->> 'tries')::integer, language = d ->> 'language', "
	"engine = coalesce(nullif(d ->> 'engine', ''), engine), "
	"dialogue = coalesce(nullif(d ->> 'dialogue', ''), dialogue), "
	"outcome = CASE WHEN d ->> 'state' = 'stream' THEN NULL ELSE c.outcome END FROM j" OURS
	"AND c.state <> 'over' AND (c.state, c.talker, c.tries, c.language) IS DISTINCT FROM "
	"(d ->> 'state', d ->> 'talker', (d ->> 'tries')::integer, d ->> 'language') "
	"RETURNING 1)" EVENTS};

const struct later_kind voice_talk_kind = {"voice_talk", INPUT
	"changed AS (UPDATE voice_calls c SET talked = d ->> 'talker', "
	"stream_sid = coalesce(nullif(d ->> 'stream', ''), stream_sid), answered_at = "
	"coalesce(c.answered_at, to_timestamp((d ->> 'at')::double precision / 1000)) FROM j" OURS
	"AND c.state <> 'over' AND c.talked <> d ->> 'talker' RETURNING 1)" EVENTS};

const struct later_kind voice_recording_kind = {"voice_recording",
	INPUT "changed AS (UPDATE voice_calls c SET recording_url = d ->> 'url', "
	      "recording_sid = d ->> 'recording' FROM j" OURS
	      "AND c.recording_sid <> d ->> 'recording' RETURNING 1)" EVENTS};

/* Who talked and when it began is known by the row alone: it is put into the event here. */
const struct later_kind voice_status_kind = {"voice_status", INPUT
	"changed AS (UPDATE voice_calls c SET last_status = d ->> 'status', "
	"last_sequence = greatest(c.last_sequence, (d ->> 'sequence')::integer), "
	"state = CASE WHEN (d ->> 'over')::boolean THEN 'over' ELSE c.state END, ended_at = "
	"CASE WHEN (d ->> 'over')::boolean THEN to_timestamp((d ->> 'at')::double precision / "
	"1000) END FROM j" OURS "AND c.state <> 'over' AND ((d ->> 'over')::boolean OR "
	"(d ->> 'sequence')::integer > c.last_sequence) RETURNING c.talked, c.started_at) "
	"SELECT count(call_event_add(e.item ->> 'enterprise', e.item ->> 'id', "
	"e.item ->> 'type', jsonb_build_array((e.item -> 'body' -> 0) || jsonb_build_object("
	"'Extensions', jsonb_build_array(changed.talked), "
	"'CallStatus', CASE WHEN changed.talked <> '' THEN '2' ELSE '0' END, "
	"'StartTime', to_char(changed.started_at AT TIME ZONE 'UTC', "
	"'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
	"'DateReceived', to_char(changed.started_at AT TIME ZONE 'UTC', "
	"'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'))), e.item ->> 'trace')) "
	"FROM changed, j, jsonb_array_elements(j.d -> 'events') AS e (item)"};

/* -- the JSON --------------------------------------------------------------------------------------------- */

struct record {
	struct buf text;
	struct json_writer json;
	const struct voice *voice;
};

static void record_begin(struct record *record, const struct voice *voice)
{
	record->voice = voice;
	buf_init(&record->text, JSON_BYTES);
	json_begin(&record->json, &record->text);
	json_open_object(&record->json);
	json_put_member_str(&record->json, "sid", str_from(voice->sid));
	json_put_member_str(&record->json, "enterprise", str_from(voice->caller.enterprise));
	json_put_member_int(&record->json, "at", clock_wall_ms());
}

static void put(struct record *record, const char *name, struct str value)
{
	json_put_member_str(&record->json, name, value);
}

static void put_event(struct flow *flow, struct record *record, struct world_event *event)
{
	struct json_writer *json = &record->json;
	struct world_row row;

	event->enterprise = record->voice->caller.enterprise;
	event->call_sid = record->voice->sid;
	event->peer = record->voice->peer;
	event->line =
		record->voice->number != NULL ? record->voice->number->line : record->voice->our;
	event->trace = record->voice->trace;
	row = world_row(flow_arena(flow), event);
	json_open_object(json);
	json_put_member_str(json, "enterprise", str_from(row.enterprise));
	json_put_member_str(json, "id", str_from(row.unique_id));
	json_put_member_str(json, "type", str_from(row.type));
	json_put_member_raw(json, "body", str_from(row.body));
	json_put_member_str(json, "trace", str_from(row.trace));
	json_close_object(json);
}

static void open_events(struct record *record)
{
	json_put_name(&record->json, "events");
	json_open_array(&record->json);
}

static enum flow_status await_record(struct flow *flow, struct voice *voice, struct record *record,
	const struct later_kind *kind)
{
	struct str text;

	json_close_array(&record->json); /* events */
	json_close_object(&record->json);
	text = buf_str(&record->text);
	voice->store = (struct later_store){
		.kind = kind,
		.json = str_of(arena_strndup(flow_arena(flow), text.data, text.size), text.size),
	};
	buf_free(&record->text);
	/* Nobody's call: there is nothing to keep it under. */
	if (voice->caller.enterprise[0] == '\0' || voice->our[0] == '\0')
		return FLOW_NEXT;
	return await_later(flow, &voice->store);
}

/* -- the five ---------------------------------------------------------------------------------------------- */

static void put_dial(struct flow *flow, struct record *record, const char *talker)
{
	struct world_event dial = {.kind = WORLD_DIAL, .talker = talker};

	if (talker[0] != '\0')
		put_event(flow, record, &dial);
}

enum flow_status await_voice_start(
	struct flow *flow, struct voice *voice, enum voice_state state, const char *talker)
{
	struct world_event start = {.kind = WORLD_START};
	const struct hook_number *number = voice->number;
	bool agent = state == VOICE_STREAM && number != NULL;
	struct record record;

	record_begin(&record, voice);
	put(&record, "account", voice_field(voice, "AccountSid"));
	put(&record, "our", str_from(voice->our));
	put(&record, "peer", str_from(voice->peer));
	put(&record, "language", str_from(menu_language_name(voice->language)));
	put(&record, "engine", str_from(agent ? number->engine : ""));
	put(&record, "dialogue", str_from(agent ? number->dialogue : ""));
	put(&record, "state", str_from(state_names[state]));
	put(&record, "talker", str_from(talker));
	open_events(&record);
	put_event(flow, &record, &start);
	put_dial(flow, &record, talker);
	return await_record(flow, voice, &record, &voice_start_kind);
}

enum flow_status await_voice_move(
	struct flow *flow, struct voice *voice, enum voice_state state, const char *talker)
{
	int64_t tries = 0;
	struct record record;

	(void)str_to_int64(voice_query(flow, "try"), &tries);
	record_begin(&record, voice);
	put(&record, "state", str_from(state_names[state]));
	put(&record, "talker", str_from(talker));
	put(&record, "language", str_from(menu_language_name(voice->language)));
	put(&record, "engine", str_from(voice->engine));
	put(&record, "dialogue", str_from(voice->dialogue));
	json_put_member_int(&record.json, "tries", tries);
	open_events(&record);
	put_dial(flow, &record, talker);
	return await_record(flow, voice, &record, &voice_move_kind);
}

enum flow_status await_voice_talk(
	struct flow *flow, struct voice *voice, const char *talker, const char *stream_sid)
{
	struct world_event bridge = {.kind = WORLD_BRIDGE, .talker = talker};
	struct record record;

	record_begin(&record, voice);
	put(&record, "talker", str_from(talker));
	put(&record, "stream", str_from(stream_sid));
	open_events(&record);
	put_event(flow, &record, &bridge);
	return await_record(flow, voice, &record, &voice_talk_kind);
}

static bool is_final(struct str status)
{
	static const char *const finals[] = {
		"completed", "busy", "failed", "no-answer", "canceled", VOICE_LOST, NULL};

	for (int i = 0; finals[i] != NULL; i++) {
		if (str_equal(status, str_from(finals[i])))
			return true;
	}
	return false;
}

enum flow_status await_voice_status(
	struct flow *flow, struct voice *voice, struct str status, int64_t sequence)
{
	bool lost = str_equal(status, STR(VOICE_LOST)); /* then nobody knows when it ended */
	struct world_event hangup = {.kind = WORLD_HANGUP, .ended_ms = lost ? 0 : clock_wall_ms()};
	struct record record;

	record_begin(&record, voice);
	put(&record, "status", status);
	json_put_member_int(&record.json, "sequence", sequence);
	json_put_member_bool(&record.json, "over", is_final(status));
	open_events(&record);
	if (is_final(status))
		put_event(flow, &record, &hangup);
	return await_record(flow, voice, &record, &voice_status_kind);
}

/* "https://.../Recordings/RE0123": the last part is the recording's own id, whatever callback tells of it. */
static struct str recording_sid(struct str url)
{
	const char *slash = url.size > 0 ? memrchr(url.data, '/', url.size) : NULL;

	return slash != NULL ? str_of(slash + 1, url.size - (size_t)(slash + 1 - url.data)) : url;
}

enum flow_status await_voice_recording(struct flow *flow, struct voice *voice, struct str url)
{
	struct world_event event = {.kind = WORLD_RECORDING};
	struct record record;

	event.recording_url = arena_printf(flow_arena(flow), "%.*s.mp3", STR_ARG(url));
	record_begin(&record, voice);
	put(&record, "url", str_from(event.recording_url));
	put(&record, "recording", recording_sid(url));
	open_events(&record);
	put_event(flow, &record, &event);
	return await_record(flow, voice, &record, &voice_recording_kind);
}

enum flow_status voice_stored_reply(struct flow *flow, struct voice *voice)
{
	const struct hooks *hooks = flow_context(flow);

	if (voice->store.kind != NULL && !voice->store.stored &&
		voice->store.error.kind == ERROR_BUSY)
		return flow_fail_error(flow, &voice->store.error);
	if (voice->store.batch != NULL)
		world_wake(hooks);
	return hook_reply_nothing(flow);
}
