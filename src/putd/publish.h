/*
 * From an open temporary to a name that shows a whole file. A temporary is an
 * unnamed file in the destination directory, so that it gets that directory's
 * group and ACL, or a named one in the private directory where the filesystem
 * has no unnamed files. Nothing here flushes: batch.c does.
 */
#ifndef PUTD_PUBLISH_H
#define PUTD_PUBLISH_H

#include "putd/store.h"

#define PRIVATE_NAME 24 /* bytes of a name in the private directory */

struct temporary {
	int fd;			 /* -1: none */
	char name[PRIVATE_NAME]; /* in the private directory; "" is unnamed */
};

/* Opens one for a file that is to stand in `directory`. Returns 0 or -errno. */
int temporary_open(struct store *store, const struct directory *directory,
    struct temporary *ret);

/* Forgets it: closes it, and removes the name if it has one. */
void temporary_discard(struct store *store, struct temporary *temporary);

/*
 * Makes the temporary visible as `name` in `directory`, over whatever is there,
 * a directory excepted (-EISDIR). The name shows the old file or the new one
 * at every moment. Afterwards the temporary has no name of its own. Returns 0
 * or -errno, with nothing changed.
 */
int publish_replace(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name);

#endif
