/*
 * crm_turns: which events of a call CRMs are told, each once and in order. Pure.
 *
 * A call is told by what it is compared with what was told of it, so that it does not matter how
 * many events of the PBX came at once. What was told is read back from the events themselves.
 */
#ifndef CALLWEAVE_CRM_TURNS_H
#define CALLWEAVE_CRM_TURNS_H

#include "call.h"
#include "crm_call.h"

/* One thing to be told, as POST /dispatch/call-event takes it. */
struct crm_event {
	enum crm_kind kind;
	unsigned turn; /* of its kind, from 0 */
	struct crm_call call;
};

/* {"uniqueId", "event_type", "turn", "call", "trace"} and, where there is one, "origin" and
 * "record_url": all but the token. */
void crm_event_write(struct buf *to, const struct crm_event *event, struct str trace);
/* Texts live in the arena. */
bool crm_event_read(
	struct str text, struct arena *arena, struct crm_event *event, struct error *error);

/* How a call ended, as it was told: another end is told afterwards. */
struct crm_end {
	bool outgoing;
	enum crm_result result;
	int64_t started, answered, ended; /* whole seconds: CRMs know no finer ones */
	char phone[CALL_NUMBER_BYTES], extension[CALL_NUMBER_BYTES];
};

/* What was told of a call so far. Zeroed: nothing. */
struct crm_told {
	char key[CALL_ID_BYTES]; /* the UniqueId that was given first; "" */
	unsigned turns[CRM_KINDS];
	struct call_numbers rang; /* owned */
	char talker[CALL_NUMBER_BYTES];
	bool over;
	struct crm_end end;
	char *record_url;		/* owned; NULL: none */
	char *origin_crm, *origin_call; /* owned; NULL: nobody clicked, as far as is known */
};

/* The call came of a click in a CRM. */
void crm_told_set_origin(struct crm_told *told, struct str crm, struct str call);
void crm_told_add(struct crm_told *told, const struct crm_event *event);
void crm_told_free(struct crm_told *told);

/* More of one kind are not told: nobody looks at a popup that changes for the ninth time. */
#define CRM_MAX_TURNS 8
/* What is longer ago and over by now opens no popups any more. */
#define CRM_FRESH_MS   15000
#define CRM_MAX_EVENTS 3

/* Texts are borrowed by the events, numbers of the call, too. */
struct crm_turns {
	const struct call *call;
	struct str line_name, customer_name;
	bool past; /* known only afterwards: it goes into the journal, and nobody is disturbed */
	int64_t now_ms, since_ms; /* wall: now, and when what changed the call came */
	struct arena *arena;
};

/* Returns how many events there are to tell; none of an internal call. */
unsigned crm_turns(const struct crm_told *told, const struct crm_turns *turns,
	struct crm_event events[CRM_MAX_EVENTS]);

/* The recording of a call that was told to its end is at `url`. `last`: its newest event that was told
 * since; `turn`: recordings told. False: nothing to tell. */
bool crm_turn_recording(
	const struct crm_event *last, unsigned turn, struct str url, struct crm_event *event);

#endif
