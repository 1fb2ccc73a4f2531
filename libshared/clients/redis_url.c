/*
 * redis_url: see redis_url.h. Form: the "redis" scheme as registered with IANA.
 */
#include "redis_url.h"

#include "uri.h"

enum { DEFAULT_PORT = 6379 };

static bool text_of(struct str encoded, struct arena *arena, const char **text)
{
	struct str decoded;

	if (!uri_decode(encoded, false, arena, &decoded))
		return false;
	*text = arena_strndup(arena, decoded.data, decoded.size);
	return true;
}

/* "user:password" or ":password" or, as many write it, "password" alone. */
static bool read_login(struct str login, struct arena *arena, struct redis_url *parts)
{
	struct str rest = login;
	struct str first = str_cut(&rest, ':');

	if (rest.data == NULL)
		return text_of(first, arena, &parts->password);
	return text_of(first, arena, &parts->user) && text_of(rest, arena, &parts->password);
}

static bool read_number(struct str text, int64_t min, int64_t max, int *number)
{
	int64_t value;

	if (!str_to_int64(text, &value) || value < min || value > max)
		return false;
	*number = (int)value;
	return true;
}

/* "host:port" or "[::1]:port". */
static bool read_address(struct str address, struct arena *arena, struct redis_url *parts)
{
	struct str host, port;

	if (str_starts(address, STR("["))) {
		port = str_of(address.data + 1, address.size - 1);
		host = str_cut(&port, ']');
		if (str_starts(port, STR(":")))
			port = str_of(port.data + 1, port.size - 1);
	} else {
		port = address;
		host = str_cut(&port, ':');
	}
	if (host.size == 0)
		return false;
	parts->host = arena_strndup(arena, host.data, host.size);
	return port.size == 0 || read_number(port, 1, 65535, &parts->port);
}

static struct str after_last_at(struct str text, struct str *login)
{
	for (size_t i = text.data != NULL ? text.size : 0; i > 0; i--) {
		if (text.data[i - 1] == '@') {
			*login = str_of(text.data, i - 1);
			return str_of(text.data + i, text.size - i);
		}
	}
	return text;
}

static bool read_network(struct str rest, struct arena *arena, struct redis_url *parts)
{
	struct str login = {NULL, 0};
	struct str address, database;

	rest = after_last_at(rest, &login);
	database = rest;
	address = str_cut(&database, '/');
	return (login.data == NULL || read_login(login, arena, parts)) &&
	       read_address(address, arena, parts) &&
	       (database.size == 0 || read_number(database, 0, 1024, &parts->database));
}

bool redis_url_parse(
	const char *url, struct arena *arena, struct redis_url *parts, struct error *error)
{
	struct str text = str_from(url);

	*parts = (struct redis_url){.user = "", .password = "", .port = DEFAULT_PORT};
	if (str_starts(text, STR("unix:"))) {
		struct str path = str_of(text.data + 5, text.size - 5);

		while (str_starts(path, STR("//")))
			path = str_of(path.data + 1, path.size - 1);
		parts->path = arena_strndup(arena, path.data, path.size);
		if (path.size > 1)
			return true;
	} else if (str_starts(text, STR("redis://")) &&
		   read_network(str_of(text.data + 8, text.size - 8), arena, parts)) {
		return true;
	}
	return error_set(error, ERROR_INPUT,
		"REDIS_URL: write it as redis://[user:password@]host:port[/db] or unix:/path");
}
