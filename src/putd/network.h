/*
 * Addresses and networks of IPv4 and IPv6, as numbers. An IPv4 address inside
 * IPv6 (::ffff:192.0.2.1, as a socket for both sees it) is the IPv4 address.
 * It touches no descriptor.
 */
#ifndef PUTD_NETWORK_H
#define PUTD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NETWORKS_MAX 32
#define ADDRESS_TEXT 64 /* bytes of "[V6]:PORT", its NUL included */

struct address {
	int family;	   /* AF_INET, AF_INET6; AF_UNSPEC: none */
	uint8_t bytes[16]; /* 4 or 16 of them, in network order */
	uint16_t port;
};

struct network {
	struct address address;
	unsigned bits; /* of the prefix */
};

struct networks {
	struct network list[NETWORKS_MAX];
	size_t count;
};

/* AF_UNSPEC where it is no internet address. */
struct address address_of_socket(const struct sockaddr_storage *from);
struct address address_of_bytes(
    int family, const uint8_t *bytes, uint16_t port);

/* 127.0.0.0/8 and ::1. */
bool address_is_loopback(const struct address *address);

/* "192.0.2.1:4711", "[2001:db8::1]:4711". */
void address_format(const struct address *address, char text[ADDRESS_TEXT]);

/* "192.0.2.0/24,2001:db8::/32,127.0.0.1". Returns 0, -EINVAL, -E2BIG. */
int networks_parse(const char *text, struct networks *ret);
bool networks_contain(
    const struct networks *networks, const struct address *address);

#endif
