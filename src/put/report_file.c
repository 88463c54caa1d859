/*
 * See report.h. Here: the last word on one file, as a line to people or, with
 * --json, as an object on standard output.
 */
#include "put/report.h"

#include "put/feed.h"
#include "put/progress.h"
#include "put/report_json.h"
#include "put/say.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define COUNT_MAX 32 /* bytes of "N bytes" */

static const char *const flaw_texts[SOURCE_FLAWS] = {
    [SOURCE_DIRECTORY] = "is a directory",
    [SOURCE_LINK] = "is a symbolic link",
    [SOURCE_FIFO] = "is a fifo, not a regular file",
    [SOURCE_SOCKET] = "is a socket, not a regular file",
    [SOURCE_DEVICE] = "is a device, not a regular file",
    [SOURCE_NO_SIZE] = "has more bytes than it tells",
    [SOURCE_TOO_LARGE] = "is larger than the protocol can tell",
    [SOURCE_NAME_NOT_UTF8] = "its name is not UTF-8",
    [SOURCE_NAME_CONTROL] = "its name has a control character",
    [SOURCE_NAME_TOO_LONG] = ("its name is longer than 4095 "
			      "bytes, or 255 between slashes"),
    [SOURCE_NAME_NOT_PLAIN] = ("its name is empty or absolute, or has an "
			       "empty, '.' or '..' component"),
};

struct count_text {
	char text[COUNT_MAX];
};

static struct count_text bytes(uint64_t count)
{
	struct count_text out;

	(void)snprintf(out.text, sizeof(out.text), "%" PRIu64 " byte%s", count,
	    count == 1 ? "" : "s");
	return out;
}

static const char *change_text(enum source_change change)
{
	switch (change) {
	case SOURCE_GREW:
		return " (it grew while it was sent: its first bytes)";
	case SOURCE_ALTERED:
		return " (it was altered while it was sent)";
	default:
		return "";
	}
}

