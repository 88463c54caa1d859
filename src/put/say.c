/*
 * See say.h.
 */
#include "put/say.h"

#include "put/escape.h"
#include "put/progress.h"
#include "put/report.h"

#include "wire/cleanup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* As a line: a copy that nothing can happen to a terminal by; NULL: no memory.
 */
__attribute__((format(printf, 1, 0))) static char *line_of(
    const char *format, va_list arguments)
{
	CLEANUP_FREE char *line = NULL;

	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	return line != NULL ? escape_text(line) : NULL;
}

static void show(struct report *report, const char *line)
{
	if (report != NULL && report->progress != NULL)
		progress_hide(report->progress);
	(void)fprintf(stderr, "%s\n",
	    line != NULL ? line : "put: out of memory for a message");
}

void say(struct report *report, const char *format, ...)
{
	CLEANUP_FREE char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = line_of(format, arguments);
	va_end(arguments);
	show(report, line);
}

void say_trouble(struct report *report, const char *format, ...)
{
	CLEANUP_FREE char *line = NULL;
	CLEANUP_FREE char *before = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = line_of(format, arguments);
	va_end(arguments);
	if (report->verbosity > VERBOSITY_QUIET || line == NULL) {
		show(report, line);
		return;
	}
	before = report->kept;
	if (asprintf(&report->kept, "%s%s%s", before != NULL ? before : "",
		before != NULL ? "\n" : "", line) < 0)
		report->kept = NULL;
}

void say_kept(struct report *report)
{
	if (report->kept != NULL)
		show(report, report->kept);
	forget_kept(report);
}

void forget_kept(struct report *report)
{
	free(report->kept);
	report->kept = NULL;
}
