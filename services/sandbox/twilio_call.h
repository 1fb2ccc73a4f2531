/*
 * twilio_call: one call at the sandbox's Twilio: its clock, its audio both ways, what runs on it.
 *
 * Two flows carry it: the ticker (twilio_call.c), a frame of 20 ms at a time, and one a document
 * (twilio_document.c), which asks for TwiML and runs its verbs. A verb is a struct call_verb: it is
 * begun by the document and then goes on frame by frame.
 */
#ifndef SANDBOX_TWILIO_CALL_H
#define SANDBOX_TWILIO_CALL_H

#include "twilio_hook.h"
#include "twilio_script.h"
#include "twilio_xml.h"

#define CALL_MAX_AUDIO	   (10 * 60 * MULAW_HZ) /* that is kept, each way */
#define CALL_MAX_EVENTS	   5000
#define CALL_MAX_DOCUMENTS 500 /* a loop of redirections ends here */
#define CALL_LONGEST_MS	   (4 * 3600000LL)

enum call_state {
	CALL_QUEUED,
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED, /* this and the following ones are ends */
	CALL_BUSY,
	CALL_NO_ANSWER,
	CALL_FAILED,
	CALL_CANCELED,
};

/* What happened, for tests and pages; times are the call's own. */
struct call_event {
	int64_t at_ms;
	const char *what;
	char *detail;
};

/* What follows a verb. Strings live in the document's arena. */
struct call_after {
	enum { AFTER_NEXT, AFTER_DOCUMENT, AFTER_HANGUP } kind;
	const char *url, *method;
	struct twilio_form form; /* fields beside the call's */
};

struct call_run; /* of twilio_document.h: a verb that begins */

struct call_verb {
	const char *name;
	size_t state_bytes; /* zeroed, in the document's arena: call->verb_state */
	void (*begin)(struct twilio_call *call, struct call_run *run);
	/* A frame: what the caller says comes, what he hears goes into `heard` (silence so far). True: over. */
	bool (*tick)(struct twilio_call *call, const uint8_t *said, uint8_t *heard);
	void (*key)(struct twilio_call *call, char key);	    /* may be NULL */
	void (*speech)(struct twilio_call *call, const char *text); /* may be NULL */
	/* It ends before it is over: the call does, or REST says so. May set call->after. */
	void (*cut)(struct twilio_call *call); /* may be NULL */
};

struct twilio_stream;

struct twilio_call {
	TAILQ_ENTRY(twilio_call) link;
	struct twilio *twilio;
	char sid[TWILIO_SID_BYTES];
	char *account_sid, *from, *to, *status_callback;
	char *callback_events; /* " initiated ringing answered completed ", those that are told */
	bool outbound;
	enum call_state state;
	int64_t created_ms, answered_ms, ended_ms; /* wall */
	int64_t clock_ms;			   /* of the call's own time: whole frames */
	int64_t frame_ms;			   /* of wall time: 20, less when it runs faster */
	unsigned sequence;			   /* of status callbacks */
	unsigned documents;
	struct flow *document, *ticker;
	struct flow_queue woken; /* its document waits for the verb's end */
	struct script script;
	struct buf heard, said;
	int64_t voice_ms; /* heard for the last time */
	bool hears_voice;
	struct call_event *events;
	unsigned event_count;

	const struct call_verb *verb; /* that runs; NULL: none */
	void *verb_state;
	bool verb_over;
	struct call_after after;
	struct twilio_stream *stream; /* that <Connect> has open */

	struct websocket *phone;  /* a person at the page */
	struct buf phone_said;	  /* of him, not played yet */
	int64_t talk_ms, ring_ms; /* outbound: of the one who is called */
	const char *answers;	  /* outbound: a constant */
};

struct call_order {
	const struct twilio_number *number; /* ours */
	struct str from, to;
	const char *url, *method, *twiml; /* the first document; twiml instead of url */
	const char *status_callback, *callback_events;
	const struct json *script;
	int64_t speed; /* times real time; 0: 1 */
	bool outbound;
};

struct twilio_call *twilio_call_new(
	struct twilio *twilio, const struct call_order *order, struct error *error);
struct twilio_call *twilio_call_find(const struct twilio *twilio, struct str sid);
void twilio_calls_clear(struct twilio *twilio);
bool call_is_over(const struct twilio_call *call);
const char *call_state_name(enum call_state state);
int64_t call_seconds(const struct twilio_call *call); /* since it was answered */

void call_answer(struct twilio_call *call); /* no effect when it is */
/* It is over, whoever ended it: the verb is cut, the page and the status callback are told. */
void call_end(struct twilio_call *call, enum call_state state);
void call_verb_stop(struct twilio_call *call); /* cut what runs */
/* Where <Stream> and others press on: what the caller does. */
void call_key(struct twilio_call *call, char key);

void call_note(struct twilio_call *call, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The fields that each request of a call has. */
void call_fields(const struct twilio_call *call, struct arena *arena, struct twilio_form *form);
/* "completed" and the like, if they are wanted. */
void call_tell_status(struct twilio_call *call, const char *event, const char *status);

/* -- twilio_phone.c ----------------------------------------------------------------------------------------- */

void phone_hear(struct twilio_call *call, const uint8_t *frame);
void phone_state(struct twilio_call *call);
void phone_end(struct twilio_call *call);
void phone_free(struct twilio_call *call); /* at once */

#endif
