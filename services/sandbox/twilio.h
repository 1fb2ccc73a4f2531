/*
 * twilio: what the sandbox's Twilio knows: numbers, people behind numbers, calls, texts, recordings,
 * alerts. The files twilio_*.c share it; each list is bounded, its oldest items go first.
 */
#ifndef SANDBOX_TWILIO_H
#define SANDBOX_TWILIO_H

#include "alloc.h"
#include "http_server.h"
#include "json_put.h"
#include "outside.h"
#include "sandbox.h"

#include <sys/queue.h>

#define TWILIO_SID_BYTES  35 /* two letters and 32 hex digits, and a NUL */
#define TWILIO_DATE_BYTES 64

enum {
	TWILIO_MAX_NUMBERS = 1000,
	TWILIO_MAX_PEOPLE = 10000,
	TWILIO_MAX_CALLS = 1000,
	TWILIO_MAX_MESSAGES = 10000,
	TWILIO_MAX_ALERTS = 5000,
	TWILIO_MAX_RECORDINGS = 500,
	TWILIO_MAX_FILES = 200,
};

/* One of our customer's numbers, as its console at Twilio describes it. */
struct twilio_number {
	TAILQ_ENTRY(twilio_number) link;
	char *number, *account_sid, *auth_token;
	char *voice_url, *voice_fallback_url, *status_callback, *sms_url, *whatsapp_url;
	bool no_opt_out;  /* Twilio's own STOP handling is switched off */
	int64_t declared; /* which declaration it was */
	bool trial;	  /* texts to verified people only: 21608 */
};

/* Somebody whom we call or text; what was not declared answers after a second and takes every text. */
struct twilio_person {
	TAILQ_ENTRY(twilio_person) link;
	char *number, *answers, *file, *texts;
	int64_t ring_ms, talk_ms, error_code;
	bool verified;
};

/* As in Twilio's debugger. */
struct twilio_alert {
	TAILQ_ENTRY(twilio_alert) link;
	int64_t id, at_ms;
	int code;
	bool warning;
	char *resource_sid, *url, *words;
};

struct twilio_file {
	TAILQ_ENTRY(twilio_file) link;
	char *name;
	uint8_t *mulaw;
	size_t bytes;
};

struct twilio_recording {
	TAILQ_ENTRY(twilio_recording) link;
	char sid[TWILIO_SID_BYTES], call_sid[TWILIO_SID_BYTES];
	char *account_sid;
	struct buf mulaw;
};

/* How status callbacks arrive. */
enum twilio_order { TWILIO_IN_ORDER, TWILIO_REVERSED, TWILIO_SHUFFLED };

struct twilio_switches {
	enum twilio_order order;
	bool twice;
	int64_t delay_ms;	    /* between two of one message */
	int64_t webhook_timeout_ms; /* 15 s, as Twilio has it */
};

struct twilio_call;    /* twilio_call.h */
struct twilio_message; /* twilio_message.h */
struct twilio_stream;  /* twilio_stream.h */

struct twilio {
	struct sandbox *sandbox;
	TAILQ_HEAD(twilio_numbers, twilio_number) numbers;
	TAILQ_HEAD(twilio_people, twilio_person) people;
	TAILQ_HEAD(twilio_alerts, twilio_alert) alerts;
	TAILQ_HEAD(twilio_files, twilio_file) files;
	TAILQ_HEAD(twilio_recordings, twilio_recording) recordings;
	TAILQ_HEAD(twilio_calls, twilio_call) calls;
	TAILQ_HEAD(twilio_messages, twilio_message) messages;
	TAILQ_HEAD(twilio_streams, twilio_stream) streams;
	unsigned number_count, person_count, alert_count, file_count, recording_count, call_count,
		message_count;
	struct twilio_switches switches;
	int64_t declarations, alert_ids, revision; /* pages look whether it changed */
	int64_t webhooks;
};

extern const struct outside_service twilio_service; /* twilio_rest.c */

struct twilio *sandbox_twilio(struct sandbox *sandbox);
void twilio_changed(struct twilio *twilio); /* tell the pages */
int64_t twilio_revision(struct sandbox *sandbox);

void twilio_sid(const char *kind, char to[TWILIO_SID_BYTES]);  /* "CA" and random digits */
void twilio_date(int64_t wall_ms, char to[TWILIO_DATE_BYTES]); /* RFC 2822, GMT */
/* The number behind "whatsapp:+1..."; the text itself when there is no prefix. */
struct str twilio_bare(struct str address);
bool twilio_is_whatsapp(struct str address);
bool twilio_is_e164(struct str number);

/* -- callbacks (twilio_callback.c) -------------------------------------------------------------------- */

struct twilio_form;
struct twilio_callback {
	const char *url, *account_sid, *sid; /* whom the answer's faults are told of */
	const struct twilio_form *form;
	int64_t delay_ms;
};
/* Post it later, as often as the switches say; copies everything. */
void twilio_callback_send(struct twilio *twilio, const struct twilio_callback *callback);
const char *twilio_token_of(const struct twilio *twilio, const char *account_sid); /* "" unknown */

/* -- routes of /_sandbox/twilio/ ------------------------------------------------------------------------ */

extern const struct flow_spec twilio_number_flow, twilio_numbers_flow, twilio_people_flow;
extern const struct flow_spec twilio_alerts_flow, twilio_switches_flow, twilio_file_flow;
extern const struct flow_spec twilio_text_flow, twilio_texts_flow; /* twilio_text.c */
extern const struct flow_spec twilio_call_flow, twilio_calls_flow, twilio_one_call_flow;
extern const struct flow_spec twilio_call_more_flow;
extern const struct flow_spec twilio_phone_flow; /* twilio_phone.c */

#endif
