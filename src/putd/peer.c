/*
 * See peer.h.
 */
#include "putd/peer.h"

#include "wire/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* In the order in which they are believed. */
static const char *const variables[] = {
    "REMOTE_ADDR",	/* systemd */
    "REMOTE_HOST",	/* xinetd, stunnel */
    "TCPREMOTEIP",	/* tcpserver */
    "SOCAT_PEERADDR",	/* socat */
    "NCAT_REMOTE_ADDR", /* ncat */
    "SSH_CONNECTION",	/* sshd: the first word */
};

/* The letters of an address, and no more of them than one has. */
static bool describe_variable(const char *name, char text[PEER_TEXT])
{
	const char *value = getenv(name);
	size_t length = 0;

	if (value != NULL)
		length = strspn(value, "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:%[]_-");
	if (length == 0)
		return false;
	(void)snprintf(text, PEER_TEXT, "%.*s",
	    (int)(length < PEER_TEXT ? length : PEER_TEXT - 1), value);
	return true;
}

static bool describe_environment(char text[PEER_TEXT])
{
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
		if (describe_variable(variables[i], text))
			return true;
	return false;
}

/* stunnel tells both of these, and talks to what it executes over the loopback
 * interface; no other launcher does so. */
static bool describe_tunnel(const struct address *kernel, char text[PEER_TEXT])
{
	return address_is_loopback(kernel) && getenv("REMOTE_ADDR") == NULL &&
	       getenv("REMOTE_PORT") != NULL &&
	       describe_variable("REMOTE_HOST", text);
}

static bool describe_credentials(int fd, char text[PEER_TEXT])
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	(void)snprintf(text, PEER_TEXT, "uid %u pid %d", (unsigned)peer.uid,
	    (int)peer.pid);
	return true;
}

void peer_find(int fd, struct peer *ret)
{
	struct sockaddr_storage from = {0};
	socklen_t size = sizeof(from);
	bool socket = getpeername(fd, (struct sockaddr *)&from, &size) == 0;

	ret->address = address_of_socket(&from);
	if (ret->address.family != AF_UNSPEC) {
		if (!describe_tunnel(&ret->address, ret->text))
			address_format(&ret->address, ret->text);
	} else if (!describe_environment(ret->text) &&
		   !(socket && describe_credentials(fd, ret->text))) {
		(void)snprintf(ret->text, PEER_TEXT, "pipe");
	}
}

void peer_speaks_for(struct peer *peer, const struct address *client)
{
	if (client->family != AF_UNSPEC)
		address_format(client, peer->text);
}
