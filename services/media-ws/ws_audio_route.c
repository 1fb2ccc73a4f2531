/*
 * ws_audio_route: /audio/<call>: the engine of a call that waits for one comes by itself. It shows the
 * suite's internal secret or a one-time token of that call, in a header: URLs end up in logs.
 */
#include "clock.h"
#include "media_ws.h"
#include "stream_token.h"
#include "ws_audio.h"

static bool token_well(struct flow *flow, struct media_ws *media, struct str call_sid)
{
	struct str given = http_request_header(flow, "Authorization");
	char nonce[STREAM_NONCE_BYTES];
	struct error error;

	if (!str_starts(given, STR("Bearer ")))
		return false;
	given = str_of(given.data + 7, given.size - 7);
	return stream_token_check(service_internal_secret(media->service), given, call_sid,
		       clock_wall_ms(), nonce, &error) &&
	       nonces_use(media->nonces, str_from(nonce), clock_monotonic_ms());
}

static bool may_come(struct flow *flow, struct media_ws *media, struct str call_sid)
{
	struct str secret = service_internal_secret(media->service);

	return (secret.size > 0 &&
		       str_equal_secret(
			       http_request_header(flow, SERVICE_SECRET_HEADER), secret)) ||
	       token_well(flow, media, call_sid);
}

static enum flow_status take_engine(struct flow *flow)
{
	struct media_ws *media = flow_context(flow);
	struct str call_sid = http_request(flow)->tail;
	struct error error = {.kind = ERROR_NONE};
	struct websocket_options options;
	struct ws_audio_line *line;
	struct websocket *socket;
	struct engine *engine;

	while (str_ends(call_sid, STR("/")))
		call_sid.size--;
	if (!may_come(flow, media, call_sid)) {
		log_warn(flow_log(flow), "an engine from %s is refused", http_request(flow)->peer);
		return http_reply_detail(flow, 403, "no right secret or token");
	}
	engine = ws_audio_waiting(media->setup.ws_audio, call_sid);
	if (engine == NULL)
		return http_reply_detail(flow, 404, "no such call waits for an engine");
	line = ws_audio_line_new(media->setup.ws_audio, engine);
	options = ws_audio_line_options(line);
	socket = websocket_accept(flow, &options, NULL, &error);
	if (socket == NULL) {
		ws_audio_line_drop(line);
		return flow_fail_error(flow, &error);
	}
	media_ws_taken(flow);
	ws_audio_line_set(line, socket);
	ws_audio_attach(engine, line);
	return FLOW_END;
}

static const struct flow_step audio_steps[] = {{"take", take_engine}, {NULL, NULL}};
const struct flow_spec audio_flow = {.name = "audio", .steps = audio_steps, .deadline_ms = 5000};
