/*
 * One connection from its first byte to its last: frames in, files and
 * receipts out, in order. It never touches a path or a descriptor of a file
 * itself.
 */
#ifndef PUTD_SESSION_H
#define PUTD_SESSION_H

#include "putd/connection.h"
#include "putd/exit.h"
#include "putd/log.h"
#include "putd/options.h"
#include "putd/store.h"

/* Serves an open connection. Everything is borrowed. Returns the status that
 * the process should exit with if this was its only connection. */
enum exit_status session_serve(const struct connection *connection,
    const struct options *options, const struct log *log, struct store *store);

#endif
