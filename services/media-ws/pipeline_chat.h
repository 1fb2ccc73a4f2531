/*
 * pipeline_chat: an answer of chat/completions as it comes, event by event: text, and uses of tools
 * whose names and arguments come in fragments. Pure.
 */
#ifndef MEDIA_WS_PIPELINE_CHAT_H
#define MEDIA_WS_PIPELINE_CHAT_H

#include "buf.h"
#include "error.h"

#define CHAT_MAX_TOOLS	    4	 /* in one answer; more are passed over */
#define CHAT_MAX_TEXT_BYTES 4096 /* of an answer: it is cut there */

struct chat_tool {
	struct buf id, name, arguments;
};

struct chat_answer {
	struct buf text; /* all of it so far */
	struct chat_tool tools[CHAT_MAX_TOOLS];
	unsigned tool_count;
	bool done; /* [DONE], or a finish_reason came */
};

void chat_answer_init(struct chat_answer *answer);
void chat_answer_free(struct chat_answer *answer);

/* The data of one event, or the whole answer of a server that does not stream. False with words: not
 * JSON, or the server tells of an error. */
bool chat_answer_take(struct chat_answer *answer, struct str data, struct error *error);

/* Words of {"error":{"message":...}}, or the beginning of whatever else it is. */
void chat_error_words(struct str body, struct buf *to);

#endif
