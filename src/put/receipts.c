/*
 * See receipts.h. A server may lie: nothing is told as stored but by a receipt
 * that fits the file (flight.h).
 */
#include "put/receipts.h"

#include <errno.h>
#include <string.h>

void receipts_begin(
    struct receipts *receipts, struct report *report, struct verdict *verdict)
{
	memset(receipts, 0, sizeof(*receipts));
	receipts->report = report;
	receipts->verdict = verdict;
}

void receipts_end(struct receipts *receipts)
{
	flight_clear(&receipts->flight);
}

/* NULL, or what is untrue in it. */
static const char *take_oldest(
    struct receipts *receipts, const struct receipt *receipt)
{
	struct flight *flight = &receipts->flight;
	const char *doubt = flight_doubt(flight, receipt);
	const struct awaited *oldest = flight_oldest(flight);

	if (doubt == NULL && oldest->what == ASK_HELLO)
		doubt = hello_doubt(receipt);
	if (doubt != NULL)
		return doubt;
	flight_count(flight, receipt);
	if (oldest->what == ASK_HELLO) {
		hello_read(receipt, &receipts->hello);
		receipts->greeted = true;
	} else if (oldest->file != NULL) {
		verdict_receipt(receipts->verdict, oldest, receipt);
	}
	flight_drop(flight);
	return NULL;
}

static const char *take_end(
    struct receipts *receipts, const struct receipt *receipt)
{
	const char *doubt;

	if (!receipts->end_sent)
		return "it is for an end that was not sent";
	doubt = flight_doubt_end(&receipts->flight, receipt);
	if (doubt != NULL)
		return doubt;
	/* What failed here and is tried again is decided on the next
	 * connection. */
	if (receipt->ok || receipts->verdict->queue->again == NULL)
		report_summary(receipts->report, receipt);
	receipts->summary = true;
	return NULL;
}

static int take(struct receipts *receipts, const struct receipt *receipt,
    const char *line, size_t length)
{
	const char *doubt;

	receipts->answered = true;
	if (receipt->command == NULL && !receipt->ok) {
		report_stream_ended(receipts->report, receipt);
		return receipt->retry ? -ECONNABORTED : -EBADMSG;
	}
	if (receipt->command == NULL)
		doubt = "it tells no command";
	else if (strcmp(receipt->command, "end") == 0)
		doubt = take_end(receipts, receipt);
	else
		doubt = take_oldest(receipts, receipt);
	if (doubt == NULL)
		return 0;
	report_untrue(receipts->report, line, length, doubt);
	return -EBADMSG;
}

static int read_line(struct receipts *receipts, char *line, size_t length)
{
	struct receipt receipt;
	int r = receipt_parse(line, length, &receipt);

	if (r == -EBADMSG)
		report_garbage(receipts->report, line, length);
	if (r < 0)
		return r;
	r = take(receipts, &receipt, line, length);
	receipt_free(&receipt);
	return r;
}

int receipts_read(struct receipts *receipts, int fd)
{
	long n = inbox_fill(&receipts->inbox, fd);
	int taken = 0;
	char *line;
	size_t length;
	int r;

	if (n <= 0)
		return n == 0 ? -ENODATA : n == -EAGAIN ? 0 : (int)n;
	while ((r = inbox_line(&receipts->inbox, &line, &length)) > 0) {
		r = read_line(receipts, line, length);
		if (r < 0)
			return r;
		taken++;
		if (receipts->summary)
			return taken;
	}
	if (r == -EBADMSG)
		report_garbage(receipts->report, line, length);
	return r < 0 ? r : taken;
}
