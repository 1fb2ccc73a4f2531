/*
 * journal_private: the files below a journal.
 */
#ifndef CALLWEAVE_JOURNAL_PRIVATE_H
#define CALLWEAVE_JOURNAL_PRIVATE_H

#include "journal.h"

#include <stdint.h>

enum { JOURNAL_HEADER_BYTES = 8, JOURNAL_NAME_BYTES = 128 };

/* -- records ---------------------------------------------------------------------------------------- */

enum journal_found {
	JOURNAL_RECORD,	 /* a whole one */
	JOURNAL_END,	 /* nothing behind this offset */
	JOURNAL_TORN,	 /* the last write did not finish: cut it off */
	JOURNAL_DAMAGED, /* something that was whole is not any more: keep it for a person */
};

/* Length and checksum in front of a payload. */
void journal_header(struct str payload, unsigned char header[JOURNAL_HEADER_BYTES]);

/* The record at `offset` of a segment of `size_bytes`; its payload replaces that of `payload`. */
enum journal_found journal_read_record(
	int fd, uint64_t offset, uint64_t size_bytes, size_t max_record_bytes, struct buf *payload);

/* Is there a whole record anywhere behind `offset`, where none begins? */
bool journal_record_follows(int fd, uint64_t offset, uint64_t size_bytes, size_t max_record_bytes);

/* -- the place up to which records were dropped ------------------------------------------------------ */

struct journal_place {
	uint64_t segment;
	uint64_t offset;
};

/* Two slots that are written in turn, each with its checksum: a torn write hurts only the newer one.
 * Opens or makes the file; `place` is zero when nothing was ever dropped. */
int journal_position_open(int folder_fd, const char *name, struct journal_place *place,
	uint64_t *sequence, struct error *error);
bool journal_position_save(
	int fd, uint64_t sequence, const struct journal_place *place, struct error *error);

/* -- segments --------------------------------------------------------------------------------------- */

void journal_segment_name(const char *name, uint64_t segment, char to[JOURNAL_NAME_BYTES]);

/* Lowest and highest number there is; false when there are none. */
bool journal_segment_range(int folder_fd, const char *name, uint64_t *lowest, uint64_t *highest);

/* The folder, made when missing, locked against a second process through "<name>.lock". */
int journal_folder_open(const char *folder, const char *name, int *lock_fd, struct error *error);

/* "journal: <what>: <strerror>"; returns false. */
bool journal_failed(struct error *error, const char *what);

#endif
