/*
 * speech: the process that speaks and hears without the outside: espeak-ng and pocketsphinx.
 *
 * A process of its own because espeak-ng is GPL-3 and holds its state in globals: nothing of either is
 * linked elsewhere. It needs neither database nor Redis.
 */
#ifndef SPEECH_H
#define SPEECH_H

#include "ear.h"
#include "metrics.h"
#include "mouth.h"
#include "service.h"

enum {
	SPEECH_MAX_REQUESTS = 32, /* under way, of each kind; more are told to come back (503) */
	SPEECH_MAX_TEXT = 2000,	  /* characters */
	SPEECH_MAX_AUDIO_MS = 10000,
	SPEECH_MAX_BODY_BYTES = 256 * 1024, /* 10 s in base64 are 107 KiB */
};

struct speech_config {
	const char *model, *dictionary;
	int64_t rate, confidence;
};

struct speech {
	struct service *service;
	const struct speech_config *config;
	struct mouth *mouth;
	struct ear *ear;
	bool listening;		   /* the ear is one's alone: a decoder has one utterance */
	struct flow_queue waiting; /* for the ear */
	unsigned speakers, listeners;
	struct metric *speak_seconds, *recognise_seconds, *nothing, *refused;
};

extern const struct flow_spec speak_flow;     /* POST /speak */
extern const struct flow_spec recognise_flow; /* POST /recognise */
extern const struct flow_spec voices_flow;    /* GET /voices */

#endif
