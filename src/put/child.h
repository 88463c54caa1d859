/*
 * The command of exec:, run by /bin/sh with frames on its standard input and
 * receipts on its standard output. Used by server.c only.
 */
#ifndef PUT_CHILD_H
#define PUT_CHILD_H

#include "put/server.h"

/* Returns 0 or a negative errno; on failure *ret is untouched. */
int child_start(const char *command, struct server *ret);

/*
 * Closes its standard input, reads its output to the end and waits for it, all
 * in grace_ms, then terminates it. Returns as server_close().
 */
int child_end(struct server *server, int grace_ms);

#endif
