/*
 * journal: see journal.h.
 *
 * Segments are numbered from 1 and only ever grow: one is written, the oldest is read, those
 * behind the reader are deleted. The saved place moves before a file is deleted, so a crash between
 * the two leaves a file that the next open removes.
 */
#include "journal_private.h"

#include "alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DEFAULT_SEGMENT_BYTES = 16 << 20, DEFAULT_RECORD_BYTES = 16 << 20 };

struct journal {
	struct journal_options options;
	char *folder, *name; /* owned copies */
	int folder_fd, lock_fd, position_fd;
	uint64_t position_sequence;

	int write_fd; /* -1: the next append makes segment `last` */
	uint64_t last;
	uint64_t write_bytes; /* size of the last segment */

	struct journal_place read; /* the oldest record that was not dropped */
	int read_fd;		   /* of read.segment; -1: not open */
	uint64_t read_bytes;	   /* its size, unless it is the last one */
	size_t peeked_bytes;	   /* of the records that were shown; 0: none */
	size_t peeked_records;

	uint64_t stored_bytes; /* all segments from read.segment on */
	size_t records;
	size_t torn_bytes;
};

/* -- opening ---------------------------------------------------------------------------------------- */

static int open_segment(const struct journal *journal, uint64_t segment, int flags, uint64_t *size)
{
	char file[JOURNAL_NAME_BYTES];
	struct stat status;
	int fd;

	journal_segment_name(journal->name, segment, file);
	fd = openat(journal->folder_fd, file, flags | O_CLOEXEC, 0600);
	if (fd >= 0 && fstat(fd, &status) != 0) {
		close(fd);
		fd = -1;
	}
	*size = fd >= 0 ? (uint64_t)status.st_size : 0;
	return fd;
}

/* Count the records behind `offset`. `end` is where the whole ones end. */
static enum journal_found scan(struct journal *journal, int fd, uint64_t offset, uint64_t *end)
{
	enum journal_found found;
	struct buf payload;
	uint64_t size = *end;

	buf_init(&payload, journal->options.max_record_bytes);
	while ((found = journal_read_record(fd, offset, size, journal->options.max_record_bytes,
			&payload)) == JOURNAL_RECORD) {
		offset += JOURNAL_HEADER_BYTES + payload.size;
		journal->records++;
	}
	buf_free(&payload);
	*end = offset;
	return found;
}

/* The last segment goes on being written when it is sound. A torn tail is cut off; a damaged one is
 * left as it is for the reader to trip over, and writing starts in a new segment. */
static bool take_last(struct journal *journal, uint64_t offset, struct error *error)
{
	uint64_t size, end;
	enum journal_found found;
	int fd = open_segment(journal, journal->last, O_RDWR | O_APPEND, &size);

	if (fd < 0)
		return journal_failed(error, "cannot open the last segment");
	end = size;
	found = scan(journal, fd, offset, &end);
	if (found == JOURNAL_TORN &&
		journal_record_follows(fd, end, size, journal->options.max_record_bytes))
		found = JOURNAL_DAMAGED;
	if (found == JOURNAL_TORN) {
		journal->torn_bytes += size - end;
		if (ftruncate(fd, (off_t)end) != 0 || fdatasync(fd) != 0) {
			close(fd);
			return journal_failed(error, "cannot cut off a torn record");
		}
		size = end;
	}
	journal->stored_bytes += size;
	if (found == JOURNAL_DAMAGED) {
		close(fd);
		journal->last++;
		return true;
	}
	journal->write_fd = fd;
	journal->write_bytes = size;
	return true;
}

static void count_middle(struct journal *journal, uint64_t segment, uint64_t offset)
{
	uint64_t size, end;
	int fd = open_segment(journal, segment, O_RDONLY, &size);

	if (fd < 0)
		return;
	end = size;
	scan(journal, fd, offset, &end);
	journal->stored_bytes += size;
	close(fd);
}

static void delete_segment(const struct journal *journal, uint64_t segment)
{
	char file[JOURNAL_NAME_BYTES];

	journal_segment_name(journal->name, segment, file);
	unlinkat(journal->folder_fd, file, 0); /* what stays is deleted by the next open */
}

