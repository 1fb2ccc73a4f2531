/*
 * message_texts: what messages say, by language. Private to model.
 */
#ifndef CALLWEAVE_MESSAGE_TEXTS_H
#define CALLWEAVE_MESSAGE_TEXTS_H

enum message_text {
	TEXT_GREETING,	    /* "Приветствие" */
	TEXT_HIDDEN_NUMBER, /* instead of a number that nobody knows */
	TEXT_SOMEBODY,	    /* one of us, but nobody knows who */
	TEXT_RINGING_IN,
	TEXT_RINGING_OUT,
	TEXT_TALKING_IN,
	TEXT_TALKING_OUT,
	TEXT_TALKING_INTERNAL,
	TEXT_ANSWERED_IN,
	TEXT_ANSWERED_OUT,
	TEXT_ANSWERED_INTERNAL,
	TEXT_ANSWERED_UNKNOWN,
	TEXT_MISSED_IN,
	TEXT_MISSED_OUT,
	TEXT_MISSED_INTERNAL,
	TEXT_ENDED_UNKNOWN,
	TEXT_LOST,  /* its end never came */
	TEXT_LINE,  /* a line that has no name */
	TEXT_TRUNK, /* a line that is not even a line's id */
	TEXT_MANAGERS,
	TEXT_STARTED,
	TEXT_DURATION,
	TEXT_TRIED,
	MESSAGE_TEXTS
};

/* Russian unless the locale is "en". HTML, not to be escaped. */
const char *message_text(const char *locale, enum message_text text);

#endif
