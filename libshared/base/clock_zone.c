/*
 * clock_zone: zones from the system's zoneinfo files (TZif, RFC 8536), read once.
 *
 * Version 2 and later only: their 64-bit transitions, and the rule at the end for what follows.
 */
#include "clock_zone.h"

#include "alloc.h"
#include "clock_rule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONEINFO "/usr/share/zoneinfo"

enum { FILE_MAX_BYTES = 64 * 1024, HEADER_BYTES = 44 };

struct transition {
	int64_t at; /* UTC seconds */
	int64_t offset;
};

struct clock_zone {
	struct transition *transitions; /* rising */
	size_t count;
	int64_t first_offset; /* before the first transition */
	bool has_rule;
	struct clock_rule rule; /* after the last transition */
};

/* The counts of a TZif header, in the order of the file. */
struct header {
	size_t utc_marks, standard_marks, leaps, times, types, chars;
};

/* The file is big-endian at odd addresses: no struct may be laid over it. */
static uint64_t big_endian(const char *bytes, size_t size_bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size_bytes; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return value;
}

static struct str skip(struct str bytes, size_t size_bytes)
{
	return str_of(bytes.data + size_bytes, bytes.size - size_bytes);
}

/* Bounds first: the products of these counts must not wrap around. */
static bool read_header(struct str bytes, struct header *header)
{
	size_t *const counts[] = {&header->utc_marks, &header->standard_marks, &header->leaps,
		&header->times, &header->types, &header->chars};

	if (bytes.size < HEADER_BYTES || !str_starts(bytes, STR("TZif")) || bytes.data[4] < '2')
		return false;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		*counts[i] = (size_t)big_endian(bytes.data + 20 + 4 * i, 4);
	return header->times <= FILE_MAX_BYTES && header->types > 0 && header->types <= 256;
}

/* What lies behind a header; the size of times differs between the two blocks. */
static size_t body_bytes(const struct header *header, size_t time_bytes)
{
	return header->times * (time_bytes + 1) + header->types * 6 + header->chars +
	       header->leaps * (time_bytes + 4) + header->standard_marks + header->utc_marks;
}

/* A type is offset (4), is-summer (1), name index (1); only the first matters here. */
static int64_t type_offset(const char *types, size_t index)
{
	return (int32_t)big_endian(types + 6 * index, 4);
}

static bool read_transitions(struct clock_zone *zone, const struct header *header, const char *body)
{
	const char *indexes = body + 8 * header->times;
	const char *types = indexes + header->times;

	zone->count = header->times;
	zone->transitions = alloc_zeroed(zone->count, sizeof(struct transition));
	zone->first_offset = type_offset(types, 0);
	for (size_t i = 0; i < zone->count; i++) {
		size_t type = (unsigned char)indexes[i];

		if (type >= header->types)
			return false;
		zone->transitions[i].at = (int64_t)big_endian(body + 8 * i, 8);
		zone->transitions[i].offset = type_offset(types, type);
	}
	return true;
}

/* "\n<rule>\n"; an empty rule means that the last offset stays. */
static bool read_rule(struct clock_zone *zone, struct str footer)
{
	struct str text;

	if (footer.size < 2 || footer.data[0] != '\n')
		return false;
	footer = skip(footer, 1);
	text = str_cut(&footer, '\n');
	if (footer.data == NULL)
		return false; /* the file ends early */
	zone->has_rule = text.size > 0;
	return !zone->has_rule || clock_rule_parse(text, &zone->rule);
}

static bool read_zone(struct clock_zone *zone, struct str bytes)
{
	struct header header = {0};
	size_t size;

	/* The first block is for programs of 32 bits. */
	if (!read_header(bytes, &header))
		return false;
	size = HEADER_BYTES + body_bytes(&header, 4);
	if (size > bytes.size)
		return false;
	bytes = skip(bytes, size);
	if (!read_header(bytes, &header))
		return false;
	size = HEADER_BYTES + body_bytes(&header, 8);
	return size <= bytes.size && read_transitions(zone, &header, bytes.data + HEADER_BYTES) &&
	       read_rule(zone, skip(bytes, size));
}

struct clock_zone *clock_zone_from_bytes(struct str bytes)
{
	struct clock_zone *zone = alloc_zeroed(1, sizeof(*zone));

	if (!read_zone(zone, bytes))
		clock_zone_free(&zone);
	return zone;
}

/* A file name inside of the folder: no "..", no leading slash, no byte of note. */
static bool name_is_safe(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/_+-";

	return name != NULL && name[0] != '\0' && name[0] != '/' && strlen(name) < 100 &&
	       name[strspn(name, allowed)] == '\0';
}

static ssize_t read_whole(const char *path, char *to, size_t capacity)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return -1;
	do {
		got = read(fd, to + size, capacity - size);
		size += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	close(fd);
	return got < 0 ? -1 : (ssize_t)size;
}

struct clock_zone *clock_zone_new(const char *name)
{
	char path[128];
	/* Real files have at most some four kilobytes. */
	char bytes[FILE_MAX_BYTES];
	ssize_t size;

	if (!name_is_safe(name))
		return NULL;
	snprintf(path, sizeof(path), ZONEINFO "/%s", name);
	size = read_whole(path, bytes, sizeof(bytes));
	return size > 0 ? clock_zone_from_bytes(str_of(bytes, (size_t)size)) : NULL;
}

void clock_zone_free(struct clock_zone **zone)
{
	if (*zone == NULL)
		return;
	free((*zone)->transitions);
	free(*zone);
	*zone = NULL;
}

/* Binary search, then the rule behind the last transition. */
int64_t clock_zone_offset(const struct clock_zone *zone, int64_t utc_seconds)
{
	size_t low = 0, high = zone->count;

	while (low < high) { /* the first transition that lies behind the moment */
		size_t middle = low + (high - low) / 2;

		if (zone->transitions[middle].at <= utc_seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->count && zone->has_rule)
		return clock_rule_offset(&zone->rule, utc_seconds);
	return low == 0 ? zone->first_offset : zone->transitions[low - 1].offset;
}
