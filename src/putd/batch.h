/*
 * What is written and not yet durable: the files of frames that came one close
 * after the other become durable together, in their order. A single put is a
 * batch of one. It knows the store; nothing of the stream and of receipts.
 */
#ifndef PUTD_BATCH_H
#define PUTD_BATCH_H

#include "putd/bounds.h"
#include "putd/publish.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pending {
	struct temporary temporary;  /* owned */
	struct directory *directory; /* a reference */
	struct name name;	     /* owned */
	struct wish wish;
	struct outcome outcome; /* once flushed */
	int64_t started;	/* now_ms() at its header */
	bool reply;		/* a receipt was asked */
	bool tell_sha256;	/* and this digest in it */
	uint8_t sha256[DIGEST_BYTES];
	int error; /* 0 or negative errno, once flushed */
};

struct batch {
	struct store *store;
	struct pending files[BATCH_FILES];
	size_t count;
	size_t open, limit; /* descriptors */

	/* Told of each file in order, once its fate is settled. A negative
	 * result does not stop the others; the first is batch_flush()'s. */
	int (*settled)(void *context, const struct pending *file);
	void *context;
};

/* Releases what the file owns; a temporary that was not published is gone. */
void pending_forget(struct store *store, struct pending *file);

/* Bounded by BATCH_FILES and by the descriptors that this process may open. */
void batch_init(struct batch *batch, struct store *store);

/* The directory of the name, if a file of the batch holds it; borrowed. */
struct directory *batch_directory(
    const struct batch *batch, const struct name *name);

/* Whether a file of the batch would be a directory of this name: it came first,
 * and has to be published before the way is looked at, or made. */
bool batch_stands_on_way(const struct batch *batch, const char *filename);

/* Takes what `file` owns; there must be room: batch_full() is false. */
void batch_add(struct batch *batch, const struct pending *file);
bool batch_full(const struct batch *batch);

/* Flushes data, publishes, flushes directories, then tells of each file.
 * Returns 0, or the first negative result of settled(). */
int batch_flush(struct batch *batch);

#endif
