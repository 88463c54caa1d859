/*
 * See report.h. Here: the exit status, and what concerns a connection or put
 * itself; report_file.c has what concerns one file.
 */
#include "put/report.h"

#include "put/say.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#define EXCERPT_MAX	60  /* bytes of a line that is not a receipt */
#define SHELL_NOT_RUN	126 /* the shell found the command but cannot run it */
#define SHELL_NOT_FOUND 127

static int gravity(enum put_exit status)
{
	static const enum put_exit rising[] = {PUT_EXIT_OK, PUT_EXIT_REFUSED,
	    PUT_EXIT_TRY_AGAIN, PUT_EXIT_NO_SERVER, PUT_EXIT_IO,
	    PUT_EXIT_USAGE};
	int i = 0;

	while (rising[i] != status)
		i++;
	return i;
}

void report_status(struct report *report, enum put_exit status)
{
	if (gravity(status) > gravity(report->status))
		report->status = status;
}

static void trouble(struct report *report, enum put_exit status)
{
	if (gravity(status) > gravity(report->trouble))
		report->trouble = status;
}

void report_usage(const char *what, const char *value, const char *why)
{
	if (value == NULL)
		say(NULL, "put: %s; see put --help", what);
	else if (why == NULL)
		say(NULL, "put: %s '%s'; see put --help", what, value);
	else
		say(NULL, "put: %s '%s': %s; see put --help", what, value, why);
}

void report_no_server(
    struct report *report, const struct address *address, const char *why)
{
	say_trouble(
	    report, "put: cannot connect to %s: %s", address->text, why);
	trouble(report, PUT_EXIT_NO_SERVER);
}

void report_connected(struct report *report, const struct address *address)
{
	if (report->verbosity >= VERBOSITY_VERBOSE)
		say(report, "put: connected to %s", address->text);
}

void report_cut(struct report *report, bool broken)
{
	if (report->verbosity >= VERBOSITY_VERBOSE)
		say(report, "put: the connection was cut, %s",
		    broken ? "since the frame of a file could not be completed"
			   : "since the rest of a file is not wanted");
}

void report_no_progress(struct report *report, const struct address *address,
    int timeout_ms, bool answered, bool waiting)
{
	int seconds = timeout_ms / 1000;

	if (!waiting)
		say_trouble(report, "put: %s: took no byte for %d s%s",
		    address->text, seconds,
		    answered ? ""
			     : " and gave no answer: perhaps a legacy "
			       "server, try --legacy");
	else if (answered)
		say_trouble(report, "put: %s: no receipt for %d s",
		    address->text, seconds);
	else
		say_trouble(report,
		    "put: %s: no answer for %d s: perhaps a legacy server, "
		    "try --legacy",
		    address->text, seconds);
	trouble(report, PUT_EXIT_TRY_AGAIN);
}

void report_closed(struct report *report, const struct address *address,
    int error, bool answered)
{
	/* A legacy receiver may give up at a header it does not know. */
	const char *hint = answered || address->transport == TRANSPORT_EXEC
			       ? ""
			       : ": perhaps a legacy server, try --legacy";

	if (error == 0)
		say_trouble(report,
		    "put: %s: the server closed the connection too early%s",
		    address->text, hint);
	else
		say_trouble(report, "put: %s: the connection broke: %s%s",
		    address->text, strerrordesc_np(-error), hint);
	trouble(report, PUT_EXIT_TRY_AGAIN);
}

static int excerpt(size_t length)
{
	return length < EXCERPT_MAX ? (int)length : EXCERPT_MAX;
}

void report_garbage(struct report *report, const char *line, size_t length)
{
	char text[EXCERPT_MAX + 1] = "";

	memcpy(text, line, (size_t)excerpt(length));
	for (int i = 0; i < excerpt(length); i++)
		if (text[i] == '\0')
			text[i] = '?';
	say(report,
	    "put: the server does not speak this protocol, it said '%s'%s",
	    text, length > EXCERPT_MAX ? "..." : "");
	report_status(report, PUT_EXIT_IO);
}

void report_untrue(
    struct report *report, const char *line, size_t length, const char *doubt)
{
	say(report,
	    "put: the server gave a receipt that cannot be true, %s: '%.*s'",
	    doubt, (int)length, line);
	report_status(report, PUT_EXIT_IO);
}

/* The ": message" of a receipt that has one. */
static const char *colon(const struct receipt *receipt)
{
	return receipt->message != NULL ? ": " : "";
}

