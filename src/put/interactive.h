/*
 * Commands at a prompt: put FILE..., help, quit.
 */
#ifndef PUT_INTERACTIVE_H
#define PUT_INTERACTIVE_H

#include "put/options.h"
#include "put/report.h"

/* Until quit or the end of standard input. */
void interactive_run(const struct options *options, struct report *report);

#endif
