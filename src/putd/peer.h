/*
 * Who is on the other side, as one word for the log. Knows sockets and what
 * each launcher tells in the environment; reads nothing from the connection.
 */
#ifndef PUTD_PEER_H
#define PUTD_PEER_H

#include "putd/network.h"

#define PEER_TEXT 80 /* bytes: an address, a port, a NUL */

struct peer {
	/* "192.0.2.1:4711", "[2001:db8::1]:4711", "uid 1000 pid 42", "pipe",
	 * or what the environment says. */
	char text[PEER_TEXT];
	/* What the kernel says; AF_UNSPEC where that is no internet address.
	 * Only this one decides whether a PROXY header is believed. */
	struct address address;
};

/*
 * The kernel is asked first; the environment is believed only where the kernel
 * cannot know: on a pipe, and on a Unix socket, behind which stands a launcher
 * (socat, sshd). stunnel talks to what it executes over the loopback
 * interface: REMOTE_HOST is believed there too, if REMOTE_PORT stands beside it
 * and REMOTE_ADDR does not.
 */
void peer_find(int fd, struct peer *ret);

/* The peer is a proxy, and speaks for this address (AF_UNSPEC: for itself). */
void peer_speaks_for(struct peer *peer, const struct address *client);

#endif
