/*
 * service: what every callweave process has, so that its main.c is a table of contents.
 *
 * Arguments (--help --version --check-config --healthcheck --config FILE), configuration, logs,
 * signals (TERM and INT drain, a second one or QUIT stops at once, HUP re-reads the log level, USR1
 * reopens logs), health, metrics, sd_notify, socket activation (the first passed socket).
 * Every service answers /livez /readyz /healthz /version /metrics on its own port.
 */
#ifndef CALLWEAVE_SERVICE_H
#define CALLWEAVE_SERVICE_H

#include "config.h"
#include "flow.h"
#include "http_server.h"
#include "metrics.h"

struct service;

/* A condition of readiness, asked on each /readyz. NULL reason: fine. */
struct service_check {
	const char *name; /* "postgresql"; NULL ends the table */
	const char *(*why_not)(void *context);
};

struct service_spec {
	const char *name;    /* "ingest" */
	const char *summary; /* one line for --help */
	const struct config_field *config;
	size_t config_bytes;
	const char *default_host; /* "127.0.0.1", or "0.0.0.0" on the public side */
	int default_port;
	const struct http_route *routes;
	const struct service_check *checks;
	size_t max_body_bytes; /* 0: 64 KiB */
	/* As in http_server_options. */
	bool loose_slashes, show_trace;
	void (*seen)(void *context, const struct http_seen *seen);
	bool may_tls;	      /* settings TLS_CERT and TLS_KEY: it may end TLS itself */
	bool needs_database;  /* without DATABASE_URL it does not start */
	const void *argument; /* for start(): see service_argument() */
	/* Build the service's own struct: it becomes flow_context() of its flows and requests. NULL
	 * with an error stops the start. */
	void *(*start)(struct service *service, struct error *error);
	/* Begin to end: called once when the drain starts; may be NULL. From then on new connections
	 * are refused; requests under way are answered. */
	void (*drain)(void *context);
	/* True when nothing is left to do; asked while draining; NULL: at once. */
	bool (*drained)(void *context);
	/* Free it all, the mirror of start. Every flow has been cancelled before. */
	void (*stop)(void *context);
};

/* main() of a service. Exit codes: 0 after a clean drain, 1 a failure, 2 wrong usage or config. */
int service_main(int argc, char **argv, const struct service_spec *spec);

/* For start(): */
struct loop *service_loop(struct service *service);
const void *service_config(struct service *service);   /* the struct that spec->config describes */
const void *service_argument(struct service *service); /* spec->argument */
struct metrics *service_metrics(struct service *service);
const struct log_context *service_log(struct service *service);
struct log *service_log_sink(struct service *service);
/* Is it a path that every service answers (/livez and its like)? */
bool service_has_path(struct str path);
int service_port(struct service *service);

/* Settings that all services share, each read from CALLWEAVE_<NAME>: see service_config.c.
 * DATABASE_URL and REDIS_URL are read under these names without prefix; "" when not set. */
const char *service_database_url(struct service *service);
const char *service_redis_url(struct service *service);

/* The key of signed.h (empty, or at least 32 bytes) and where its links lead; "" when not set. */
struct str service_link_key(struct service *service);
const char *service_public_url(struct service *service);
/* What our processes show each other on loopback, as the request header below; "" when not set, else at
 * least 32 characters. Compare with str_equal_secret(). */
struct str service_internal_secret(struct service *service);
#define SERVICE_SECRET_HEADER "X-Callweave-Secret"
/* For files without a name: http_unnamed_file(). */
const char *service_spool_folder(struct service *service);

/* The schema that this program needs; the service is not ready while the database is older. */
#define SERVICE_SCHEMA_VERSION 16

#endif
