/*
 * See stream.h. Nothing is read here but what is sent: what becomes of the
 * files is told by whoever carries the frames. Files are sent whole, since
 * nobody can be asked where to go on; only a stream of unknown length goes in
 * parts.
 */
#include "put/stream.h"

#include "put/feed.h"
#include "put/frame.h"
#include "put/legacy.h"
#include "put/queue.h"
#include "put/state.h"

#include <errno.h>
#include <unistd.h>

struct stream {
	const struct options *options;
	struct report *report;
	struct frame frame;
};

/* Returns 0, or a negative errno after telling what happened: then nothing
 * more can be written. */
static int write_frame(struct stream *stream, const struct file *file)
{
	int r = frame_pump(&stream->frame, STDOUT_FILENO, -1);

	if (r == -ECANCELED)
		report_stream_broken(stream->report, file, stream->frame.broken,
		    frame_body_sent(&stream->frame));
	else if (r < 0)
		report_output_failed(stream->report, r);
	return r;
}

/* The keys that a whole file and a commit have both. */
static void add_wishes(const struct stream *stream, const struct source *source,
    struct header_text *header)
{
	const struct options *options = stream->options;

	header->if_exists = options->if_exists;
	/* Whoever wants to hear more gets a receipt for each. */
	header->reply = options->verbosity == VERBOSITY_VERBOSE;
	if (options->preserve && source->fd >= 0)
		header->has_mtime = source_mtime(source, &header->mtime_usec);
}

/* Without a commit after it, the digest has to be known before the body. */
static int digest_file(struct stream *stream, const struct source *source,
    char sha256[SHA256_HEX + 1])
{
	struct digest_state digest;
	uint64_t at = 0;
	int r = 0;

	digest_begin(&digest);
	while (r == 0 && at < source->size) {
		r = frame_read_chunk(
		    &stream->frame, source, at, source->size - at, &digest);
		at += r == 0 ? stream->frame.chunk_end : 0;
	}
	digest_end(&digest, sha256);
	return r;
}

static int begin_file(
    struct stream *stream, struct file *file, const struct source *source)
{
	struct header_text header = {
	    .command = "put",
	    .filename = file->name,
	    .has_filesize = true,
	    .filesize = source->size,
	};
	int r = 0;

	if (stream->options->legacy)
		return frame_begin_put(
		    &stream->frame, file->name, source, false);
	add_wishes(stream, source, &header);
	if (stream->options->checksum) {
		r = digest_file(stream, source, file->sha256);
		header.sha256 = file->sha256;
	}
	if (r == 0)
		r = frame_begin(&stream->frame, &header);
	if (r == 0)
		frame_body_source(&stream->frame, source, 0, NULL);
	return r;
}

static int write_file(
    struct stream *stream, struct file *file, const struct source *source)
{
	int r = begin_file(stream, file, source);

	if (r == -ECANCELED) {
		report_broken(stream->report, file, stream->frame.broken, 0);
		return 0;
	}
	if (r == 0 && stream->options->legacy && !legacy_fits(&stream->frame)) {
		report_name_too_long(stream->report, file->path);
		return 0;
	}
	if (r == 0)
		r = write_frame(stream, file);
	if (r == 0)
		report_written(stream->report, file, source_change(source));
	return r;
}

static int write_part(struct stream *stream, const struct file *file,
    uint64_t at, const char *bytes, size_t length)
{
	struct header_text header = {
	    .command = "put",
	    .id = file->id,
	    .has_offset = true,
	    .offset = at,
	    .has_filesize = true,
	    .filesize = length,
	};
	int r = frame_begin(&stream->frame, &header);

	if (r < 0)
		return r;
	frame_body_memory(&stream->frame, bytes);
	return write_frame(stream, file);
}

/* All of it, in parts; at least one, which makes the id. */
static int write_parts(struct stream *stream, struct file *file)
{
	struct feed *feed = file->feed;
	bool any = false;
	int r = 0;

	while (r == 0 && !(feed_is_over(feed, file->size) && any)) {
		size_t length;
		const char *bytes;

		feed_await(feed);
		if (feed_wants(feed))
			r = feed_read(feed);
		bytes = feed_part(feed, file->size, &length);
		if (r < 0 || (length == 0 && !feed_is_over(feed, file->size)))
			continue;
		r = write_part(stream, file, file->size, bytes, length);
		file->size += length;
		feed_release(feed, file->size);
		any = true;
	}
	return r;
}

/* How a stream ends: stored under its name, or forgotten. */
static int write_last(struct stream *stream, struct file *file)
{
	struct feed *feed = file->feed;
	struct source none = SOURCE_NONE;
	struct header_text header = {.command = "abort", .id = file->id};

	if (feed->failed) {
		report_feed_failed(stream->report, file);
	} else {
		add_wishes(stream, &none, &header);
		header.command = "commit";
		header.filename = file->name;
		header.has_size = true;
		header.size = file->size;
		if (stream->options->checksum) {
			digest_end(&feed->digest, file->sha256);
			header.sha256 = file->sha256;
		}
	}
	if (frame_begin(&stream->frame, &header) < 0)
		return -EMSGSIZE;
	return write_frame(stream, file);
}

static int write_stream(struct stream *stream, struct file *file)
{
	int r = state_random_id(file);

	if (r == 0)
		r = write_parts(stream, file);
	if (r == 0)
		r = write_last(stream, file);
	if (r == 0 && !file->feed->failed)
		report_written(stream->report, file, SOURCE_UNCHANGED);
	return r;
}

static void write_end(struct stream *stream)
{
	int r = frame_begin_end(&stream->frame);

	if (r == 0)
		r = frame_pump(&stream->frame, STDOUT_FILENO, -1);
	if (r < 0)
		report_output_failed(stream->report, r);
}

/* The summary of nothing would be ok: where no file could be sent, nothing at
 * all is written. */
void stream_files(const struct options *options, struct report *report)
{
	struct stream stream = {.options = options, .report = report};
	struct queue queue;
	bool any = false;
	int r = 0;

	if (isatty(STDOUT_FILENO)) {
		report_terminal(report);
		return;
	}
	queue_begin(&queue, options, report);
	while (r == 0 && queue_has_next(&queue)) {
		struct source source;
		struct file *file = queue_take(&queue, &source);

		r = file->way == WAY_STREAM
			? write_stream(&stream, file)
			: write_file(&stream, file, &source);
		source_close(&source);
		file_release(&file);
		any = true;
	}
	queue_give_up(&queue);
	queue_end(&queue);
	if (r == 0 && any && !options->legacy)
		write_end(&stream);
	if (close(STDOUT_FILENO) < 0 && r == 0)
		report_output_failed(report, -errno);
}
