/*
 * service_process: what the process asks of its system, and what it tells about itself. Private
 * to service.
 */
#ifndef CALLWEAVE_SERVICE_PROCESS_H
#define CALLWEAVE_SERVICE_PROCESS_H

#include "metrics.h"

/* Files for the group at most, as many descriptors as are allowed, no SIGPIPE. */
void service_process_prepare(void);

struct service_process {
	struct metric *memory, *files, *cpu;
};
void service_process_register(
	struct service_process *process, struct metrics *metrics, const char *service);
void service_process_measure(struct service_process *process);

#endif
