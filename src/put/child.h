/*
 * Commands, run by /bin/sh: that of exec:, with frames on its standard input
 * and receipts on its standard output, for server.c; and one whose output is
 * sent, for feed.c. It knows processes and pipes, and nothing of what goes
 * through them.
 */
#ifndef PUT_CHILD_H
#define PUT_CHILD_H

#include <sys/types.h>

/* What carries frames to a server, and receipts from it. */
struct server {
	int in;	     /* receipts; non-blocking; -1: not open */
	int out;     /* frames; non-blocking; the same as `in` for a socket */
	pid_t child; /* of exec:, else 0 */
};

/* /bin/sh -c command, with these as its standard input and output. Returns 0
 * or a negative errno. */
int child_spawn(const char *command, int input, int output, pid_t *ret_child);

/* Returns 0 or a negative errno; on failure *ret is untouched. */
int child_start(const char *command, struct server *ret);

/*
 * Closes its standard input, reads its output to the end and waits for it, all
 * in grace_ms, then terminates it. Returns as server_close().
 */
int child_end(struct server *server, int grace_ms);

#endif
