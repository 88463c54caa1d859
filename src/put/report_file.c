/*
 * See report.h. Here: what concerns one file.
 */
#include "put/report.h"

#include "put/say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MAX 32 /* bytes of "N bytes" */

static const char *const flaw_texts[SOURCE_FLAWS] = {
    [SOURCE_DIRECTORY] = "is a directory",
    [SOURCE_FIFO] = "is a fifo, not a regular file",
    [SOURCE_SOCKET] = "is a socket, not a regular file",
    [SOURCE_DEVICE] = "is a device, not a regular file",
    [SOURCE_NO_SIZE] = "has more bytes than it tells",
    [SOURCE_TOO_LARGE] = "is larger than the protocol can tell",
    [SOURCE_NAME_NOT_UTF8] = "its name is not UTF-8",
    [SOURCE_NAME_CONTROL] = "its name has a control character",
    [SOURCE_NAME_TOO_LONG] = "its name is longer than 4095 "
			     "bytes, or 255 between slashes",
    [SOURCE_NAME_NOT_PLAIN] = "its name is empty or absolute, or has an empty, "
			      "'.' or '..' component",
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

void report_flaw(
    struct report *report, const char *path, enum source_flaw flaw, int error)
{
	if (flaw == SOURCE_UNREADABLE)
		say("%s: cannot be read: %s", path, strerrordesc_np(error));
	else
		say("%s: not sent: %s", path, flaw_texts[flaw]);
	report_status(report, PUT_EXIT_REFUSED);
}

void report_name_too_long(struct report *report, const char *path)
{
	say("%s: not sent: the name is too long for a legacy receiver, which "
	    "reads its header at once",
	    path);
	report_status(report, PUT_EXIT_REFUSED);
}

void report_unsent(struct report *report, const char *path)
{
	say("%s: not sent", path);
	report_status(report, PUT_EXIT_REFUSED);
}

/* Why the body of a frame stopped, see frame.h. */
static void say_broken(const char *path, int reason, uint64_t sent,
    uint64_t size, const char *consequence)
{
	if (reason == -ENODATA)
		say("%s: changed while it was sent, it ended after %s of "
		    "%" PRIu64 ": %s",
		    path, bytes(sent).text, size, consequence);
	else
		say("%s: cannot be read after %s of %" PRIu64 ", %s: %s", path,
		    bytes(sent).text, size, strerrordesc_np(-reason),
		    consequence);
}

void report_broken(struct report *report, const char *path, int reason,
    uint64_t sent, uint64_t size)
{
	say_broken(path, reason, sent, size, "not stored");
	report_status(report, PUT_EXIT_REFUSED);
}

void report_stream_broken(struct report *report, const char *path, int reason,
    uint64_t sent, uint64_t size)
{
	say_broken(path, reason, sent, size, "the stream ends here");
	report_status(report, PUT_EXIT_IO);
}

void report_legacy_broken(struct report *report, const char *path, int reason,
    uint64_t sent, uint64_t size)
{
	say_broken(path, reason, sent, size,
	    "not sent whole; the receiver may hold a cut file");
	report_status(report, PUT_EXIT_REFUSED);
}

static void report_stored(const struct report *report, const struct flown *file,
    const struct receipt *receipt)
{
	const char *slash = strrchr(file->path, '/');
	const char *own = slash != NULL ? slash + 1 : file->path;
	bool renamed = strcmp(own, receipt->stored) != 0;
	const char *lasting = "";

	if (!receipt->durable)
		lasting = ", not yet durable";
	else if (report->verbosity >= VERBOSITY_VERBOSE)
		lasting = ", durable";
	if (report->verbosity >= VERBOSITY_NORMAL)
		say("%s: stored%s%s, %s%s%s", file->path, renamed ? " as " : "",
		    renamed ? receipt->stored : "", bytes(file->size).text,
		    lasting, change_text(file->change));
}

/* After these nobody knows whether the file is there. */
static bool leaves_doubt(const char *error)
{
	return strcmp(error, wire_error_fact(WIRE_IO)->name) == 0 ||
	       strcmp(error, wire_error_fact(WIRE_TIMEOUT)->name) == 0;
}

void report_receipt(struct report *report, const struct flown *file,
    const struct receipt *receipt)
{
	bool doubt;

	if (receipt->ok) {
		report_stored(report, file, receipt);
		return;
	}
	doubt = leaves_doubt(receipt->error);
	say("%s: %s: %s%s%s", file->path, doubt ? "outcome unknown" : "refused",
	    receipt->error, receipt->message != NULL ? ": " : "",
	    receipt->message != NULL ? receipt->message : "");
	report_status(report,
	    receipt->retry || doubt ? PUT_EXIT_TRY_AGAIN : PUT_EXIT_REFUSED);
}

void report_no_receipt(struct report *report, const struct flown *file)
{
	if (file->whole)
		say("%s: outcome unknown: there was no receipt", file->path);
	else
		say("%s: not stored: it could not be sent whole", file->path);
	report_status(report, PUT_EXIT_TRY_AGAIN);
}

void report_written(struct report *report, const struct source *source)
{
	enum source_change change = source_change(source);

	if (report->verbosity >= VERBOSITY_VERBOSE ||
	    (change != SOURCE_UNCHANGED &&
		report->verbosity >= VERBOSITY_NORMAL))
		say("%s: written, %s%s", source->path, bytes(source->size).text,
		    change_text(change));
}

void report_legacy_sent(struct report *report, const struct source *source)
{
	if (report->verbosity >= VERBOSITY_NORMAL)
		say("%s: sent, %s%s (a legacy receiver gives no receipt)",
		    source->path, bytes(source->size).text,
		    change_text(source_change(source)));
}

void report_legacy_failed(struct report *report, const char *path, int error)
{
	if (error == 0)
		say("%s: outcome unknown: the command failed", path);
	else if (error == -ETIMEDOUT)
		say("%s: outcome unknown: the receiver stopped taking bytes",
		    path);
	else
		say("%s: outcome unknown: %s; the receiver may hold a cut file",
		    path, strerrordesc_np(-error));
	report_status(report, PUT_EXIT_TRY_AGAIN);
}
