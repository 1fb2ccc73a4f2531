/*
 * pbx_truth: what a call really was, as tests/corpus/expected.jsonl says it of recorded ones.
 */
#ifndef PBX_TRUTH_H
#define PBX_TRUTH_H

#include "buf.h"
#include "call.h"

#define PBX_MAX_TALKERS 8
#define PBX_MAX_RANG	16
#define PBX_MAX_MOVES	4

/* What tells that the call is over. */
enum pbx_end {
	PBX_END_HANGUP, /* the hangup of its first channel, or of the other side's */
	PBX_END_LEG,	/* only that of a mobile's leg: the grace ends it */
	PBX_END_LEAVES, /* only that all have left: hosts of the four classic events never say */
	PBX_END_NEVER,	/* the PBX restarted: it ends as lost */
};

struct pbx_truth {
	const char *unique_id; /* of the channel that the call is known by */
	enum call_direction direction;
	bool answered;
	const char *external;	/* E.164; "" when hidden, or internal */
	const char *line;	/* "" when internal */
	const char *line_first; /* outgoing: was busy; "": the first that was tried is `line` */
	const char *caller;	/* outgoing, internal: the extension; else "" */
	const char *callee;	/* internal: the extension; NULL when nothing tells it */
	const char *talkers[PBX_MAX_TALKERS];
	unsigned talker_count;
	const char *rang[PBX_MAX_RANG]; /* incoming, in the order of ringing */
	unsigned rang_count;
	bool rang_open; /* nobody wrote down who rang */
	struct {
		const char *from, *to;
		const char *taker; /* accepted by a phone of another number; else "" */
		enum call_transfer_kind kind;
		enum call_transfer_result result;
	} transfers[PBX_MAX_MOVES];
	unsigned transfer_count;
	enum pbx_end end;
	bool sides_known; /* false: cut off before the events told who called whom */
	bool unsettled;	  /* cut off in the middle of a transfer: how that went is open */
	int64_t started_ms, answered_ms, ended_ms; /* by the PBX's clock; CALL_NO_TIME */
};

void pbx_truth_talks(struct pbx_truth *truth, const char *number);
void pbx_truth_rings(struct pbx_truth *truth, const char *number);

/* Append as one line of NDJSON, without the newline. */
void pbx_truth_write(const struct pbx_truth *truth, struct buf *to);

#endif
