/*
 * pipeline_answer: the state of an answer under way, shared by its two files. Private to them.
 */
#ifndef MEDIA_WS_PIPELINE_ANSWER_H
#define MEDIA_WS_PIPELINE_ANSWER_H

#include "pipeline.h"
#include "pipeline_chat.h"
#include "sse.h"

enum {
	ANSWER_START,
	ANSWER_RECOGNISE,
	ANSWER_RECOGNISED,
	ANSWER_THINK,
	ANSWER_HEAD,
	ANSWER_DELTA,
	ANSWER_TOOL,
	ANSWER_TOLD,
	ANSWER_SAY,
	ANSWER_SAID
};

struct answering {
	struct buf mulaw, text, body;
	struct text_sound sound;
	bool phrase, hang_up, whole; /* whole: the server does not stream */
	unsigned turn;
	int64_t begun_ms, recognised_ms, words_ms; /* bridge_now_ms(); 0: not yet */

	struct http_call call;
	struct http_answer answer;
	struct http_feed *feed;
	struct sse sse;
	struct chat_answer chat;
	size_t said;		      /* bytes of chat.text that were handed over */
	unsigned tries, rounds, tool; /* tool: the next of chat.tools */
	struct flow *speaking;
	bool finishes;
	struct engine_outcome outcome;
};

/* -- pipeline_answer.c */

void answer_call(struct flow *flow, const char *path, int64_t timeout_ms); /* into ->call */
struct http_client *answer_client(struct flow *flow);
enum flow_status answer_fail(struct flow *flow, const char *what, const struct error *error);

/* -- pipeline_think.c: steps of it */

void pipeline_think_init(struct answering *answering);
void pipeline_think_free(struct answering *answering);
enum flow_status pipeline_think(struct flow *flow);
enum flow_status pipeline_think_head(struct flow *flow);
enum flow_status pipeline_think_delta(struct flow *flow);
enum flow_status pipeline_think_tool(struct flow *flow);
enum flow_status pipeline_think_told(struct flow *flow);

#endif
