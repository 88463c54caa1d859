/*
 * See stream.h. Sockets are read first and waited for after; other descriptors
 * are asked by poll(2) first, because their flags are shared with others and
 * stay as they are.
 */
#include "putd/stream.h"

#include "putd/bounds.h"
#include "putd/wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHEAP_TO_MOVE 8192	   /* bytes */
#define READ_AHEAD    (128 * 1024) /* bytes, where no more is needed */
#define MAPPING	      (STREAM_BUFFER + OUTPUT_BUFFER) /* bytes */

static bool is_socket(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

int stream_open(struct stream *stream, int in, int out, long stall)
{
	void *buffer = mmap(NULL, MAPPING, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		return -ENOMEM;
	*stream = (struct stream){
	    .in = in,
	    .out = out,
	    .in_socket = is_socket(in),
	    .out_socket = is_socket(out),
	    .stall = stall,
	    .buffer = buffer,
	    .output = (uint8_t *)buffer + STREAM_BUFFER,
	};
	return 0;
}

void stream_close(struct stream *stream)
{
	(void)munmap(stream->buffer, MAPPING);
	*stream = (struct stream){.in = -1, .out = -1};
}

uint8_t *stream_data(const struct stream *stream)
{
	return stream->buffer + stream->start;
}

size_t stream_held(const struct stream *stream)
{
	return stream->end - stream->start;
}

void stream_take(struct stream *stream, size_t n)
{
	stream->start += n;
	if (stream->start == stream->end)
		stream->start = stream->end = 0;
}

void stream_align(struct stream *stream)
{
	size_t held = stream_held(stream);

	memmove(stream->buffer, stream_data(stream), held);
	stream->start = 0;
	stream->end = held;
}

/* One read of what is there: its length, 0 at the end, -EAGAIN for nothing
 * yet, -errno. A reset is an end: what came before it has been read. */
static ssize_t read_now(struct stream *stream, uint8_t *to, size_t size)
{
	ssize_t n;

	do {
		if (stream->in_socket)
			n = recv(stream->in, to, size, MSG_DONTWAIT);
		else if (wait_for(stream->in, POLLIN, 0, WAIT_HEED_TERM) == 0)
			return -EAGAIN;
		else
			n = read(stream->in, to, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == ECONNRESET)
		return 0;
	return n < 0 ? -errno : n;
}

void stream_begin_frame(struct stream *stream)
{
	stream->in_frame = true;
	stream->waited = 0;
	stream->waited_for = 0;
}

void stream_end_frame(struct stream *stream)
{
	stream->in_frame = false;
}

/* Milliseconds to wait: `seconds`, or until the deadline if that is sooner. */
static int64_t patience(const struct stream *stream, long seconds)
{
	int64_t ms = (int64_t)seconds * 1000;
	int64_t left;

	if (stream->deadline == 0)
		return ms;
	left = stream->deadline - now_ms();
	if (left < 1)
		left = 1; /* 0 would only look */
	return left < ms ? left : ms;
}

static bool is_over(const struct stream *stream)
{
	return stream->deadline != 0 && now_ms() >= stream->deadline;
}

/* Whether too few bytes came in a whole window of waiting. */
static bool is_too_slow(struct stream *stream)
{
	bool slow;

	if (stream->min_rate == 0 || !stream->in_frame ||
	    stream->waited < RATE_WINDOW_MS)
		return false;
	slow = stream->waited_for * 1000 <
	       stream->min_rate * (uint64_t)stream->waited;
	stream->waited = 0;
	stream->waited_for = 0;
	return slow;
}

static int wait_for_input(struct stream *stream, long seconds)
{
	int64_t start;
	int r = 0;

	if (stream->before_wait != NULL)
		r = stream->before_wait(stream->context);
	if (r < 0)
		return r;
	start = now_ms();
	r = wait_for(
	    stream->in, POLLIN, patience(stream, seconds), WAIT_HEED_TERM);
	stream->waited += now_ms() - start;
	return r < 0 || !is_too_slow(stream) ? r : -ETIMEDOUT;
}

/* At least one byte more, of the n that are needed: 1; 0 at the end; negative
 * as stream_need(). */
static int read_more(struct stream *stream, size_t n, long seconds)
{
	uint8_t *to;
	size_t room;

	/* The front of the buffer is in memory, and perhaps in a cache. */
	if (stream_held(stream) <= CHEAP_TO_MOVE)
		stream_align(stream);
	to = stream->buffer + stream->end;
	room = STREAM_BUFFER - stream->end;
	/* Memory that was used once stays: what comes in small pieces, however
	 * many, does not need the whole buffer. */
	if (n <= READ_AHEAD && room > READ_AHEAD)
		room = READ_AHEAD;
	for (;;) {
		ssize_t got;
		int r;

		if (wait_terminated())
			return -ECANCELED;
		if (is_over(stream))
			return -ETIMEDOUT;
		got = read_now(stream, to, room);
		if (got > 0) {
			stream->end += (size_t)got;
			stream->waited_for += (uint64_t)got;
			return 1;
		}
		if (got == 0)
			stream->ended = true;
		if (got != -EAGAIN)
			return (int)got;
		r = wait_for_input(stream, seconds);
		if (r < 0)
			return r;
	}
}

int stream_need(struct stream *stream, size_t n, long seconds)
{
	if (n > STREAM_BUFFER - stream->start)
		stream_align(stream);
	while (stream_held(stream) < n) {
		int r = stream->ended ? 0 : read_more(stream, n, seconds);

		if (r <= 0)
			return r;
	}
	return 1;
}

/* One write that does not block: a pipe that is ready takes PIPE_BUF bytes. */
static ssize_t write_now(struct stream *stream, const void *bytes, size_t n)
{
	ssize_t written;

	if (stream->out_socket)
		written =
		    send(stream->out, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (wait_for(stream->out, POLLOUT, 0, WAIT_IGNORE_TERM) == 0)
		return -EAGAIN;
	else
		written =
		    write(stream->out, bytes, n < PIPE_BUF ? n : PIPE_BUF);
	return written < 0 ? -errno : written;
}

static int write_all(struct stream *stream, const uint8_t *at, size_t n)
{
	while (n > 0 && !stream->out_gone) {
		ssize_t written = write_now(stream, at, n);
		int r = 0;

		if (written >= 0) {
			at += written;
			n -= (size_t)written;
		} else if (written == -EPIPE || written == -ECONNRESET) {
			stream->out_gone = true;
		} else if (written == -EAGAIN) {
			r = wait_for(stream->out, POLLOUT,
			    patience(stream, stream->stall), WAIT_IGNORE_TERM);
		} else if (written != -EINTR) {
			r = (int)written;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int stream_push(struct stream *stream)
{
	size_t n = stream->queued;
	int r;

	stream->queued = 0;
	r = write_all(stream, stream->output, n);
	/* Half a line may be out: nothing may follow it. */
	if (r < 0)
		stream->out_gone = true;
	return r;
}

int stream_queue(struct stream *stream, const void *bytes, size_t n)
{
	int r = 0;

	if (n > OUTPUT_BUFFER - stream->queued)
		r = stream_push(stream);
	memcpy(stream->output + stream->queued, bytes, n);
	stream->queued += n;
	return r;
}

/* Our side ends: the peer's reader sees it, whatever it still sends. */
static void end_output(struct stream *stream)
{
	if (stream->out_socket)
		(void)shutdown(stream->out, SHUT_WR);
	else if (stream->out != stream->in)
		(void)close(stream->out);
	stream->out_gone = true;
}

void stream_finish(struct stream *stream)
{
	uint64_t read = 0;
	int64_t end = now_ms() + DRAIN_MS;

	end_output(stream);
	while (!stream->ended && read < DRAIN_BYTES && now_ms() < end) {
		ssize_t n = read_now(stream, stream->buffer, STREAM_BUFFER);

		if (n == -EAGAIN)
			n = wait_for(stream->in, POLLIN, DRAIN_QUIET_MS,
			    WAIT_IGNORE_TERM);
		else if (n > 0)
			read += (uint64_t)n;
		if (n <= 0)
			return;
	}
}
