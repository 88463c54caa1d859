/*
 * Files to a server that answers: frames out, receipts in, at the same time.
 */
#ifndef PUT_TRANSFER_H
#define PUT_TRANSFER_H

#include "put/options.h"
#include "put/report.h"

/* Sends every file of the options and tells what became of each. */
void transfer_files(const struct options *options, struct report *report);

#endif
