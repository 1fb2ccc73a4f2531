/*
 * texts: what the bot says, in the enterprise's language.
 */
#ifndef BOT_TEXTS_H
#define BOT_TEXTS_H

#include "arena.h"
#include "buf.h"

struct text_args {
	struct str enterprise, phones, phone, words;
	bool owner, mine;
};

/* bot_answers.args. */
bool text_args_read(struct str json, struct arena *arena, struct text_args *args);

/* Plain text of a code; an unknown code says that something went wrong. */
void text_write(struct str code, struct str locale, const struct text_args *args, struct buf *to);

/* What a press is answered by in a window, because it is a refusal that is to be read. */
bool text_is_alert(struct str code);

#endif