static bool take_segments(struct journal *journal, struct error *error)
{
	uint64_t lowest, highest;

	bool any = journal_segment_range(journal->folder_fd, journal->name, &lowest, &highest);

	for (; any && lowest <= highest && lowest < journal->read.segment; lowest++)
		delete_segment(journal, lowest);
	if (!any || highest < journal->read.segment) {
		if (journal->read.segment == 0)
			journal->read.segment = 1;
		journal->read.offset = 0;
		journal->last = journal->read.segment;
		return true;
	}
	if (lowest > journal->read.segment)
		journal->read = (struct journal_place){.segment = lowest};
	for (uint64_t i = lowest; i < highest; i++)
		count_middle(journal, i, i == lowest ? journal->read.offset : 0);
	journal->last = highest;
	return take_last(journal, highest == lowest ? journal->read.offset : 0, error);
}

struct journal *journal_open(const struct journal_options *options, struct error *error)
{
	struct journal *journal = alloc_zeroed(1, sizeof(*journal));

	journal->options = *options;
	if (journal->options.segment_bytes == 0)
		journal->options.segment_bytes = DEFAULT_SEGMENT_BYTES;
	if (journal->options.max_record_bytes == 0)
		journal->options.max_record_bytes = DEFAULT_RECORD_BYTES;
	journal->folder = alloc_text(str_from(options->folder));
	journal->name = alloc_text(str_from(options->name));
	journal->lock_fd = journal->position_fd = journal->write_fd = journal->read_fd = -1;
	journal->folder_fd =
		journal_folder_open(journal->folder, journal->name, &journal->lock_fd, error);
	if (journal->folder_fd >= 0)
		journal->position_fd = journal_position_open(journal->folder_fd, journal->name,
			&journal->read, &journal->position_sequence, error);
	if (journal->position_fd < 0 || !take_segments(journal, error))
		journal_close(&journal);
	return journal;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void journal_close(struct journal **journal)
{
	if (*journal == NULL)
		return;
	close_if_open(&(*journal)->write_fd);
	close_if_open(&(*journal)->read_fd);
	close_if_open(&(*journal)->position_fd);
	close_if_open(&(*journal)->lock_fd); /* lets go of the lock */
	close_if_open(&(*journal)->folder_fd);
	free((*journal)->folder);
	free((*journal)->name);
	free(*journal);
	*journal = NULL;
}

/* -- writing ---------------------------------------------------------------------------------------- */

static bool start_segment(struct journal *journal, struct error *error)
{
	uint64_t size;

	journal->write_fd =
		open_segment(journal, journal->last, O_RDWR | O_APPEND | O_CREAT | O_EXCL, &size);
	if (journal->write_fd < 0 || fsync(journal->folder_fd) != 0)
		return journal_failed(error, "cannot make a segment");
	journal->write_bytes = 0;
	return true;
}

/* Full ones are synced as they are left: journal_sync() speaks of the last one only. */
static bool roll_over(struct journal *journal, struct error *error)
{
	if (journal->write_fd >= 0 && journal->write_bytes < journal->options.segment_bytes)
		return true;
	if (journal->write_fd >= 0) {
		if (fdatasync(journal->write_fd) != 0)
			return journal_failed(error, "cannot sync");
		close_if_open(&journal->write_fd);
		journal->last++;
	}
	return start_segment(journal, error);
}

/* Its end is torn and could not be cut: nothing may follow it. */
static void abandon_segment(struct journal *journal)
{
	close_if_open(&journal->write_fd);
	journal->last++;
}

bool journal_append(struct journal *journal, struct str payload, struct error *error)
{
	unsigned char header[JOURNAL_HEADER_BYTES];
	size_t size = sizeof(header) + payload.size;
	struct iovec parts[2];
	ssize_t written;

	if (payload.size == 0 || payload.size > journal->options.max_record_bytes)
		return error_set(
			error, ERROR_INPUT, "journal: a record of %zu bytes", payload.size);
	if (journal->stored_bytes + size > journal->options.max_bytes)
		return error_set(error, ERROR_BUSY, "journal: full, %" PRIu64 " of %zu bytes",
			journal->stored_bytes, journal->options.max_bytes);
	if (!roll_over(journal, error))
		return false;
	journal_header(payload, header);
	parts[0] = (struct iovec){.iov_base = header, .iov_len = sizeof(header)};
	parts[1] = (struct iovec){
		.iov_base = (void *)(uintptr_t)payload.data, .iov_len = payload.size};
	written = writev(journal->write_fd, parts, 2);
	if (written != (ssize_t)size) {
		if (written >= 0)
			errno = ENOSPC;
		journal_failed(error, "cannot write");
		if (ftruncate(journal->write_fd, (off_t)journal->write_bytes) != 0)
			abandon_segment(journal);
		return false;
	}
	journal->write_bytes += size;
	journal->stored_bytes += size;
	journal->records++;
	return true;
}

bool journal_sync(struct journal *journal, struct error *error)
{
	if (journal->write_fd >= 0 && fdatasync(journal->write_fd) != 0)
		return journal_failed(error, "cannot sync");
	return true;
}

/* -- reading ---------------------------------------------------------------------------------------- */

bool journal_empty(const struct journal *journal)
{
	return journal->read.segment == journal->last &&
	       (journal->write_fd < 0 || journal->read.offset == journal->write_bytes);
}

size_t journal_bytes(const struct journal *journal)
{
	return (size_t)journal->stored_bytes;
}

size_t journal_records(const struct journal *journal)
{
	return journal->records;
}

size_t journal_torn_bytes(const struct journal *journal)
{
	return journal->torn_bytes;
}

static uint64_t segment_end(const struct journal *journal)
{
	return journal->read.segment == journal->last && journal->write_fd >= 0
		       ? journal->write_bytes
		       : journal->read_bytes;
}

static bool save_place(struct journal *journal, struct error *error)
{
	return journal_position_save(
		journal->position_fd, ++journal->position_sequence, &journal->read, error);
}

/* The reader is through with its segment. An emptied last segment is given up too, so that a
 * journal that caught up takes no space. */
static bool next_segment(struct journal *journal, struct error *error)
{
	uint64_t gone = journal->read.segment, size = segment_end(journal);

	if (gone == journal->last) {
		close_if_open(&journal->write_fd);
		journal->last++;
	}
	close_if_open(&journal->read_fd);
	journal->read = (struct journal_place){.segment = gone + 1};
	journal->stored_bytes -= size < journal->stored_bytes ? size : journal->stored_bytes;
	if (!save_place(journal, error))
		return false;
	delete_segment(journal, gone);
	return true;
}

static bool open_for_reading(struct journal *journal, struct error *error)
{
	if (journal->read_fd >= 0)
		return true;
	journal->read_fd =
		open_segment(journal, journal->read.segment, O_RDONLY, &journal->read_bytes);
	return journal->read_fd >= 0 || journal_failed(error, "cannot open a segment");
}

bool journal_peek(struct journal *journal, struct buf *payload, struct error *error)
{
	enum journal_found found = JOURNAL_END;

	*error = (struct error){0};
	journal->peeked_bytes = 0;
	while (!journal_empty(journal)) {
		if (!open_for_reading(journal, error))
			return false;
		found = journal_read_record(journal->read_fd, journal->read.offset,
			segment_end(journal), journal->options.max_record_bytes, payload);
		if (found == JOURNAL_RECORD) {
			journal->peeked_bytes = JOURNAL_HEADER_BYTES + payload->size;
			journal->peeked_records = 1;
			return true;
		}
		if (found != JOURNAL_END)
			return error_set(error, ERROR_INTERNAL,
				"journal: segment %" PRIu64 " is damaged at byte %" PRIu64,
				journal->read.segment, journal->read.offset);
		if (!next_segment(journal, error))
			return false;
	}
	return false;
}

bool journal_peek_next(struct journal *journal, struct buf *payload)
{
	if (journal->peeked_bytes == 0 ||
		journal_read_record(journal->read_fd, journal->read.offset + journal->peeked_bytes,
			segment_end(journal), journal->options.max_record_bytes,
			payload) != JOURNAL_RECORD)
		return false;
	journal->peeked_bytes += JOURNAL_HEADER_BYTES + payload->size;
	journal->peeked_records++;
	return true;
}

bool journal_drop(struct journal *journal, struct error *error)
{
	if (journal->peeked_bytes == 0)
		return error_set(error, ERROR_INTERNAL, "journal: nothing was shown to drop");
	journal->read.offset += journal->peeked_bytes;
	journal->peeked_bytes = 0;
	journal->records -= journal->peeked_records;
	if (journal->read.offset == segment_end(journal))
		return next_segment(journal, error);
	return save_place(journal, error);
}

bool journal_skip_damaged(struct journal *journal, struct error *error)
{
	char file[JOURNAL_NAME_BYTES], kept[JOURNAL_NAME_BYTES + 16];

	if (!open_for_reading(journal, error))
		return false;
	journal_segment_name(journal->name, journal->read.segment, file);
	snprintf(kept, sizeof(kept), "%s.damaged", file);
	if (renameat(journal->folder_fd, file, journal->folder_fd, kept) != 0)
		return journal_failed(error, "cannot put a damaged segment aside");
	return next_segment(journal, error);
}
