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

#define OUTSIDE_HEADERS 6

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

	/* of CRMs: whose limit it counts against since read(); what args show as *** (at most 4) */
	struct str key;
	unsigned limit;
	struct {
		const char *name;
		struct str value;
	} * secrets;

	/* of hold_ms(), 0 at first */
	int64_t ticket;

	/* filled by act() or refuse() */
	int status;
	int64_t retry_after_s;			 /* > 0: also said in a Retry-After header */
	struct buf reply;			 /* JSON; empty: no body */
	const char *headers[OUTSIDE_HEADERS][2]; /* more of the answer; NULL name ends */
	const char *reply_type;			 /* of another content type than JSON; NULL: JSON */
	bool gzip;				 /* the answer goes out compressed */
	bool secret_reply;			 /* holds tokens: the notes do without it */
};

/* One more header of the answer; those past the last place are left out. */
void outside_header(struct outside_call *call, const char *name, const char *value);

struct outside_service {
	const char *name; /* "telegram" */
	bool any_method;  /* it answers to PUT and DELETE, too; others: 405 */
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
	/* The request is over, answered or not; NULL: nobody needs to know. */
	void (*over)(void *state, struct outside_call *call);
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
