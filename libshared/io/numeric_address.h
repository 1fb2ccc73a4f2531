/*
 * numeric_address: an address and a port as the sockets' own structs. Private to io.
 *
 * Numeric only: resolving a name would block the loop.
 */
#ifndef CALLWEAVE_NUMERIC_ADDRESS_H
#define CALLWEAVE_NUMERIC_ADDRESS_H

#include "error.h"

#include <netdb.h>

/* To be freed by freeaddrinfo(); NULL with words when it is none. */
struct addrinfo *numeric_address(const char *host, int port, struct error *error);

#endif
