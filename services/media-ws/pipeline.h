/*
 * pipeline: the engine that asks three servers in turn: what was said, what to answer, how that sounds.
 *
 * pipeline.c is the driver: it listens, notices interruptions and silence. pipeline_answer.c is the
 * flow from an utterance to the end of its answer, pipeline_speak.c its child that turns sentences into
 * sound while the answer still grows. Private to these.
 */
#ifndef MEDIA_WS_PIPELINE_H
#define MEDIA_WS_PIPELINE_H

#include "bridge.h"
#include "engine_options.h"
#include "pipeline_history.h"
#include "pipeline_text.h"
#include "vad.h"

enum {
	SAID_PARTS = 32, /* sentences of an answer; the rest is not spoken */
	SAID_BYTES = 4096,
	LISTEN_MS = 20000, /* of the caller's speech that one answer may be for */
	PREROLL_MS = 300,  /* kept of what was before speech was noticed (P9) */
	MULAW_BYTES_MS = 8,
	FILLER_MS = 4000,  /* a filler is not longer */
	REPROMPTS = 2,	   /* then we say goodbye */
	ANSWER_MS = 20000, /* to the first sound of an answer, fillers apart */
};

/* What is being said, or was said last: text and sound of each sentence, so that after an interruption
 * it is known which words were heard. */
struct said {
	struct buf text;
	struct {
		size_t end; /* in text */
		int64_t ms; /* of its sound; 0: not yet */
	} parts[SAID_PARTS];
	unsigned count, spoken; /* parts; of these with all of their sound */
	bool closed;		/* no more parts will come */
	bool remembered;	/* it stands in the history */
	unsigned utterance;	/* of the bridge; 0: not whole yet */
};

struct engine { /* the pipeline's */
	struct bridge *bridge;
	const struct engine_setup *setup;
	const struct engine_call *call;
	struct arena *arena;
	struct engine_options options;
	const char *authorization; /* never logged */

	/* listening */
	struct vad vad;
	uint8_t frame[160];
	size_t frame_fill;
	struct buf heard;      /* mu-law of the utterance; between utterances, of PREROLL_MS */
	struct buf unanswered; /* of one that he went on from before it was recognised */

	struct history history;
	unsigned turn;
	struct said said;
	struct flow_queue more; /* the speaking flow waits here for sentences */
	struct flow *answering; /* NULL: nothing is under way */
	int64_t asked_ms;	/* when the caller's utterance was over; 0: nobody asked */
	bool audible;		/* sound of the answer has begun */
	bool over;		/* finished or failed: nothing more is done */

	struct flow *preparing; /* the filler's sound */
	struct buf filler;
	unsigned filler_utterance; /* being played; 0: none */
	bool filler_said;

	int64_t quiet_ms; /* since then nobody speaks and nothing is done */
	unsigned reprompts;

	/* a tool that is under way */
	struct flow_queue tool_done;
	char tool_id[32]; /* ours; "": none */
	struct buf tool_answer;
};

/* -- pipeline_answer.c */

struct answer_wish {
	struct str mulaw;	 /* an utterance, or */
	struct str text;	 /* what the caller said in another way (keys), or */
	struct str phrase;	 /* what to say, whatever anybody said */
	struct text_sound sound; /* of the utterance */
	bool hang_up;		 /* after the phrase */
};
extern const struct flow_spec pipeline_answer_flow;
/* Begin to answer; texts are copied. What was under way must have been let go. */
void pipeline_answer(struct engine *engine, const struct answer_wish *wish);
/* The first sound of an answer, or nothing new: what the caller waited for is measured. */
void pipeline_audible(struct engine *engine);
void pipeline_tool_done(struct engine *engine, const char *id, bool well, struct str answer);

/* -- pipeline_speak.c */

extern const struct flow_spec pipeline_speak_flow;  /* child of an answer: says engine->said */
extern const struct flow_spec pipeline_filler_flow; /* prepares engine->filler */
void said_free(struct said *said);
void said_begin(struct said *said);
void said_add(struct engine *engine, struct str text); /* a sentence */
void said_close(struct engine *engine);
/* The words of it that were heard in so much time. */
struct str said_heard(const struct said *said, int64_t played_ms);

/* -- both */

/* The caller is asked to leave a message. */
void pipeline_failed(struct engine *engine, const char *what, const struct error *error);

struct http_answer;
/* Words for an answer that is no success; true when there is none. Never with the key. */
bool pipeline_status(const struct http_answer *answer, struct str body, struct error *error);
/* May this request be sent once more? Counts. */
bool pipeline_retry(const struct http_answer *answer, unsigned *tries);
/* URL, method, key, limits. */
void pipeline_call(
	struct engine *engine, struct arena *arena, const char *path, struct http_call *call);

#endif
