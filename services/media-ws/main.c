/*
 * media-ws: callers' audio: Twilio's streams on one side, an engine that talks with them on the other.
 */
#include "media_ws.h"

#include "alloc.h"
#include "clock.h"
#include "dialogue_tool.h"
#include "prompts.h"
#include "ws_audio.h"

#include <stdlib.h>

enum {
	OUT_MAX_BYTES = 128 * 1024,
	SCRATCH_ARENA_BYTES = 512 * 1024,
	PROMPTS_MAX_BYTES = 8 << 20, /* a quarter of an hour of sentences */
	GATHER_US = 500,	     /* a frame of audio lasts 20 ms */
};

/* -- readiness --------------------------------------------------------------------------------------- */

static const char *database_why_not(void *context)
{
	const struct media_ws *media = context;

	return pg_ready(media->pg) ? schema_why_not(media->schema) : pg_last_error(media->pg);
}

static const struct service_check checks[] = {
	{"postgresql", database_why_not},
	{NULL, NULL},
};

/* -- life -------------------------------------------------------------------------------------------- */

static void start_clients(struct media_ws *media)
{
	const struct http_client_options ours = {.user_agent = "callweave"};
	const struct http_client_options theirs = {
		.user_agent = "callweave", .deny_private = true, .allowed = &media->allowed};
	const struct pg_options pg = {
		.url = service_database_url(media->service),
		.application_name = "callweave media-ws",
		.log = *service_log(media->service),
	};

	media->pg = pg_new(media->loop, &pg);
	media->schema = schema_new(media->loop, media->pg, service_log(media->service));
	media->setup = (struct engine_setup){
		.loop = media->loop,
		.http = http_client_new(media->loop, &ours),
		.outside = http_client_new(media->loop, &theirs),
		.allowed = &media->allowed,
		.speech_url = media->settings->speech_url,
		.ws_audio = ws_audio_house_new(),
		.prompts = prompts_new(PROMPTS_MAX_BYTES),
	};
}

static void start_streams(struct media_ws *media)
{
	meters_init(&media->meters, service_metrics(media->service));
	buf_init(&media->scratch.out, OUT_MAX_BYTES);
	media->scratch.arena = arena_new(SCRATCH_ARENA_BYTES);
	media->nonces = nonces_new();
	media->pacer = pacer_new(media);
}

static void stop(void *context)
{
	struct media_ws *media = context;

	pacer_free(&media->pacer);
	ws_audio_house_free(&media->setup.ws_audio);
	prompts_free(&media->setup.prompts);
	nonces_free(&media->nonces);
	arena_free(&media->scratch.arena);
	buf_free(&media->scratch.out);
	http_client_free(&media->setup.outside);
	http_client_free(&media->setup.http);
	schema_free(&media->schema);
	pg_free(&media->pg);
	redis_free(&media->redis);
	free(media);
}

static bool read_proof(struct media_ws *media, struct error *error)
{
	static const struct {
		const char *name;
		unsigned proof;
	} kinds[] = {{"any", 0}, {"token", PROOF_TOKEN}, {"signature", PROOF_SIGNATURE},
		{"both", PROOF_TOKEN | PROOF_SIGNATURE}};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_equal(str_from(media->settings->proof), str_from(kinds[i].name))) {
			media->proof = kinds[i].proof;
			return true;
		}
	}
	return error_set(
		error, ERROR_INPUT, "CALLWEAVE_MEDIA_WS_PROOF: any, token, signature or both");
}

static bool read_settings(struct media_ws *media, struct error *error)
{
	if (!read_proof(media, error))
		return false;
	if (!address_list_read(str_from(media->settings->allow_private), &media->allowed, error))
		return error_prefix(error, "CALLWEAVE_MEDIA_WS_ALLOW_PRIVATE: ");
	return true;
}

static void *start(struct service *service, struct error *error)
{
	struct media_ws *media = alloc_zeroed(1, sizeof(*media));
	const struct redis_options redis = {
		.url = service_redis_url(service), .log = *service_log(service)};

	media->service = service;
	media->settings = service_config(service);
	media->loop = service_loop(service);
	if (read_settings(media, error))
		media->redis = redis_new(media->loop, &redis, error);
	if (media->redis == NULL) {
		free(media);
		return NULL;
	}
	start_clients(media);
	start_streams(media);
	loop_gather(media->loop, GATHER_US);
	return media;
}

/* Calls go on for a while; then their callers are asked to leave a message. */
static void drain(void *context)
{
	struct media_ws *media = context;

	media->end_ms = clock_monotonic_ms() + media->settings->drain_ms;
}

static bool drained(void *context)
{
	const struct media_ws *media = context;

	return pacer_count(media->pacer) == 0;
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "media-ws",
		.summary =
			"carries callers' audio between Twilio and an engine that talks with them",
		.config = media_ws_settings_table,
		.config_bytes = sizeof(struct media_ws_settings),
		.default_host = "0.0.0.0",
		.default_port = 8080,
		.routes = media_ws_routes,
		.checks = checks,
		.may_tls = true,
		.needs_database = true,
		.loose_slashes = true,
		.show_trace = true,
		.seen = media_ws_seen,
		.start = start,
		.drain = drain,
		.drained = drained,
		.stop = stop,
	};

	if (argc == 3 && str_equal(str_from(argv[1]), STR("--check-dialogue")))
		return dialogue_tool(argv[2]);
	return service_main(argc, argv, &spec);
}
