/*
 * twilio_stream: what Twilio says and takes over a stream (facts: connected, start, media, dtmf, mark,
 * stop out; media, mark, clear in). Text only; one warning a stream, however much is wrong.
 */
#include "twilio_stream_private.h"

#include "clock.h"
#include "twilio_media_check.h"
#include "twilio_signature.h"

#include <stdlib.h>

#define MAX_PARAMETERS_BYTES 500  /* name and value together */
#define GAP_MS		     1000 /* a pause that is longer belongs to the talk */
#define MAX_MESSAGE_BYTES    (4u << 20)

const char *stream_sid(const struct twilio_stream *stream)
{
	return stream->sid;
}

bool stream_is_open(const struct twilio_stream *stream)
{
	return stream->open && !stream->over;
}

bool stream_is_over(const struct twilio_stream *stream)
{
	return stream->over;
}

static void free_stream(struct twilio_stream *stream)
{
	websocket_free(&stream->websocket);
	playout_free(&stream->playout);
	buf_free(&stream->parameters);
	free(stream->account_sid);
	free(stream->name);
	free(stream->url);
	free(stream->status_callback);
	free(stream);
}

void streams_clear(struct twilio *twilio)
{
	struct twilio_stream *at = TAILQ_FIRST(&twilio->streams), *next;

	for (; at != NULL; at = next) {
		next = TAILQ_NEXT(at, link);
		free_stream(at);
	}
	TAILQ_INIT(&twilio->streams);
}

static void forget(struct twilio_stream *stream)
{
	TAILQ_REMOVE(&stream->twilio->streams, stream, link);
	free_stream(stream);
}

/* -- its status ----------------------------------------------------------------------------------------------- */

static void tell(struct twilio_stream *stream, const char *event, int code, const char *words)
{
	struct arena *arena = arena_new(1u << 16);
	struct twilio_form form = {0};
	char now[CLOCK_TEXT_BYTES];

	clock_format_rfc3339(clock_wall_ms(), now);
	twilio_form_put_text(&form, arena, "AccountSid", stream->account_sid);
	twilio_form_put_text(&form, arena, "CallSid", stream->call_sid);
	twilio_form_put_text(&form, arena, "StreamSid", stream->sid);
	twilio_form_put_text(&form, arena, "StreamName", stream->name);
	twilio_form_put_text(&form, arena, "StreamEvent", event);
	twilio_form_put_text(&form, arena, "Timestamp", now);
	if (code != 0) {
		twilio_form_put_int(&form, arena, "StreamErrorCode", code);
		twilio_form_put_text(&form, arena, "StreamError", words);
	}
	twilio_callback_send(
		stream->twilio, &(struct twilio_callback){.url = stream->status_callback,
					.account_sid = stream->account_sid,
					.sid = stream->call_sid,
					.form = &form,
					.delay_ms = 0});
	arena_free(&arena);
}

void stream_note(struct twilio_stream *stream, const char *what, const char *detail)
{
	if (stream->call != NULL)
		call_note(stream->call, what, "%s", detail);
}

/* Once a stream: what else is wrong stands in the call's events alone. */
static void warn(struct twilio_stream *stream, int code, const char *words)
{
	stream_note(stream, "violation", words);
	if (stream->warned)
		return;
	stream->warned = true;
	twilio_alert(stream->twilio, code, (struct twilio_place){stream->call_sid, stream->url},
		"Stream - %s (%s)", words, stream->sid);
}

/* -- what Twilio hears --------------------------------------------------------------------------------------------- */

static void echo_marks(struct twilio_stream *stream, const char *how)
{
	for (char *name = playout_due(&stream->playout); name != NULL;
		name = playout_due(&stream->playout)) {
		stream->dry_ms = -1; /* what follows is another utterance */
		stream_say_mark(stream, name, how);
		free(name);
	}
}

/* Audio that came too late for the one before it: the caller hears a hole. */
static void note_gap(struct twilio_stream *stream)
{
	int64_t gap_ms;

	if (playout_left(&stream->playout) > 0 || stream->call == NULL)
		return;
	gap_ms = stream->dry_ms < 0 ? GAP_MS : stream->call->clock_ms - stream->dry_ms;
	if (gap_ms < GAP_MS)
		call_note(stream->call, "gap", "%lld", (long long)gap_ms);
	else
		call_note(stream->call, "talks", "%s", "");
}

