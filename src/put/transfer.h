/*
 * Files to a server that answers, over as many connections as it takes.
 */
#ifndef PUT_TRANSFER_H
#define PUT_TRANSFER_H

#include "put/options.h"
#include "put/report.h"

/* Sends every file of the options and tells what became of each. */
void transfer_files(const struct options *options, struct report *report);

#endif
