/*
 * voice: what the voice webhooks share: one call as it is asked about, what is stored of it, and the parts
 * of an answer.
 *
 * A webhook is: who asks (voice_begin), store (await_later), then answer by what is in memory. So a call
 * is answered although PostgreSQL is away, and the same webhook again gives the same answer (P23).
 */
#ifndef HOOKS_VOICE_H
#define HOOKS_VOICE_H

#include "hook_menu.h"
#include "hooks.h"
#include "later.h"
#include "twiml.h"

enum { VOICE_ARENA_BYTES = 4 << 20, VOICE_DEADLINE_MS = 10000 };

struct voice {
	struct hook_caller caller;
	const char *sid, *our, *peer, *trace; /* peer: E.164; "" withheld */
	const char *engine, *dialogue;	      /* of a key that leads to an agent of its own; "" */
	enum menu_language language;
	struct later_store store;
	struct buf xml; /* freed by voice_finally */
	struct twiml twiml;
	/* By voice_look(), until the next wait; NULL: the number is nobody's any more. */
	const struct hook_number *number;
	const struct menu *menu;
};

/* -- who asks (voice.c) ---------------------------------------------------------------------------- */

/* Reads caller, number, language. False: it was answered or failed, return *status. */
bool voice_begin(struct flow *flow, struct voice *voice, enum flow_status *status);
void voice_look(struct flow *flow, struct voice *voice); /* again, behind a wait */
void voice_finally(struct flow *flow);
/* A value of the URL's query ("try", "path"); empty when absent. */
struct str voice_query(struct flow *flow, const char *name);
struct str voice_field(const struct voice *voice, const char *name);

/* -- what is stored (voice_store.c): each is one statement that bears to run twice ------------------ */

enum voice_state { VOICE_MENU, VOICE_STREAM, VOICE_OPERATOR, VOICE_VOICEMAIL };

/* The call begins. `talker`: whom it rings at, "" nobody (a menu, a voicemail). */
enum flow_status await_voice_start(
	struct flow *flow, struct voice *voice, enum voice_state state, const char *talker);
/* It goes on elsewhere. */
enum flow_status await_voice_move(
	struct flow *flow, struct voice *voice, enum voice_state state, const char *talker);
/* Somebody talks with the caller; `stream_sid` "" when it is no stream. */
enum flow_status await_voice_talk(
	struct flow *flow, struct voice *voice, const char *talker, const char *stream_sid);
/* A status callback: they come twice and overtake each other. VOICE_LOST: its end was never told. */
#define VOICE_LOST "lost"
enum flow_status await_voice_status(
	struct flow *flow, struct voice *voice, struct str status, int64_t sequence);
enum flow_status await_voice_recording(struct flow *flow, struct voice *voice, struct str url);
/* 204, or 503 when nothing could be stored. */
enum flow_status voice_stored_reply(struct flow *flow, struct voice *voice);

/* -- answers (voice_twiml.c) ------------------------------------------------------------------------- */

void voice_answer(struct flow *flow, struct voice *voice); /* begins the document */
enum flow_status voice_send(struct flow *flow, struct voice *voice);

void voice_say(struct flow *flow, struct voice *voice, const struct menu_text *text);
void voice_phrase(struct flow *flow, struct voice *voice, enum menu_phrase phrase);
/* Said for the `try`th time (1, 2, ...); goodbye when that was once too often. */
void voice_put_menu(struct flow *flow, struct voice *voice, struct str path, int64_t try);
void voice_put_stream(struct flow *flow, struct voice *voice, bool token);
void voice_put_dial(struct flow *flow, struct voice *voice, const char *to);
void voice_put_record(struct flow *flow, struct voice *voice, enum menu_phrase before);
void voice_put_goodbye(struct flow *flow, struct voice *voice);
void voice_put_hangup(struct voice *voice);

/* The E.164 number behind "", an extension or a number; NULL: there is none to ring. In the arena. */
const char *voice_operator(struct flow *flow, const struct voice *voice, struct str to);

/* -- stories ------------------------------------------------------------------------------------------- */

extern const struct flow_spec voice_in_flow;	  /* a call comes in */
extern const struct flow_spec voice_preview_flow; /* what it would hear */
extern const struct flow_spec voice_any_flow;	  /* /webhook: calls and texts alike */
extern const struct flow_spec voice_menu_flow;	  /* a key */
extern const struct flow_spec voice_stream_ended_flow;
extern const struct flow_spec voice_dial_ended_flow;
extern const struct flow_spec voice_recording_flow;
extern const struct flow_spec voice_sweep_flow; /* for ever: calls whose end nobody told */
extern const struct flow_spec voice_stream_status_flow, voice_dial_status_flow,
	voice_call_status_flow;

#endif
