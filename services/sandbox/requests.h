/*
 * requests: what the outside services were asked, and what they answered.
 *
 * A request is noted when it has arrived and completed when it is answered, so that one that hangs
 * can be seen, too. Bounded by number and by bytes: the oldest go first.
 */
#ifndef SANDBOX_REQUESTS_H
#define SANDBOX_REQUESTS_H

#include "buf.h"

#define REQUESTS_MAX	   100000
#define REQUESTS_MAX_BYTES (256u << 20)

struct requests;

struct requests_note {
	const char *service; /* a constant */
	struct str method, path;
	struct str request; /* JSON */
	int64_t at_ms;
};

struct requests *requests_new(void);
void requests_free(struct requests **requests);
void requests_clear(struct requests *requests); /* ids go on growing */

/* Copies the texts; returns its id. */
int64_t requests_add(struct requests *requests, const struct requests_note *note);

/* `status` 0: the connection was closed without an answer. `response` is JSON or empty. No effect
 * when the note is gone. */
void requests_finish(struct requests *requests, int64_t id, int status, struct str response);
void requests_set_fault(struct requests *requests, int64_t id, int64_t fault_id);

struct requests_query {
	struct str service; /* empty: all */
	int64_t since_id;   /* only those with a higher id */
	int64_t limit;	    /* the last so many */
	int64_t next_id;    /* where requests_write() goes on; 0: at the beginning */
};

/* Append as a JSON array, newest last, or the next part of it: stops after the item with which `to`
 * passes `max_bytes`. True when the array is complete. */
bool requests_write(const struct requests *requests, struct requests_query *query, size_t max_bytes,
	struct buf *to);

int64_t requests_total(const struct requests *requests); /* since the last clear */

#endif
