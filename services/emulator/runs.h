/*
 * runs: calls being played. A run lives in the server, so that a script can wait for its end and a
 * page can follow, pause and stop it; both see the same steps.
 */
#ifndef EMULATOR_RUNS_H
#define EMULATOR_RUNS_H

#include "directory.h"
#include "event_log.h"
#include "fill.h"
#include "flow.h"
#include "http_client.h"
#include "patterns.h"

struct runs;

#define RUNS_MAX_ACTIVE 100
#define RUNS_MAX_KEPT	300

struct runs_options {
	const char *target; /* where events go: "http://127.0.0.1:8000" */
	struct http_client *http;
	struct event_log *event_log;
	struct log_context log;
};

enum run_state { RUN_PLAYING, RUN_DONE, RUN_STOPPED };

/* One event that was sent, or tried. */
struct run_step {
	struct str event;
	struct str body;   /* JSON, for people: the token is masked */
	struct str answer; /* as it came */
	int status;	   /* 0: no answer */
	int64_t at_ms, took_ms;
	const char *error; /* NULL: delivered */
};

struct run {
	int64_t id;
	enum run_state state;
	const struct pattern *pattern;
	struct arena *arena; /* all that is in here */
	struct fill fill;
	const char *number; /* of the enterprise */
	struct str token;   /* NUL-terminated; goes to the target and nowhere else */
	int64_t chat_id;
	int64_t speed;	 /* how many times faster than real */
	int64_t talk_ms; /* length of the conversation; -1: as captured */
	bool manual;	 /* one press an event */
	bool stopping;
	unsigned presses; /* of a manual run, not used yet */
	struct clock_zone *zone;
	int64_t started_ms;	    /* wall clock */
	int64_t base_ms, played_ms; /* the call's own clock: where it began, how far it is */
	struct run_step *steps;	    /* pattern->steps.count of them */
	size_t count;		    /* done so far */
	unsigned sent, failed;
	unsigned watchers;	   /* flows that look at it: it stays until they are gone */
	struct flow_queue go;	   /* the run itself waits here between its events */
	struct flow_queue changed; /* watchers wait here */
	struct flow *flow;	   /* that plays it; NULL when it is over */
	struct run *next;	   /* the one that began before it */
};

struct run_order {
	const struct pattern *pattern;
	const struct directory_enterprise *enterprise;
	const struct fill *fill; /* of the form; copied */
	int64_t speed, talk_ms;
	bool manual;
};

struct runs *runs_new(struct loop *loop, const struct runs_options *options);
void runs_free(struct runs **runs); /* ends them all */

/* Begin to play; NULL when too many play already. */
struct run *runs_start(struct runs *runs, const struct run_order *order, struct error *error);
struct run *runs_find(struct runs *runs, int64_t id);
void run_press(struct run *run); /* the next event of a manual run, now */
void run_stop(struct run *run);
void runs_stop_all(struct runs *runs);
bool runs_idle(const struct runs *runs);

/* Append the run as JSON with its steps from `first_step` on. */
void run_write(const struct run *run, size_t first_step, struct buf *to);

/* The id of the call's main channel. */
struct str run_unique_id(const struct run *run);

#endif
