/*
 * service_config: the settings that all services share, and a service's own beside them. Private
 * to service.
 */
#ifndef CALLWEAVE_SERVICE_CONFIG_H
#define CALLWEAVE_SERVICE_CONFIG_H

#include "service.h"

struct service_settings {
	const char *log_level; /* one of debug, info, warn, error */
	const char *log_file;
	bool log_show_phones;
	int64_t drain_seconds;
	int64_t drain_notice_ms;
	struct secret database_url;
	struct secret link_key, internal_secret;
	const char *public_url;
	const char *spool_folder;
	struct secret redis_url;
};

struct service_listen {
	const char *host;
	int64_t port;
	const char *tls_cert, *tls_key; /* NULL or "": without TLS */
};

static inline bool service_listen_tls(const struct service_listen *listen)
{
	return listen->tls_cert != NULL && listen->tls_cert[0] != '\0';
}

/* All that was read, in one arena. The caller owns it. */
struct service_config;

/* NULL with words that name the setting. */
struct service_config *service_config_load(
	const struct service_spec *spec, const char *path, struct error *error);
void service_config_free(struct service_config **config);

const struct service_settings *service_config_common(const struct service_config *config);
const struct service_listen *service_config_listen(const struct service_config *config);
const void *service_config_own(const struct service_config *config);

/* As NAME=value lines, secrets as ***. */
void service_config_print(struct buf *to, const struct service_config *config);

/* For --help: every setting with its default, no values. */
void service_config_describe(struct buf *to, const struct service_spec *spec);

#endif
