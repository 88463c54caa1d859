/*
 * The connection as two byte streams: buffered reading under deadlines, and
 * writing of whole lines. It knows descriptors, time and SIGTERM; nothing of
 * frames, files or logs.
 */
#ifndef PUTD_STREAM_H
#define PUTD_STREAM_H

#include "putd/bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream {
	int in, out; /* borrowed */
	bool in_socket, out_socket;
	bool ended;	 /* the peer sends no more */
	bool out_gone;	 /* the peer reads no more: writing is a no-op */
	long stall;	 /* seconds without a byte, reading or writing */
	uint8_t *buffer; /* STREAM_BUFFER bytes of input, start to end held */
	size_t start, end;
	uint8_t *output;  /* OUTPUT_BUFFER bytes, behind the buffer */
	size_t queued;	  /* of them, in bytes */
	int64_t deadline; /* now_ms() when all must be over; 0: never */

	/* --min-rate: bytes per second inside a frame, 0: none. What counts is
	 * the time that we wait for the peer, not that in which it waits. */
	uint64_t min_rate;
	bool in_frame;
	int64_t waited;	     /* milliseconds of this window */
	uint64_t waited_for; /* bytes of this window */

	/* Called before waiting for input, so that nobody's file waits with
	 * us. Its negative result is returned by stream_need(). */
	int (*before_wait)(void *context);
	void *context;
};

/* Takes STREAM_BUFFER and OUTPUT_BUFFER bytes of memory, page-aligned,
 * untouched until used: an idle connection has a page of each. Returns 0 or
 * -ENOMEM. */
int stream_open(struct stream *stream, int in, int out, long stall);

/* A frame starts, or ends: its rate is judged. */
void stream_begin_frame(struct stream *stream);
void stream_end_frame(struct stream *stream);

/* Forgets the buffer; closes nothing. */
void stream_close(struct stream *stream);

/*
 * Makes at least n <= STREAM_BUFFER bytes available at stream_data(), waiting
 * at most `seconds` for each byte, or until the deadline. Returns 1; 0 where
 * the stream ended before (fewer, or none, are available); -ETIMEDOUT;
 * -ECANCELED after SIGTERM; any other negative errno of a broken descriptor.
 */
int stream_need(struct stream *stream, size_t n, long seconds);

/* The bytes at hand, and how many of them. */
uint8_t *stream_data(const struct stream *stream);
size_t stream_held(const struct stream *stream);
void stream_take(struct stream *stream, size_t n);

/* Moves the bytes at hand to the start of the buffer, aligned as its memory. */
void stream_align(struct stream *stream);

/* Takes a line to be sent with stream_push(); many lines make one write.
 * n <= OUTPUT_BUFFER. Returns as stream_push(), which it calls when full. */
int stream_queue(struct stream *stream, const void *bytes, size_t n);

/* Writes what is queued. Returns 0, also where the peer has gone (out_gone);
 * -ETIMEDOUT when it takes no byte for `stall` seconds; -errno. After an error
 * nothing more is sent. */
int stream_push(struct stream *stream);

/* Ends our side (a socket is shut down for writing, a pipe closed), then reads
 * within DRAIN_MS, DRAIN_QUIET_MS and DRAIN_BYTES what the peer still sends:
 * closing with unread input resets a connection, and with it the last line. */
void stream_finish(struct stream *stream);

#endif
