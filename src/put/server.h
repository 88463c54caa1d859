/*
 * From an address to descriptors that carry frames one way and receipts the
 * other, and back to nothing. It knows sockets and child processes; frames,
 * receipts and messages are not its business.
 */
#ifndef PUT_SERVER_H
#define PUT_SERVER_H

#include "put/address.h"
#include "put/child.h"

#define SERVER_NONE ((struct server){.in = -1, .out = -1})

/*
 * Connects: to each address of a host in turn, in timeout_ms altogether. On
 * failure returns a negative errno with the reason, which is static text, and
 * leaves *ret untouched.
 */
int server_open(const struct address *address, int timeout_ms,
    struct server *ret, const char **ret_why);

/*
 * Ends the stream to the server. A command is then waited for, at most
 * grace_ms; after that it is terminated. Returns 0, the wait status of a
 * command that failed, or -ETIMEDOUT for one that was terminated.
 */
int server_close(struct server *server, int grace_ms);

/* The same with a reset in place of the end, where it is a TCP socket: what is
 * not delivered yet is dropped, and the peer gets an error. */
int server_reset(struct server *server, int grace_ms);

/*
 * Waits until the kernel has nothing left to deliver to the peer, at most
 * timeout_ms without progress. Returns 0, -ETIMEDOUT, or what the connection
 * died of. A pipe has nothing to ask: 0.
 */
int server_drain(struct server *server, int timeout_ms);

#endif
