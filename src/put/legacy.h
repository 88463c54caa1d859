/*
 * Files to a receiver that knows nothing but length, header and bytes, and
 * never answers: one connection a file, one at a time.
 */
#ifndef PUT_LEGACY_H
#define PUT_LEGACY_H

#include "put/frame.h"
#include "put/options.h"
#include "put/report.h"

void legacy_files(const struct options *options, struct report *report);

/* Whether such a receiver gets the header whole, in its one read of it. */
bool legacy_fits(const struct frame *frame);

#endif
