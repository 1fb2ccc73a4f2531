/*
 * journal_file: records, positions and folders of a journal; everything that is not its logic.
 */
#include "journal_private.h"

#include "alloc.h"
#include "crypto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool journal_failed(struct error *error, const char *what)
{
	enum error_kind kind = errno == EACCES || errno == EPERM ? ERROR_INTERNAL : ERROR_UPSTREAM;

	return error_set(error, kind, "journal: %s: %s", what, strerror(errno));
}

/* -- records ---------------------------------------------------------------------------------------- */

static void put_32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get_32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

/* Over the length too: a flipped bit there must not pass for another record. */
static uint32_t checksum(const unsigned char length[4], struct str payload)
{
	return crypto_crc32c(crypto_crc32c(0, length, 4), payload.data, payload.size);
}

void journal_header(struct str payload, unsigned char header[JOURNAL_HEADER_BYTES])
{
	put_32(header, (uint32_t)payload.size);
	put_32(header + 4, checksum(header, payload));
}

static bool read_exactly(int fd, void *to, size_t size_bytes, uint64_t offset)
{
	size_t done = 0;

	while (done < size_bytes) {
		ssize_t got =
			pread(fd, (char *)to + done, size_bytes - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* A file that grew but whose data never reached the disk reads as zeros. */
static bool only_zeros(int fd, uint64_t offset, uint64_t size_bytes)
{
	char bytes[4096];

	while (offset < size_bytes) {
		size_t chunk = size_bytes - offset < sizeof(bytes) ? (size_t)(size_bytes - offset)
								   : sizeof(bytes);

		if (!read_exactly(fd, bytes, chunk, offset))
			return false;
		for (size_t i = 0; i < chunk; i++) {
			if (bytes[i] != 0)
				return false;
		}
		offset += chunk;
	}
	return true;
}

enum journal_found journal_read_record(
	int fd, uint64_t offset, uint64_t size_bytes, size_t max_record_bytes, struct buf *payload)
{
	unsigned char header[JOURNAL_HEADER_BYTES];
	uint64_t left = size_bytes - offset;
	uint32_t length;
	char *to;

	buf_clear(payload);
	if (left == 0)
		return JOURNAL_END;
	if (left < sizeof(header) || only_zeros(fd, offset, size_bytes))
		return JOURNAL_TORN;
	if (!read_exactly(fd, header, sizeof(header), offset))
		return JOURNAL_DAMAGED;
	length = get_32(header);
	if (length == 0 || length > max_record_bytes)
		return JOURNAL_DAMAGED;
	if (length > left - sizeof(header))
		return JOURNAL_TORN;
	to = buf_reserve(payload, length);
	if (to == NULL || !read_exactly(fd, to, length, offset + sizeof(header)))
		return JOURNAL_DAMAGED;
	buf_grew(payload, length);
	if (get_32(header + 4) == checksum(header, buf_str(payload)))
		return JOURNAL_RECORD;
	return length == left - sizeof(header) ? JOURNAL_TORN : JOURNAL_DAMAGED;
}

/* Bytes behind a record that does not read are a tail that was never finished, unless a whole record
 * follows: then a length was damaged, and cutting would lose what was promised. Text seldom passes
 * for a length, so few places are worth a checksum. */
bool journal_record_follows(int fd, uint64_t offset, uint64_t size_bytes, size_t max_record_bytes)
{
	size_t left = (size_t)(size_bytes - offset);
	unsigned char *bytes = alloc_zeroed(1, left);
	bool found = false;

	if (!read_exactly(fd, bytes, left, offset))
		left = 0;
	for (size_t at = 1; !found && at + JOURNAL_HEADER_BYTES < left; at++) {
		uint32_t length = get_32(bytes + at);

		if (length == 0 || length > max_record_bytes ||
			length > left - at - JOURNAL_HEADER_BYTES)
			continue;
		found = get_32(bytes + at + 4) ==
			checksum(bytes + at,
				str_of((char *)bytes + at + JOURNAL_HEADER_BYTES, length));
	}
	free(bytes);
	return found;
}

/* -- the position ------------------------------------------------------------------------------------ */

struct slot {
	uint64_t sequence;
	struct journal_place place;
	uint32_t checksum;
	uint32_t unused;
};

static uint32_t slot_checksum(const struct slot *slot)
{
	return crypto_crc32c(0, slot, offsetof(struct slot, checksum));
}

int journal_position_open(int folder_fd, const char *name, struct journal_place *place,
	uint64_t *sequence, struct error *error)
{
	char file[JOURNAL_NAME_BYTES];
	struct slot slot;
	int fd;

	snprintf(file, sizeof(file), "%s.position", name);
	fd = openat(folder_fd, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		journal_failed(error, "cannot open the position file");
		return -1;
	}
	*place = (struct journal_place){0};
	*sequence = 0;
	for (uint64_t i = 0; i < 2; i++) {
		if (!read_exactly(fd, &slot, sizeof(slot), i * sizeof(slot)) ||
			slot.checksum != slot_checksum(&slot) || slot.sequence <= *sequence)
			continue;
		*sequence = slot.sequence;
		*place = slot.place;
	}
	return fd;
}

bool journal_position_save(
	int fd, uint64_t sequence, const struct journal_place *place, struct error *error)
{
	struct slot slot = {.sequence = sequence, .place = *place};
	off_t at = (off_t)(sequence % 2 * sizeof(slot));

	slot.checksum = slot_checksum(&slot);
	if (pwrite(fd, &slot, sizeof(slot), at) != (ssize_t)sizeof(slot) || fdatasync(fd) != 0)
		return journal_failed(error, "cannot save the position");
	return true;
}

/* -- segments and their folder ---------------------------------------------------------------------- */

void journal_segment_name(const char *name, uint64_t segment, char to[JOURNAL_NAME_BYTES])
{
	snprintf(to, JOURNAL_NAME_BYTES, "%s.%06" PRIu64 ".log", name, segment);
}

/* "<name>.<digits>.log" */
static bool segment_number(struct str file, struct str name, uint64_t *segment)
{
	int64_t number;

	if (!str_starts(file, name) || !str_ends(file, STR(".log")) || file.size < name.size + 6)
		return false;
	file = str_of(file.data + name.size, file.size - name.size - 4);
	if (file.data[0] != '.' || !str_to_int64(str_of(file.data + 1, file.size - 1), &number) ||
		number < 1)
		return false;
	*segment = (uint64_t)number;
	return true;
}

bool journal_segment_range(int folder_fd, const char *name, uint64_t *lowest, uint64_t *highest)
{
	DIR *folder = fdopendir(openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	uint64_t segment;

	*lowest = *highest = 0;
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (!segment_number(str_from(entry->d_name), str_from(name), &segment))
			continue;
		if (*lowest == 0 || segment < *lowest)
			*lowest = segment;
		if (segment > *highest)
			*highest = segment;
	}
	if (folder != NULL)
		closedir(folder);
	return *lowest != 0;
}

int journal_folder_open(const char *folder, const char *name, int *lock_fd, struct error *error)
{
	char file[JOURNAL_NAME_BYTES];
	int fd;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
		journal_failed(error, folder);
		return -1;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(file, sizeof(file), "%s.lock", name);
	*lock_fd = fd < 0 ? -1 : openat(fd, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock_fd < 0) {
		journal_failed(error, folder);
	} else if (flock(*lock_fd, LOCK_EX | LOCK_NB) != 0) {
		error_set(error, ERROR_CONFLICT, "journal: another process holds %s/%s", folder,
			file);
		close(*lock_fd);
		*lock_fd = -1;
	}
	if (*lock_fd < 0 && fd >= 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}
