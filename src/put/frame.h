/*
 * One frame on its way: its header, and where in the body it is. It moves bytes
 * to a descriptor, blocking or not, and knows nothing of receipts.
 */
#ifndef PUT_FRAME_H
#define PUT_FRAME_H

#include "put/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: NAME_MAX_BYTES, each at worst three of \uNNNN, and the rest. */
#define FRAME_HEAD_MAX (16 * 1024)

struct frame {
	char head[FRAME_HEAD_MAX]; /* length and header */
	size_t head_length;
	const struct source *source; /* borrowed; NULL: no body */
	uint64_t body;		     /* bytes announced */
	uint64_t sent;		     /* bytes of head and body */
	bool copying;		     /* sendfile(2) does not do here */
	/* 0, or why the body cannot be completed: -ENODATA where the file ended
	 * early, another negative errno where it could not be read. */
	int broken;
};

/* A put of the whole source. -EMSGSIZE where the name is too long. */
int frame_begin_put(
    struct frame *frame, const struct source *source, bool reply);
/* `end`, with a reply. */
int frame_begin_end(struct frame *frame);

bool frame_done(const struct frame *frame);
/* Bytes of the body that were sent. */
uint64_t frame_body_sent(const struct frame *frame);

/*
 * Sends what one system call takes. Returns 0; -EAGAIN; -ECANCELED where the
 * frame is broken, now or before; any other negative errno is the sink's.
 */
int frame_send(struct frame *frame, int fd);

/*
 * Sends the rest, waiting for the sink for at most timeout_ms without progress
 * (-1: for ever). Returns 0, -ETIMEDOUT, or as frame_send().
 */
int frame_pump(struct frame *frame, int fd, int timeout_ms);

#endif
