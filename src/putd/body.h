/*
 * A frame's body: bytes from the stream into a file, or away. It knows the
 * stream and one descriptor; nothing of names and receipts.
 */
#ifndef PUTD_BODY_H
#define PUTD_BODY_H

#include "putd/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct body {
	uint64_t left; /* bytes still to come from the stream */
	int error;     /* of the file: 0 or negative errno */

	/* Of a part: where in the file it starts; after receiving, where the
	 * bytes that were written end. */
	uint64_t offset;
	bool keep_prefix; /* write also what came of a body cut short */

	/* Called with each piece before it is written, and after it with the
	 * bytes that are left; may be NULL. */
	void (*taste)(void *context, const void *bytes, size_t n);
	void *taste_context;
	void (*progress)(void *context, uint64_t left);
	void *progress_context;
};

/*
 * Receives body->left bytes into fd. Returns 1 when all have come, or when the
 * file failed (body->error): then the rest is still to be skipped. Otherwise
 * as stream_need(): 0 where the stream ended.
 */
int body_receive(struct stream *stream, int fd, struct body *body);

/* Reads the rest and throws it away. Returns as body_receive(). */
int body_skip(struct stream *stream, struct body *body);

#endif
