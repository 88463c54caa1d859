/*
 * One JSON object for each file on standard output. For report_file.c only.
 */
#ifndef PUT_REPORT_JSON_H
#define PUT_REPORT_JSON_H

#include "put/report.h"

void report_json_stored(struct report *report, const struct file *file,
    const struct receipt *receipt);
/* reason may be NULL. */
void report_json_failed(struct report *report, const char *path,
    const char *outcome, const char *reason);

#endif
