/*
 * Frames on standard output, for somebody else to carry.
 */
#ifndef PUT_STREAM_H
#define PUT_STREAM_H

#include "put/options.h"
#include "put/report.h"

/* Every file without asking for a receipt, then `end` with one: so the last
 * line that nc or ssh prints is the summary. With --legacy no `end`. */
void stream_files(const struct options *options, struct report *report);

#endif
