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

void say(struct report *report, const char *format, ...)
{
	CLEANUP_FREE char *line = NULL;
	CLEANUP_FREE char *escaped = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (n < 0)
		line = NULL;
	else
		escaped = escape_text(line);
	if (report != NULL && report->progress != NULL)
		progress_hide(report->progress);
	(void)fprintf(stderr, "%s\n",
	    escaped != NULL ? escaped : "put: out of memory for a message");
}
