/*
 * batch: one layout of bytes for memory and for the journal, so that going to the journal is a
 * write and nothing else.
 *
 * Header: "CWB1", writer (36), sequence (8), count (4). Event: at (8), shard (4), then six texts,
 * each its length (4) and bytes. All little-endian.
 */
#include "batch.h"

#include "alloc.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MAGIC_BYTES = 4,
	WRITER_BYTES = CRYPTO_UUID_TEXT - 1,
	HEADER_BYTES = MAGIC_BYTES + WRITER_BYTES + 8 + 4,
	TEXTS = 6,
	FIXED_BYTES = 8 + 4 + TEXTS * 4,
	KEPT_BYTES = 256 * 1024, /* a rare large batch does not keep its memory */
};

static const char magic[] = "CWB1";

struct batch_refusal {
	struct batch_refusal *next;
	unsigned index;
	char reason[200];
};

struct batch *batch_new(void)
{
	struct batch *batch = alloc_zeroed(1, sizeof(*batch));

	buf_init(&batch->bytes, BATCH_MAX_BYTES);
	batch->offsets = alloc_zeroed(BATCH_MAX_EVENTS, sizeof(*batch->offsets));
	flow_queue_init(&batch->waiters);
	return batch;
}

static void forget_refusals(struct batch *batch)
{
	struct batch_refusal *next;

	for (struct batch_refusal *at = batch->refusals; at != NULL; at = next) {
		next = at->next;
		free(at);
	}
	batch->refusals = NULL;
}

void batch_free(struct batch **batch)
{
	if (*batch == NULL)
		return;
	forget_refusals(*batch);
	buf_free(&(*batch)->bytes);
	free((*batch)->offsets);
	free(*batch);
	*batch = NULL;
}

static void put32(struct buf *to, uint32_t value)
{
	uint32_t little = htole32(value);

	buf_append(to, &little, sizeof(little));
}

static void put64(struct buf *to, int64_t value)
{
	uint64_t little = htole64((uint64_t)value);

	buf_append(to, &little, sizeof(little));
}

static void put_text(struct buf *to, struct str text)
{
	put32(to, (uint32_t)text.size);
	buf_add(to, text);
}

static uint32_t get32(const char *from)
{
	uint32_t little;

	memcpy(&little, from, sizeof(little));
	return le32toh(little);
}

static int64_t get64(const char *from)
{
	uint64_t little;

	memcpy(&little, from, sizeof(little));
	return (int64_t)le64toh(little);
}

/* The header is written at once; only the count is filled in when the record is asked for. */
void batch_open(struct batch *batch, const char *writer, int64_t sequence)
{
	if (batch->bytes.capacity > KEPT_BYTES)
		buf_free(&batch->bytes);
	buf_clear(&batch->bytes);
	forget_refusals(batch);
	batch->count = 0;
	batch->has_keys = false;
	batch->state = BATCH_WAITING;
	batch->failure[0] = '\0';
	batch->sequence = sequence;
	str_copy(batch->writer, sizeof(batch->writer), str_from(writer));
	buf_append(&batch->bytes, magic, MAGIC_BYTES);
	buf_append(&batch->bytes, batch->writer, WRITER_BYTES);
	put64(&batch->bytes, sequence);
	put32(&batch->bytes, 0);
}

static size_t row_bytes(const struct event_row *row)
{
	return FIXED_BYTES + row->enterprise.size + row->unique_id.size + row->type.size +
	       row->trace.size + row->key.size + row->body.size;
}

bool batch_fits(const struct batch *batch, const struct event_row *row)
{
	return batch->count < BATCH_MAX_EVENTS &&
	       batch->bytes.size + row_bytes(row) <= BATCH_MAX_BYTES;
}

unsigned batch_add(struct batch *batch, const struct event_row *row)
{
	struct buf *to = &batch->bytes;

	batch->offsets[batch->count] = (uint32_t)to->size;
	put64(to, row->at_ms);
	put32(to, (uint32_t)row->shard);
	put_text(to, row->enterprise);
	put_text(to, row->unique_id);
	put_text(to, row->type);
	put_text(to, row->trace);
	put_text(to, row->key);
	put_text(to, row->body);
	batch->has_keys = batch->has_keys || row->key.size > 0;
	return batch->count++;
}

