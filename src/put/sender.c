/*
 * See sender.h. A file by id goes as: stat, with the commit's own keys, so that
 * what will be refused is refused before its bytes are sent; parts; commit. The
 * answer to the stat is awaited only where the server may have heard of the id.
 */
#include "put/sender.h"

#include "put/feed.h"
#include "put/sender_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void sender_begin(struct sender *sender, const struct options *options,
    struct verdict *verdict, struct receipts *receipts)
{
	memset(sender, 0, sizeof(*sender));
	sender->options = options;
	sender->verdict = verdict;
	sender->receipts = receipts;
	sender->source = SOURCE_NONE;
}

static void drop_file(struct sender *sender)
{
	source_close(&sender->source);
	file_release(&sender->file);
}

void sender_end(struct sender *sender)
{
	drop_file(sender);
}

enum policy sender_policy(const struct sender *sender)
{
	return sender->options->if_exists != POLICY_ABSENT
		   ? sender->options->if_exists
		   : sender->receipts->hello.policy;
}

bool sender_is_stream(const struct sender *sender)
{
	return sender->file->way == WAY_STREAM;
}

/* --- one file ---------------------------------------------------------------
 */

static int name_upload(struct sender *sender)
{
	struct file *file = sender->file;
	struct state_facts facts = {
	    .server = sender->options->address.text,
	    .name = file->name,
	    .path = file->path,
	    .source = &sender->source,
	};
	int r = 0;

	if (!sender_is_stream(sender))
		r = state_name_upload(sender->verdict->state, &facts, file);
	else if (file->id[0] == '\0')
		r = state_random_id(file);
	if (!sender_is_stream(sender) && sender->verdict->state->uploads < 0)
		report_no_state(
		    sender->verdict->report, sender->verdict->state->why);
	sender->asked = !sender_is_stream(sender) && !file->known &&
			file->size < SOURCE_SMALL;
	return r;
}

static int take_file(struct sender *sender)
{
	struct file *file = queue_take(sender->verdict->queue, &sender->source);

	sender->file = file;
	sender->started = false;
	file->attempts++;
	file->sent = file->begun = file->waiting = false;
	file->busy = false;
	file->refusal[0] = '\0';
	report_file_begins(sender->verdict->report, file);
	if (file->way != WAY_STREAM)
		file->way = sender->receipts->hello.uploads &&
				    (file->size >= SOURCE_SMALL ||
					sender_policy(sender) == POLICY_KEEP)
				? WAY_UPLOAD
				: WAY_WHOLE;
	return file->way == WAY_WHOLE ? 0 : name_upload(sender);
}

/* What is held already goes into the digest: the file is read once for it. */
static int digest_prefix(struct sender *sender)
{
	struct frame *frame = &sender->frame;
	uint64_t at = 0;

	digest_begin(&sender->digest);
	if (!sender->options->checksum || sender_is_stream(sender))
		return 0;
	while (at < sender->at) {
		int r = frame_read_chunk(frame, &sender->source, at,
		    sender->at - at, &sender->digest);

		if (r < 0)
			return r;
		at += frame->chunk_end;
		report_prefix(sender->verdict->report, sender->file, at);
	}
	return 0;
}

/* The server holds what this file cannot be the rest of. */
static void start_anew(struct sender *sender)
{
	struct file *file = sender->file;

	state_drop_upload(sender->verdict->state, file);
	(void)snprintf(file->refusal, sizeof(file->refusal),
	    "the server holds more of it than there is");
	queue_again(sender->verdict->queue, file);
}

/* Where its first part begins. */
static int start(struct sender *sender)
{
	struct file *file = sender->file;

	sender->started = true;
	sender->at = file->held;
	if (!file->placed || file->resumed > file->held)
		file->resumed = file->held;
	file->placed = true;
	report_starts(sender->verdict->report, file, sender->at);
	if (sender_is_stream(sender) && !feed_reaches(file->feed, sender->at)) {
		report_feed_lost(sender->verdict->report, file);
		verdict_settled(sender->verdict, file);
		return 0;
	}
	if (!sender_is_stream(sender) && sender->at > file->size) {
		start_anew(sender);
		return 0;
	}
	return digest_prefix(sender);
}

/* As much as the connection may bring still. */
static uint64_t part_length(const struct sender *sender)
{
	uint64_t left = sender->file->size - sender->at;
	uint64_t most = sender->receipts->hello.max_session;

	if (left > PART_MOST)
		left = PART_MOST;
	if (most > sender->announced && left > most - sender->announced)
		left = most - sender->announced;
	return left;
}

