/*
 * One line to standard error, escaped as a whole. For report.c and
 * report_file.c only.
 */
#ifndef PUT_SAY_H
#define PUT_SAY_H

/* No newline: it is added. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

#endif