static void take_media(struct twilio_stream *stream, const struct media_sent *sent)
{
	note_gap(stream);
	if (playout_add(&stream->playout, sent->audio, sent->bytes))
		return;
	stream_note(stream, "discarded", "more than ten minutes are queued");
	if (!stream->full)
		twilio_alert(stream->twilio, 31931,
			(struct twilio_place){stream->call_sid, stream->url},
			"Stream - Media Discarded: more than 10 minutes are buffered (%s)",
			stream->sid);
	stream->full = true;
}

static void take_clear(struct twilio_stream *stream)
{
	int64_t dropped = playout_clear(&stream->playout);

	if (stream->call != NULL)
		call_note(stream->call, "clear", "%lld", (long long)(dropped / 8));
	echo_marks(stream, "flushed");
	stream->dry_ms = -1;
}

static void take_mark(struct twilio_stream *stream, struct str name)
{
	if (!playout_add_mark(&stream->playout, name)) {
		warn(stream, 31951, "too many marks are outstanding");
		return;
	}
	if (stream->call != NULL)
		call_note(stream->call, "mark", "%.*s", STR_ARG(name));
	if (playout_left(&stream->playout) == 0)
		echo_marks(stream, "marked");
}

static void on_message(void *context, bool binary, struct str payload)
{
	struct twilio_stream *stream = context;
	struct media_sent sent;
	struct arena *arena;
	const char *words;

	if (stream->over || stream->stopped)
		return;
	if (binary) {
		warn(stream, 31950, "Malformed Message: binary");
		return;
	}
	arena = arena_new(3 * MAX_MESSAGE_BYTES);
	words = media_check(payload, str_from(stream->sid), arena, &sent);
	if (words != NULL)
		warn(stream, 31951, words);
	else if (sent.kind == SENT_MEDIA)
		take_media(stream, &sent);
	else if (sent.kind == SENT_MARK)
		take_mark(stream, sent.name);
	else
		take_clear(stream);
	arena_free(&arena);
}

/* -- its life ---------------------------------------------------------------------------------------------------------- */

static void on_open(void *context)
{
	struct twilio_stream *stream = context;

	stream->open = true;
	stream_note(stream, "stream", stream->sid);
	stream_say_start(stream);
	tell(stream, "stream-started", 0, "");
}

/* Which error of the console a broken stream is. */
static int code_of(const struct twilio_stream *stream, const char *words)
{
	if (!stream->open && strstr(words, "refused") != NULL)
		return 31902;
	if (!stream->open && strstr(words, "certificate") != NULL)
		return 31910;
	if (!stream->open)
		return 31920;
	if (strncmp(words, "the peer sent", strlen("the peer sent")) == 0)
		return 31924;
	return stream->chunk == 0 ? 31921 : 0;
}

static void on_closed(void *context, int code, const char *words)
{
	struct twilio_stream *stream = context;
	int error = stream->stopped ? 0 : code_of(stream, words);

	stream->over = true;
	if (error != 0)
		twilio_alert(stream->twilio, error,
			(struct twilio_place){stream->call_sid, stream->url},
			"Stream - %s (close code %d)", words, code);
	tell(stream, error != 0 ? "stream-error" : "stream-stopped", error, words);
	if (stream->call != NULL)
		call_note(stream->call, "stream_closed", "%d %s", code, words);
	else
		forget(stream);
}

void stream_frame(struct twilio_stream *stream, const uint8_t *said, uint8_t *heard)
{
	bool had = playout_left(&stream->playout) > 0;

	if (!stream_is_open(stream))
		return;
	stream_say_media(stream, said);
	(void)playout_take(&stream->playout, heard, FRAME_BYTES);
	if (had && playout_left(&stream->playout) == 0)
		stream->dry_ms = stream->call->clock_ms + FRAME_MS;
	echo_marks(stream, "marked");
}

void stream_leave(struct twilio_stream *stream)
{
	stream->call = NULL;
	if (stream->over) {
		forget(stream);
		return;
	}
	if (stream->open)
		stream_say_stop(stream);
	stream->stopped = true;
	websocket_close(stream->websocket, 1000, "");
}

/* -- opening --------------------------------------------------------------------------------------------------------- */

static void read_parameters(struct twilio_stream *stream, const struct xml_node *node)
{
	struct json_writer writer;

	buf_init(&stream->parameters, 16384);
	json_begin(&writer, &stream->parameters);
	json_open_object(&writer);
	for (const struct xml_node *at = node->first; at != NULL; at = at->next) {
		struct str name = xml_get(at, "name"), value = xml_get(at, "value");
		char kept[MAX_PARAMETERS_BYTES];
		if (!xml_is(at, "Parameter"))
			continue;
		if (name.size + value.size >= MAX_PARAMETERS_BYTES) {
			twilio_alert(stream->twilio, 12200,
				(struct twilio_place){stream->call_sid, stream->url},
				"<Parameter> %.*s: name and value together are 500 characters or "
				"more",
				STR_ARG(name));
			continue;
		}
		(void)str_copy(kept, sizeof(kept), name);
		json_put_member_str(&writer, kept, value);
	}
	json_close_object(&writer);
}

