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
	if (body->progress != NULL)
		body->progress(body->context, body->left);
}

/* The next block of a large body: as stream_need(). */
static int receive_block(
    struct stream *stream, struct sink *sink, struct body *body)
{
	int r = stream_need(stream, STREAM_BUFFER, stream->stall);

	if (r <= 0)
		return r;
	body->error = allocate_ahead(sink, body->left);
	if (body->error == 0)
		body->error =
		    sink_write(sink, stream_data(stream), STREAM_BUFFER);
	took(stream, body, STREAM_BUFFER);
	return 1;
}

static size_t piece_size(const struct stream *stream, const struct body *body)
{
	size_t held = stream_held(stream);

	return held < body->left ? held : (size_t)body->left;
}

static int receive_piece(
    struct stream *stream, struct sink *sink, struct body *body)
{
	int r = stream_need(stream, 1, stream->stall);
	size_t n;

	if (r <= 0)
		return r;
	n = piece_size(stream, body);
	body->error = sink_write(sink, stream_data(stream), n);
	took(stream, body, n);
	return 1;
}

int body_receive(struct stream *stream, int fd, struct body *body)
{
	struct sink sink = {.fd = fd};
	int r = 1;

	if (body->left >= LARGE_BODY) {
		stream_align(stream);
		set_direct(&sink, true);
	}
	while (r > 0 && body->left >= STREAM_BUFFER && body->error == 0)
		r = receive_block(stream, &sink, body);
	if (sink.direct)
		set_direct(&sink, false);
	while (r > 0 && body->left > 0 && body->error == 0)
		r = receive_piece(stream, &sink, body);
	return r;
}

int body_skip(struct stream *stream, struct body *body)
{
	while (body->left > 0) {
		int r = stream_need(stream, 1, stream->stall);
		size_t n;

		if (r <= 0)
			return r;
		n = piece_size(stream, body);
		took(stream, body, n);
	}
	return 1;
}