static const char *message(const struct receipt *receipt)
{
	return receipt->message != NULL ? receipt->message : "";
}

void report_stream_ended(struct report *report, const struct receipt *receipt)
{
	say_trouble(report, "put: the server ended the connection: %s%s%s",
	    receipt->error != NULL ? receipt->error : "no reason told",
	    colon(receipt), message(receipt));
	trouble(report, receipt->retry ? PUT_EXIT_TRY_AGAIN : PUT_EXIT_IO);
}

void report_summary(struct report *report, const struct receipt *receipt)
{
	if (!receipt->ok && receipt->failed == 0) {
		say(report,
		    "put: the server could not finish: %s%s%s: outcome unknown",
		    receipt->error != NULL ? receipt->error : "no reason told",
		    colon(receipt), message(receipt));
		report_status(report, PUT_EXIT_TRY_AGAIN);
	} else if (report->verbosity >= VERBOSITY_VERBOSE) {
		say(report,
		    "put: the server counts %" PRIu64 " stored, %" PRIu64
		    " refused, %" PRIu64 " bytes",
		    receipt->files, receipt->failed, receipt->bytes);
	}
}

void report_retry(struct report *report, int wait_ms, int attempt, int most)
{
	report->trouble = PUT_EXIT_OK;
	forget_kept(report);
	if (report->verbosity < VERBOSITY_NORMAL)
		return;
	if (wait_ms < 1000)
		say(report, "put: trying again (%d of %d)", attempt, most);
	else
		say(report, "put: trying again in %d s (%d of %d)",
		    wait_ms / 1000, attempt, most);
}

void report_no_retry(struct report *report)
{
	say_kept(report);
}

void report_busy(struct report *report, const struct file *file, int seconds)
{
	if (report->verbosity >= VERBOSITY_NORMAL)
		say(report,
		    "%s: another connection is sending it: waiting, %d s at "
		    "most",
		    file->path, seconds);
}

void report_final(struct report *report)
{
	say_kept(report);
	report_status(report, report->trouble);
	report->trouble = PUT_EXIT_OK;
}

void report_total(struct report *report)
{
	if (report->verbosity < VERBOSITY_NORMAL ||
	    report->stored + report->failed < 2)
		return;
	if (report->failed == 0)
		say(report, "put: %" PRIu64 " stored, %" PRIu64 " bytes",
		    report->stored, report->bytes);
	else
		say(report,
		    "put: %" PRIu64 " stored, %" PRIu64 " failed, %" PRIu64
		    " bytes",
		    report->stored, report->failed, report->bytes);
}

void report_child(struct report *report, int status, bool answered)
{
	if (status == 0)
		return;
	if (status < 0)
		say_trouble(
		    report, "put: the command did not end and was terminated");
	else if (WIFSIGNALED(status))
		say_trouble(report,
		    "put: the command was ended by signal %d (%s)",
		    WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
	else
		say_trouble(report,
		    "put: the command ended with exit status %d",
		    WEXITSTATUS(status));
	if (!answered && status > 0 && WIFEXITED(status) &&
	    (WEXITSTATUS(status) == SHELL_NOT_RUN ||
		WEXITSTATUS(status) == SHELL_NOT_FOUND))
		trouble(report, PUT_EXIT_NO_SERVER);
}

void report_terminal(struct report *report)
{
	say(report,
	    "put: frames are not for a terminal: name a server with -s, or "
	    "pipe them, as in: put FILE | nc -N HOST PORT");
	report_status(report, PUT_EXIT_USAGE);
}

void report_output_failed(struct report *report, int error)
{
	if (error == -EPIPE)
		say(report,
		    "put: whoever read the standard output has closed it: "
		    "outcome unknown");
	else
		say(report, "put: cannot write to standard output: %s",
		    strerrordesc_np(-error));
	report_status(report, PUT_EXIT_IO);
}

void report_input_failed(struct report *report, int error)
{
	say(report, "put: cannot read standard input: %s",
	    strerrordesc_np(-error));
	report_status(report, PUT_EXIT_IO);
}

void report_no_summary(struct report *report)
{
	say(report,
	    "put: the summary did not come: what is stored is not known");
	report_status(report, PUT_EXIT_TRY_AGAIN);
}

void report_no_memory(struct report *report)
{
	say(report, "put: out of memory");
	report_status(report, PUT_EXIT_IO);
}
