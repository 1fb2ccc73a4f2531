/*
 * fold_private: what the fold's files ask of each other. Private to model.
 *
 * From below to above: the graph, numbers, calls and their deadlines; then what is read off the
 * graph (who talks, transfers); then the events, which alone know the PBX's habits.
 */
#ifndef CALLWEAVE_FOLD_PRIVATE_H
#define CALLWEAVE_FOLD_PRIVATE_H

#include "fold_legs.h"
#include "fold_step.h"

/* fold_graph.c */
struct str fold_channel_key(const void *channel);
struct str fold_local_key(const void *channel);
struct str fold_bridge_key(const void *bridge);
struct fold_channel *fold_channel_find(const struct call_fold *fold, struct str uid);
struct fold_channel *fold_channel_add(
	struct call_fold *fold, struct fold_call *call, struct str uid);
void fold_channel_describe(struct fold_step *step, struct fold_channel *channel);
void fold_channel_drop(struct call_fold *fold, struct fold_channel *channel);
void fold_channel_hang_up(struct fold_channel *channel);
void fold_channel_free(struct call_fold *fold, struct fold_channel *channel);
struct fold_bridge *fold_bridge_find(const struct call_fold *fold, struct str id);
struct fold_bridge *fold_bridge_add(struct call_fold *fold, struct fold_call *call, struct str id);
void fold_bridge_free(struct call_fold *fold, struct fold_bridge *bridge);
unsigned fold_members(const struct fold_bridge *bridge);
void fold_reach(struct fold_call *call, struct fold_channel *from); /* sets `reached` */

/* fold_local.c */
enum fold_kind fold_kind_of(struct str name, struct str *base);
struct str fold_device_peer(struct str name); /* "151" of "SIP/151-00000006" */
struct str fold_local_number(struct str base);
struct str fold_local_target(const struct call_fold *fold, struct str base);
struct fold_channel *fold_twin_of(const struct call_fold *fold, struct str name, struct str uid);
void fold_channel_set_local(
	struct call_fold *fold, struct fold_channel *channel, struct str base, enum fold_kind kind);
struct fold_channel *fold_other_half(const struct fold_channel *channel);
void fold_twins_meet(struct fold_call *call);
void fold_channel_forget_local(struct call_fold *fold, struct fold_channel *channel);

/* fold_numbers.c */
void fold_canonical(const struct call_fold *fold, struct str number, char to[CALL_NUMBER_BYTES]);
void fold_dialled(const struct call_fold *fold, struct str number, char to[CALL_NUMBER_BYTES]);
bool fold_is_internal(const struct call_fold *fold, struct str number);
bool fold_is_line(const struct call_fold *fold, struct str number);
/* Could be somebody on the telephone network. */
bool fold_is_outside(const struct call_fold *fold, const char *number);
void fold_call_set_external(struct call_fold *fold, struct fold_call *call, struct str number);

/* fold_view.c */
struct fold_views *fold_views_new(void);
void fold_views_free(struct fold_views **views);
void fold_views_drop(struct fold_views *views);
const struct call *fold_view(struct fold_views *views, struct fold_call *call);

/* fold_calls.c */
struct str fold_call_key(const void *call);
struct fold_call *fold_call_add(struct call_fold *fold, int64_t id, int64_t at_ms);
struct fold_call *fold_call_find(const struct call_fold *fold, int64_t id);
void fold_call_free(struct call_fold *fold, struct fold_call *call);
struct str fold_line_of(struct str trunk);
void fold_line_key(struct str line, char to[CALL_NUMBER_BYTES]);
void fold_call_set_line(struct call_fold *fold, struct fold_call *call, struct str trunk);
void fold_call_close(
	struct call_fold *fold, struct fold_call *call, enum call_state state, int64_t at_ms);
