/*
 * world: what happens at Twilio, in the very form in which a PBX posts its events, so that the fold makes
 * the same calls of it.
 *
 * The wire is docs/protocol/pbx-events.md. A talk is two channels in one bridge; ours gets an id of its own,
 * made of the call's and of who talks, so that a repeated event says the same again.
 */
#include "clock.h"
#include "hooks.h"
#include "json_put.h"

#include <stdio.h>

#define BODY_MAX_BYTES ((size_t)128 << 10) /* TEXT_MAX_BYTES, all of them escaped */
#define TEXT_MAX_BYTES                                                                             \
	((size_t)8 << 10) /* a chat shows 4096 characters; all of it is in messages */
#define LEG_ID_BYTES   48 /* as ids of channels in the log */
#define LEG_TAIL_BYTES 12 /* of who talks: enough to tell him from others in one call */

static struct str or_empty(const char *text)
{
	return text != NULL ? str_from(text) : STR("");
}

/* Who talks, cut to what an id has room for: its end, where numbers differ. */
static struct str tail_of(const char *talker)
{
	struct str tail = or_empty(talker);

	if (tail.size > LEG_TAIL_BYTES)
		tail = str_of(tail.data + tail.size - LEG_TAIL_BYTES, LEG_TAIL_BYTES);
	return tail;
}

static struct str leg_id(const struct world_event *event, char to[LEG_ID_BYTES])
{
	struct str tail = tail_of(event->talker);

	snprintf(to, LEG_ID_BYTES, "%.34s:%.*s", event->call_sid, STR_ARG(tail));
	return str_from(to);
}

/* -- bodies ---------------------------------------------------------------------------------------- */

static void put_call(struct json_writer *writer, const struct world_event *event)
{
	json_put_member_str(writer, "UniqueId", or_empty(event->call_sid));
	json_put_member_str(writer, "Phone", or_empty(event->peer));
	json_put_member_int(writer, "CallType", event->outgoing ? 1 : 0);
	json_put_member_str(writer, "Trunk", or_empty(event->line));
}

static void put_talker(struct json_writer *writer, const struct world_event *event)
{
	json_put_name(writer, "Extensions");
	json_open_array(writer);
	json_put_str(writer, or_empty(event->talker)); /* [""] is nobody, as PBXs say it */
	json_close_array(writer);
}

/* With its offset: no zone has to be known here. */
static void put_time(struct json_writer *writer, const char *name, int64_t wall_ms)
{
	char text[CLOCK_TEXT_BYTES] = "";

	if (wall_ms > 0)
		clock_format_rfc3339(wall_ms, text);
	json_put_member_str(writer, name, str_from(text));
}

static void write_start(struct json_writer *writer, const struct world_event *event)
{
	json_open_object(writer);
	put_call(writer, event);
	if (event->outgoing)
		put_talker(writer, event);
	json_close_object(writer);
}

static void write_dial(struct json_writer *writer, const struct world_event *event)
{
	json_open_object(writer);
	put_call(writer, event);
	put_talker(writer, event);
	json_close_object(writer);
}

/* One side's channel enters the bridge: `number` is its own, `other` whom it has at the other end. */
struct side {
	struct str id, number, other, exten;
};

static void write_side(
	struct json_writer *writer, const struct world_event *event, const struct side *side)
{
	char bridge[LEG_ID_BYTES], channel[96];

	snprintf(channel, sizeof(channel), "Twilio/%.40s-%.8s", side->number.data,
		event->call_sid + (strlen(event->call_sid) > 8 ? strlen(event->call_sid) - 8 : 0));
	json_open_object(writer);
	json_put_member_str(writer, "UniqueId", side->id);
	json_put_member_str(writer, "BridgeUniqueid", leg_id(event, bridge));
	json_put_member_str(writer, "Channel", str_from(channel));
	json_put_member_str(writer, "CallerIDNum", side->number);
	json_put_member_str(writer, "ConnectedLineNum", side->other);
	json_put_member_str(writer, "Exten", side->exten);
	json_close_object(writer);
}

