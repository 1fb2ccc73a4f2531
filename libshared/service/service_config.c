/*
 * service_config: see service_config.h. Three tables: the suite's, the address to listen on (whose
 * names are made of the service's), and the service's own.
 */
#include "service_config.h"

#include "alloc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

enum { ARENA_MAX_BYTES = 4 << 20, KEY_MIN_BYTES = 32 };

#define COMMON(member, setting, kind, fallback_text, low, high, words)                             \
	CONFIG_FIELD(                                                                              \
		struct service_settings, member, setting, kind, fallback_text, low, high, words)

static const struct config_field common_table[] = {
	COMMON(log_level, "CALLWEAVE_LOG_LEVEL", CONFIG_TEXT, "info", 4, 5,
		"debug, info, warn or error; read again on SIGHUP"),
	COMMON(log_file, "CALLWEAVE_LOG_FILE", CONFIG_TEXT, "", 0, 0,
		"path of the log, opened again on SIGUSR1; empty: stderr"),
	COMMON(log_show_phones, "CALLWEAVE_LOG_SHOW_PHONES", CONFIG_BOOL, "false", 0, 0,
		"write phone numbers to the log unmasked"),
	COMMON(drain_seconds, "CALLWEAVE_DRAIN_SECONDS", CONFIG_INT, "20", 0, 3600,
		"seconds to finish what is under way after SIGTERM"),
	COMMON(drain_notice_ms, "CALLWEAVE_DRAIN_NOTICE_MS", CONFIG_INT, "200", 0, 60000,
		"milliseconds to go on accepting after SIGTERM while /readyz already says no"),
	COMMON(database_url, "DATABASE_URL", CONFIG_SECRET, "", 0, 0,
		"postgresql://user:password@host:port/database"),
	COMMON(redis_url, "REDIS_URL", CONFIG_SECRET, "", 0, 0,
		"redis://user:password@host:port/database"),
	COMMON(link_key, "CALLWEAVE_LINK_KEY", CONFIG_SECRET, "", 0, 0,
		"key that signs links and buttons, the same for the whole suite, at least 32 "
		"characters; empty: no links"),
	COMMON(internal_secret, "CALLWEAVE_INTERNAL_SECRET", CONFIG_SECRET, "", 0, 0,
		"what the suite's processes show each other, at least 32 characters; empty: what "
		"needs it is refused"),
	COMMON(spool_folder, "CALLWEAVE_SPOOL_FOLDER", CONFIG_TEXT, "/var/tmp", 1, 200,
		"folder on a disk for large requests while they are read"),
	COMMON(public_url, "CALLWEAVE_PUBLIC_URL", CONFIG_TEXT, "", 0, 200,
		"base URL under which people reach the pages of console, without a slash at its "
		"end; "
		"empty: no links"),
	{0},
};

enum { LISTEN_HOST, LISTEN_PORT, LISTEN_TLS_CERT, LISTEN_TLS_KEY, LISTEN_FIELDS };
enum { COMMON_TABLE, LISTEN_TABLE, OWN_TABLE, TABLES };

struct service_config {
	struct arena *arena;
	struct service_settings common;
	struct service_listen listen;
	void *own;
	struct config_field listen_table[LISTEN_FIELDS + 1];
	const struct config_field *tables[TABLES + 1];
	void *targets[TABLES + 1];
};

