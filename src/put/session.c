/*
 * See session.h. A file that shrinks makes its frame impossible to complete,
 * and of one that was refused the rest may be long: then the receipts of what
 * was sent before are awaited, the connection is cut, and the other files go
 * over another one.
 */
#include "put/session.h"

#include "put/clock.h"
#include "put/feed.h"

#include <errno.h>
#include <poll.h>

/* How long a command may take to end once its connection has failed. */
#define FAILED_GRACE_MS 2000
/* Bytes of a refused body that are sent for the stream to stay in step. */
#define REFUSED_REST (1024 * 1024)
/* A server may have to read and flush what it answers for: as slowly as this
 * it may do that, beyond the timeout. */
#define SERVER_RATE (UINT64_C(16) * 1024 * 1024) /* bytes a second */

static void note_progress(struct session *session)
{
	session->deadline = clock_ms() + session->options->timeout_ms;
}

/* More time for the receipt that is awaited next. */
static int64_t patience_ms(const struct session *session)
{
	const struct awaited *oldest = flight_oldest(&session->receipts.flight);
	uint64_t bytes = 0;

	if (oldest != NULL && oldest->whole)
		bytes = oldest->what == ASK_COMMIT ? oldest->file->size
						   : oldest->bytes;
	return (int64_t)(bytes / SERVER_RATE) * 1000;
}

/* A sink that fails may still have sent receipts, and the reason: these are
 * read to the end first. */
static void send_some(struct session *session)
{
	struct sender *sender = &session->sender;
	size_t allowance = pace_allowance(session->pace);
	uint64_t before = frame_left(&sender->frame);
	int r;

	if (allowance == 0)
		return;
	r = frame_send(&sender->frame, session->server.out, allowance);
	if (r == -ECANCELED) {
		session->cutting = true;
	} else if (r == 0) {
		uint64_t sent = before - frame_left(&sender->frame);

		note_progress(session);
		pace_spend(session->pace, sent);
		report_sent(session->report, sender->file,
		    sender->at + frame_body_sent(&sender->frame), sent);
		if (frame_done(&sender->frame))
			sender_frame_done(sender);
	} else if (r != -EAGAIN) {
		session->write_error = r;
	}
}

/* What a file is refused for, its body need not come for. */
static void consider_cut(struct session *session)
{
	const struct sender *sender = &session->sender;

	if (sender->sending && sender->file != NULL &&
	    sender->file->state != FILE_OPEN &&
	    frame_left(&sender->frame) > REFUSED_REST)
		session->cutting = true;
}

/* --- waiting ----------------------------------------------------------------
 */

enum { FD_IN, FD_OUT, FD_FEED, FDS };

static bool may_send(const struct session *session)
{
	return session->sender.sending && !session->cutting &&
	       session->write_error == 0;
}

/* A stream may be silent for ever; nothing else may be awaited then. */
static bool is_idle(const struct session *session)
{
	return !session->sender.sending && session->receipts.greeted &&
	       session->receipts.flight.count == 0 &&
	       sender_feed(&session->sender) != NULL;
}

/* Milliseconds, -1 for ever, 0 where the deadline has passed. */
static int wait_ms(struct session *session, bool paced)
{
	const struct feed *feed = sender_feed(&session->sender);
	int linger = feed != NULL ? feed_linger(feed) : -1;
	int tick = report_tick_ms(session->report);
	int left = -1;

	if (is_idle(session))
		note_progress(session);
	else
		left = clock_left(session->deadline + patience_ms(session));
	if (paced && left != 0 &&
	    (left < 0 || left > pace_wait_ms(session->pace)))
		left = pace_wait_ms(session->pace);
	if (linger >= 0 && left != 0 && (left < 0 || left > linger))
		left = linger > 0 ? linger : 1;
	if (tick >= 0 && left != 0 && (left < 0 || left > tick))
		left = tick > 0 ? tick : 1;
	return left;
}

static void set_fds(
    const struct session *session, bool sends, struct pollfd fds[FDS])
{
	const struct feed *feed = sender_feed(&session->sender);
	bool feeds = feed != NULL && feed_wants(feed);

	fds[FD_IN] = (struct pollfd){session->server.in, POLLIN, 0};
	fds[FD_OUT] =
	    (struct pollfd){sends ? session->server.out : -1, POLLOUT, 0};
	fds[FD_FEED] = (struct pollfd){feeds ? feed->fd : -1, POLLIN, 0};
}

static int take_receipts(struct session *session)
{
	int r = receipts_read(&session->receipts, session->server.in);

	if (r > 0)
		note_progress(session);
	if (r > 0)
		consider_cut(session);
	return r < 0 ? r : 0;
}

