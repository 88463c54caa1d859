/*
 * See interactive.h. Each put is a transfer of its own, so a server that was
 * restarted in between is not noticed. The prompt is on standard output, what
 * became of a file on standard error, as ever.
 */
#include "put/interactive.h"

#include "put/legacy.h"
#include "put/transfer.h"
#include "put/words.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROMPT ">>: "

static const char help[] = "put FILE...   send files; quote blanks in names\n"
			   "help          this\n"
			   "quit          end (or the end of input)\n";

static void put_files(
    const struct options *options, char **files, struct report *report)
{
	struct options own = *options;
	struct report one = *report;

	own.files = files;
	own.interactive = false;
	one.interactive = true;
	one.stored = one.failed = one.bytes = 0;
	if (own.legacy)
		legacy_files(&own, &one);
	else
		transfer_files(&own, &one);
	report_status(report, one.status);
}

/* Returns false at the end. */
static bool obey(
    const struct options *options, char *line, struct report *report)
{
	char *words[WORDS_MAX + 1];
	int count = words_split(line, words);

	if (count < 0)
		(void)puts(count == -EINVAL ? "a quote is not closed"
					    : "too many words");
	else if (count == 0)
		return true;
	else if (strcmp(words[0], "quit") == 0 || strcmp(words[0], "exit") == 0)
		return false;
	else if (strcmp(words[0], "help") == 0)
		(void)fputs(help, stdout);
	else if (strcmp(words[0], "put") != 0)
		(void)puts(
		    "no such command; there are put FILE..., help, quit");
	else if (count == 1)
		(void)puts("put: which file? put FILE...");
	else
		put_files(options, words + 1, report);
	return true;
}

void interactive_run(const struct options *options, struct report *report)
{
	CLEANUP_FREE char *line = NULL;
	size_t room = 0;

	do {
		if (fputs(PROMPT, stdout) == EOF || fflush(stdout) == EOF) {
			report_output_failed(report, -errno);
			return;
		}
		if (getline(&line, &room, stdin) < 0) {
			(void)fputs("\n", stdout);
			break;
		}
	} while (obey(options, line, report));
}
