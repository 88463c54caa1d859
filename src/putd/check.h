/*
 * `putd --check DIRECTORY`: what this kernel and this directory give, in plain
 * lines on stdout. It tries each thing instead of asking for its name, and
 * leaves nothing behind.
 */
#ifndef PUTD_CHECK_H
#define PUTD_CHECK_H

#include "putd/exit.h"
#include "putd/options.h"
#include "putd/store.h"

/* Returns EXIT_SERVED; EXIT_DIRECTORY where files could not be stored now;
 * EXIT_SANDBOX where a part of the sandbox would be missing. It enters the
 * sandbox: nothing else can be done in this process afterwards. */
enum exit_status check_print(
    const struct options *options, struct store *store);

#endif
