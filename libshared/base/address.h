/*
 * address: numeric addresses of hosts: is one of the public internet, is it on a list?
 *
 * For requests whose target a tenant chose: those must not reach our own machine, our own network or
 * a cloud's metadata service, unless an operator allowed it.
 */
#ifndef CALLWEAVE_ADDRESS_H
#define CALLWEAVE_ADDRESS_H

#include "error.h"
#include "str.h"

/* IPv4 is kept as IPv6 ::ffff:a.b.c.d, so that there is one form to compare. */
struct address {
	unsigned char bytes[16];
};

/* "127.0.0.1", "::1", "[::1]"; no names. */
bool address_read(struct str text, struct address *address);
void address_from_v4(const unsigned char bytes[4], struct address *address);
/* Of a struct sockaddr of that size; false when it is neither IPv4 nor IPv6. */
bool address_from_socket(const void *socket_address, size_t size_bytes, struct address *address);

#define ADDRESS_TEXT_BYTES 46
void address_text(const struct address *address, char to[ADDRESS_TEXT_BYTES]);

/* False for all that the IANA registries of special-purpose addresses keep from the public internet
 * (loopback, private, link-local with the metadata services, shared, multicast, documentation,
 * benchmarks, reserved), and for addresses that carry such an IPv4 address (6to4, NAT64). */
bool address_is_public(const struct address *address);

/* -- lists ------------------------------------------------------------------------------------------- */

#define ADDRESS_LIST_MAX 64

struct address_range {
	struct address address;
	unsigned bits; /* of the prefix, of 128 */
};

struct address_list {
	struct address_range ranges[ADDRESS_LIST_MAX];
	unsigned count;
};

/* Addresses and CIDR ranges, apart by spaces or commas: "127.0.0.1 10.0.0.0/8 fd00::/8"; "" is none. */
bool address_list_read(struct str text, struct address_list *list, struct error *error);
bool address_list_has(const struct address_list *list, const struct address *address);

#endif
