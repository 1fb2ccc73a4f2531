/*
 * recovery_source: which kind of file is it? Its first bytes decide, not what the sender calls it.
 */
#include "alloc.h"
#include "recovery.h"

#include <stdlib.h>
#include <unistd.h>

struct recovery_source {
	struct recovery_lines *lines; /* one of the two */
	struct recovery_sqlite *sqlite;
};

static bool begins(struct str file, struct str magic, struct error *error, const char *words)
{
	return !str_starts(file, magic) || error_set(error, ERROR_INPUT, "%s", words);
}

static bool is_refused(struct str file, struct error *error)
{
	if (file.size == 0)
		return !error_set(error, ERROR_INPUT, "the file is empty");
	return !begins(file, STR("PK\x03\x04"), error,
		       "zip archives are not taken: send the file itself, or compress it with "
		       "gzip") ||
	       !begins(file, STR("\x28\xb5\x2f\xfd"), error,
		       "zstd is not taken: compress the file with gzip") ||
	       !begins(file, STR("\x1f\x8b"), error, "compressed more than once");
}

struct recovery_source *recovery_source_new(int fd, const char *folder, struct error *error)
{
	struct recovery_source *source;
	char head[16];
	ssize_t got = pread(fd, head, sizeof(head), 0);
	struct str file = str_of(head, got > 0 ? (size_t)got : 0);

	if (is_refused(file, error))
		return NULL;
	source = alloc_zeroed(1, sizeof(*source));
	if (!str_equal(file, str_of("SQLite format 3", 16))) {
		source->lines = recovery_lines_new(fd);
		return source;
	}
	source->sqlite = recovery_sqlite_new(fd, folder, error);
	if (source->sqlite == NULL)
		recovery_source_free(&source);
	return source;
}

void recovery_source_free(struct recovery_source **source)
{
	if (*source == NULL)
		return;
	recovery_lines_free(&(*source)->lines);
	recovery_sqlite_free(&(*source)->sqlite);
	free(*source);
	*source = NULL;
}

enum recovery_next recovery_source_next(
	struct recovery_source *source, struct recovery_item *item, struct error *error)
{
	if (source->lines != NULL)
		return recovery_lines_next(source->lines, item, error);
	return recovery_sqlite_next(source->sqlite, item, error);
}
