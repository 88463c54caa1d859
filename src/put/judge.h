/*
 * Receipts on standard input, as nc or ssh prints them, told as lines for
 * people.
 */
#ifndef PUT_JUDGE_H
#define PUT_JUDGE_H

#include "put/report.h"

/* To the end of standard input; the exit status is in the report. */
void judge_receipts(struct report *report);

#endif
