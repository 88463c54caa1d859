/*
 * See address.h.
 */
#include "put/address.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#define PORT_NUMBER_MAX 65535

/* A number from 1 to 65535; anything with a letter may be a service's name. */
static bool port_valid(const char *port)
{
	unsigned long number = 0;

	if (strlen(port) > PORT_MAX || *port == '\0')
		return false;
	if (port[strspn(port, "0123456789")] != '\0')
		return true;
	for (; *port != '\0' && number <= PORT_NUMBER_MAX; port++)
		number = number * 10 + (unsigned long)(*port - '0');
	return number >= 1 && number <= PORT_NUMBER_MAX;
}

/* `host` is not terminated: it is followed by ':' or ']'. */
static const char *set_host_port(
    struct address *address, const char *host, size_t length, const char *port)
{
	if (length == 0)
		return "the host is missing";
	if (length > HOST_MAX)
		return "the host is too long";
	if (!port_valid(port))
		return "the port is not a number from 1 to 65535";
	memcpy(address->host, host, length);
	address->host[length] = '\0';
	memcpy(address->port, port, strlen(port) + 1);
	return NULL;
}

static const char *parse_tcp(struct address *address)
{
	const char *text = address->text;
	const char *colon = strrchr(text, ':');

	if (*text == '[') {
		const char *bracket = strchr(text, ']');

		if (bracket == NULL || bracket[1] != ':')
			return "not of the form [V6]:PORT";
		return set_host_port(address, text + 1,
		    (size_t)(bracket - text - 1), bracket + 2);
	}
	if (colon == NULL)
		return "not HOST:PORT, [V6]:PORT, unix:PATH or exec:COMMAND";
	if (memchr(text, ':', (size_t)(colon - text)) != NULL)
		return "an IPv6 address stands in brackets: [V6]:PORT";
	return set_host_port(address, text, (size_t)(colon - text), colon + 1);
}

static const char *parse_target(struct address *address, const char *target)
{
	size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);

	address->target = target;
	if (*target == '\0')
		return address->transport == TRANSPORT_UNIX
			   ? "the path is missing"
			   : "the command is missing";
	if (address->transport == TRANSPORT_UNIX && strlen(target) >= room)
		return "the path is too long for a socket (107 bytes)";
	return NULL;
}

int address_parse(const char *text, struct address *ret, const char **ret_why)
{
	struct address address = {.text = text};
	const char *why;

	if (strncmp(text, "unix:", 5) == 0) {
		address.transport = TRANSPORT_UNIX;
		why = parse_target(&address, text + 5);
	} else if (strncmp(text, "exec:", 5) == 0) {
		address.transport = TRANSPORT_EXEC;
		why = parse_target(&address, text + 5);
	} else {
		why = parse_tcp(&address);
	}
	if (why != NULL) {
		*ret_why = why;
		return -EINVAL;
	}
	*ret = address;
	return 0;
}