/* CALLWEAVE_INTEGRATION_CACHE_PORT of "integration-cache" and "PORT". */
static char *setting_name(struct arena *arena, const char *service, const char *what)
{
	char *name = arena_printf(arena, "CALLWEAVE_%s_%s", service, what);

	for (char *c = name; *c != '\0'; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

static void add_tls_fields(struct service_config *config, const struct service_spec *spec)
{
	config->listen_table[LISTEN_TLS_CERT] = (struct config_field){
		.name = setting_name(config->arena, spec->name, "TLS_CERT"),
		.type = CONFIG_TEXT,
		.offset = offsetof(struct service_listen, tls_cert),
		.fallback = "",
		.max = 1000,
		.help = "file of the certificate with its chain (PEM), read again on SIGHUP; "
			"empty: TLS is the proxy's business",
	};
	config->listen_table[LISTEN_TLS_KEY] = (struct config_field){
		.name = setting_name(config->arena, spec->name, "TLS_KEY"),
		.type = CONFIG_TEXT,
		.offset = offsetof(struct service_listen, tls_key),
		.fallback = "",
		.max = 1000,
		.help = "file of its key (PEM)",
	};
}

static void make_listen_table(struct service_config *config, const struct service_spec *spec)
{
	config->listen_table[LISTEN_HOST] = (struct config_field){
		.name = setting_name(config->arena, spec->name, "HOST"),
		.type = CONFIG_TEXT,
		.offset = offsetof(struct service_listen, host),
		.fallback = spec->default_host,
		.min = 2,
		.max = 45,
		.help = "address to listen on, numeric",
	};
	config->listen_table[LISTEN_PORT] = (struct config_field){
		.name = setting_name(config->arena, spec->name, "PORT"),
		.type = CONFIG_INT,
		.offset = offsetof(struct service_listen, port),
		.fallback = arena_printf(config->arena, "%d", spec->default_port),
		.max = 65535,
		.help = "TCP port to listen on; 0: any free one",
	};
	if (spec->may_tls)
		add_tls_fields(config, spec);
}

static struct service_config *make(const struct service_spec *spec)
{
	struct service_config *config = alloc_zeroed(1, sizeof(*config));

	config->arena = arena_new(ARENA_MAX_BYTES);
	config->own = arena_alloc(config->arena, spec->config_bytes + 1); /* there may be none */
	make_listen_table(config, spec);
	config->tables[COMMON_TABLE] = common_table;
	config->tables[LISTEN_TABLE] = config->listen_table;
	config->tables[OWN_TABLE] =
		spec->config; /* NULL, which ends the list, when there is none */
	config->targets[COMMON_TABLE] = &config->common;
	config->targets[LISTEN_TABLE] = &config->listen;
	config->targets[OWN_TABLE] = config->own;
	return config;
}

/* None, or one that nobody guesses. */
static bool check_key(const char *name, struct secret key, struct error *error)
{
	size_t bytes = strlen(key.value);

	if (bytes > 0 && bytes < KEY_MIN_BYTES)
		return error_set(error, ERROR_INPUT, "%s: needs at least %d characters", name,
			KEY_MIN_BYTES);
	return true;
}

/* What a table cannot say about a value. */
static bool check(
	const struct service_config *config, const struct service_spec *spec, struct error *error)
{
	enum log_level level;

	if (!log_level_from(str_from(config->common.log_level), &level))
		return error_set(error, ERROR_INPUT,
			"CALLWEAVE_LOG_LEVEL: takes debug, info, warn or error");
	if (spec->needs_database && config->common.database_url.value[0] == '\0')
		return error_set(error, ERROR_INPUT, "DATABASE_URL: is required");
	if (spec->may_tls &&
		(config->listen.tls_cert[0] == '\0') != (config->listen.tls_key[0] == '\0'))
		return error_set(error, ERROR_INPUT, "%s and %s: only both together",
			config->listen_table[LISTEN_TLS_CERT].name,
			config->listen_table[LISTEN_TLS_KEY].name);
	return check_key("CALLWEAVE_LINK_KEY", config->common.link_key, error) &&
	       check_key("CALLWEAVE_INTERNAL_SECRET", config->common.internal_secret, error);
}

struct service_config *service_config_load(
	const struct service_spec *spec, const char *path, struct error *error)
{
	struct service_config *config = make(spec);

	if (!config_load(config->tables, config->targets, path, config->arena, error) ||
		!check(config, spec, error))
		service_config_free(&config);
	return config;
}

void service_config_free(struct service_config **config)
{
	if (*config == NULL)
		return;
	arena_free(&(*config)->arena);
	free(*config);
	*config = NULL;
}

const struct service_settings *service_config_common(const struct service_config *config)
{
	return &config->common;
}

const struct service_listen *service_config_listen(const struct service_config *config)
{
	return &config->listen;
}

const void *service_config_own(const struct service_config *config)
{
	return config->own;
}

void service_config_print(struct buf *to, const struct service_config *config)
{
	config_print(to, config->tables, config->targets);
}

void service_config_describe(struct buf *to, const struct service_spec *spec)
{
	struct service_config *config = make(spec);

	for (int i = 0; config->tables[i] != NULL; i++) {
		for (const struct config_field *at = config->tables[i]; at->name != NULL; at++)
			(void)buf_printf(to, "  %s=%s\n      %s\n", at->name,
				at->fallback != NULL ? at->fallback : "(required)",
				at->help != NULL ? at->help : "");
	}
	service_config_free(&config);
}
