/*
 * leg: Twilio's end of a bridge: a WebSocket whose messages become the bridge's events.
 */
#include "alloc.h"
#include "clock.h"
#include "media_ws.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	ARENA_MAX_BYTES = 512 * 1024, /* a dialogue is at most 128 KiB */
	MAX_MESSAGE_BYTES = 64 * 1024,
	MAX_OUTPUT_BYTES =
		128 *
		1024, /* 5 s of audio as JSON: a peer that takes nothing for so long is lost */
};

/* -- what the bridge stands on --------------------------------------------------------------------- */

/* The real time, not the turn's: a turn may be long, and audio is counted by it. */
static int64_t now_ms(void *context)
{
	return clock_monotonic_ms();
}

static bool send_text(void *owner, struct str text)
{
	struct leg *leg = owner;

	return leg->socket != NULL && websocket_send(leg->socket, false, text);
}

static size_t unsent_bytes(void *owner)
{
	const struct leg *leg = owner;

	return leg->socket != NULL ? websocket_unsent_bytes(leg->socket) : 0;
}

static void close_socket(void *owner, int code, const char *words)
{
	struct leg *leg = owner;
	char reason[124]; /* what a close frame has room for */

	(void)str_copy(reason, sizeof(reason), str_from(words));
	websocket_close(leg->socket, code, reason);
}

static const struct bridge_world world = {
	.now_ms = now_ms,
	.send = send_text,
	.unsent_bytes = unsent_bytes,
	.close = close_socket,
	.admit = admission_start,
	.unadmit = admission_stop,
	.opened = store_opened,
	.store = store_outcome,
	.turn = store_turn,
	.tool = tool_start,
};

/* -- the socket ------------------------------------------------------------------------------------ */

static const enum bridge_event_kind kinds[] = {
	[MEDIA_CONNECTED] = BRIDGE_ON_OTHER,
	[MEDIA_START] = BRIDGE_ON_START,
	[MEDIA_MEDIA] = BRIDGE_ON_MEDIA,
	[MEDIA_DTMF] = BRIDGE_ON_DIGIT,
	[MEDIA_MARK] = BRIDGE_ON_MARK,
	[MEDIA_STOP] = BRIDGE_ON_STOP,
	[MEDIA_UNKNOWN] = BRIDGE_ON_OTHER,
};

static void tell_wrong(struct leg *leg, int code, enum refusal refusal, const char *words)
{
	bridge_event(&leg->bridge,
		&(struct bridge_event){
			.kind = BRIDGE_ON_WRONG, .code = code, .refusal = refusal, .words = words});
}

static void on_message(void *context, bool binary, struct str payload)
{
	struct leg *leg = context;
	struct bridge_scratch *scratch = leg->bridge.scratch;
	struct media_message message;
	struct error error;

	if (binary) {
		tell_wrong(leg, CLOSE_BINARY, REFUSED_BINARY, "a binary message");
		return;
	}
	if (media_message_read(payload, scratch->arena, &message, &error))
		bridge_event(&leg->bridge,
			&(struct bridge_event){.kind = kinds[message.event], .message = &message});
	else
		tell_wrong(leg, CLOSE_DATA, REFUSED_JSON, error.text);
	if (arena_used_bytes(scratch->arena) > 0)
		arena_reset(scratch->arena);
}

static void on_closed(void *context, int code, const char *words)
{
	struct leg *leg = context;
	char text[160];

	(void)snprintf(text, sizeof(text), "%d %s", code, words != NULL ? words : "");
	bridge_event(&leg->bridge, &(struct bridge_event){.kind = BRIDGE_ON_GONE, .words = text});
}

static const struct websocket_handler handler = {.message = on_message, .closed = on_closed};

/* -- life ------------------------------------------------------------------------------------------ */

/* wss:// whatever the last hop speaks: that is what <Stream> allows, and so what is signed. */
static void keep_handshake(struct leg *leg, struct flow *flow)
{
	const struct http_request *request = http_request(flow);
	struct str host = http_request_header(flow, "Host");
	struct str base = str_from(leg->media->settings->public_url);
	struct str signature = http_request_header(flow, "X-Twilio-Signature");

	while (str_ends(base, STR("/")))
		base.size--;
	if (base.size > 0)
		leg->url =
			arena_printf(leg->arena, "%.*s%.*s", STR_ARG(base), STR_ARG(request->path));
	else
		leg->url = arena_printf(
			leg->arena, "wss://%.*s%.*s", STR_ARG(host), STR_ARG(request->path));
	if (request->query.size > 0)
		leg->url = arena_printf(leg->arena, "%s?%.*s", leg->url, STR_ARG(request->query));
	leg->signature = arena_strndup(leg->arena, signature.data, signature.size);
	leg->trace = arena_strdup(leg->arena, request->trace);
}

static void fill_bridge(struct leg *leg)
{
	struct media_ws *media = leg->media;

	leg->bridge.world = &world;
	leg->bridge.context = media;
	leg->bridge.leg = leg;
	leg->bridge.loop = media->loop;
	leg->bridge.log = *service_log(media->service);
	leg->bridge.log.trace = leg->trace;
	leg->bridge.setup = &media->setup;
	leg->bridge.scratch = &media->scratch;
	leg->bridge.meters = &media->meters;
	bridge_init(&leg->bridge);
}

struct leg *leg_accept(struct flow *flow, struct media_ws *media, struct error *error)
{
	struct leg *leg = alloc_zeroed(1, sizeof(*leg));
	struct websocket_options options = {
		.handler = &handler,
		.context = leg,
		.max_message_bytes = MAX_MESSAGE_BYTES,
		.max_output_bytes = MAX_OUTPUT_BYTES,
	};

	leg->media = media;
	leg->arena = arena_new(ARENA_MAX_BYTES);
	keep_handshake(leg, flow);
	fill_bridge(leg);
	options.log = leg->bridge.log;
	leg->socket = websocket_accept(flow, &options, "audio.twilio.com", error);
	if (leg->socket == NULL) {
		bridge_done(&leg->bridge);
		arena_free(&leg->arena);
		free(leg);
		return NULL;
	}
	pacer_add(media->pacer, leg);
	metric_add(media->meters.streams, 1);
	return leg;
}

void leg_free(struct leg *leg)
{
	pacer_remove(leg->media->pacer, leg);
	metric_add(leg->media->meters.streams, -1);
	bridge_done(&leg->bridge);
	websocket_free(&leg->socket);
	json_free(&leg->voice);
	json_free(&leg->dialogue);
	arena_free(&leg->arena);
	free(leg);
}
