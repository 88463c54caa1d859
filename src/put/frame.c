/*
 * See frame.h. A body that is in memory goes out in one writev(2) with its
 * header; one in a file by sendfile(2) or, where that does not work or a digest
 * is wanted, by copying.
 */
#include "put/frame.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SENDFILE_MOST (1024 * 1024 * 1024) /* bytes a call */

int frame_begin(struct frame *frame, const struct header_text *header)
{
	long n = header_format(header, frame->head, sizeof(frame->head));

	if (n < 0)
		return (int)n;
	frame->head_length = (size_t)n;
	frame->body = header->filesize;
	frame->memory = NULL;
	frame->file = -1;
	frame->at = 0;
	frame->sent = 0;
	frame->digest = NULL;
	frame->copying = frame->corked = false;
	frame->chunk_start = frame->chunk_end = 0;
	frame->broken = 0;
	return 0;
}

int frame_begin_put(struct frame *frame, const char *name,
    const struct source *source, bool reply)
{
	struct header_text header = {
	    .command = "put",
	    .filename = name,
	    .has_filesize = true,
	    .filesize = source->size,
	    .reply = reply,
	};
	int r = frame_begin(frame, &header);

	if (r == 0)
		frame_body_source(frame, source, 0, NULL);
	return r;
}

int frame_begin_end(struct frame *frame)
{
	struct header_text header = {.command = "end", .reply = true};

	return frame_begin(frame, &header);
}

void frame_body_memory(struct frame *frame, const char *memory)
{
	frame->memory = memory;
}

void frame_body_file(
    struct frame *frame, int fd, uint64_t at, struct digest_state *digest)
{
	frame->file = fd;
	frame->at = at;
	frame->digest = digest;
	frame->copying = digest != NULL;
}

void frame_body_source(struct frame *frame, const struct source *source,
    uint64_t offset, struct digest_state *digest)
{
	if (source->content != NULL)
		frame_body_memory(frame, source->content + offset);
	else
		frame_body_file(
		    frame, source->fd, source->base + offset, digest);
}

uint64_t frame_left(const struct frame *frame)
{
	return frame->head_length + frame->body - frame->sent;
}

bool frame_done(const struct frame *frame)
{
	return frame_left(frame) == 0;
}

uint64_t frame_body_sent(const struct frame *frame)
{
	return frame->sent < frame->head_length
		   ? 0
		   : frame->sent - frame->head_length;
}

static size_t smaller(uint64_t one, size_t other)
{
	return one < other ? (size_t)one : other;
}

/* Of a system call that sends: an interruption is tried again as -EAGAIN is. */
static int sink_error(void)
{
	return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

/* What is left of the header, and of a body in memory. */
static int send_memory(struct frame *frame, int fd, size_t most)
{
	uint64_t body_at = frame_body_sent(frame);
	struct iovec parts[2];
	int count = 0;
	ssize_t n;

	if (frame->sent < frame->head_length) {
		size_t left = frame->head_length - (size_t)frame->sent;

		parts[count].iov_base = frame->head + frame->sent;
		parts[count].iov_len = smaller(left, most);
		most -= parts[count++].iov_len;
	}
	if (frame->memory != NULL && most > 0)
		parts[count++] = (struct iovec){(char *)frame->memory + body_at,
		    smaller(frame->body - body_at, most)};
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

/* Each byte is read once, for its digest; what the sink does not take stays. */
static int fill_chunk(struct frame *frame, int fd, uint64_t at, uint64_t most,
    struct digest_state *digest)
{
	ssize_t n = pread(
	    fd, frame->chunk, smaller(most, sizeof(frame->chunk)), (off_t)at);

	if (n <= 0)
		return break_off(frame, n == 0 ? -ENODATA : -errno);
	if (digest != NULL)
		digest_add(digest, frame->chunk, (size_t)n);
	frame->chunk_start = 0;
	frame->chunk_end = (size_t)n;
	return 0;
}

int frame_read_chunk(struct frame *frame, const struct source *source,
    uint64_t at, uint64_t most, struct digest_state *digest)
{
	if (source->content == NULL)
		return fill_chunk(
		    frame, source->fd, source->base + at, most, digest);
	frame->chunk_end = smaller(most, FRAME_CHUNK);
	digest_add(digest, source->content + at, frame->chunk_end);
	return 0;
}

static int send_copy(struct frame *frame, int fd, size_t most)
{
	size_t left;
	ssize_t n;

	if (frame->chunk_start == frame->chunk_end &&
	    fill_chunk(frame, frame->file, frame->at + frame_body_sent(frame),
		frame->body - frame_body_sent(frame), frame->digest) < 0)
		return -ECANCELED;
	left = frame->chunk_end - frame->chunk_start;
	n = write(fd, frame->chunk + frame->chunk_start, smaller(left, most));
	if (n < 0)
		return sink_error();
	frame->chunk_start += (size_t)n;
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

static int send_file(struct frame *frame, int fd, size_t most)
{
	uint64_t sent = frame_body_sent(frame);
	off_t at = (off_t)(frame->at + sent);
	ssize_t n;

	if (frame->copying)
		return send_copy(frame, fd, most);
	if (most > SENDFILE_MOST)
		most = SENDFILE_MOST;
	n = sendfile(fd, frame->file, &at, smaller(frame->body - sent, most));
	if (n > 0) {
		frame->sent += (uint64_t)n;
		return 0;
	}
	if (n < 0 && is_sink_error(errno))
		return sink_error();
	frame->copying = true;
	return send_copy(frame, fd, most);
}

/*
 * TCP_NODELAY is set for the sake of small frames. In a large body it would
 * send off each piece that sendfile(2) hands over, at two thirds of the speed;
 * a cork makes them whole segments (tcp(7)). What is no TCP socket refuses it.
 */
static void set_cork(struct frame *frame, int fd, bool corked)
{
	int value = corked;

	if (corked != frame->corked)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
	frame->corked = corked;
}

int frame_send(struct frame *frame, int fd, size_t most)
{
	int r;

	if (frame->broken != 0)
		return -ECANCELED;
	if (frame->sent < frame->head_length || frame->memory != NULL)
		return send_memory(frame, fd, most);
	set_cork(frame, fd, true);
	r = send_file(frame, fd, most);
	if (frame_done(frame))
		set_cork(frame, fd, false);
	return r;
}

int frame_pump(struct frame *frame, int fd, int timeout_ms)
{
	while (!frame_done(frame)) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};
		int r = frame_send(frame, fd, SIZE_MAX);

		if (r < 0 && r != -EAGAIN)
			return r;
		if (r == -EAGAIN && poll(&wait, 1, timeout_ms) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}
