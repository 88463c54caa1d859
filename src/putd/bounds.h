/*
 * Every limit of the handler that the protocol leaves to it, with its unit.
 * What the protocol fixes is in wire/limits.h;
 * the size of a buffer that only one file knows is there.
 */
#ifndef PUTD_BOUNDS_H
#define PUTD_BOUNDS_H

#include <stdint.h>

/* Bytes of the one buffer of a connection: what is read ahead, and the block
 * in which a large body is written. A power of two and a multiple of any
 * block size, as O_DIRECT wants it. */
#define STREAM_BUFFER (1024 * 1024)

/* Bytes from which a body is written in whole blocks past the page cache. */
#define LARGE_BODY STREAM_BUFFER

/* Bytes of disk taken ahead of the bytes of a large body. */
#define ALLOCATE_AHEAD	(UINT64_C(64) * 1024 * 1024)

#define OUTPUT_BUFFER	(64 * 1024) /* bytes of receipts, sent together */
#define BATCH_FILES	256	    /* files made durable together, at most */
#define DESCRIPTORS_MAX (2 * BATCH_FILES) /* of a batch and its directories */
#define DESCRIPTORS	16 /* kept free of the batch: stdio, root, journal … */

/* A batch of more files than this is flushed by turns (turn.h); milliseconds
 * that one waits for its own, at most. */
#define TURN_FILES     64
#define TURN_MS	       1000

#define DRAIN_MS       5000 /* for the peer to see our last line and close */
#define DRAIN_QUIET_MS 1000 /* the same, for one that sends nothing */
#define DRAIN_BYTES    (UINT64_C(256) * 1024 * 1024) /* read for the same end */
#define KEEP_NUMBERS   10000 /* NAME.~1~ to NAME.~10000~ */

/* A partial file is flushed, and its offset recorded, so often. */
#define CHECKPOINT_BYTES (UINT64_C(64) * 1024 * 1024)
#define CHECKPOINT_MS	 2000

#define PARTIALS_MAX	 10000 /* ids with a partial file */

/* Bytes of parts between two looks at all partial files, at most: other
 * connections write too. */
#define ROOM_MAX (UINT64_C(64) * 1024 * 1024)

/* Bytes that the small files of one batch may take for one look at the free
 * space: about what a batch of BATCH_FILES brings. */
#define SEEN_FREE_MAX (UINT64_C(4) * 1024 * 1024)

/* Milliseconds of waiting over which --min-rate is judged. */
#ifndef RATE_WINDOW_MS
#define RATE_WINDOW_MS 60000
#endif

/* The sweep of stale things: seconds between two, age of a temporary that has
 * no owner, entries looked at. */
#define SWEEP_INTERVAL 3600
#define SWEEP_AGE      3600
#define SWEEP_ENTRIES  50000

#endif
