/*
 * See transfer.h. One connection carries all files, each asking for a receipt,
 * and then `end`. Receipts are read while frames are sent, so neither side
 * waits for the other. A file that shrinks makes its frame impossible to
 * complete: the receipts of the files before it are awaited, the connection is
 * cut, and the files after it go over another one.
 */
#include "put/transfer.h"

#include "put/clock.h"
#include "put/flight.h"
#include "put/frame.h"
#include "put/inbox.h"
#include "put/queue.h"
#include "put/receipts.h"
#include "put/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* How long a command may take to end once its connection has failed. */
#define FAILED_GRACE_MS 2000

struct transfer {
	const struct options *options;
	struct report *report;
	struct queue queue;
	struct server server;
	struct receipts receipts; /* with the files in flight */
	struct source source;	  /* whose body is being sent */
	struct frame frame;
	bool sending;	  /* `frame` is begun and not done */
	bool ending;	  /* `end` is begun */
	bool cutting;	  /* the frame is broken */
	int write_error;  /* nothing more can be sent; receipts may come */
	int64_t deadline; /* without progress */
};

static void note_progress(struct transfer *transfer)
{
	transfer->deadline = clock_ms() + transfer->options->timeout_ms;
}

/* The next file, if there is room for it in flight; after the last, `end`. */
static int begin_frame(struct transfer *transfer)
{
	int r;

	if (transfer->sending || transfer->ending || transfer->cutting ||
	    !flight_has_room(&transfer->receipts.flight))
		return 0;
	transfer->sending = true;
	if (!queue_has_next(&transfer->queue)) {
		transfer->ending = true;
		return frame_begin_end(&transfer->frame);
	}
	transfer->source = queue_take(&transfer->queue);
	r = frame_begin_put(&transfer->frame, &transfer->source, true);
	if (r < 0)
		return r;
	return flight_add(&transfer->receipts.flight, &transfer->source);
}

static void end_frame(struct transfer *transfer)
{
	transfer->sending = false;
	if (transfer->ending) {
		transfer->receipts.end_sent = true;
		return;
	}
	flight_sent(
	    &transfer->receipts.flight, source_change(&transfer->source));
	source_close(&transfer->source);
}

/* A sink that fails may still have sent receipts, and the reason: these are
 * read to the end first. */
static void send_some(struct transfer *transfer)
{
	int r = frame_send(&transfer->frame, transfer->server.out);

	if (r == -ECANCELED) {
		transfer->cutting = true;
		transfer->sending = false;
	} else if (r == 0) {
		note_progress(transfer);
		if (frame_done(&transfer->frame))
			end_frame(transfer);
	} else if (r != -EAGAIN) {
		transfer->write_error = r;
	}
}

/* One wait, and what it brought. */
static int exchange(struct transfer *transfer)
{
	bool may_send = transfer->sending && transfer->write_error == 0;
	struct pollfd fds[] = {
	    {.fd = transfer->server.in, .events = POLLIN},
	    {.fd = may_send ? transfer->server.out : -1, .events = POLLOUT},
	};
	int left = clock_left(transfer->deadline);
	int r;

	if (left == 0)
		return -ETIMEDOUT;
	if (poll(fds, 2, left) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents != 0) {
		r = receipts_read(&transfer->receipts, transfer->server.in);
		if (r < 0)
			return r;
		if (r > 0)
			note_progress(transfer);
	}
	if (fds[1].revents != 0)
		send_some(transfer);
	return 0;
}

/* Until the summary, or until nothing keeps us from cutting: 0. */
static int converse(struct transfer *transfer)
{
	while (!transfer->receipts.summary) {
		int r = begin_frame(transfer);

		if (r < 0)
			return r;
		if (transfer->cutting &&
		    flight_awaited(&transfer->receipts.flight) == 0)
			return 0;
		r = exchange(transfer);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file that was refused before it broke has had its line. */
static void cut(struct transfer *transfer)
{
	if (flight_oldest(&transfer->receipts.flight) != NULL)
		report_broken(transfer->report, transfer->source.path,
		    transfer->frame.broken, frame_body_sent(&transfer->frame),
		    transfer->source.size);
	report_cut(transfer->report);
	/* A command that fails now does so because of us. */
	(void)server_reset(&transfer->server, FAILED_GRACE_MS);
}

static void tell_failure(struct transfer *transfer, int error)
{
	struct report *report = transfer->report;
	const struct address *address = &transfer->options->address;

	if (error == -EBADMSG)
		return; /* the line that was wrong is told */
	if (error == -ENOMEM)
		report_no_memory(report);
	else if (error == -ETIMEDOUT)
		report_no_progress(report, address,
		    transfer->options->timeout_ms, transfer->receipts.answered,
		    !transfer->sending);
	else
		report_closed(
		    report, address, error, transfer->receipts.answered);
}

static void fail(struct transfer *transfer, int error)
{
	struct flight *flight = &transfer->receipts.flight;

	/* At the end of what could be read, what ended the writing tells more;
	 * but that a pipe has no reader tells nothing. */
	if (error == -ENODATA)
		error =
		    transfer->write_error == -EPIPE ? 0 : transfer->write_error;
	tell_failure(transfer, error);
	report_child(transfer->report,
	    server_reset(&transfer->server, FAILED_GRACE_MS),
	    transfer->receipts.answered);
	for (; flight->count > 0; flight_drop(flight))
		report_no_receipt(transfer->report, flight_oldest(flight));
	queue_give_up(&transfer->queue);
}

static int connect_server(struct transfer *transfer)
{
	const struct options *options = transfer->options;
	const char *why;
	int r = server_open(
	    &options->address, options->timeout_ms, &transfer->server, &why);

	if (r < 0) {
		report_no_server(transfer->report, &options->address, why);
		return r;
	}
	report_connected(transfer->report, &options->address);
	transfer->sending = false;
	transfer->ending = false;
	transfer->cutting = false;
	transfer->write_error = 0;
	receipts_begin(&transfer->receipts, transfer->report);
	note_progress(transfer);
	return 0;
}

/* One connection, for as many of the files as it carries. */
static void run_connection(struct transfer *transfer)
{
	int r = converse(transfer);

	if (r < 0)
		fail(transfer, r);
	else if (transfer->cutting)
		cut(transfer);
	else
		report_child(transfer->report,
		    server_close(
			&transfer->server, transfer->options->timeout_ms),
		    true);
	source_close(&transfer->source);
	receipts_end(&transfer->receipts);
}

void transfer_files(const struct options *options, struct report *report)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL) {
		report_no_memory(report);
		return;
	}
	transfer->options = options;
	transfer->report = report;
	transfer->server = SERVER_NONE;
	transfer->source = SOURCE_NONE;
	queue_init(&transfer->queue, options->files, options->name, report);
	while (queue_has_next(&transfer->queue)) {
		if (connect_server(transfer) < 0) {
			queue_give_up(&transfer->queue);
			break;
		}
		run_connection(transfer);
	}
	free(transfer);
}
