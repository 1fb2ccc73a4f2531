/*
 * console: the process' own struct, and the stories of its routes.
 *
 * It shows and never changes: every statement that it sends is a SELECT.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "http_server.h"
#include "pg.h"
#include "schema.h"
#include "service.h"

struct console {
	struct service *service;
	struct pg *pg;
	struct schema *schema;
};

extern const struct service_spec console_spec;			  /* main.c */
extern const struct flow_spec call_flow;			  /* call_flow.c */
extern const struct flow_spec customer_flow;			  /* customer_flow.c */
extern const struct flow_spec home_flow, file_flow, openapi_flow; /* pages.c */

#endif
