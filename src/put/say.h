/*
 * Part of report.h: one line to standard error, escaped as a whole, in place of
 * the line that shows progress.
 */
#ifndef PUT_SAY_H
#define PUT_SAY_H

struct report;

/* No newline: it is added. The report may be NULL. */
__attribute__((format(printf, 2, 3))) void say(
    struct report *report, const char *format, ...);

/*
 * The same for trouble that another attempt may end well. Who wants to hear
 * only what went wrong (-q) is told when that is certain: such lines are kept
 * until say_kept() or forget_kept().
 */
__attribute__((format(printf, 2, 3))) void say_trouble(
    struct report *report, const char *format, ...);
void say_kept(struct report *report);
void forget_kept(struct report *report);

#endif