/* One wait, and what it brought. */
static int exchange(struct session *session)
{
	bool sends = may_send(session);
	bool paced = sends && pace_allowance(session->pace) == 0;
	struct pollfd fds[FDS];
	int left = wait_ms(session, paced);
	int r = 0;

	if (left == 0)
		return -ETIMEDOUT;
	set_fds(session, sends && !paced, fds);
	if (poll(fds, FDS, left) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[FD_IN].revents != 0)
		r = take_receipts(session);
	/* What is to be cut is not sent to its end by the way. */
	if (r == 0 && fds[FD_OUT].revents != 0 && may_send(session))
		send_some(session);
	if (r == 0 && fds[FD_FEED].revents != 0 &&
	    sender_feed(&session->sender) != NULL)
		r = feed_read(sender_feed(&session->sender));
	report_tick(session->report);
	return r;
}

/* --- to the end -------------------------------------------------------------
 */

/* The file cannot even be begun: the stream is in step, the others go on. */
static void break_unbegun(struct session *session)
{
	struct sender *sender = &session->sender;

	report_broken(session->report, sender->file, sender->frame.broken,
	    sender->frame.chunk_end);
	verdict_settled(session->verdict, sender->file);
}

/* Until the summary, or until nothing keeps us from cutting: 0. */
static int converse(struct session *session)
{
	while (!session->receipts.summary) {
		int r = session->cutting ? 0 : sender_next(&session->sender);

		if (r == -ECANCELED) {
			break_unbegun(session);
			continue;
		}
		if (r < 0)
			return r;
		if (session->cutting &&
		    flight_awaited(&session->receipts.flight) == 0)
			return 0;
		/* Refused, or its stream went wrong: the next one. */
		if (!session->cutting && !session->sender.sending &&
		    session->sender.file != NULL &&
		    session->sender.file->state != FILE_OPEN)
			continue;
		r = exchange(session);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file that was refused before it broke has had its line. */
static void cut(struct session *session)
{
	struct sender *sender = &session->sender;
	struct file *file = sender->file;

	if (file != NULL && file->state == FILE_OPEN) {
		report_broken(session->report, file, sender->frame.broken,
		    sender->at + frame_body_sent(&sender->frame));
		verdict_settled(session->verdict, file);
	}
	report_cut(session->report, sender->frame.broken != 0);
	/* A command that fails now does so because of us. */
	(void)server_reset(&session->server, FAILED_GRACE_MS);
}

static void tell_failure(struct session *session, int error)
{
	struct report *report = session->report;
	const struct address *address = &session->options->address;
	bool answered = session->receipts.answered;

	if (error == -EBADMSG || error == -ECONNABORTED)
		return; /* the line that was wrong, or the last, is told */
	if (error == -ENOMEM)
		report_no_memory(report);
	else if (error == -ETIMEDOUT)
		report_no_progress(report, address,
		    session->options->timeout_ms, answered, !may_send(session));
	else
		report_closed(report, address, error, answered);
}

/* All that had no last word, in order, is put back into the queue. */
static void take_back(struct session *session)
{
	struct flight *flight = &session->receipts.flight;
	struct file *current = session->sender.file;

	for (; flight->count > 0; flight_drop(flight)) {
		struct file *file = flight_oldest(flight)->file;

		if (file != NULL && file->state == FILE_OPEN)
			queue_again(session->verdict->queue, file);
	}
	if (current != NULL && current->state == FILE_OPEN)
		queue_again(session->verdict->queue, current);
}

static enum session_end fail(struct session *session, int error)
{
	bool idle = is_idle(session) && error == -ENODATA;
	int status;

	session->silent = error == -ETIMEDOUT;
	/* At the end of what could be read, what ended the writing tells more;
	 * but that a pipe has no reader tells nothing. */
	if (error == -ENODATA)
		error =
		    session->write_error == -EPIPE ? 0 : session->write_error;
	if (!idle)
		tell_failure(session, error);
	status = server_reset(&session->server, FAILED_GRACE_MS);
	if (!idle)
		report_child(
		    session->report, status, session->receipts.answered);
	take_back(session);
	if (idle)
		return SESSION_IDLE;
	return error == -EBADMSG || error == -ENOMEM ? SESSION_FAILED
						     : SESSION_LOST;
}

static enum session_end finish(struct session *session)
{
	int r = converse(session);

	if (r < 0)
		return fail(session, r);
	if (session->cutting)
		cut(session);
	else
		report_child(session->report,
		    server_close(
			&session->server, session->options->timeout_ms),
		    true);
	return SESSION_DONE;
}

enum session_end session_run(struct session *session)
{
	const struct options *options = session->options;
	enum session_end end;
	const char *why;
	int r = server_open(
	    &options->address, options->timeout_ms, &session->server, &why);

	if (r < 0) {
		report_no_server(session->report, &options->address, why);
		return SESSION_NO_SERVER;
	}
	report_connected(session->report, &options->address);
	session->cutting = false;
	session->write_error = 0;
	receipts_begin(&session->receipts, session->report, session->verdict);
	sender_begin(
	    &session->sender, options, session->verdict, &session->receipts);
	note_progress(session);
	end = finish(session);
	session->greeted = session->receipts.greeted;
	sender_end(&session->sender);
	receipts_end(&session->receipts);
	return end;
}
