/*
 * One line to standard error, escaped as a whole, in place of the line that
 * shows progress. For report*.c only.
 */
#ifndef PUT_SAY_H
#define PUT_SAY_H

struct report;

/* No newline: it is added. The report may be NULL. */
__attribute__((format(printf, 2, 3))) void say(
    struct report *report, const char *format, ...);

#endif
