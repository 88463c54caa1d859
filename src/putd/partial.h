/*
 * The private partial file of an upload by id: its bytes, ID.part, and its
 * record, ID.note, both in the private directory. Whoever has the record locked
 * is the one that writes. What is held is one number (put-protocol(7)): the
 * recorded offset, until the one who has the lock adds to it.
 *
 * The record is two slots written in turn, each with a number and a checksum:
 * one that was torn by a crash leaves the other. It touches nothing outside of
 * the private directory, and publishes nothing.
 */
#ifndef PUTD_PARTIAL_H
#define PUTD_PARTIAL_H

#include "putd/store.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct partial {
	int fd;	  /* the bytes; -1: none is open */
	int note; /* the record, locked */
	char id[ID_MAX + 1];
	uint64_t held;	       /* bytes received */
	uint64_t recorded;     /* bytes that a crash leaves */
	uint64_t sequence;     /* of the last slot written */
	int64_t checkpoint_ms; /* now_ms() then */
	bool made;	       /* by us: its names are not durable yet */
	bool checked;	       /* what is recorded is durable: we made it so */
	bool broken; /* a flush failed: only what is recorded counts */
};

#define PARTIAL_NONE ((struct partial){.fd = -1, .note = -1})

static inline bool partial_is_open(const struct partial *partial)
{
	return partial->fd >= 0;
}

/*
 * Opens and locks. Returns 0; -ENOENT where there is none and `make` is not
 * set; -EBUSY where another connection has it; -errno. What was written beyond
 * the recorded offset is cut off.
 */
int partial_open(
    struct store *store, const char *id, bool make, struct partial *ret);

/* Flushes the bytes, then records how many they are. Returns 0 or -errno: then
 * it is broken, since the kernel tells a failed flush once and calls the pages
 * clean; to be closed, and what was not recorded is gone. */
int partial_checkpoint(struct store *store, struct partial *partial);

/* The same if CHECKPOINT_BYTES or CHECKPOINT_MS have passed since. */
void partial_checkpoint_if_due(struct store *store, struct partial *partial);

/* Closes and unlocks; what was not recorded does not count. */
void partial_close(struct partial *partial);

/* Removes both files, and closes. Returns 0 or -errno. An intent to publish it
 * must be gone before: see commit_forget(). */
int partial_remove(struct store *store, struct partial *partial);

/* Whether the upload whose id is id[0..length) has bytes. */
bool partial_has_bytes(
    const struct store *store, const char *id, size_t length);

/* "ID.part" and its kin. */
#define PRIVATE_FILE (ID_MAX + 8) /* bytes */
void private_file(char out[PRIVATE_FILE], const char *id, const char *ending);

#endif
