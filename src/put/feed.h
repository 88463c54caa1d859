/*
 * A stream of unknown length: standard input or a command's output, of which
 * all is kept that the server has not confirmed, in a few blocks. It knows
 * nothing of frames or servers.
 */
#ifndef PUT_FEED_H
#define PUT_FEED_H

#include "put/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FEED_BLOCK  (16 * 1024 * 1024) /* bytes; one is one part */
#define FEED_BLOCKS 4		       /* are kept at most */
/* What came is not kept waiting for more of it longer than this. */
#define FEED_LINGER_MS 1000

struct feed_block {
	char *data;
	uint64_t at; /* of its first byte in the stream */
	size_t length;
	bool sealed; /* nothing is added any more */
};

struct feed {
	int fd;				       /* -1: it has ended */
	pid_t child;			       /* 0: none */
	struct feed_block blocks[FEED_BLOCKS]; /* a ring */
	size_t first, count;
	uint64_t total; /* bytes read */
	int64_t last;	/* clock_ms() when bytes last came */
	bool failed;	/* it ended, and not well */
	int error;	/* of reading, as a positive errno; or 0 */
	int status;	/* of the command, as wait(2) has it */
	bool digesting;
	struct digest_state digest;
};

/* Of a descriptor, which is owned from now on. NULL: no memory. */
struct feed *feed_of(int fd, bool digesting);
/* Of a command's output. Returns 0 or a negative errno. */
int feed_start(const char *command, bool digesting, struct feed **ret);
void feed_free(struct feed *feed);

/* Whether it has room for more, and more may come. */
bool feed_wants(const struct feed *feed);
/* One read(2), to be called when its descriptor is readable. Returns 0 or
 * -ENOMEM; an error of the stream itself is in the feed. */
int feed_read(struct feed *feed);
/* Waits, for ever, until there is something to send or the end. */
void feed_await(struct feed *feed);
/* Milliseconds until what is there should be sent although it is little; -1:
 * nothing is waiting for that. */
int feed_linger(const struct feed *feed);

/*
 * The part to be sent next, that begins at `offset`: its bytes and length,
 * which is 0 where there is none yet. The bytes stay until they are released.
 */
const char *feed_part(struct feed *feed, uint64_t offset, size_t *ret_length);
/* Bytes before this offset are not needed any more. */
void feed_release(struct feed *feed, uint64_t offset);
/* Whether the bytes from this offset on are still there. */
bool feed_reaches(const struct feed *feed, uint64_t offset);
/* It has ended, and all before this offset is all of it. */
bool feed_is_over(const struct feed *feed, uint64_t offset);

#endif