static bool is_loopback(const char *url)
{
	return strncmp(url, "ws://127.0.0.1", strlen("ws://127.0.0.1")) == 0 ||
	       strncmp(url, "ws://localhost", strlen("ws://localhost")) == 0;
}

/* wss only, as at Twilio; ws to this machine, since tests have no certificates. A query is cut off. */
static int check_url(struct twilio_call *call, const struct xml_node *node, const char **url)
{
	struct str track = xml_get(node, "track");
	char *query;

	if (track.size > 0 && !str_equal(track, STR("inbound_track")))
		return 31941;
	if (*url == NULL)
		return 31923;
	if (strncmp(*url, "wss://", strlen("wss://")) != 0 && !is_loopback(*url))
		return 31922;
	query = strchr(*url, '?');
	if (query == NULL)
		return 0;
	call_note(call, "stripped", "%s", query);
	*query = '\0';
	return 0;
}

static struct twilio_stream *make(struct twilio_call *call, const struct call_run *run,
	const struct xml_node *node, const char *url)
{
	struct twilio_stream *stream = alloc_zeroed(1, sizeof(*stream));
	struct str callback = xml_get(node, "statusCallback");

	stream->twilio = call->twilio;
	stream->call = call;
	stream->dry_ms = -1;
	twilio_sid("MZ", stream->sid);
	str_copy(stream->call_sid, sizeof(stream->call_sid), str_from(call->sid));
	stream->account_sid = alloc_text(str_from(call->account_sid));
	stream->name = alloc_text(
		xml_get(node, "name").size > 0 ? xml_get(node, "name") : str_from(stream->sid));
	stream->url = alloc_text(str_from(url));
	stream->status_callback = alloc_text(
		callback.size > 0 ? str_from(twilio_resolve(run->arena, run->base, callback))
				  : (struct str){0});
	playout_init(&stream->playout);
	read_parameters(stream, node);
	TAILQ_INSERT_TAIL(&call->twilio->streams, stream, link);
	return stream;
}

static bool connect(struct twilio_stream *stream, struct arena *arena, struct error *error)
{
	static const struct websocket_handler handler = {
		.open = on_open, .message = on_message, .closed = on_closed};
	struct sandbox *sandbox = stream->twilio->sandbox;
	struct twilio_request request = {.url = str_from(stream->url), .websocket = true};
	char signature[TWILIO_SIGNATURE_BYTES];
	struct websocket_target target = {
		.url = stream->url,
		.headers = {{"User-Agent", "Twilio.TmeWs/1.0"}, {"x-twilio-signature", signature},
			{"Accept-Encoding", "gzip"}},
	};
	struct websocket_options options = {.handler = &handler,
		.context = stream,
		.max_message_bytes = MAX_MESSAGE_BYTES,
		.log = *service_log(sandbox->service)};

	twilio_signature_make(&request,
		str_from(twilio_token_of(stream->twilio, stream->account_sid)), arena, signature);
	stream->websocket =
		websocket_connect(service_loop(sandbox->service), &target, &options, error);
	return stream->websocket != NULL;
}

/* A relative one is on the document's host, by its WebSocket scheme. */
static const char *stream_url(const struct call_run *run, struct str given)
{
	const char *url = twilio_resolve(run->arena, run->base, given);

	if (url == NULL || memmem(given.data, given.size, "://", 3) != NULL)
		return url;
	return arena_printf(run->arena, "ws%s", url + strlen("http"));
}

struct twilio_stream *stream_open(
	struct twilio_call *call, const struct call_run *run, const struct xml_node *node)
{
	struct str given = str_trim(xml_get(node, "url"));
	const char *url = stream_url(run, given);
	int code = check_url(call, node, &url);
	struct twilio_stream *stream;
	struct error error;

	if (code != 0) {
		twilio_alert(call->twilio, code, (struct twilio_place){call->sid, url},
			"Stream - the url, scheme or track is not allowed: %.*s", STR_ARG(given));
		return NULL;
	}
	stream = make(call, run, node, url);
	if (connect(stream, run->arena, &error))
		return stream;
	twilio_alert(call->twilio, 31923, (struct twilio_place){call->sid, url}, "Stream - %s",
		error.text);
	forget(stream);
	return NULL;
}
