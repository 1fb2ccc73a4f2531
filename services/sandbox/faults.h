/*
 * faults: what shall go wrong, told by tests.
 *
 * A fault meets the requests that fit its filter, the oldest fault first, and is used up after
 * `times` of them.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include "arena.h"
#include "buf.h"
#include "error.h"

struct faults;

#define FAULTS_MAX	    1000
#define FAULTS_MAX_BODY	    65536   /* so that all of them together are 64 MB at most */
#define FAULTS_MAX_DELAY_MS 3600000 /* longer than any client waits */
#define FAULTS_MAX_RETRY_S  1000000

enum fault_drop {
	FAULT_ANSWER,	   /* the connection lives */
	FAULT_DROP_BEFORE, /* closed without acting */
	FAULT_DROP_AFTER,  /* acted upon, then closed */
	FAULT_DROP_MIDDLE, /* of an answer that streams: broken off; of others as "before" */
	FAULT_STALL,	   /* the same, but nothing more comes and nobody closes */
};

struct fault {
	int64_t id;
	char service[32];
	char path[128];	       /* part of the path or the method; "": any */
	int64_t chat_id;       /* 0: any */
	int status;	       /* 0: answer as usual */
	int64_t retry_after_s; /* for 429 */
	int64_t delay_ms;
	enum fault_drop drop;
	bool act_first;	 /* the delay comes between the act and the answer */
	int64_t times;	 /* left; -1: endless */
	char words[256]; /* the error's description; "": the usual one for that status */
	char *body;	 /* the whole answer, owned; NULL: made from status and words */
};

struct faults *faults_new(void);
void faults_free(struct faults **faults);
void faults_clear(struct faults *faults);

/* Read a fault from a request's JSON and add it. */
bool faults_add(struct faults *faults, struct str json, int64_t *id, struct error *error);

struct fault_subject {
	struct str service, path, method;
	int64_t chat_id;
};

/* The fault that meets this request, counted down and copied to `fault` (its body into the arena);
 * false: none. */
bool faults_meet(struct faults *faults, const struct fault_subject *subject, struct arena *arena,
	struct fault *fault);

void faults_write(const struct faults *faults, struct buf *to); /* a JSON array */
int64_t faults_fired(const struct faults *faults);

#endif
