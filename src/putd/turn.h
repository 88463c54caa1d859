/*
 * Taking turns at the disk: handlers of one directory that flush large batches
 * do so one after the other. Nothing depends on it but speed. Thousands of
 * files that are flushed at the same time stand in each other's way (ext4,
 * sixteen connections, 256 files of 4 KiB ahead: 1,100 to 8,700 files a second
 * side by side, 15,000 by turns; 12,000 from one connection), while up to
 * TURN_FILES of each share the journal's commits and are fastest so (64 ahead:
 * 15,000 to 19,000 side by side, 12,000 to 14,000 by turns). It knows one
 * descriptor.
 */
#ifndef PUTD_TURN_H
#define PUTD_TURN_H

#include <stdbool.h>
#include <stddef.h>

/* Start with zeros. */
struct turn {
	bool given_up; /* waited once in vain: not again in this process */
};

/*
 * Waits for the turn of a batch of `count` files: flock(2) of the directory
 * that is served, TURN_MS at most, since whoever holds it may be stopped, or a
 * stranger. True where it was got, to be given back by turn_end(); false where
 * a batch is so small that it better shares a commit with others, where locks
 * are not to be had, or where it did not come: then go on without.
 */
bool turn_begin(struct turn *turn, int root, size_t count);

void turn_end(int root);

#endif