static struct str get_text(const char **at)
{
	struct str text = str_of(*at + 4, get32(*at));

	*at += 4 + text.size;
	return text;
}

struct event_row batch_row(const struct batch *batch, unsigned index)
{
	const char *at = batch->bytes.data + batch->offsets[index];
	struct event_row row = {.at_ms = get64(at), .shard = (int)get32(at + 8)};

	at += 12;
	row.enterprise = get_text(&at);
	row.unique_id = get_text(&at);
	row.type = get_text(&at);
	row.trace = get_text(&at);
	row.key = get_text(&at);
	row.body = get_text(&at);
	return row;
}

size_t batch_event_bytes(const struct batch *batch)
{
	return batch->bytes.size - HEADER_BYTES;
}

struct str batch_record(struct batch *batch)
{
	uint32_t little = htole32(batch->count);

	memcpy(batch->bytes.data + HEADER_BYTES - 4, &little, sizeof(little));
	return buf_str(&batch->bytes);
}

/* Bytes of the event that begins at `offset`; 0 when it does not end within the record. */
static size_t event_bytes(struct str record, size_t offset)
{
	size_t at = offset + 12;

	for (int text = 0; text < TEXTS; text++) {
		if (at > record.size || record.size - at < 4)
			return 0;
		at += 4 + (size_t)get32(record.data + at);
	}
	return at <= record.size ? at - offset : 0;
}

/* The checksum has vouched for the bytes; this guards against a record of another program. */
static bool read_header(struct batch *batch, struct str record, unsigned *count)
{
	if (record.size < HEADER_BYTES || memcmp(record.data, magic, MAGIC_BYTES) != 0)
		return false;
	str_copy(batch->writer, sizeof(batch->writer),
		str_of(record.data + MAGIC_BYTES, WRITER_BYTES));
	batch->sequence = get64(record.data + MAGIC_BYTES + WRITER_BYTES);
	*count = get32(record.data + HEADER_BYTES - 4);
	return *count <= BATCH_MAX_EVENTS;
}

bool batch_from_record(struct batch *batch, struct error *error)
{
	struct str record = buf_str(&batch->bytes);
	size_t at = HEADER_BYTES;
	unsigned count;

	forget_refusals(batch);
	batch->has_keys = false;
	batch->count = 0;
	if (!read_header(batch, record, &count))
		return error_set(error, ERROR_INTERNAL, "the record is not a batch of events");
	while (batch->count < count) {
		size_t size = event_bytes(record, at);

		if (size == 0)
			return error_set(
				error, ERROR_INTERNAL, "event %u is cut off", batch->count);
		batch->offsets[batch->count] = (uint32_t)at;
		if (batch_row(batch, batch->count++).key.size > 0)
			batch->has_keys = true;
		at += size;
	}
	return true;
}

void batch_refuse(struct batch *batch, unsigned index, const char *reason)
{
	struct batch_refusal *refusal = alloc_zeroed(1, sizeof(*refusal));

	refusal->index = index;
	str_copy(refusal->reason, sizeof(refusal->reason), str_from(reason));
	refusal->next = batch->refusals;
	batch->refusals = refusal;
}

/* A list, not a table: it is empty but for the rarest of batches. */
const char *batch_refusal(const struct batch *batch, unsigned index)
{
	for (const struct batch_refusal *at = batch->refusals; at != NULL; at = at->next) {
		if (at->index == index)
			return at->reason;
	}
	return NULL;
}

/* The bits of the node behind its first one are the way down from the root: 0 left, 1 right. */
struct batch_part batch_part(const struct batch *batch, unsigned node)
{
	struct batch_part part = {0, batch->count};
	int bit = 31 - __builtin_clz(node);

	while (bit-- > 0) {
		unsigned middle = part.from + (part.to - part.from) / 2;

		if ((node >> bit & 1) != 0)
			part.from = middle;
		else
			part.to = middle;
	}
	return part;
}

int64_t batch_number(const struct batch *batch, unsigned node)
{
	return batch->sequence << BATCH_NODE_BITS | node;
}
