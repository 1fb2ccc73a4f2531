/*
 * log_limit: a small table of format strings. Bounded: a stranger displaces the oldest entry.
 */
#include "log_limit.h"

enum { SECOND_MS = 1000 };

/* An entry to use for a format that has none: an empty one, else the oldest without dropped lines
 * (those would be lost uncounted), else NULL. */
static struct log_limit_entry *displace(struct log_limit *limit)
{
	struct log_limit_entry *oldest = NULL;

	for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
		struct log_limit_entry *entry = &limit->entries[i];

		if (entry->format == NULL)
			return entry;
		if (entry->dropped == 0 && (oldest == NULL || entry->since_ms < oldest->since_ms))
			oldest = entry;
	}
	return oldest;
}

/* By address: a format is a literal, and comparing its text each time would cost more. */
static struct log_limit_entry *find(struct log_limit *limit, const char *format)
{
	for (size_t i = 0; i < LOG_LIMIT_ENTRIES; i++) {
		if (limit->entries[i].format == format)
			return &limit->entries[i];
	}
	return NULL;
}

/* The entry of a format, in a second that is not over; NULL when all entries are taken. */
static struct log_limit_entry *current(struct log_limit *limit, const char *format, int64_t now_ms)
{
	struct log_limit_entry *entry = find(limit, format);

	if (entry == NULL) {
		entry = displace(limit);
		if (entry != NULL)
			*entry = (struct log_limit_entry){.format = format, .since_ms = now_ms};
	} else if (now_ms - entry->since_ms >= SECOND_MS) {
		entry->since_ms = now_ms; /* dropped stays until it was told */
		entry->written = 0;
	}
	return entry;
}

struct log_limit_entry *log_limit_take(struct log_limit *limit, const char *format, int64_t now_ms)
{
	struct log_limit_entry *entry = current(limit, format, now_ms);

	if (entry == NULL) {
		limit->entries[0].dropped++; /* 64 texts flood at once: count it somewhere */
		return NULL;
	}
	if (entry->written >= LOG_LIMIT_A_SECOND) {
		entry->dropped++;
		return NULL;
	}
	entry->written++;
	return entry;
}

const struct log_limit_entry *log_limit_next_dropped(
	struct log_limit *limit, size_t *at, uint64_t *dropped)
{
	while (*at < LOG_LIMIT_ENTRIES) {
		struct log_limit_entry *entry = &limit->entries[(*at)++];

		if (entry->dropped == 0)
			continue;
		*dropped = entry->dropped;
		entry->dropped = 0;
		return entry;
	}
	return NULL;
}
