/*
 * outside: a service of the outside world that the sandbox stands in for.
 *
 * One service is one file with a `const struct outside_service` and one line in the list in
 * outside.c. It does no waiting and no I/O: the flow in exchange.c receives, injects faults, notes
 * what happened and answers.
 */
#ifndef SANDBOX_OUTSIDE_H
#define SANDBOX_OUTSIDE_H

#include "args.h"

struct sandbox;

/* One request to an outside service, and its answer. Lives in the request's flow. */
struct outside_call {
	/* given */
	struct sandbox *sandbox;
	struct arena *arena;
	struct str http_method, path, query, content_type, body;
	int64_t at_ms;	   /* wall clock, when it had arrived */
	struct flow *flow; /* for http_request_header() */

	/* filled by read() */
	struct str method;     /* "sendMessage" */
	struct str shown_path; /* without secrets */
	struct args args;
	int64_t chat_id;	 /* whom it is about, for faults; 0: nobody */
	struct error args_error; /* why the parameters could not be read; kind NONE: they could */

	/* of hold_ms(), 0 at first */
	int64_t ticket;

	/* filled by act() or refuse() */
	int status;
	int64_t retry_after_s; /* > 0: also said in a Retry-After header */
	struct buf reply;      /* JSON */
};

struct outside_service {
	const char *name; /* "telegram" */
	bool (*owns)(struct str path);

	void *(*start)(struct sandbox *sandbox);
	void (*stop)(void *state);
	void (*reset)(void *state); /* as after start() */

	/* Understand the request; changes nothing. */
	void (*read)(void *state, struct outside_call *call);
	/* How long its answer may have to wait for something to happen (sandbox->held is woken), in ms;
	 * 0 or less: not at all. NULL: never. Asked again after each wake. */
	int64_t (*hold_ms)(void *state, struct outside_call *call);
	/* Do what the real service would do, and answer. */
	void (*act)(void *state, struct outside_call *call);
	/* Answer with this status as the real service would. `words` may be empty. */
	void (*refuse)(
		struct outside_call *call, int status, int64_t retry_after_s, struct str words);
	/* Append a JSON object for /_sandbox/stats. */
	void (*stats)(void *state, struct buf *to);
};

/* The list; ended by NULL. */
extern const struct outside_service *const outside_services[];
#define OUTSIDE_MAX 16

/* Its place in the list; -1 when nobody owns the path. */
int outside_find(struct str path);
int outside_find_name(struct str name);

#endif
