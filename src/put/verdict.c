/*
 * See verdict.h. After the first receipt of a connection that decides on a
 * file, later ones for its other frames change nothing.
 */
#include "put/verdict.h"

#include "put/feed.h"

#include "wire/error.h"

#include <stdio.h>
#include <string.h>

static bool is_error(const struct receipt *receipt, enum wire_error error)
{
	return strcmp(receipt->error, wire_error_fact(error)->name) == 0;
}

static bool tells_stored(const struct receipt *receipt)
{
	return receipt->state != NULL && strcmp(receipt->state, "stored") == 0;
}

void verdict_settled(struct verdict *verdict, struct file *file)
{
	(void)verdict;
	file->state = FILE_SETTLED;
}

static void settle_stored(
    struct verdict *verdict, struct file *file, const struct receipt *receipt)
{
	verdict->progressed = true;
	report_stored(verdict->report, file, receipt);
	state_forget_upload(verdict->state, file);
	verdict_settled(verdict, file);
}

static void try_again(
    struct verdict *verdict, struct file *file, const struct receipt *receipt)
{
	(void)snprintf(file->refusal, sizeof(file->refusal), "%s%s%s",
	    receipt->error, receipt->message != NULL ? ": " : "",
	    receipt->message != NULL ? receipt->message : "");
	file->busy = is_error(receipt, WIRE_BUSY);
	queue_again(verdict->queue, file);
}

/* Whether it may be otherwise next time: also where the server has forgotten
 * the parts, and where it has the file already. */
static bool may_pass(const struct verdict *verdict,
    const struct awaited *oldest, const struct receipt *receipt)
{
	if (!verdict->retrying)
		return false;
	return receipt->retry ||
	       (oldest->what != ASK_PUT &&
		   is_error(receipt, WIRE_UNKNOWN_ID)) ||
	       (oldest->what == ASK_PART && tells_stored(receipt));
}

/* A stat that finds nothing refuses nothing: the file is sent from 0. */
static bool is_nothing_known(
    const struct awaited *oldest, const struct receipt *receipt)
{
	return oldest->what == ASK_STAT && is_error(receipt, WIRE_UNKNOWN_ID);
}

static void refused(struct verdict *verdict, const struct awaited *oldest,
    const struct receipt *receipt)
{
	struct file *file = oldest->file;

	if (is_nothing_known(oldest, receipt)) {
		file->held = 0;
	} else if (may_pass(verdict, oldest, receipt)) {
		try_again(verdict, file, receipt);
	} else {
		report_refused(verdict->report, file, receipt);
		/* The same id would find the same mismatch. */
		if (is_error(receipt, WIRE_MISMATCH))
			state_forget_upload(verdict->state, file);
		verdict_settled(verdict, file);
	}
}

/* More than there is cannot be held: nothing has come of it. */
static void note_held(
    struct verdict *verdict, struct file *file, uint64_t offset)
{
	bool possible = file->feed != NULL || offset <= file->size;

	if (offset > file->most && possible) {
		verdict->progressed = true;
		file->most = offset;
	}
	file->held = offset;
	if (file->feed != NULL)
		feed_release(file->feed, offset);
}

void verdict_receipt(struct verdict *verdict, const struct awaited *oldest,
    const struct receipt *receipt)
{
	struct file *file = oldest->file;

	if (oldest->what == ASK_STAT)
		file->waiting = false;
	if (file->state != FILE_OPEN)
		return;
	if (!receipt->ok)
		refused(verdict, oldest, receipt);
	else if (oldest->what == ASK_PART ||
		 (oldest->what == ASK_STAT && !tells_stored(receipt)))
		note_held(verdict, file, receipt->offset);
	else
		settle_stored(verdict, file, receipt);
}
