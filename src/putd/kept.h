/*
 * What is kept of a commit, ID.done in the private directory: first what is
 * about to be done, then what was done, so that the answer can be asked for
 * again. One line of JSON, always replaced as a whole. It touches nothing
 * outside of the private directory.
 */
#ifndef PUTD_KEPT_H
#define PUTD_KEPT_H

#include "putd/digest.h"
#include "putd/store.h"

#include <stdbool.h>
#include <stdint.h>

enum kept_state {
	KEPT_NONE,
	KEPT_INTENT, /* it may have happened: the partial file is gone then */
	KEPT_STORED,
};

struct kept {
	enum kept_state state;
	char *filename; /* as it was told; owned */
	char *stored;	/* the name it got, or is to get; owned */
	uint64_t size;	/* bytes */
	bool has_sha256;
	char sha256[SHA256_HEX + 1];
	bool unchanged;
};

/* Returns 0 with ret->state KEPT_NONE where nothing is kept; -errno. */
int kept_read(struct store *store, const char *id, struct kept *ret);

/* Written, flushed and durable under its name when it returns 0; -errno. */
int kept_write(struct store *store, const char *id, const struct kept *kept);

/* Removes an intent that was not carried out, durably; a receipt stays.
 * Returns 0 or -errno. */
int kept_drop_intent(struct store *store, const char *id);
void kept_free(struct kept *kept);

#endif
