/*
 * See frame.h. A body that is in memory goes out in one writev(2) with its
 * header; a larger one by sendfile(2) or, where that does not work, by copying.
 */
#include "put/frame.h"

#include "wire/header.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define COPY_CHUNK    65536		   /* bytes */
#define SENDFILE_MOST (1024 * 1024 * 1024) /* bytes a call */

static int begin(struct frame *frame, const struct header_text *header)
{
	long n = header_format(header, frame->head, sizeof(frame->head));

	if (n < 0)
		return (int)n;
	frame->head_length = (size_t)n;
	frame->body = header->filesize;
	frame->source = NULL;
	frame->sent = 0;
	frame->copying = false;
	frame->broken = 0;
	return 0;
}

int frame_begin_put(
    struct frame *frame, const struct source *source, bool reply)
{
	struct header_text header = {
	    .command = "put",
	    .filename = source->name,
	    .has_filesize = true,
	    .filesize = source->size,
	    .reply = reply,
	};
	int r = begin(frame, &header);

	if (r == 0)
		frame->source = source;
	return r;
}

int frame_begin_end(struct frame *frame)
{
	struct header_text header = {.command = "end", .reply = true};

	return begin(frame, &header);
}

bool frame_done(const struct frame *frame)
{
	return frame->sent == frame->head_length + frame->body;
}

uint64_t frame_body_sent(const struct frame *frame)
{
	return frame->sent < frame->head_length
		   ? 0
		   : frame->sent - frame->head_length;
}

/* Of a system call that sends: an interruption is tried again as -EAGAIN is. */
static int sink_error(void)
{
	return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

/* What is left of the header, and of a body in memory. */
static int send_memory(struct frame *frame, int fd)
{
	uint64_t body_at = frame_body_sent(frame);
	struct iovec parts[2];
	int count = 0;
	ssize_t n;

	if (frame->sent < frame->head_length)
		parts[count++] = (struct iovec){frame->head + frame->sent,
		    frame->head_length - (size_t)frame->sent};
	if (frame->source != NULL && frame->source->content != NULL)
		parts[count++] =
		    (struct iovec){frame->source->content + body_at,
			(size_t)(frame->body - body_at)};
	n = writev(fd, parts, count);
	if (n < 0)
		return sink_error();
	frame->sent += (uint64_t)n;
	return 0;
}

static int break_off(struct frame *frame, int reason)
{
	frame->broken = reason;
	return -ECANCELED;
}

/* What the sink does not take is read again: nothing is kept in between. */
static int send_copy(struct frame *frame, int fd)
{
	char chunk[COPY_CHUNK];
	uint64_t at = frame_body_sent(frame);
	uint64_t left = frame->body - at;
	ssize_t n = pread(frame->source->fd, chunk,
	    left < sizeof(chunk) ? (size_t)left : sizeof(chunk), (off_t)at);

	if (n <= 0)
		return break_off(frame, n == 0 ? -ENODATA : -errno);
	n = write(fd, chunk, (size_t)n);
	if (n < 0)
		return sink_error();
	frame->sent += (uint64_t)n;
	return 0;
}

/*
 * An error other than these is not told apart here: the file's, or the sink's,
 * or sendfile's own (EINVAL for O_APPEND). Copying finds out which.
 */
static bool is_sink_error(int error)
{
	return error == EAGAIN || error == EINTR || error == EPIPE ||
	       error == ECONNRESET || error == ETIMEDOUT;
}

static int send_file(struct frame *frame, int fd)
{
	off_t at = (off_t)frame_body_sent(frame);
	uint64_t left = frame->body - (uint64_t)at;
	ssize_t n;

	if (frame->copying)
		return send_copy(frame, fd);
	n = sendfile(fd, frame->source->fd, &at,
	    left < SENDFILE_MOST ? (size_t)left : SENDFILE_MOST);
	if (n > 0) {
		frame->sent += (uint64_t)n;
		return 0;
	}
	if (n < 0 && is_sink_error(errno))
		return sink_error();
	frame->copying = true;
	return send_copy(frame, fd);
}

int frame_send(struct frame *frame, int fd)
{
	if (frame->broken != 0)
		return -ECANCELED;
	if (frame->sent < frame->head_length || frame->source->content != NULL)
		return send_memory(frame, fd);
	return send_file(frame, fd);
}

int frame_pump(struct frame *frame, int fd, int timeout_ms)
{
	while (!frame_done(frame)) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		int r = frame_send(frame, fd);

		if (r < 0 && r != -EAGAIN)
			return r;
		if (r == -EAGAIN && poll(&wait, 1, timeout_ms) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}
