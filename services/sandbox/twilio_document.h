/*
 * twilio_document: TwiML that runs on a call, and what its verbs ask of it.
 */
#ifndef SANDBOX_TWILIO_DOCUMENT_H
#define SANDBOX_TWILIO_DOCUMENT_H

#include "twilio_call.h"

struct call_run {
	struct arena *arena;
	const struct xml_node *node;
	const char *base;   /* URL of the document; NULL: it came by REST */
	const char *method; /* by which it was asked for */
	bool first;	    /* verb of the call */
	/* Audio of a <Play> or <Say>, fetched before; false: none. */
	struct call_sound *sounds;
};

struct call_sound {
	const struct xml_node *node;
	const uint8_t *mulaw;
	size_t bytes;
	struct call_sound *next;
};

/* Begin a document: `twiml`, or what `url` answers. Replaces what runs. */
void document_start(struct twilio_call *call, const char *url, const char *method,
	const char *twiml, const struct twilio_form *form);
/* Where `action` leads, as call->after. `fallback`: the document itself when there is none. */
void document_action(struct twilio_call *call, const struct call_run *run, bool fallback);
void document_field(
	struct twilio_call *call, const struct call_run *run, const char *name, const char *value);
/* Its sounds; <Say> as a murmur of that length when nobody speaks here. */
void document_prompt(struct twilio_call *call, const struct call_run *run,
	const struct xml_node *node, struct prompt *prompt);

/* The verbs: NULL when it is none that is played here. */
const struct call_verb *call_verb_find(const struct xml_node *node);
extern const struct call_verb verb_record;  /* twilio_record.c */
extern const struct call_verb verb_dial;    /* twilio_dial.c */
extern const struct call_verb verb_connect; /* twilio_connect.c */

#endif
