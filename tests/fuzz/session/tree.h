/*
 * The directory that the session fuzzer serves: made ready, compared with the
 * model, and emptied. It is on a tmpfs, and only this file touches it.
 */
#ifndef FUZZ_TREE_H
#define FUZZ_TREE_H

#include "model.h"

/* Makes the directory, below $TMPDIR or /dev/shm; gone at exit. */
const char *tree_open(void);

/* Puts there, and into the model, what others left: bit 0 a directory d, bit 1
 * symbolic links s (to d) and t (out), bit 2 a fifo p. */
void tree_furnish(struct model *model, unsigned what);

/* Locks an upload's record as another connection would; -1 closes. */
int tree_lock(const char *id);

/* Whether all that the model has is there, and nothing else. */
bool tree_agrees(struct model *model);

void tree_empty(void);

#endif