static int next_of_file(struct sender *sender)
{
	uint64_t left = sender->file->size - sender->at;
	uint64_t length = part_length(sender);
	int r;

	if (left == 0 && (sender->file->begun || sender->file->held > 0))
		return ask_commit(sender);
	if (sender->options->checksum && sender->source.content != NULL)
		digest_add(&sender->digest, sender->source.content + sender->at,
		    length);
	r = ask_part(sender, length);
	if (r == 0)
		frame_body_source(&sender->frame, &sender->source, sender->at,
		    sender->options->checksum ? &sender->digest : NULL);
	return r;
}

static int next_of_stream(struct sender *sender)
{
	struct feed *feed = sender->file->feed;
	size_t length;
	const char *bytes = feed_part(feed, sender->at, &length);
	int r;

	if (feed_is_over(feed, sender->at) && feed->failed)
		return ask_abort(sender);
	if (feed_is_over(feed, sender->at) &&
	    (sender->file->begun || sender->file->held > 0))
		return ask_commit(sender);
	if (length == 0 && !feed_is_over(feed, sender->at))
		return 0;
	r = ask_part(sender, length);
	if (r == 0)
		frame_body_memory(&sender->frame, bytes);
	return r;
}

static int next_by_id(struct sender *sender)
{
	int r;

	if (sender->file->stale[0] != '\0')
		return ask_abort_stale(sender);
	if (!sender->asked)
		return ask_stat(sender);
	if (sender->file->waiting)
		return 0;
	if (!sender->started) {
		r = start(sender);
		if (r < 0 || sender->file->state != FILE_OPEN)
			return r;
	}
	return sender_is_stream(sender) ? next_of_stream(sender)
					: next_of_file(sender);
}

/* --- one connection ---------------------------------------------------------
 */

/* A connection may bring so many bytes only: the rest goes over another. A file
 * that does not fit even alone is the server's to judge. */
static bool is_full(const struct sender *sender, uint64_t size)
{
	uint64_t most = sender->receipts->hello.max_session;

	if (most == 0 || sender->announced == 0)
		return false;
	if (size >= SOURCE_SMALL)
		size = 1; /* it goes in parts of any size */
	return sender->announced + size > most;
}

static bool is_part_too_many(const struct sender *sender)
{
	const struct file *file = sender->file;

	return file->way == WAY_UPLOAD && sender->started &&
	       sender->at < file->size && is_full(sender, SOURCE_SMALL);
}

static int next_file(struct sender *sender)
{
	struct queue *queue = sender->verdict->queue;
	int r;

	if (sender->ending)
		return 0;
	if (!queue_has_next(queue) || is_full(sender, queue->source.size))
		return ask_end(sender);
	r = take_file(sender);
	if (r < 0)
		return r;
	return sender->file->way == WAY_WHOLE ? ask_whole(sender)
					      : next_by_id(sender);
}

int sender_next(struct sender *sender)
{
	if (sender->sending)
		return 0;
	if (!sender->hello)
		return ask_hello(sender);
	if (!sender->receipts->greeted ||
	    !flight_has_room(&sender->receipts->flight))
		return 0;
	if (sender->file != NULL && sender->file->state != FILE_OPEN)
		drop_file(sender);
	if (sender->file == NULL)
		return next_file(sender);
	if (is_part_too_many(sender)) {
		queue_again(sender->verdict->queue, sender->file);
		drop_file(sender);
		sender->verdict->progressed = true;
		return ask_end(sender);
	}
	return next_by_id(sender);
}

void sender_frame_done(struct sender *sender)
{
	struct file *file = sender->file;

	sender->sending = false;
	if (sender->ending) {
		sender->receipts->end_sent = true;
		return;
	}
	flight_sent(&sender->receipts->flight);
	if (sender->what == ASK_PART)
		sender->at += sender->frame.body;
	if (sender->what != ASK_PUT && sender->what != ASK_COMMIT)
		return;
	file->sent = true;
	file->change = sender_is_stream(sender)
			   ? SOURCE_UNCHANGED
			   : source_change(&sender->source);
	drop_file(sender);
}

struct feed *sender_feed(const struct sender *sender)
{
	const struct file *file = sender->file;

	return file != NULL && file->state == FILE_OPEN && !file->waiting &&
		       file->feed != NULL
		   ? file->feed
		   : NULL;
}
