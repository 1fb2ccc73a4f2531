/*
 * numeric_address: see numeric_address.h.
 */
#include "numeric_address.h"

#include <stdio.h>
#include <sys/socket.h>

struct addrinfo *numeric_address(const char *host, int port, struct error *error)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char service[12];

	if (port < 0 || port > 65535) {
		error_set(error, ERROR_INPUT, "%d is no port", port);
		return NULL;
	}
	snprintf(service, sizeof(service), "%d", port);
	if (host[0] == '\0' || getaddrinfo(host, service, &hints, &found) != 0) {
		error_set(error, ERROR_INPUT, "%s is not a numeric address", host);
		return NULL;
	}
	return found;
}
