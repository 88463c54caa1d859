/*
 * See sender_ask.h.
 */
#include "put/sender_ask.h"

#include "put/feed.h"

static int begin(struct sender *sender, enum ask what,
    struct header_text *header, uint64_t end)
{
	struct awaited awaited = {
	    .what = what,
	    .file = sender->file,
	    .bytes = header->filesize,
	    .end = end,
	};
	int r;

	header->reply = true;
	r = frame_begin(&sender->frame, header);
	if (r < 0)
		return r;
	sender->sending = true;
	sender->what = what;
	sender->announced += header->filesize;
	return flight_add(&sender->receipts->flight, &awaited);
}

int ask_hello(struct sender *sender)
{
	struct header_text header = {.command = "hello"};

	sender->hello = true;
	return begin(sender, ASK_HELLO, &header, 0);
}

int ask_end(struct sender *sender)
{
	sender->sending = true;
	sender->ending = true;
	return frame_begin_end(&sender->frame);
}

static void tell_mtime(const struct sender *sender, struct header_text *header)
{
	if (sender->options->preserve && !sender_is_stream(sender))
		header->has_mtime =
		    source_mtime(&sender->source, &header->mtime_usec);
}

/* Under `reject` a repeat is only safe with a digest. */
static void digest_whole(struct sender *sender)
{
	struct file *file = sender->file;
	struct digest_state digest;

	file->sha256[0] = '\0';
	if (!sender->options->checksum &&
	    !(sender_policy(sender) == POLICY_REJECT && file->attempts > 1))
		return;
	digest_begin(&digest);
	digest_add(&digest, sender->source.content, file->size);
	digest_end(&digest, file->sha256);
}

int ask_whole(struct sender *sender)
{
	struct file *file = sender->file;
	struct header_text header = {
	    .command = "put",
	    .filename = file->name,
	    .has_filesize = true,
	    .filesize = file->size,
	    .if_exists = sender->options->if_exists,
	};
	int r;

	if (sender->source.content != NULL)
		digest_whole(sender);
	if (file->sha256[0] != '\0')
		header.sha256 = file->sha256;
	tell_mtime(sender, &header);
	file->begun = true;
	r = begin(sender, ASK_PUT, &header, 0);
	if (r == 0)
		frame_body_source(&sender->frame, &sender->source, 0, NULL);
	return r;
}

int ask_stat(struct sender *sender)
{
	struct file *file = sender->file;
	struct header_text header = {
	    .command = "stat",
	    .id = file->id,
	    .filename = file->name,
	    .has_size = !sender_is_stream(sender),
	    .size = file->size,
	    .if_exists = sender->options->if_exists,
	};

	sender->asked = true;
	file->waiting = file->known;
	return begin(sender, ASK_STAT, &header, 0);
}

int ask_part(struct sender *sender, uint64_t length)
{
	struct header_text header = {
	    .command = "put",
	    .id = sender->file->id,
	    .has_offset = true,
	    .offset = sender->at,
	    .has_filesize = true,
	    .filesize = length,
	};

	sender->file->known = true;
	sender->file->begun = true;
	return begin(sender, ASK_PART, &header, sender->at + length);
}

int ask_commit(struct sender *sender)
{
	struct file *file = sender->file;
	struct header_text header = {
	    .command = "commit",
	    .id = file->id,
	    .filename = file->name,
	    .has_size = true,
	    .if_exists = sender->options->if_exists,
	};

	file->size = header.size = sender->at;
	file->sha256[0] = '\0';
	if (sender->options->checksum) {
		digest_end(sender_is_stream(sender) ? &file->feed->digest
						    : &sender->digest,
		    file->sha256);
		header.sha256 = file->sha256;
	}
	tell_mtime(sender, &header);
	return begin(sender, ASK_COMMIT, &header, 0);
}

static int begin_abort(struct sender *sender, const char *id)
{
	struct header_text header = {.command = "abort", .id = id};
	struct file *file = sender->file;
	int r;

	/* Its answer says nothing about the file. */
	sender->file = NULL;
	r = begin(sender, ASK_ABORT, &header, 0);
	sender->file = file;
	return r;
}

int ask_abort(struct sender *sender)
{
	struct file *file = sender->file;
	int r;

	report_feed_failed(sender->verdict->report, file);
	verdict_settled(sender->verdict, file);
	r = begin_abort(sender, file->id);
	file_release(&sender->file);
	return r;
}

int ask_abort_stale(struct sender *sender)
{
	struct file *file = sender->file;
	int r = begin_abort(sender, file->stale);

	file->stale[0] = '\0';
	return r;
}
