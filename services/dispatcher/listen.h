/*
 * listen: what the database announces (NOTIFY), passed on to the part that waits for it.
 */
#ifndef DISPATCHER_LISTEN_H
#define DISPATCHER_LISTEN_H

#include "flow.h"

/* The channels' names, ended by NULL: for pg_listen_new(). */
extern const char *const listen_channels[];

extern const struct flow_spec listen_flow;

#endif
