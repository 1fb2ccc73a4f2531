/*
 * pipeline_history: what was said in a call, as far as a model is told of it: the last ten turns. What
 * the caller did not hear because he interrupted is not in it.
 */
#ifndef MEDIA_WS_PIPELINE_HISTORY_H
#define MEDIA_WS_PIPELINE_HISTORY_H

#include "json.h"

enum history_kind { HISTORY_USER, HISTORY_ASSISTANT, HISTORY_CALL, HISTORY_RESULT };

#define HISTORY_TURNS	   10 /* of the caller */
#define HISTORY_ITEMS	   60
#define HISTORY_TEXT_BYTES 4000 /* of one item; the rest is cut */

struct history_item {
	enum history_kind kind;
	char *text;	 /* of a CALL: its arguments */
	char *id, *name; /* of a CALL and its RESULT; name: of a CALL */
};

struct history {
	struct history_item items[HISTORY_ITEMS];
	unsigned count;
};

void history_free(struct history *history);

/* What the caller says in two parts without an answer between them is one item. Empty: nothing. */
void history_add_user(struct history *history, struct str text);
void history_add_assistant(struct history *history, struct str text);
/* A tool's use with its result: never one without the other, which servers refuse. */
void history_add_tool(struct history *history, struct str id, struct str name, struct str arguments,
	struct str result);

/* The last answer was heard so far only; nothing heard: it is taken out. */
void history_cut_last(struct history *history, struct str heard);

/* Members of `messages`. */
void history_put(const struct history *history, struct json_writer *writer);

#endif
