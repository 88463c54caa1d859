/*
 * See network.h.
 */
#include "putd/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of an IPv4 address inside IPv6, before the IPv4 ones. */
#define MAPPED_BITS 96

struct address address_of_bytes(int family, const uint8_t *bytes, uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address address = {.family = family, .port = port};

	if (family == AF_INET6 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		address.family = AF_INET;
		bytes += sizeof(mapped);
	}
	memcpy(address.bytes, bytes, address.family == AF_INET ? 4 : 16);
	return address;
}

struct address address_of_socket(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	if (from->ss_family == AF_INET)
		return address_of_bytes(AF_INET, (const uint8_t *)&v4->sin_addr,
		    ntohs(v4->sin_port));
	if (from->ss_family == AF_INET6)
		return address_of_bytes(
		    AF_INET6, v6->sin6_addr.s6_addr, ntohs(v6->sin6_port));
	return (struct address){.family = AF_UNSPEC};
}

bool address_is_loopback(const struct address *address)
{
	static const uint8_t one[16] = {[15] = 1};

	if (address->family == AF_INET)
		return address->bytes[0] == 127;
	return address->family == AF_INET6 &&
	       memcmp(address->bytes, one, sizeof(one)) == 0;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(address->family, address->bytes, host, sizeof(host));
	(void)snprintf(text, ADDRESS_TEXT,
	    address->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
	    (unsigned)address->port);
}

/* "ADDRESS" or "ADDRESS/BITS", which is altered. */
static int parse_network(char *text, struct network *ret)
{
	char *slash = strchr(text, '/');
	uint8_t bytes[16];
	unsigned limit = 32;
	char *end;
	unsigned long bits;
	int family = AF_INET;

	if (slash != NULL)
		*slash = '\0';
	if (inet_pton(AF_INET, text, bytes) != 1) {
		family = AF_INET6;
		limit = 128;
		if (inet_pton(AF_INET6, text, bytes) != 1)
			return -EINVAL;
	}
	bits = limit;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		bits = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || bits > limit)
			return -EINVAL;
	}
	ret->address = address_of_bytes(family, bytes, 0);
	ret->bits = (unsigned)bits;
	/* ::ffff:192.0.2.0/120 is 192.0.2.0/24; ::/0 stays what it is. */
	if (family == AF_INET6 && ret->address.family == AF_INET) {
		if (bits < MAPPED_BITS)
			return -EINVAL;
		ret->bits -= MAPPED_BITS;
	}
	return 0;
}

int networks_parse(const char *text, struct networks *ret)
{
	struct networks networks = {.count = 0};

	for (;;) {
		size_t length = strcspn(text, ",");
		char one[ADDRESS_TEXT];

		if (networks.count == NETWORKS_MAX)
			return -E2BIG;
		if (length >= sizeof(one))
			return -EINVAL;
		memcpy(one, text, length);
		one[length] = '\0';
		if (parse_network(one, &networks.list[networks.count++]) < 0)
			return -EINVAL;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*ret = networks;
	return 0;
}

static bool contains(
    const struct network *network, const struct address *address)
{
	const uint8_t *a = network->address.bytes, *b = address->bytes;
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	return network->address.family == address->family &&
	       memcmp(a, b, whole) == 0 &&
	       (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool networks_contain(
    const struct networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->count; i++)
		if (contains(&networks->list[i], address))
			return true;
	return false;
}
