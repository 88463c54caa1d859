/*
 * See judge.h. What was sent is not known here, so a receipt is believed as it
 * stands; only the summary tells that all of it was received.
 */
#include "put/judge.h"

#include "put/inbox.h"
#include "put/say.h"

#include "wire/receipt.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct judge {
	struct report *report;
	struct inbox inbox;
	bool summary;
};

static void tell_stored(struct judge *judge, const struct receipt *receipt)
{
	bool commit = strcmp(receipt->command, "commit") == 0;
	uint64_t size = commit ? receipt->size : receipt->filesize;

	if (receipt->stored == NULL ||
	    judge->report->verbosity < VERBOSITY_NORMAL)
		return; /* a part, a stat: nothing is stored by these */
	say(judge->report, "%s: stored, %" PRIu64 " byte%s%s", receipt->stored,
	    size, size == 1 ? "" : "s",
	    receipt->durable ? "" : ", not yet durable");
}

static void tell_refused(struct judge *judge, const struct receipt *receipt)
{
	const char *what =
	    receipt->filename != NULL ? receipt->filename : receipt->command;

	say(judge->report, "%s: refused: %s%s%s", what,
	    receipt->error != NULL ? receipt->error : "no reason told",
	    receipt->message != NULL ? ": " : "",
	    receipt->message != NULL ? receipt->message : "");
	report_status(judge->report,
	    receipt->retry ? PUT_EXIT_TRY_AGAIN : PUT_EXIT_REFUSED);
}

static void tell_summary(struct judge *judge, const struct receipt *receipt)
{
	judge->summary = true;
	if (!receipt->ok && receipt->failed == 0)
		report_summary(judge->report, receipt);
	else if (receipt->failed > 0)
		say(judge->report,
		    "put: %" PRIu64 " stored, %" PRIu64 " refused, %" PRIu64
		    " bytes",
		    receipt->files, receipt->failed, receipt->bytes);
	else if (judge->report->verbosity >= VERBOSITY_NORMAL)
		say(judge->report, "put: %" PRIu64 " stored, %" PRIu64 " bytes",
		    receipt->files, receipt->bytes);
	if (receipt->failed > 0)
		report_status(judge->report, PUT_EXIT_REFUSED);
}

static void tell(struct judge *judge, const struct receipt *receipt)
{
	if (receipt->command == NULL && receipt->ok)
		return;
	if (receipt->command == NULL)
		report_stream_ended(judge->report, receipt);
	else if (strcmp(receipt->command, "end") == 0)
		tell_summary(judge, receipt);
	else if (receipt->ok)
		tell_stored(judge, receipt);
	else
		tell_refused(judge, receipt);
}

/* Returns 0, -EBADMSG for what is no receipt, -ENOMEM. */
static int read_line(struct judge *judge, char *line, size_t length)
{
	struct receipt receipt;
	int r = receipt_parse(line, length, &receipt);

	if (r == -EBADMSG)
		report_garbage(judge->report, line, length);
	if (r < 0)
		return r;
	tell(judge, &receipt);
	receipt_free(&receipt);
	return 0;
}

/* 1 where there may be more, 0 at the end, or a negative errno. */
static int read_some(struct judge *judge)
{
	long n = inbox_fill(&judge->inbox, STDIN_FILENO);
	char *line;
	size_t length;
	int r;

	if (n <= 0)
		return n == -EAGAIN ? 1 : (int)n;
	while ((r = inbox_line(&judge->inbox, &line, &length)) > 0) {
		r = read_line(judge, line, length);
		if (r < 0)
			return r;
	}
	if (r == -EBADMSG)
		report_garbage(judge->report, line, length);
	return r < 0 ? r : 1;
}

void judge_receipts(struct report *report)
{
	struct judge judge = {.report = report};
	int r;

	do
		r = read_some(&judge);
	while (r > 0);
	if (r == -ENOMEM)
		report_no_memory(report);
	else if (r < 0 && r != -EBADMSG)
		report_input_failed(report, r);
	else if (r == 0 && !judge.summary)
		report_no_summary(report);
	report_final(report);
}
