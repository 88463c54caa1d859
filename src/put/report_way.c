/*
 * See report.h. Here: a file on its way, for the line that shows progress.
 */
#include "put/report.h"

#include "put/progress.h"
#include "put/say.h"

#include <inttypes.h>

void report_file_begins(struct report *report, const struct file *file)
{
	if (report->progress != NULL)
		progress_file(report->progress, file);
}

void report_starts(struct report *report, struct file *file, uint64_t at)
{
	if (at > 0 && report->verbosity >= VERBOSITY_VERBOSE)
		say(report, "%s: goes on after %" PRIu64 " bytes", file->path,
		    at);
	if (report->progress != NULL)
		progress_at(report->progress, file, at, file->resumed);
}

void report_prefix(struct report *report, const struct file *file, uint64_t at)
{
	(void)file;
	if (report->progress != NULL)
		progress_checked(report->progress, at);
}

void report_sent(
    struct report *report, struct file *file, uint64_t at, uint64_t sent)
{
	if (report->progress != NULL && file != NULL)
		progress_sent(report->progress, file, at, sent);
}

int report_tick_ms(const struct report *report)
{
	return report->progress != NULL ? progress_due_ms(report->progress)
					: -1;
}

void report_tick(struct report *report)
{
	if (report->progress != NULL)
		progress_show(report->progress);
}

void report_no_state(struct report *report, const char *why)
{
	if (report->verbosity >= VERBOSITY_VERBOSE && !report->stateless_told)
		say(report,
		    "put: uploads that break off cannot go on in a later run: "
		    "%s",
		    why);
	report->stateless_told = true;
}
