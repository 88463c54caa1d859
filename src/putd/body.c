/*
 * See body.h. Small bodies are written from the input buffer as they come. A
 * large one fills the whole buffer, aligned, and goes past the page cache
 * (O_DIRECT) in blocks of STREAM_BUFFER where the filesystem can; its tail is
 * written with the flag off, since it is no multiple of a block.
 */
#include "putd/body.h"

#include "putd/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#define DIRECT_ALIGNMENT 4096 /* bytes, in the file */

struct sink {
	int fd;
	uint64_t offset;    /* bytes written */
	uint64_t allocated; /* bytes of disk taken ahead */
	bool direct;
};

static void set_direct(struct sink *sink, bool direct)
{
	int flags = fcntl(sink->fd, F_GETFL);

	flags = direct ? flags | O_DIRECT : flags & ~O_DIRECT;
	sink->direct = fcntl(sink->fd, F_SETFL, flags) == 0 && direct;
}

static int sink_write(struct sink *sink, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written =
		    pwrite(sink->fd, bytes, n, (off_t)sink->offset);

		/* A short write is no multiple of a block, or a filesystem
		 * takes the flag and not the write. */
		if (sink->direct &&
		    (written >= 0 ? (size_t)written < n : errno == EINVAL))
			set_direct(sink, false);
		else if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
			sink->offset += (uint64_t)written;
		}
	}
	return 0;
}

/* Takes disk a little ahead of the bytes: a full disk is found out early, and
 * a header that lies about its size reserves little. */
static int allocate_ahead(struct sink *sink, uint64_t left)
{
	uint64_t step = left < ALLOCATE_AHEAD ? left : ALLOCATE_AHEAD;

	if (sink->offset < sink->allocated || step < LARGE_BODY)
		return 0;
	if (fallocate(sink->fd, FALLOC_FL_KEEP_SIZE, (off_t)sink->offset,
		(off_t)step) < 0 &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return -errno;
	sink->allocated = sink->offset + step;
	return 0;
}

static void took(struct stream *stream, struct body *body, size_t n)
{
	stream_take(stream, n);
	body->left -= n;
	if (body->progress != NULL && body->error == 0)
		body->progress(body->progress_context, body->left);
}

/* Writes the next n bytes at hand. */
static void write_held(
    struct stream *stream, struct sink *sink, struct body *body, size_t n)
{
	if (body->taste != NULL)
		body->taste(body->taste_context, stream_data(stream), n);
	if (body->error == 0)
		body->error = sink_write(sink, stream_data(stream), n);
	took(stream, body, n);
}

/* The next block of a large body: as stream_need(). */
static int receive_block(
    struct stream *stream, struct sink *sink, struct body *body)
{
	int r = stream_need(stream, STREAM_BUFFER, stream->stall);

	if (r <= 0)
		return r;
	body->error = allocate_ahead(sink, body->left);
	write_held(stream, sink, body, STREAM_BUFFER);
	return 1;
}

static size_t at_most(const struct stream *stream, uint64_t limit)
{
	size_t held = stream_held(stream);

	return held < limit ? held : (size_t)limit;
}

/* What is at hand, up to `limit` bytes. */
static int receive_piece(
    struct stream *stream, struct sink *sink, struct body *body, uint64_t limit)
{
	int r = stream_need(stream, 1, stream->stall);

	if (r > 0)
		write_held(stream, sink, body, at_most(stream, limit));
	return r;
}

/* Whole blocks, if the file is at a place where blocks start. */
static int receive_blocks(
    struct stream *stream, struct sink *sink, struct body *body)
{
	int r = 1;

	if (body->left < LARGE_BODY)
		return r;
	stream_align(stream);
	set_direct(sink, true);
	while (r > 0 && body->left >= STREAM_BUFFER && body->error == 0)
		r = receive_block(stream, sink, body);
	if (sink->direct)
		set_direct(sink, false);
	return r;
}

/* A part may start anywhere: up to the next place where a block can. */
static int receive_head(
    struct stream *stream, struct sink *sink, struct body *body)
{
	int r = 1;

	while (r > 0 && body->error == 0 && body->left >= LARGE_BODY &&
	       sink->offset % DIRECT_ALIGNMENT != 0)
		r = receive_piece(stream, sink, body,
		    DIRECT_ALIGNMENT - sink->offset % DIRECT_ALIGNMENT);
	return r;
}

int body_receive(struct stream *stream, int fd, struct body *body)
{
	struct sink sink = {.fd = fd, .offset = body->offset};
	int r = receive_head(stream, &sink, body);

	if (r > 0 && body->error == 0)
		r = receive_blocks(stream, &sink, body);
	while (r > 0 && body->left > 0 && body->error == 0)
		r = receive_piece(stream, &sink, body, body->left);
	if (r <= 0 && body->keep_prefix && body->error == 0)
		write_held(stream, &sink, body, at_most(stream, body->left));
	/* What was taken ahead of bytes that never came is given back. */
	if (sink.allocated > sink.offset)
		(void)!ftruncate(fd, (off_t)sink.offset);
	body->offset = sink.offset;
	return r;
}

int body_skip(struct stream *stream, struct body *body)
{
	while (body->left > 0) {
		int r = stream_need(stream, 1, stream->stall);

		if (r <= 0)
			return r;
		took(stream, body, at_most(stream, body->left));
	}
	return 1;
}
