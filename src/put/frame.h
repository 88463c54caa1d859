/*
 * One frame on its way: its header, and where in the body it is. It moves bytes
 * to a descriptor, blocking or not, and knows nothing of receipts.
 */
#ifndef PUT_FRAME_H
#define PUT_FRAME_H

#include "put/digest.h"
#include "put/source.h"

#include "wire/header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: NAME_MAX_BYTES, each at worst three of \uNNNN, and the rest. */
#define FRAME_HEAD_MAX (16 * 1024)
#define FRAME_CHUNK    (128 * 1024) /* bytes that are copied at a time */

struct frame {
	char head[FRAME_HEAD_MAX]; /* length and header */
	size_t head_length;
	const char *memory; /* the body; NULL: it is in `file` */
	int file;	    /* borrowed */
	uint64_t at;	    /* where the body begins in it */
	uint64_t body;	    /* bytes announced */
	uint64_t sent;	    /* bytes of head and body */
	struct digest_state
	    *digest;  /* of what is read from the file, or NULL */
	bool copying; /* sendfile(2) does not do here */
	bool corked;  /* the sink is told that more follows */
	char chunk[FRAME_CHUNK];
	size_t chunk_start, chunk_end; /* read and not sent yet */
	/* 0, or why the body cannot be completed: -ENODATA where the file ended
	 * early, another negative errno where it could not be read. */
	int broken;
};

/* Without a body so far, whatever the header announces. -EMSGSIZE where the
 * name is too long. */
int frame_begin(struct frame *frame, const struct header_text *header);
/* A put of the whole source. */
int frame_begin_put(struct frame *frame, const char *name,
    const struct source *source, bool reply);
/* `end`, with a reply. */
int frame_begin_end(struct frame *frame);

/* Where the body of the frame begun is; borrowed. */
void frame_body_memory(struct frame *frame, const char *memory);
void frame_body_file(
    struct frame *frame, int fd, uint64_t at, struct digest_state *digest);
/* The source's, from `offset` on. */
void frame_body_source(struct frame *frame, const struct source *source,
    uint64_t offset, struct digest_state *digest);

/*
 * Reads a chunk of a source for its digest only, at most `most` bytes; their
 * number is in chunk_end. Returns 0 or -ECANCELED. No frame is begun.
 */
int frame_read_chunk(struct frame *frame, const struct source *source,
    uint64_t at, uint64_t most, struct digest_state *digest);

bool frame_done(const struct frame *frame);
/* Bytes of the body that were sent, and that were not. */
uint64_t frame_body_sent(const struct frame *frame);
uint64_t frame_left(const struct frame *frame);

/*
 * Sends what one system call takes, `most` bytes at most. Returns 0; -EAGAIN;
 * -ECANCELED where the frame is broken, now or before; any other negative errno
 * is the sink's.
 */
int frame_send(struct frame *frame, int fd, size_t most);

/*
 * Sends the rest, waiting for the sink for at most timeout_ms without progress
 * (-1: for ever). Returns 0, -ETIMEDOUT, or as frame_send().
 */
int frame_pump(struct frame *frame, int fd, int timeout_ms);

#endif
