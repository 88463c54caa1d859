/*
 * Where a server is, as the user writes it: HOST:PORT, [V6]:PORT, unix:PATH or
 * exec:COMMAND. Only the text is judged; nothing is looked up.
 */
#ifndef PUT_ADDRESS_H
#define PUT_ADDRESS_H

#define HOST_MAX 255 /* bytes of a host name */
#define PORT_MAX 31  /* bytes of a port number or service name */

enum transport { TRANSPORT_TCP, TRANSPORT_UNIX, TRANSPORT_EXEC };

struct address {
	const char *text; /* as written; borrowed */
	enum transport transport;
	const char *target; /* path or command; borrowed, part of text */
	char host[HOST_MAX + 1];
	char port[PORT_MAX + 1];
};

/* Returns 0, or -EINVAL with the reason, which is static text. On failure *ret
 * is untouched. */
int address_parse(const char *text, struct address *ret, const char **ret_why);

#endif
