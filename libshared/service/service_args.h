/*
 * service_args: the command line that every service understands. Private to service.
 */
#ifndef CALLWEAVE_SERVICE_ARGS_H
#define CALLWEAVE_SERVICE_ARGS_H

#include "error.h"

struct service_args {
	bool help, version, check_config, healthcheck;
	const char *config_path; /* NULL: none */
};

bool service_args_read(struct service_args *args, int argc, char **argv, struct error *error);

#endif
