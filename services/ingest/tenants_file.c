/*
 * tenants_file: the last good table of enterprises on disk, for a start without PostgreSQL.
 */
#include "arena.h"
#include "json.h"
#include "tenants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MAX_BYTES = 64 * 1024 * 1024,
	FILE_ARENA_BYTES = 128 * 1024 * 1024,
	MAX_ENTERPRISES = 200000,
	READ_BYTES = 65536,
};

struct snapshot {
	struct json_list enterprises;
};

static const struct json_field enterprise_fields[] = {
	JSON_FIELD(struct enterprise, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct enterprise, name2, JSON_STRING, 0),
	JSON_FIELD(struct enterprise, secret, JSON_STRING, 0),
	JSON_FIELD_AS(struct enterprise, zone_name, "zone", JSON_STRING, 0),
	JSON_FIELD(struct enterprise, shard, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct enterprise, active, JSON_BOOL, JSON_REQUIRED),
	JSON_FIELD(struct enterprise, debug_log, JSON_BOOL, 0),
	{0},
};

static const struct json_field snapshot_fields[] = {
	{.name = "enterprises",
		.type = JSON_LIST,
		.offset = offsetof(struct snapshot, enterprises),
		.flags = JSON_REQUIRED,
		.fields = enterprise_fields,
		.size_bytes = sizeof(struct enterprise),
		.max_count = MAX_ENTERPRISES},
	{0},
};

static bool write_all(int fd, struct str text)
{
	while (text.size > 0) {
		ssize_t done = write(fd, text.data, text.size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text = str_of(text.data + done, text.size - (size_t)done);
	}
	return true;
}

/* Whole or not at all, also when the power goes: beside it, synced, then renamed over it. */
static bool replace_file(const char *path, struct str text, struct error *error)
{
	char beside[600];
	bool written;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(error, ERROR_INTERNAL, "%s: %s", beside, strerror(errno));
	written = write_all(fd, text) && fsync(fd) == 0;
	if (close(fd) != 0 || !written || rename(beside, path) != 0)
		return error_set(error, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
	return true;
}

static bool read_file(const char *path, struct buf *text, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *room;
	ssize_t got = 1;

	if (fd < 0)
		return error_set(error, ERROR_MISSING, "%s: %s", path, strerror(errno));
	while (got > 0 && (room = buf_reserve(text, READ_BYTES)) != NULL) {
		got = read(fd, room, READ_BYTES);
		if (got > 0)
			buf_grew(text, (size_t)got);
	}
	close(fd);
	return got == 0 || error_set(error, ERROR_INTERNAL, "%s: cannot be read", path);
}

/* Most loads find nothing new: then nothing is written and nothing synced. */
static bool is_kept(const char *path, struct str text)
{
	struct buf kept;
	bool same;

	buf_init(&kept, FILE_MAX_BYTES);
	same = read_file(path, &kept, NULL) && str_equal(buf_str(&kept), text);
	buf_free(&kept);
	return same;
}

bool tenants_save(const struct tenants *tenants, const char *path, struct error *error)
{
	struct snapshot snapshot = {.enterprises = tenants_rows(tenants)};
	struct buf text;
	bool ok;

	buf_init(&text, FILE_MAX_BYTES);
	json_write(&text, snapshot_fields, &snapshot);
	if (text.failed)
		ok = error_set(error, ERROR_INTERNAL, "%s: too many enterprises to keep", path);
	else
		ok = is_kept(path, buf_str(&text)) || replace_file(path, buf_str(&text), error);
	buf_free(&text);
	return ok;
}

static struct tenants *from_text(struct str text, struct error *error)
{
	struct json_limits limits = {FILE_MAX_BYTES, 4};
	struct json *json = json_parse(text, limits, error);
	struct arena *arena = arena_new(FILE_ARENA_BYTES);
	struct snapshot snapshot = {0};
	struct tenants *tenants = NULL;

	if (json != NULL && json_read(json, snapshot_fields, &snapshot, arena, error))
		tenants = tenants_new(snapshot.enterprises.items, snapshot.enterprises.count);
	arena_free(&arena);
	json_free(&json);
	return tenants;
}

struct tenants *tenants_load(const char *path, struct error *error)
{
	struct tenants *tenants = NULL;
	struct buf text;

	buf_init(&text, FILE_MAX_BYTES);
	if (read_file(path, &text, error))
		tenants = from_text(buf_str(&text), error);
	if (tenants == NULL)
		error_prefix(error, "the kept table of enterprises: ");
	buf_free(&text);
	return tenants;
}
