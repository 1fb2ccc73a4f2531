/*
 * recovery_sqlite: a host's own record of what it sent, read with SQLite.
 *
 * Such a file can hold more than data: views, triggers, schemas that run functions, damaged pages.
 * So it is opened as sqlite.org/security.html advises for files of strangers: read only, immutable,
 * defensive, no views, schema not trusted, small limits, a bound on the work of each step.
 */
#include "alloc.h"
#include "recovery.h"

#include "crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum {
	WORK_UNIT = 10000, /* virtual machine steps between two looks */
	WORK_UNITS_MAX = 200,
	VALUE_MAX_BYTES = 1 << 20,
	PATH_BYTES = 300,
};

struct recovery_sqlite {
	sqlite3 *db;
	sqlite3_stmt *rows;
	unsigned work_units;
};

enum { COLUMN_ID, COLUMN_TIME, COLUMN_EVENT, COLUMN_REQUEST };

static const char sql_is_table[] = "SELECT count(*) FROM sqlite_master WHERE type = 'table' "
				   "AND name = 'AlternativeAPIlogs' AND sql NOT LIKE '%VIRTUAL%'";
static const char sql_rows[] =
	"SELECT id, DateTime, event, request FROM AlternativeAPIlogs ORDER BY rowid";

static int on_progress(void *context)
{
	struct recovery_sqlite *sqlite = context;

	return ++sqlite->work_units > WORK_UNITS_MAX;
}

static bool failed(struct recovery_sqlite *sqlite, struct error *error)
{
	return error_set(error, ERROR_INPUT, "the SQLite file cannot be read: %s",
		sqlite3_errmsg(sqlite->db));
}

static void distrust(struct recovery_sqlite *sqlite)
{
	sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(sqlite->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(sqlite->db, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
	sqlite3_limit(sqlite->db, SQLITE_LIMIT_SQL_LENGTH, 10000);
	sqlite3_limit(sqlite->db, SQLITE_LIMIT_COLUMN, 100);
	sqlite3_limit(sqlite->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_progress_handler(sqlite->db, WORK_UNIT, on_progress, sqlite);
}

static bool copy(int from, const char *path)
{
	off_t at = 0;
	ssize_t got = 1;
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	while (to >= 0 && got > 0)
		got = sendfile(to, from, &at, 1 << 30);
	if (to >= 0)
		close(to);
	return to >= 0 && got == 0;
}

/* SQLite opens by name only, and the upload has none: it gets one for a moment. Where the file system
 * cannot give a name back (http_unnamed_file), a copy gets it. */
static bool give_name(int fd, const char *path)
{
	char self[40];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 || copy(fd, path);
}

static bool open_file(
	struct recovery_sqlite *sqlite, int fd, const char *folder, struct error *error)
{
	char path[PATH_BYTES], uri[PATH_BYTES + 40], id[CRYPTO_UUID_TEXT];
	int status = SQLITE_CANTOPEN;

	crypto_uuid4(id);
	snprintf(path, sizeof(path), "%s/callweave-sqlite-%s", folder, id);
	snprintf(uri, sizeof(uri), "file:%s?mode=ro&immutable=1", path);
	if (!give_name(fd, path))
		error_set(error, ERROR_BUSY, "no room for the file: %s", strerror(errno));
	else
		status = sqlite3_open_v2(uri, &sqlite->db,
			SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	unlink(path);
	if (sqlite->db == NULL)
		return false;
	if (status != SQLITE_OK)
		return failed(sqlite, error);
	distrust(sqlite);
	return true;
}

static bool has_table(struct recovery_sqlite *sqlite, struct error *error)
{
	sqlite3_stmt *statement = NULL;
	bool ok = sqlite3_prepare_v2(sqlite->db, sql_is_table, -1, &statement, NULL) == SQLITE_OK &&
		  sqlite3_step(statement) == SQLITE_ROW;

	if (!ok)
		failed(sqlite, error);
	else if (sqlite3_column_int(statement, 0) != 1)
		ok = error_set(
			error, ERROR_INPUT, "the SQLite file has no table AlternativeAPIlogs");
	sqlite3_finalize(statement);
	return ok;
}

struct recovery_sqlite *recovery_sqlite_new(int fd, const char *folder, struct error *error)
{
	struct recovery_sqlite *sqlite = alloc_zeroed(1, sizeof(*sqlite));

	if (!open_file(sqlite, fd, folder, error) || !has_table(sqlite, error)) {
		recovery_sqlite_free(&sqlite);
	} else if (sqlite3_prepare_v2(sqlite->db, sql_rows, -1, &sqlite->rows, NULL) != SQLITE_OK) {
		failed(sqlite, error);
		recovery_sqlite_free(&sqlite);
	}
	return sqlite;
}

void recovery_sqlite_free(struct recovery_sqlite **sqlite)
{
	if (*sqlite == NULL)
		return;
	sqlite3_finalize((*sqlite)->rows);
	sqlite3_close((*sqlite)->db);
	free(*sqlite);
	*sqlite = NULL;
}

static struct str column(struct recovery_sqlite *sqlite, int index)
{
	const unsigned char *text = sqlite3_column_text(sqlite->rows, index);

	if (text == NULL)
		return STR("");
	return str_of((const char *)text, (size_t)sqlite3_column_bytes(sqlite->rows, index));
}

enum recovery_next recovery_sqlite_next(
	struct recovery_sqlite *sqlite, struct recovery_item *item, struct error *error)
{
	int status;

	sqlite->work_units = 0;
	status = sqlite3_step(sqlite->rows);
	if (status == SQLITE_DONE)
		return RECOVERY_END;
	if (status != SQLITE_ROW) {
		failed(sqlite, error);
		return RECOVERY_BROKEN;
	}
	*item = (struct recovery_item){
		.place = sqlite3_column_int64(sqlite->rows, COLUMN_ID),
		.time = column(sqlite, COLUMN_TIME),
		.event = column(sqlite, COLUMN_EVENT),
		.body = column(sqlite, COLUMN_REQUEST),
	};
	return RECOVERY_ITEM;
}
