/*
 * address: see address.h. The table is the IANA registries of special-purpose IPv4 and IPv6
 * addresses (RFC 6890 and its successors), all ranges that are not globally reachable.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

enum { V4_OFFSET = 12, V4_BITS = 96 };

static const unsigned char v4_prefix[V4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void address_from_v4(const unsigned char bytes[4], struct address *address)
{
	memcpy(address->bytes, v4_prefix, sizeof(v4_prefix));
	memcpy(address->bytes + V4_OFFSET, bytes, 4);
}

bool address_from_socket(const void *socket_address, size_t size_bytes, struct address *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_UNSPEC};
	struct sockaddr_in6 v6 = {.sin6_family = AF_UNSPEC};

	memcpy(&v4, socket_address, size_bytes < sizeof(v4) ? size_bytes : sizeof(v4));
	memcpy(&v6, socket_address, size_bytes < sizeof(v6) ? size_bytes : sizeof(v6));
	if (v4.sin_family == AF_INET && size_bytes >= sizeof(v4))
		address_from_v4((const unsigned char *)&v4.sin_addr, address);
	else if (v6.sin6_family == AF_INET6 && size_bytes >= sizeof(v6))
		memcpy(address->bytes, &v6.sin6_addr, sizeof(address->bytes));
	else
		return false;
	return true;
}

static bool is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool address_read(struct str text, struct address *address)
{
	unsigned char v4[4];
	char copy[ADDRESS_TEXT_BYTES];

	if (text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']')
		text = str_of(text.data + 1, text.size - 2);
	if (!str_copy(copy, sizeof(copy), text) || strlen(copy) != text.size)
		return false;
	if (inet_pton(AF_INET, copy, v4) == 1) {
		address_from_v4(v4, address);
		return true;
	}
	return inet_pton(AF_INET6, copy, address->bytes) == 1;
}

void address_text(const struct address *address, char to[ADDRESS_TEXT_BYTES])
{
	const void *bytes = address->bytes;

	to[0] = '\0';
	if (is_v4(address))
		(void)inet_ntop(AF_INET, address->bytes + V4_OFFSET, to, ADDRESS_TEXT_BYTES);
	else
		(void)inet_ntop(AF_INET6, bytes, to, ADDRESS_TEXT_BYTES);
}

/* -- ranges ------------------------------------------------------------------------------------------ */

static bool in_range(const struct address *address, const struct address_range *range)
{
	unsigned whole = range->bits / 8, rest = range->bits % 8;
	unsigned mask = rest > 0 ? (0xff00U >> rest) & 0xffU : 0;

	if (memcmp(address->bytes, range->address.bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((address->bytes[whole] ^ range->address.bytes[whole]) & (unsigned char)mask) == 0;
}

static const char *const special[] = {
	"0.0.0.0/8",	   /* this network */
	"10.0.0.0/8",	   /* private */
	"100.64.0.0/10",   /* shared by a carrier's customers */
	"127.0.0.0/8",	   /* loopback */
	"169.254.0.0/16",  /* link-local, metadata services */
	"172.16.0.0/12",   /* private */
	"192.0.0.0/24",	   /* protocol assignments */
	"192.0.2.0/24",	   /* documentation */
	"192.31.196.0/24", /* AS112 */
	"192.52.193.0/24", /* AMT */
	"192.88.99.0/24",  /* former 6to4 relays */
	"192.168.0.0/16",  /* private */
	"192.175.48.0/24", /* AS112 */
	"198.18.0.0/15",   /* benchmarks */
	"198.51.100.0/24", /* documentation */
	"203.0.113.0/24",  /* documentation */
	"224.0.0.0/4",	   /* multicast */
	"240.0.0.0/4",	   /* reserved, broadcast */
	"::/96",	   /* unspecified, loopback, the former IPv4-compatible */
	"64:ff9b:1::/48",  /* local NAT64 */
	"100::/64",	   /* discard */
	"2001::/23",	   /* protocol assignments, Teredo, ORCHID */
	"2001:db8::/32",   /* documentation */
	"3fff::/20",	   /* documentation */
	"5f00::/16",	   /* segment routing */
	"fc00::/7",	   /* unique local */
	"fe80::/10",	   /* link-local */
	"fec0::/10",	   /* former site-local */
	"ff00::/8",	   /* multicast */
};

static bool read_range(struct str text, struct address_range *range)
{
	struct str rest = text, address = str_cut(&rest, '/');
	unsigned offset;
	int64_t bits;

	if (!address_read(address, &range->address))
		return false;
	offset = is_v4(&range->address) && memchr(address.data, ':', address.size) == NULL ? V4_BITS
											   : 0;
	if (rest.data == NULL) {
		range->bits = 128;
		return true;
	}
	if (!str_to_int64(rest, &bits) || bits < 0 || bits > 128 - (int)offset)
		return false;
	range->bits = offset + (unsigned)bits;
	return true;
}

/* The IPv4 address that an IPv6 one stands for, where a relay or translator would send it to. */
static bool carried_v4(const struct address *address, struct address *v4)
{
	static const unsigned char nat64[V4_OFFSET] = {0x00, 0x64, 0xff, 0x9b};

	if (address->bytes[0] == 0x20 && address->bytes[1] == 0x02) { /* 6to4 */
		address_from_v4(address->bytes + 2, v4);
		return true;
	}
	if (memcmp(address->bytes, nat64, sizeof(nat64)) == 0) {
		address_from_v4(address->bytes + V4_OFFSET, v4);
		return true;
	}
	return false;
}

static bool is_special(const struct address *address)
{
	struct address_range range;

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (read_range(str_from(special[i]), &range) && in_range(address, &range))
			return true;
	}
	return false;
}

bool address_is_public(const struct address *address)
{
	struct address v4;

	if (is_special(address))
		return false;
	return !carried_v4(address, &v4) || !is_special(&v4);
}

/* -- lists ------------------------------------------------------------------------------------------- */

static struct str next_word(struct str *rest)
{
	size_t start = 0, end;

	while (start < rest->size && strchr(" ,\t\r\n", rest->data[start]) != NULL)
		start++;
	for (end = start; end < rest->size && strchr(" ,\t\r\n", rest->data[end]) == NULL;)
		end++;
	struct str word = str_of(rest->data + start, end - start);

	*rest = str_of(rest->data + end, rest->size - end);
	return word;
}

bool address_list_read(struct str text, struct address_list *list, struct error *error)
{
	list->count = 0;
	for (;;) {
		struct str word = next_word(&text);

		if (word.size == 0)
			return true;
		if (list->count == ADDRESS_LIST_MAX)
			return error_set(
				error, ERROR_INPUT, "more than %d addresses", ADDRESS_LIST_MAX);
		if (!read_range(word, &list->ranges[list->count]))
			return error_set(error, ERROR_INPUT,
				"%.*s is no address and no range of addresses", STR_ARG(word));
		list->count++;
	}
}

bool address_list_has(const struct address_list *list, const struct address *address)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (in_range(address, &list->ranges[i]))
			return true;
	}
	return false;
}