/* "PATH: OUTCOME: REASON", or without a reason where the format is NULL. */
__attribute__((format(printf, 5, 6))) static void failed(struct report *report,
    const char *path, enum put_exit status, const char *outcome,
    const char *format, ...)
{
	CLEANUP_FREE char *reason = NULL;
	va_list arguments;

	if (format != NULL) {
		va_start(arguments, format);
		if (vasprintf(&reason, format, arguments) < 0)
			reason = NULL;
		va_end(arguments);
	}
	report->failed++;
	report_status(report, status);
	if (report->json)
		report_json_failed(report, path, outcome, reason);
	else
		say(report, "%s: %s%s%s", path, outcome,
		    reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

/* As the legacy client says it at its prompt. */
static void missing(struct report *report, const char *path)
{
	report->failed++;
	report_status(report, PUT_EXIT_REFUSED);
	say(report, "file %s does not exist", path);
}

void report_flaw(
    struct report *report, const char *path, enum source_flaw flaw, int error)
{
	if (flaw == SOURCE_UNREADABLE && error == ENOENT &&
	    report->interactive && !report->json)
		missing(report, path);
	else if (flaw == SOURCE_UNREADABLE)
		failed(report, path, PUT_EXIT_REFUSED, "cannot be read", "%s",
		    strerrordesc_np(error));
	else
		failed(report, path, PUT_EXIT_REFUSED, "not sent", "%s",
		    flaw_texts[flaw]);
}

void report_name_too_long(struct report *report, const char *path)
{
	failed(report, path, PUT_EXIT_REFUSED, "not sent",
	    "the name is too long for a legacy receiver, which "
	    "reads its header at once");
}

void report_unsent(struct report *report, const char *path)
{
	failed(report, path, PUT_EXIT_REFUSED, "not sent", NULL);
}

void report_command_not_run(
    struct report *report, const struct file *file, int error)
{
	failed(report, file != NULL ? file->path : "-", PUT_EXIT_REFUSED,
	    "not sent", "its command could not be run: %s",
	    strerrordesc_np(error));
}

/* Why the body of a frame stopped, see frame.h. */
static void broken(struct report *report, const struct file *file, int reason,
    uint64_t sent, enum put_exit status, const char *outcome)
{
	if (reason == -ENODATA)
		failed(report, file->path, status, outcome,
		    "it changed while it was sent and ended after %s of "
		    "%" PRIu64,
		    bytes(sent).text, file->size);
	else
		failed(report, file->path, status, outcome,
		    "it cannot be read after %s of %" PRIu64 ": %s",
		    bytes(sent).text, file->size, strerrordesc_np(-reason));
}

void report_broken(
    struct report *report, const struct file *file, int reason, uint64_t sent)
{
	broken(report, file, reason, sent, PUT_EXIT_REFUSED, "not stored");
}

void report_stream_broken(
    struct report *report, const struct file *file, int reason, uint64_t sent)
{
	broken(report, file, reason, sent, PUT_EXIT_IO, "the stream ends here");
}

void report_legacy_broken(
    struct report *report, const struct file *file, int reason, uint64_t sent)
{
	broken(report, file, reason, sent, PUT_EXIT_REFUSED,
	    "not sent whole, and the receiver may hold a cut file");
}

void report_feed_failed(struct report *report, const struct file *file)
{
	const struct feed *feed = file->feed;

	if (feed->error != 0)
		failed(report, file->path, PUT_EXIT_REFUSED, "not stored",
		    "it cannot be read after %s: %s", bytes(feed->total).text,
		    strerrordesc_np(feed->error));
	else if (WIFSIGNALED(feed->status))
		failed(report, file->path, PUT_EXIT_REFUSED, "not stored",
		    "its command was ended by signal %d (%s)",
		    WTERMSIG(feed->status),
		    sigdescr_np(WTERMSIG(feed->status)));
	else
		failed(report, file->path, PUT_EXIT_REFUSED, "not stored",
		    "its command ended with exit status %d",
		    WEXITSTATUS(feed->status));
}

void report_feed_lost(struct report *report, const struct file *file)
{
	failed(report, file->path, PUT_EXIT_TRY_AGAIN, "not stored",
	    "the server has lost what it held, and a stream cannot be sent "
	    "twice");
}

static void say_stored(struct report *report, const struct file *file,
    const struct receipt *receipt)
{
	const char *slash = strrchr(file->path, '/');
	const char *own = slash != NULL ? slash + 1 : file->path;
	bool renamed = strcmp(own, receipt->stored) != 0;
	const char *lasting = "";
	char resumed[COUNT_MAX * 2] = "";

	if (!receipt->durable)
		lasting = ", not yet durable";
	else if (report->verbosity >= VERBOSITY_VERBOSE)
		lasting = ", durable";
	if (file->resumed > 0)
		(void)snprintf(resumed, sizeof(resumed),
		    ", resumed after %" PRIu64, file->resumed);
	say(report, "%s: stored%s%s, %s%s%s%s%s", file->path,
	    renamed ? " as " : "", renamed ? receipt->stored : "",
	    bytes(file->size).text, resumed, lasting,
	    receipt->unchanged ? ", unchanged" : "", change_text(file->change));
}

void report_stored(
    struct report *report, struct file *file, const struct receipt *receipt)
{
	if (report->progress != NULL)
		progress_stored(report->progress, file);
	report->stored++;
	report->bytes += file->size;
	if (report->json)
		report_json_stored(report, file, receipt);
	else if (report->verbosity >= VERBOSITY_NORMAL)
		say_stored(report, file, receipt);
}

/* After these nobody knows whether the file is there. */
static bool leaves_doubt(const char *error)
{
	return strcmp(error, wire_error_fact(WIRE_IO)->name) == 0 ||
	       strcmp(error, wire_error_fact(WIRE_TIMEOUT)->name) == 0;
}

void report_refused(struct report *report, const struct file *file,
    const struct receipt *receipt)
{
	bool doubt = leaves_doubt(receipt->error);

	failed(report, file->path,
	    receipt->retry || doubt ? PUT_EXIT_TRY_AGAIN : PUT_EXIT_REFUSED,
	    doubt ? "outcome unknown" : "refused", "%s%s%s", receipt->error,
	    receipt->message != NULL ? ": " : "",
	    receipt->message != NULL ? receipt->message : "");
}

void report_gave_up(struct report *report, const struct file *file)
{
	if (file->refusal[0] != '\0')
		failed(report, file->path, PUT_EXIT_TRY_AGAIN, "refused", "%s",
		    file->refusal);
	else if (file->sent)
		failed(report, file->path, PUT_EXIT_TRY_AGAIN,
		    "outcome unknown", "there was no receipt");
	else if (file->begun)
		failed(report, file->path, PUT_EXIT_TRY_AGAIN, "not stored",
		    "it could not be sent whole");
	else
		report_unsent(report, file->path);
}

void report_written(
    struct report *report, const struct file *file, enum source_change change)
{
	if (report->verbosity >= VERBOSITY_VERBOSE ||
	    (change != SOURCE_UNCHANGED &&
		report->verbosity >= VERBOSITY_NORMAL))
		say(report, "%s: written, %s%s", file->path,
		    bytes(file->size).text, change_text(change));
}

void report_legacy_sent(
    struct report *report, const struct file *file, enum source_change change)
{
	if (report->verbosity >= VERBOSITY_NORMAL)
		say(report,
		    "%s: sent, %s%s (a legacy receiver gives no receipt)",
		    file->path, bytes(file->size).text, change_text(change));
}

void report_legacy_failed(
    struct report *report, const struct file *file, int error)
{
	if (error == 0)
		failed(report, file->path, PUT_EXIT_TRY_AGAIN,
		    "outcome unknown", "the command failed");
	else if (error == -ETIMEDOUT)
		failed(report, file->path, PUT_EXIT_TRY_AGAIN,
		    "outcome unknown", "the receiver stopped taking bytes");
	else
		failed(report, file->path, PUT_EXIT_TRY_AGAIN,
		    "outcome unknown", "%s; the receiver may hold a cut file",
		    strerrordesc_np(-error));
}
