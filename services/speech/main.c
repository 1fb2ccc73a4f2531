/*
 * speech: text to audio and audio to answers, for hooks and media-ws, on loopback.
 */
#include "speech.h"

#include "alloc.h"

#include <stdlib.h>

static const struct http_route routes[] = {
	{"POST", "/speak", &speak_flow, 0},
	{"POST", "/recognise", &recognise_flow, 0},
	{"GET", "/voices", &voices_flow, 0},
	{NULL},
};

#define FIELD(member, setting, kind, fallback, low, high, words)                                   \
	CONFIG_FIELD(struct speech_config, member, "CALLWEAVE_SPEECH_" setting, kind, fallback,    \
		low, high, words)

static const struct config_field config[] = {
	FIELD(model, "MODEL", CONFIG_TEXT, "/usr/share/pocketsphinx/model/en-us/en-us", 1, 1000,
		"folder of pocketsphinx' acoustic model"),
	FIELD(dictionary, "DICTIONARY", CONFIG_TEXT,
		"/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict", 1, 1000,
		"file with the words of that model and how they sound"),
	FIELD(rate, "RATE", CONFIG_INT, "160", MOUTH_RATE_LEAST, MOUTH_RATE_MOST,
		"words a minute, when a request does not say it"),
	FIELD(confidence, "CONFIDENCE", CONFIG_INT, "35", 0, 100,
		"percent; an answer that is less sure is none"),
	{NULL},
};

static void stop(void *context)
{
	struct speech *speech = context;

	ear_free(&speech->ear);
	mouth_free(&speech->mouth);
	free(speech);
}

static void make_meters(struct speech *speech, struct metrics *metrics)
{
	static const char took[] = "from a request to the end of its answer";

	speech->speak_seconds =
		metrics_histogram(metrics, "callweave_speech_seconds", "part=\"speak\"", took);
	speech->recognise_seconds =
		metrics_histogram(metrics, "callweave_speech_seconds", "part=\"recognise\"", took);
	speech->nothing = metrics_counter(metrics, "callweave_speech_nothing_total", NULL,
		"utterances in which no answer was heard");
	speech->refused = metrics_counter(metrics, "callweave_speech_refused_total", NULL,
		"requests that were told to come back (503)");
}

static void *start(struct service *service, struct error *error)
{
	struct speech *speech = alloc_zeroed(1, sizeof(*speech));

	speech->service = service;
	speech->config = service_config(service);
	flow_queue_init(&speech->waiting);
	make_meters(speech, service_metrics(service));
	speech->mouth = mouth_new(error);
	if (speech->mouth != NULL)
		speech->ear = ear_new(speech->config->model, speech->config->dictionary, error);
	if (speech->ear != NULL)
		return speech;
	stop(speech);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "speech",
		.summary = "text to audio and audio to answers, offline (espeak-ng, pocketsphinx)",
		.config = config,
		.config_bytes = sizeof(struct speech_config),
		.default_host = "127.0.0.1",
		.default_port = 8011,
		.routes = routes,
		.max_body_bytes = SPEECH_MAX_BODY_BYTES,
		.start = start,
		.stop = stop,
	};

	return service_main(argc, argv, &spec);
}
