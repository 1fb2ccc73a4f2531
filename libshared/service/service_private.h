/*
 * service_private: what the skeleton's files share.
 */
#ifndef CALLWEAVE_SERVICE_PRIVATE_H
#define CALLWEAVE_SERVICE_PRIVATE_H

#include "service.h"
#include "service_config.h"
#include "service_process.h"

struct service {
	const struct service_spec *spec;
	const char *config_path;
	struct service_config *config;
	struct log *sink;
	struct log_context log;
	struct loop *loop;
	struct metrics *metrics;
	struct service_process process;
	struct http_server *server;
	void *context; /* what spec->start() built */

	bool draining;
	bool failed; /* the exit code is 1 */
};

/* /livez /readyz /healthz /version /metrics; their flows' context is the struct service. */
extern const struct http_route service_routes[];

/* The first check that fails: "postgresql: not connected"; NULL: all is well. In `words`. */
const char *service_why_not(const struct service *service, char *words, size_t capacity);

/* Ask a running instance at the configured address for /readyz. Exit code: 0 ready, 1 not. */
int service_healthcheck(const struct service_listen *listen);

/* Watch signals, the drain and systemd's watchdog while the loop runs. */
struct service_signals;
struct service_signals *service_signals_new(struct service *service);
void service_signals_free(struct service_signals **signals);

#endif