/* The call's own channel is that of who called: theirs, or ours where we did. */
static void write_bridge(struct json_writer *writer, const struct world_event *event)
{
	char leg[LEG_ID_BYTES];
	struct str peer = or_empty(event->peer), talker = or_empty(event->talker);
	struct str call = or_empty(event->call_sid), other = leg_id(event, leg);
	const struct side ours = {.id = event->outgoing ? call : other,
		.number = talker,
		.other = peer,
		.exten = event->outgoing ? peer : STR("")};
	const struct side theirs = {.id = event->outgoing ? other : call,
		.number = peer,
		.other = talker,
		.exten = event->outgoing ? STR("") : or_empty(event->line)};

	json_open_array(writer);
	write_side(writer, event, &ours);
	write_side(writer, event, &theirs);
	json_close_array(writer);
}

static void put_recording(struct json_writer *writer, const struct world_event *event)
{
	json_open_object(writer);
	json_put_member_str(writer, "Event", STR("recording"));
	json_put_member_str(writer, "UniqueId", or_empty(event->call_sid));
	json_put_member_str(writer, "Url", or_empty(event->recording_url));
	json_close_object(writer);
}

static void write_hangup(struct json_writer *writer, const struct world_event *event)
{
	json_open_array(writer);
	json_open_object(writer);
	put_call(writer, event);
	put_talker(writer, event);
	json_put_member_str(writer, "CallStatus", event->call_status == 2 ? STR("2") : STR("0"));
	put_time(writer, "StartTime", event->started_ms);
	put_time(writer, "DateReceived", event->started_ms);
	put_time(writer, "EndTime", event->ended_ms);
	json_close_object(writer);
	if (or_empty(event->recording_url).size > 0)
		put_recording(writer, event);
	json_close_array(writer);
}

static struct str cut(struct str text)
{
	if (text.size <= TEXT_MAX_BYTES)
		return text;
	text.size = TEXT_MAX_BYTES;
	while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xC0) == 0x80)
		text.size--; /* not within a character */
	return text;
}

static void write_text(struct json_writer *writer, const struct world_event *event)
{
	json_open_object(writer);
	put_call(writer, event);
	json_put_member_str(writer, "Channel", or_empty(event->channel));
	json_put_member_str(writer, "Text", cut(or_empty(event->text)));
	json_close_object(writer);
}

/* -- the row --------------------------------------------------------------------------------------- */

static const struct {
	const char *type;
	void (*write)(struct json_writer *writer, const struct world_event *event);
} kinds[] = {
	[WORLD_START] = {"start", write_start},
	[WORLD_DIAL] = {"dial", write_dial},
	[WORLD_BRIDGE] = {"bridge", write_bridge},
	[WORLD_HANGUP] = {"hangup", write_hangup},
	[WORLD_RECORDING] = {"recording", put_recording},
	[WORLD_TEXT] = {"text", write_text},
};

struct world_row world_row(struct arena *arena, const struct world_event *event)
{
	struct json_writer writer;
	struct buf body;
	/* A PBX tells of a call that goes out by a dial. */
	bool dials = event->kind == WORLD_START && event->outgoing;
	struct world_row row = {.enterprise = event->enterprise,
		.unique_id = or_empty(event->call_sid).data,
		.type = dials ? "dial" : kinds[event->kind].type,
		.trace = or_empty(event->trace).data};

	buf_init(&body, BODY_MAX_BYTES);
	json_begin(&writer, &body);
	kinds[event->kind].write(&writer, event);
	row.body = arena_strndup(arena, body.data, body.size);
	buf_free(&body);
	return row;
}

void world_wake(const struct hooks *hooks)
{
	if (hooks->redis != NULL)
		redis_publish(hooks->redis, "callweave:events", STR(""));
}
