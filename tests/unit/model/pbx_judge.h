/*
 * pbx_judge: does the fold find out what really happened?
 *
 * A scene is some calls of one enterprise with the truth about each. It is folded in variants:
 * events missing, repeated, swapped; a case that fails is made small and told in words.
 */
#ifndef CALLWEAVE_TESTS_PBX_JUDGE_H
#define CALLWEAVE_TESTS_PBX_JUDGE_H

#include "call_fold.h"
#include "pbx_stream.h"

struct judge_call {
	const struct pbx_truth *truth; /* NULL: there is no event of it */
	const char *plan;	       /* in words, for reports */
};

struct judge_scene {
	struct arena *arena;
	struct call_event *events; /* in the order of arrival; at_ms set */
	unsigned *owners;	   /* index of each event's call */
	int64_t *moments; /* when it happened: hosts post some seconds late, and in bursts */
	unsigned event_count;
	struct judge_call *calls;
	unsigned call_count;
	struct pbx_stream *stream; /* whose events they are, or NULL */
	const char *name;
};

/* Some calls as one enterprise has them. */
struct judge_scene judge_scene_of(uint64_t seed, unsigned calls);
struct corpus;
/* A recorded call of expected.jsonl, with other numbers. */
struct judge_scene judge_scene_recorded(
	const struct corpus *corpus, const struct corpus *rows, size_t row, uint64_t seed);
void judge_scene_free(struct judge_scene *scene);

enum judge_variant {
	JUDGE_TOGETHER,	   /* all as it came */
	JUDGE_ALONE,	   /* each call in a fold of its own */
	JUDGE_CLASSIC,	   /* without bridge_create, _leave, _destroy, new_callerid */
	JUDGE_NO_CALLERID, /* without new_callerid */
	JUDGE_NO_LEAVES,   /* without bridge_leave and bridge_destroy */
	JUDGE_SOME_LOST,   /* any of those four kinds missing here and there */
	JUDGE_REPEATED,	   /* events twice; hangups again minutes later */
	JUDGE_SWAPPED,	   /* neighbours within two seconds change places */
	JUDGE_SWAPPED_CLASSIC,
	JUDGE_HELD_UP, /* now and then nothing gets through for some seconds, and then all at once */
	JUDGE_HANDED_ON, /* now and then the fold is saved and loaded by another owner */
	JUDGE_VARIANTS
};

const char *judge_variant_name(enum judge_variant variant);

/* True when every call is found as it was. Else a report in `wrong`: a small case. */
bool judge(const struct judge_scene *scene, enum judge_variant variant, uint64_t seed,
	struct buf *wrong);

/* -- between the judge's files -- */

/* An event as it arrives in a variant. */
struct judge_item {
	unsigned event; /* index in the scene */
	int64_t at_ms;
	bool loose; /* the variant may do without it: a repetition, or of a kind that may be lost */
};

struct judge_run {
	const struct judge_scene *scene;
	struct judge_item *items; /* in the order of arrival */
	unsigned count, capacity;
	bool leaves_known;   /* nothing of leaving was lost: what only leaves tell is told */
	int64_t late_ms;     /* how much later than it happened something may have come */
	unsigned hand_on_at; /* after so many events another owner goes on; 0: never */
};

void judge_vary(struct judge_run *run, enum judge_variant variant, uint64_t seed);
/* The index of a call that is not as it was, or JUDGE_ALL_RIGHT; got/expected in words. */
#define JUDGE_ALL_RIGHT UINT32_MAX
unsigned judge_fold(const struct judge_run *run, struct buf *words);
void judge_shrink(struct judge_run *run);
void judge_describe_items(const struct judge_run *run, struct buf *to);

#endif
