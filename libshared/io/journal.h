/*
 * journal: an append-only file of records that outlives a kill -9 and a power cut.
 *
 * A record is [length][crc32c][payload], little-endian; journal_sync() is fdatasync(2) and blocks:
 * it is used only while the database is away. A torn or damaged tail is cut off at open and
 * reported, never replayed. Reading goes on behind the last journal_drop(), also
 * after a restart. Files are segments "<name>.000001.log"; a segment is deleted when it was replayed.
 */
#ifndef CALLWEAVE_JOURNAL_H
#define CALLWEAVE_JOURNAL_H

#include "buf.h"
#include "error.h"

struct journal;

struct journal_options {
	const char *folder; /* made when missing, mode 0700 */
	const char *name;
	size_t max_bytes;     /* of all segments together: beyond it appends fail with ERROR_BUSY */
	size_t segment_bytes; /* 0: 16 MiB */
	size_t max_record_bytes; /* 0: 16 MiB */
};

/* NULL with words: no right to write, another process holds it (flock), no space. */
struct journal *journal_open(const struct journal_options *options, struct error *error);
void journal_close(struct journal **journal);

bool journal_append(struct journal *journal, struct str payload, struct error *error);
bool journal_sync(struct journal *journal, struct error *error);

bool journal_empty(const struct journal *journal);
size_t journal_bytes(const struct journal *journal);
size_t journal_records(const struct journal *journal);
size_t journal_torn_bytes(const struct journal *journal); /* cut off at open */

/* The oldest record that was not dropped; false when there is none or it cannot be read (error
 * set: a damaged record in the middle; journal_skip_damaged() goes past its segment). `payload` is
 * replaced. */
bool journal_peek(struct journal *journal, struct buf *payload, struct error *error);
/* The record behind the one that was shown last, for replaying several at once; false at the end of
 * a segment. journal_peek() begins with the oldest again. */
bool journal_peek_next(struct journal *journal, struct buf *payload);
/* Drop what was shown since journal_peek(), with it. Durable before it returns. */
bool journal_drop(struct journal *journal, struct error *error);
/* Give up the rest of a damaged segment: renamed to .damaged and kept. */
bool journal_skip_damaged(struct journal *journal, struct error *error);

#endif
