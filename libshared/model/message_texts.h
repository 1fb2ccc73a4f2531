/*
 * message_texts: what messages say, by language: words, and the templates that hold unless an
 * enterprise has its own. Private to model.
 */
#ifndef CALLWEAVE_MESSAGE_TEXTS_H
#define CALLWEAVE_MESSAGE_TEXTS_H

#include "message_template.h"

enum message_text {
	TEXT_HIDDEN_NUMBER, /* instead of a number that nobody knows */
	TEXT_SOMEBODY,	    /* one of us, but nobody knows who */
	TEXT_BLACK_LIST,
	TEXT_LINE, /* a line that has no name: "Линия 0001363" */
	TEXT_MANAGERS,
	TEXT_UNKNOWN_START,
	TEXT_RECORDING,
	TEXT_TRANSFERRED_FROM, /* "переведен от" */
	TEXT_CALLS,	       /* "Звонил:" */
	TEXT_LAST_CALL,	       /* "Последний раз:" */
	TEXT_AT,	       /* between a date and a time */
	TEXT_LAST_TALKED,
	TEXT_LAST_MISSED_IN,
	TEXT_LAST_MISSED_OUT,
	TEXT_LAST_MISSED,
	TEXT_LISTEN,
	TEXT_WHISPER,
	TEXT_CONFERENCE,
	TEXT_CALL_BACK,
	TEXT_DETAILS,
	MESSAGE_TEXTS
};

/* Russian unless the locale is "en". HTML, not to be escaped. */
const char *message_text(const char *locale, enum message_text text);
const char *message_template_default(const char *locale, enum message_template which);

#endif
