/*
 * See peer.h.
 */
#include "putd/peer.h"

#include "wire/cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

static bool describe_address(
    const struct sockaddr_storage *address, char text[PEER_TEXT])
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	char host[INET6_ADDRSTRLEN];

	if (address->ss_family == AF_INET &&
	    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)) != NULL) {
		(void)snprintf(text, PEER_TEXT, "%s:%u", host,
		    (unsigned)ntohs(v4->sin_port));
		return true;
	}
	if (address->ss_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)) != NULL) {
		(void)snprintf(text, PEER_TEXT, "[%s]:%u", host,
		    (unsigned)ntohs(v6->sin6_port));
		return true;
	}
	return false;
}

/* The letters of an address, and no more of them than one has. */
static bool describe_environment(char text[PEER_TEXT])
{
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
		const char *value = getenv(variables[i]);
		size_t length;

		if (value == NULL || value[0] == '\0')
			continue;
		length = strspn(value, "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:%[]_-");
		(void)snprintf(text, PEER_TEXT, "%.*s",
		    (int)(length < PEER_TEXT ? length : PEER_TEXT - 1), value);
		return true;
	}
	return false;
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

void peer_describe(int fd, char text[PEER_TEXT])
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	bool socket = getpeername(fd, (struct sockaddr *)&address, &size) == 0;

	if (socket && describe_address(&address, text))
		return;
	if (describe_environment(text))
		return;
	if (socket && describe_credentials(fd, text))
		return;
	(void)snprintf(text, PEER_TEXT, "pipe");
}
