/*
 * batch: events that share one commit, held in the very bytes that the journal keeps.
 *
 * A batch has a number of its own (writer, sequence), so that a commit whose answer was lost can be
 * repeated without harm. Whoever waits for its outcome holds a reference: see backlog.h.
 */
#ifndef INGEST_BATCH_H
#define INGEST_BATCH_H

#include "buf.h"
#include "crypto.h"
#include "flow.h"

enum {
	BATCH_MAX_EVENTS = 2048,
	BATCH_MAX_BYTES = 4 * 1024 * 1024,
	BATCH_RECORD_MAX_BYTES = 8 * 1024 * 1024, /* read, whatever limit it was written under */
	BATCH_NODE_BITS = 16,			  /* numbers that each batch has for its parts */
};

struct event_row {
	int64_t at_ms; /* received */
	int shard;
	struct str enterprise;
	struct str unique_id;
	struct str type;
	struct str trace;
	struct str key; /* Idempotency-Key; empty: none */
	struct str body;
};

enum batch_state { BATCH_WAITING, BATCH_STORED, BATCH_FAILED };

struct batch_refusal; /* an event that the database will not have, and why */

struct batch {
	struct buf bytes;
	uint32_t *offsets; /* of each event in bytes */
	unsigned count;
	char writer[CRYPTO_UUID_TEXT];
	int64_t sequence;
	bool has_keys;
	enum batch_state state;
	char failure[200]; /* words, when BATCH_FAILED */
	struct batch_refusal *refusals;
	struct flow_queue waiters;
	unsigned references;
	struct batch *next; /* for the owner's lists */
};

struct batch *batch_new(void);
void batch_free(struct batch **batch);

/* Empty it and give it its number. */
void batch_open(struct batch *batch, const char *writer, int64_t sequence);
bool batch_fits(const struct batch *batch, const struct event_row *row);
unsigned batch_add(struct batch *batch, const struct event_row *row);  /* its index */
struct event_row batch_row(const struct batch *batch, unsigned index); /* slices of the batch */

size_t batch_event_bytes(const struct batch *batch); /* of all its events */

/* The record for the journal. */
struct str batch_record(struct batch *batch);
/* After a record was read into batch->bytes. */
bool batch_from_record(struct batch *batch, struct error *error);

void batch_refuse(struct batch *batch, unsigned index, const char *reason);
const char *batch_refusal(const struct batch *batch, unsigned index); /* NULL: not refused */

/* Parts of a batch, for when some event in it is refused: node 1 is the whole, nodes 2n and 2n+1 are
 * the halves of node n. The same node is the same events each time. */
struct batch_part {
	unsigned from, to;
};
struct batch_part batch_part(const struct batch *batch, unsigned node);
int64_t batch_number(const struct batch *batch, unsigned node); /* in ingest_batches */

#endif
