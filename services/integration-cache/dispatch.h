/*
 * dispatch: POST /dispatch/call-event: what is to be told to which CRM, stored before it is answered.
 *
 * Requests that arrive while a commit is under way share the next one: they add their rows to the
 * batch that is filling and wait for its outcome. One writer takes batch after batch.
 */
#ifndef INTEGRATION_CACHE_DISPATCH_H
#define INTEGRATION_CACHE_DISPATCH_H

#include "accounts.h"
#include "channel.h"
#include "crm_call.h"
#include "pg.h"

enum {
	DISPATCH_BATCH_ROWS = 512,
	DISPATCH_LINE_ROWS = 4096, /* not committed yet; beyond: 503 */
	DISPATCH_MAX_TURN = 99,
	DISPATCH_KIND_BYTES = 32, /* "recording:99" */
};

/* -- what is asked (dispatch_read.c) ---------------------------------------------------------------- */

struct dispatch {
	const struct account *account; /* until the flow waits */
	struct crm_call call;
	enum crm_kind kind;
	char kind_text[DISPATCH_KIND_BYTES]; /* "ringing:1" */
	bool external;			     /* false: nobody outside takes part */
	struct str trace;		     /* empty: none was sent */
};

/* ERROR_INPUT, ERROR_MISSING (nobody has this token), ERROR_BUSY (enterprises are not known yet). */
bool dispatch_read(const struct accounts *accounts, struct str body, struct arena *arena,
	struct dispatch *to, struct error *error);

/* -- batches (dispatch_batch.c) --------------------------------------------------------------------- */

enum dispatch_state { DISPATCH_FILLING, DISPATCH_STORED, DISPATCH_FAILED };

struct dispatch_batch {
	struct delivery *rows[DISPATCH_BATCH_ROWS];
	bool inserted[DISPATCH_BATCH_ROWS]; /* false: it was known already */
	unsigned count;
	enum dispatch_state state;
	unsigned references;
	struct flow_queue waiters;
	struct dispatch_batch *next;
};

struct dispatch_line {
	struct dispatch_batch *first, *newest; /* not taken yet; both NULL: none */
	unsigned rows;			       /* not settled yet */
	struct flow_queue arrived;
	struct flow *flow;
};

void dispatch_line_init(struct dispatch_line *line);
void dispatch_line_free(struct dispatch_line *line);
/* A batch with room for `rows` more, with a reference for the caller; NULL: too much is waiting. */
struct dispatch_batch *dispatch_line_open(struct dispatch_line *line, unsigned rows);
/* Takes the row over. */
void dispatch_line_add(
	struct dispatch_line *line, struct dispatch_batch *batch, struct delivery *row);
struct dispatch_batch *dispatch_line_take(struct dispatch_line *line);
void dispatch_line_settle(
	struct dispatch_line *line, struct dispatch_batch *batch, enum dispatch_state state);
void dispatch_batch_release(struct dispatch_batch *batch);

/* -- the writer (dispatch_writer.c) ----------------------------------------------------------------- */

extern const struct flow_spec dispatch_writer_flow;

#endif
