/*
 * routes: the handshake of Twilio's streams. 101 or a refusal, never a redirect (31920); the last slash
 * is nobody's business here, and double ones are the HTTP server's.
 */
#include "media_ws.h"

/* Streams that never came are looked for in the log (P1). Queries are left out: they may be secrets. */
void media_ws_seen(void *context, const struct http_seen *seen)
{
	const struct media_ws *media = context;
	const struct http_request *request = seen->request;
	struct log_context log = *service_log(media->service);

	if (service_has_path(request->path))
		return;
	log.trace = request->trace;
	log_info(&log, "%.*s %.*s of %s: %d", STR_ARG(request->method), STR_ARG(request->path),
		request->peer, seen->status);
}

/* The server is not asked to show a 101: nothing of HTTP comes behind it. */
void media_ws_taken(struct flow *flow)
{
	const struct http_seen seen = {.request = http_request(flow), .status = 101};

	media_ws_seen(flow_context(flow), &seen);
}

static bool may_take(struct flow *flow, struct media_ws *media, struct error *error)
{
	if (pacer_count(media->pacer) >= (unsigned)media->settings->max_streams)
		return error_set(error, ERROR_BUSY, "too many streams");
	if ((media->proof & PROOF_SIGNATURE) != 0 && !media->settings->test_streams &&
		http_request_header(flow, "X-Twilio-Signature").size == 0) {
		metric_add(media->meters.refused[REFUSED_SIGNATURE], 1);
		return error_set(error, ERROR_AUTH, "not signed by Twilio");
	}
	return true;
}

static enum flow_status take_stream(struct flow *flow)
{
	struct media_ws *media = flow_context(flow);
	struct error error = {.kind = ERROR_NONE};

	if (!may_take(flow, media, &error)) {
		log_warn(flow_log(flow), "a stream of %s is refused: %s", http_request(flow)->peer,
			error.text);
		return error.kind == ERROR_AUTH ? http_reply_detail(flow, 403, "%s", error.text)
						: flow_fail_error(flow, &error);
	}
	if (leg_accept(flow, media, &error) == NULL)
		return flow_fail_error(flow, &error);
	media_ws_taken(flow);
	return FLOW_END;
}

static const struct flow_step stream_steps[] = {{"take", take_stream}, {NULL, NULL}};
static const struct flow_spec stream_flow = {
	.name = "stream", .steps = stream_steps, .deadline_ms = 5000};

const struct http_route media_ws_routes[] = {
	{"GET", "/ws/twilio-media", &stream_flow, ROUTE_UPGRADE},
	{"GET", "/ws/twilio-media/", &stream_flow, ROUTE_UPGRADE},
	{"GET", "/audio/*", &audio_flow, ROUTE_UPGRADE},
	{0},
};