void fold_call_reopen(struct call_fold *fold, struct fold_call *call);
void fold_call_merge(struct call_fold *fold, struct fold_call *from, struct fold_call *into);
bool fold_call_closed(const struct fold_call *call);
void fold_touch(struct call_fold *fold, struct fold_call *call);
void fold_say(struct call_fold *fold, struct fold_call *call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* fold_due.c */
void fold_due_set(struct call_fold *fold, struct fold_call *call, int64_t due_ms);
void fold_due_remove(struct call_fold *fold, struct fold_call *call);
void fold_due_update(struct call_fold *fold, struct fold_call *call); /* by the call's state */
void fold_ended_add(struct call_fold *fold, struct fold_call *call);
void fold_ended_remove(struct call_fold *fold, struct fold_call *call);
int64_t fold_linger_ms(const struct call_fold *fold, const struct fold_call *call);

/* fold_move.c */
bool fold_move_weak(struct call_fold *fold, struct fold_channel *channel, struct fold_call *into);

/* fold_talk.c */
void fold_talk(struct call_fold *fold, struct fold_call *call);
bool fold_is_other_side(const struct fold_call *call, const struct fold_channel *channel);
bool fold_is_ours(const struct fold_call *call, const struct fold_channel *channel);
bool fold_beside_other_side(const struct fold_channel *channel);
bool fold_other_side_waits(const struct fold_call *call);
struct fold_channel *fold_speaker(struct fold_call *call);
void fold_learn(struct fold_step *step, struct fold_call *call, const struct fold_channel *channel);

/* fold_transfer.c */
struct fold_transfer *fold_transfer_new(struct fold_call *call);
struct fold_transfer *fold_transfer_add(struct call_fold *fold, struct fold_call *call,
	const char *from, const char *to, enum call_transfer_kind kind);
void fold_transfer_drop(struct fold_call *call, unsigned index);
struct fold_transfer *fold_transfer_last(const struct fold_call *call);
struct fold_transfer *fold_transfer_open(const struct fold_call *call); /* the last pending one */
struct fold_transfer *fold_transfer_find(
	const struct fold_call *call, const char *from, const char *to);
void fold_transfer_settle(struct fold_transfer *transfer);
void fold_transfers_settle(struct fold_call *call);
bool fold_wire_says(const struct fold_channel *wire, const char *number);
bool fold_transfer_known(const struct fold_call *call, const char *from, const char *to);
bool fold_transfer_pending(const struct fold_call *call, const char *from, const char *to);
enum fold_wire fold_transfer_wire(const struct fold_call *call, const struct fold_search *search);
bool fold_transfer_shown(const struct fold_call *call, const char *from);
bool fold_attended_pending(const struct fold_call *call);
bool fold_blind_pending(const struct fold_call *call);
void fold_follow_me(struct fold_call *call);

/* fold_consult.c */
void fold_consult_seen(struct call_fold *fold, struct fold_channel *channel);
void fold_consult_merged(
	struct call_fold *fold, struct fold_call *call, const struct fold_call *was);
void fold_consult_moved(struct fold_call *from, struct fold_channel *channel);
void fold_consults_again(struct fold_call *call);
void fold_consult_returned(struct call_fold *fold, const struct fold_channel *channel);

/* fold_handover.c */
void fold_blind_seen(struct fold_call *call, const char *to, struct fold_channel *by);
bool fold_last_transfer_to(const struct fold_call *call, const char *to);
void fold_blind_missed(struct fold_call *call, const char *to);
struct fold_channel *fold_blind_shown_by(const struct fold_call *call, const char *to);
void fold_picked_up(struct fold_call *call);
void fold_mobile_declined(struct fold_call *call, const char *from);
void fold_transfer_done(struct call_fold *fold, struct fold_call *call, const char *to);
bool fold_says_other_side(const struct fold_step *step, const struct fold_call *call);
void fold_transfer_hangup(struct fold_step *step, struct fold_call *call);

/* call_fold.c */
void fold_call_settled(struct call_fold *fold, struct fold_call *call);

/* fold_hangup.c, fold_dial.c, fold_events.c */
typedef void fold_handler(struct fold_step *step); /* a function, not a struct */
fold_handler fold_on_start, fold_on_dial, fold_on_bridge, fold_on_leave, fold_on_destroy;
fold_handler fold_on_callerid, fold_on_hangup;
void fold_take_in_leg(struct fold_step *step, struct fold_call *leg, struct fold_call *call);
bool fold_release_closed(struct fold_step *step, struct fold_channel **channel);
struct fold_call *fold_new_call(struct fold_step *step, struct fold_channel **channel);
void fold_take_direction(struct fold_step *step, struct fold_call *call);

#endif
