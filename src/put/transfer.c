/*
 * See transfer.h. A connection that is lost, and a refusal that may pass, are
 * followed by another connection, after a wait that doubles; but only once if
 * the server has never answered, which is then perhaps none, unless it was said
 * how often to try. Whatever was stored, or held, starts the count of failures
 * anew. `busy` has a clock of its own: the one who has the upload may be gone,
 * and the server takes its time to see it.
 */
#include "put/transfer.h"

#include "put/clock.h"
#include "put/feed.h"
#include "put/progress.h"
#include "put/session.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKOFF_MS	1000 /* before the second attempt; the first is now */
#define BACKOFF_MOST_MS 30000
#define BUSY_LOOK_MS	1000
#define BUSY_SPARE	10 /* seconds beyond the server's stall */
/* Only tests are in a hurry. */
#define BACKOFF_VARIABLE "PUT_BACKOFF_MS"

struct transfer {
	const struct options *options;
	struct report *report;
	struct queue queue;
	struct state state;
	struct verdict verdict;
	struct pace pace;
	struct session *session;
	bool greeted;	    /* at least once */
	int failures;	    /* in a row, without progress */
	int64_t busy_until; /* 0: not busy */
};

static int backoff_ms(int failures)
{
	const char *given = getenv(BACKOFF_VARIABLE);
	long base = given != NULL ? strtol(given, NULL, 10) : BACKOFF_MS;
	int ms =
	    base >= 0 && base < BACKOFF_MOST_MS ? (int)base : BACKOFF_MOST_MS;

	if (failures <= 1)
		return 0;
	for (int i = 2; i < failures && ms < BACKOFF_MOST_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS;
}

/* Whether the files that are to be tried again all wait for somebody else. */
static bool is_only_busy(const struct transfer *transfer)
{
	const struct file *file = transfer->queue.again;

	for (; file != NULL && file->busy; file = file->next)
		;
	return file == NULL && transfer->queue.again != NULL;
}

/* Returns whether it is still worth waiting for. */
static bool wait_while_busy(struct transfer *transfer)
{
	int stall = (int)transfer->session->receipts.hello.stall;
	int64_t now = clock_ms();
	int look =
	    getenv(BACKOFF_VARIABLE) != NULL ? backoff_ms(2) : BUSY_LOOK_MS;

	if (transfer->busy_until == 0) {
		transfer->busy_until =
		    now + (int64_t)(stall + BUSY_SPARE) * 1000;
		report_busy(transfer->report, transfer->queue.again,
		    stall + BUSY_SPARE);
	}
	if (now >= transfer->busy_until)
		return false;
	(void)poll(NULL, 0, look);
	return true;
}

/* Whether one that has never answered may be a server all the same. Nobody said
 * so: then at most its first answer was lost, and a command is not even run
 * again for that: it may ask for a password. */
static bool may_be_server(const struct transfer *transfer, enum session_end end)
{
	if (transfer->options->retries_given)
		return true;
	return end == SESSION_LOST && !transfer->session->silent &&
	       transfer->failures == 0 &&
	       transfer->options->address.transport != TRANSPORT_EXEC;
}

static bool wait_after_failure(struct transfer *transfer, enum session_end end)
{
	int ms;

	if (!transfer->greeted && !may_be_server(transfer, end))
		return false;
	if (transfer->failures >= transfer->options->retries)
		return false;
	ms = backoff_ms(++transfer->failures);
	report_retry(transfer->report, ms, transfer->failures,
	    transfer->options->retries);
	(void)poll(NULL, 0, ms);
	return true;
}

/* A stream was silent for so long that the server closed the connection: it is
 * connected to again when there is something to send. */
static void await_stream(const struct transfer *transfer)
{
	const struct file *file = transfer->queue.again;

	while (file != NULL && file->feed == NULL)
		file = file->next;
	if (file != NULL)
		feed_await(file->feed);
}

/* After a connection; false: no other is tried. */
static bool go_on(struct transfer *transfer, enum session_end end)
{
	if (transfer->verdict.progressed) {
		transfer->failures = 0;
		transfer->busy_until = 0;
	}
	transfer->verdict.progressed = false;
	if (end == SESSION_FAILED)
		return false;
	if (end == SESSION_IDLE) {
		await_stream(transfer);
		return true;
	}
	if (end == SESSION_DONE &&
	    (transfer->queue.again == NULL ||
		transfer->queue.again->refusal[0] == '\0'))
		return true;
	if (end == SESSION_DONE && is_only_busy(transfer))
		return wait_while_busy(transfer);
	return wait_after_failure(transfer, end);
}

static void run(struct transfer *transfer)
{
	struct session *session = transfer->session;

	while (queue_has_next(&transfer->queue)) {
		enum session_end end = session_run(session);

		transfer->greeted = transfer->greeted || session->greeted;
		if (!go_on(transfer, end)) {
			report_no_retry(transfer->report);
			queue_give_up(&transfer->queue);
			break;
		}
		queue_begin_round(&transfer->queue);
	}
	report_final(transfer->report);
	report_total(transfer->report);
}

/* All that will be sent, as far as it can be told beforehand. */
static void measure(
    const struct options *options, uint64_t *ret_files, uint64_t *ret_bytes)
{
	struct walk_rules rules = {.recursive = options->recursive};
	struct walk walk;
	struct walked found;
	struct stat st;

	*ret_files = *ret_bytes = 0;
	walk_begin(&walk, options->files, &rules);
	while (walk_next(&walk, &found) > 0) {
		(*ret_files)++;
		if (stat(found.path, &st) == 0 && S_ISREG(st.st_mode))
			*ret_bytes += (uint64_t)st.st_size;
		free(found.name);
	}
	walk_end(&walk);
}

/* NULL where none is wanted. */
static struct progress *begin_progress(const struct options *options)
{
	uint64_t files = 1;
	uint64_t bytes = 0;

	if (options->progress == PROGRESS_NEVER ||
	    (options->progress == PROGRESS_AUTO &&
		(options->verbosity == VERBOSITY_QUIET ||
		    isatty(STDERR_FILENO) != 1)))
		return NULL;
	if (options->command == NULL)
		measure(options, &files, &bytes);
	return progress_begin(files, bytes);
}

void transfer_files(const struct options *options, struct report *report)
{
	struct transfer transfer = {
	    .options = options,
	    .report = report,
	    .state = STATE_NONE,
	    .session = calloc(1, sizeof(struct session)),
	};

	if (transfer.session == NULL) {
		report_no_memory(report);
		return;
	}
	transfer.verdict = (struct verdict){
	    .report = report,
	    .queue = &transfer.queue,
	    .state = &transfer.state,
	    .retrying = options->retries > 0,
	};
	transfer.session->options = options;
	transfer.session->report = report;
	transfer.session->verdict = &transfer.verdict;
	transfer.session->pace = &transfer.pace;
	pace_begin(&transfer.pace, options->bwlimit);
	queue_begin(&transfer.queue, options, report);
	report->progress = begin_progress(options);
	run(&transfer);
	progress_end(report->progress);
	report->progress = NULL;
	queue_end(&transfer.queue);
	state_close(&transfer.state);
	free(transfer.session);
}
