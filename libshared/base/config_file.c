/*
 * config_file: what docker, systemd and a shell all take as an environment file, and no more:
 * one NAME=value a line, whole-line # comments, a value may stand in a pair of quotes.
 */
#include "config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static ssize_t read_all(int fd, char *to, size_t capacity)
{
	size_t size = 0;

	while (size < capacity) {
		ssize_t got = read(fd, to + size, capacity - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	return (ssize_t)size;
}

const char *config_file_read(const char *path, struct arena *arena, struct error *error)
{
	/* A byte more than is allowed tells a file that is too long from one that just fits. */
	char text[CONFIG_FILE_MAX_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t size = fd >= 0 ? read_all(fd, text, sizeof(text)) : -1;
	int failure = errno;

	if (fd >= 0)
		close(fd);
	if (size < 0) {
		error_set(error, ERROR_INPUT, "cannot read %s: %s", path, strerror(failure));
		return NULL;
	}
	if ((size_t)size > CONFIG_FILE_MAX_BYTES) {
		error_set(error, ERROR_INPUT, "%s: longer than %d bytes", path,
			CONFIG_FILE_MAX_BYTES);
		return NULL;
	}
	if (memchr(text, '\0', (size_t)size) != NULL) {
		error_set(error, ERROR_INPUT, "%s: holds a NUL byte", path);
		return NULL;
	}
	return arena_strndup(arena, text, (size_t)size);
}

/* Capitals, as the tables have them: a lower-case name is a slip, not another setting. */
static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];

		if (!((c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return name.size > 0;
}

/* A pair of quotes only; nothing inside is expanded or escaped. */
static struct str unquote(struct str value)
{
	char quote = value.size >= 2 ? value.data[0] : '\0';

	if ((quote == '"' || quote == '\'') && value.data[value.size - 1] == quote)
		return str_of(value.data + 1, value.size - 2);
	return value;
}

/* Errors do not repeat the line: it may hold a secret. */
static bool parse_line(
	struct str line, struct table *values, struct arena *arena, struct error *error)
{
	bool has_value = line.size > 0 && memchr(line.data, '=', line.size) != NULL;
	struct str value = line;
	struct str name = str_trim(str_cut(&value, '='));

	value = unquote(str_trim(value));
	if (!has_value || !is_name(name))
		return error_set(error, ERROR_INPUT, "not NAME=value");
	if (table_get(values, name) != NULL)
		return error_set(error, ERROR_INPUT, "%.*s is set a second time", STR_ARG(name));
	table_put(values, name, arena_strndup(arena, value.data, value.size));
	return true;
}

bool config_file_parse(
	struct str text, struct table *values, struct arena *arena, struct error *error)
{
	for (int number = 1; text.data != NULL; number++) {
		struct str line = str_trim(str_cut(&text, '\n'));

		if (line.size == 0 || line.data[0] == '#')
			continue;
		if (!parse_line(line, values, arena, error))
			return error_prefix(error, "line %d: ", number);
	}
	return true;
}
