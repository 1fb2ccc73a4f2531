/*
 * recovery: what a host could not deliver, brought afterwards as a file (docs/protocol/recovery.md).
 *
 * recovery_flow.c is the story of one upload; the file's kinds are read by recovery_lines.c and
 * recovery_sqlite.c, through recovery_source. All files are untrusted, signed or not.
 */
#ifndef INGEST_RECOVERY_H
#define INGEST_RECOVERY_H

#include "call_event.h"

extern const struct flow_spec recovery_flow;

#define RECOVERY_LINE_MAX_BYTES                                                                    \
	((size_t)128 << 10) /* an event has 64 KiB at most, escaped it may grow */
#define RECOVERY_UNPACKED_MAX_BYTES ((uint64_t)256 << 20)
#define RECOVERY_BAD_SHOWN	    20

/* -- one event of a file, as its text says it ------------------------------------------------------- */

struct recovery_item {
	int64_t place; /* its line, or the id of its row */
	struct str event, time, body;
};

enum recovery_next {
	RECOVERY_ITEM,
	RECOVERY_BAD,	 /* this line is none: the error has words; there may be more */
	RECOVERY_END,	 /* of a whole file */
	RECOVERY_BROKEN, /* the file cannot be read on */
};

/* Looks at the first bytes: SQLite, or lines of JSON. The descriptor stays the caller's. NULL with
 * words for what is neither. */
struct recovery_source;
struct recovery_source *recovery_source_new(int fd, const char *folder, struct error *error);
void recovery_source_free(struct recovery_source **source);
/* The item's texts are valid until the next call. `item->place` is set for RECOVERY_BAD, too. */
enum recovery_next recovery_source_next(
	struct recovery_source *source, struct recovery_item *item, struct error *error);

/* recovery_lines.c: {"event": "dial", "time": "2026-11-21 12:00:00", "body": {...}} a line. */
struct recovery_lines;
struct recovery_lines *recovery_lines_new(int fd);
void recovery_lines_free(struct recovery_lines **lines);
enum recovery_next recovery_lines_next(
	struct recovery_lines *lines, struct recovery_item *item, struct error *error);

/* recovery_sqlite.c: the table AlternativeAPIlogs of the hosts' Listen_AMI_<day>.db. */
struct recovery_sqlite;
/* `folder`: on a disk, for a name that SQLite can open. */
struct recovery_sqlite *recovery_sqlite_new(int fd, const char *folder, struct error *error);
void recovery_sqlite_free(struct recovery_sqlite **sqlite);
enum recovery_next recovery_sqlite_next(
	struct recovery_sqlite *sqlite, struct recovery_item *item, struct error *error);

/* -- recovery_gzip.c -------------------------------------------------------------------------------- */

bool recovery_is_gzip(int fd);
struct recovery_gunzip;
/* From one descriptor's beginning to the end of another; both stay the caller's. */
struct recovery_gunzip *recovery_gunzip_new(int from, int to, uint64_t max_bytes);
void recovery_gunzip_free(struct recovery_gunzip **gunzip);
/* A piece of some hundred KiB. False with words: no gzip, cut short, or larger than it may be. */
bool recovery_gunzip_some(struct recovery_gunzip *gunzip, bool *done, struct error *error);

/* -- recovery_event.c ------------------------------------------------------------------------------- */

/* Whose file it is. */
struct recovery_owner {
	struct str number, name2, secret;
	const struct clock_zone *zone; /* of the host's times */
	int64_t now_ms;
};

struct recovery_event {
	enum call_event_type type;
	struct str unique_id;
	int64_t at_ms;
};

/* What the log would take from the item. ERROR_INPUT: this event is bad; ERROR_AUTH: it is
 * another enterprise's, and then the whole file is not to be trusted. */
bool recovery_event_read(const struct recovery_item *item, const struct recovery_owner *owner,
	struct arena *arena, struct recovery_event *event, struct error *error);

#endif
