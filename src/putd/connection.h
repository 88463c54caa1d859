/*
 * Which descriptors the connection is on: stdin and stdout, a socket passed by
 * systemd, or one accepted from a listening socket passed by systemd. It reads
 * and writes nothing.
 */
#ifndef PUTD_CONNECTION_H
#define PUTD_CONNECTION_H

struct connection {
	int in, out;  /* -1 until connection_accept() where listener >= 0 */
	int listener; /* -1: there is one connection, and it is open */
};

/* Opens /dev/null in the place of each of the descriptors 0 to 2 that is
 * closed, so that no file of ours ever gets such a number. Returns 0, 1 where
 * there is no connection on 0 and 1 because one of them was closed, -errno. */
int connection_fill_stdio(void);

/* Finds the connection; `closed` is what connection_fill_stdio() returned.
 * Returns NULL, or what is wrong as one line for the administrator, with *ret
 * untouched. */
const char *connection_find(struct connection *ret, int closed);

/*
 * Waits for a client, `seconds` at most, 0 without end.
 * Returns 1; 0 when nobody came in time or SIGTERM came; -errno.
 */
int connection_accept(struct connection *connection, long seconds);
void connection_close(struct connection *connection);

#endif
