/*
 * From an open temporary to a name that shows a whole file. A temporary is an
 * unnamed file in the destination directory, so that it gets that directory's
 * group and ACL, or a named one in the private directory where the filesystem
 * has no unnamed files. Nothing here flushes but a copy: batch.c does.
 */
#ifndef PUTD_PUBLISH_H
#define PUTD_PUBLISH_H

#include "putd/digest.h"
#include "putd/store.h"
#include "wire/header.h"

#define PRIVATE_NAME 24 /* bytes of a name in the private directory */

struct temporary {
	int fd;			 /* -1: none */
	char name[PRIVATE_NAME]; /* in the private directory; "" is unnamed */
};

/* A name in the private directory that nobody else uses: 0 or -errno. */
int private_name(char name[PRIVATE_NAME]);

/* Opens one for a file that is to stand in `directory`. Returns 0 or -errno. */
int temporary_open(struct store *store, const struct directory *directory,
    struct temporary *ret);

/* Forgets it: closes it, and removes the name if it has one. */
void temporary_discard(struct store *store, struct temporary *temporary);

/* What is wished of a file besides its name and bytes. */
struct wish {
	enum policy policy; /* never POLICY_ABSENT */
	bool has_mtime;
	uint64_t mtime_usec; /* microseconds since 1970 */
	/* The digest that the bytes were announced with, and have: a file of
	 * the same content that stands there already is left alone. */
	bool has_sha256;
	uint8_t sha256[DIGEST_BYTES];
	uint64_t size; /* bytes */
};

/* How it came out. */
struct outcome {
	/* Of `keep`: the last component that the file got; "" is its own. */
	char kept_as[NAME_COMPONENT_MAX + 1];
	bool unchanged; /* nothing was altered */
};

/* Writes the name that the file got, relative to the root. */
void outcome_name(const struct outcome *outcome, const struct name *name,
    char *out, size_t size);

/* Sets what the flush of the data shall cover: 0 or -errno. */
int wish_apply(int fd, const struct wish *wish);

/*
 * Makes the temporary visible as `name` in `directory`, by the policy: over
 * whatever is there, a directory excepted (-EISDIR); under a number,
 * NAME.~N~ (-EILSEQ where that does not fit, -EEXIST where none is free); or
 * not at all
 * (-EEXIST). The name shows the old file or the new one at every moment.
 * Returns 0, or -errno with nothing changed.
 */
int publish(struct store *store, struct temporary *temporary,
    const struct directory *directory, const struct name *name,
    const struct wish *wish, struct outcome *ret);

/* Gives a file that was made in the private directory the mode, the group and
 * the ACL that it would have got in `directory`; `fresh` is one that was made
 * there too and never moved. Returns 0; 1 where it got all but the group, which
 * is not ours to give; -errno. */
int file_move_in(const struct store *store, int fd, int fresh,
    const struct directory *directory);

/* Makes the file `name` of the private directory, open as *fd, once more in
 * `directory`, so that the kernel gives it that group: the copy, flushed, takes
 * the name, and *fd is the copy. Where that cannot be it stays as it is.
 * Returns 0, or -errno: -ENOSPC where there is no room for a second one. */
int file_remake(struct store *store, int *fd, const char *name,
    const struct directory *directory);

/* What became of replacing `name`: Landlock forbids a rename over a directory
 * before the kernel looks whether it could be done at all. */
int replace_error(
    int r, const struct directory *directory, const struct name *name);

/* What rename(2) says to errno `error`, as the store says it: negative. */
int rename_error(int error);

/* Calls attempt(base) for the last component of `name`, then with .~1~, .~2~ …
 * behind it, until it returns other than -EEXIST; what it took is in kept_as,
 * "" for the name itself. Returns its result; -EEXIST when KEEP_NUMBERS were
 * taken; -EILSEQ where the number does not fit. */
int keep_number(const struct directory *directory, const struct name *name,
    char kept_as[NAME_COMPONENT_MAX + 1],
    int (*attempt)(void *context, const char *base), void *context);

/* Whether keep_number() would find a name that is free: 0, or -EEXIST, -EILSEQ
 * as that, or another -errno. Nothing is reserved. */
int keep_has_number(const struct directory *directory, const struct name *name);

/* Whether `base` in `directory` is a regular file of this size and digest, and
 * is flushed where the store flushes: 1, 0, -errno. */
int publish_is_same(const struct store *store,
    const struct directory *directory, const char *base,
    const struct wish *wish);

#endif
