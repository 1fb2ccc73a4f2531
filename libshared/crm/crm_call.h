/*
 * crm_call: a call as CRMs are told of it, and the words for what is told.
 *
 * The dispatcher makes it of its call (or 8020 of a raw event, see crm_raw.h), 8020 stores it with
 * each delivery, the adapters hand it to a driver: one JSON object all the way, described in
 * docs/protocol/integrations.md.
 */
#ifndef CALLWEAVE_CRM_CALL_H
#define CALLWEAVE_CRM_CALL_H

#include "json.h"

enum crm_kind {
	CRM_RINGING,   /* somebody of ours rings, or we ring somebody: popups open */
	CRM_ANSWERED,  /* who took it: the popups of the others close */
	CRM_HANGUP,    /* over: the entry in the journal */
	CRM_RECORDING, /* a link to the recording, of a call that is in the journal */
	CRM_RECOVERED, /* known only afterwards: into the journal, no popups, no reminders */
};
#define CRM_KINDS 5

const char *crm_kind_name(enum crm_kind kind); /* "ringing" ... */
bool crm_kind_read(struct str name, enum crm_kind *kind);

enum crm_result {
	CRM_OPEN, /* not over yet */
	CRM_TALKED,
	CRM_NO_ANSWER,
	CRM_BUSY,
	CRM_CANCELLED, /* the caller gave up */
	CRM_FAILED,    /* congestion, line or phone unavailable */
	CRM_BLOCKED,   /* by policy */
	CRM_UNCLEAR,   /* no end ever came */
};
#define CRM_RESULTS 8

const char *crm_result_name(enum crm_result result); /* "open" "talked" "no_answer" ... */
bool crm_result_read(struct str name, enum crm_result *result);

#define CRM_NO_TIME 0

/* Texts are borrowed; empty when not known. Times are wall clock in ms, CRM_NO_TIME when not known. */
struct crm_call {
	struct str key;	 /* the UniqueId under which it is told, from first to last */
	int64_t call_id; /* of our record; 0: none */
	bool outgoing;
	struct str phone; /* of the other side: E.164 with +, else digits as sent; "" when hidden */
	bool hidden;
	struct str line, line_name;
	struct json_strings rang;    /* our extensions that rang, in order, all so far */
	struct json_strings ringing; /* CRM_RINGING: those that began to ring with this */
	struct json_strings talkers; /* our extensions that talked, in order */
	struct str extension;	     /* who talks, or talked last; outgoing: who calls; "" nobody */
	struct str customer_name;
	enum crm_result result;
	int64_t started_ms, answered_ms, ended_ms;
	int64_t wait_seconds, talk_seconds; /* -1: not known */
	struct str record_url;
	struct str origin_crm;	/* code of the CRM in which somebody clicked on the number */
	struct str origin_call; /* that CRM's own id of the call, when it gave one (Bitrix24) */
};

/* False with words; unknown members are passed over. Texts live in the arena. */
bool crm_call_read(
	const struct json *json, struct arena *arena, struct crm_call *to, struct error *error);
void crm_call_write(struct buf *to, const struct crm_call *call);

#endif
