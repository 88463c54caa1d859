/*
 * The tree of files below the root: directories reached without leaving it,
 * and the judgement whether a file may come. It takes names only as `struct
 * name`, and knows nothing of frames and receipts. What it returns is 0 or a
 * negative errno; store_error() gives the protocol's word for one.
 */
#ifndef PUTD_STORE_H
#define PUTD_STORE_H

#include "putd/name.h"
#include "putd/options.h"
#include "wire/error.h"

#include <stdbool.h>
#include <stdint.h>

struct store {
	int root;	     /* the held directory */
	int private_fd;	     /* PRIVATE_DIRECTORY, -1 until it is needed */
	bool durable;	     /* flush at all */
	bool named;	     /* this filesystem has no unnamed files */
	struct amount floor; /* of free space */
	uint64_t max_size;   /* bytes of one file, 0: no limit */
};

/*
 * A directory of the tree, held open while files are put into it. Several
 * pending files share one, by a count of references.
 */
struct directory {
	int fd;
	unsigned references;
	bool changed; /* names were published since the last flush */
	int error;    /* of that flush: 0 or negative errno */
	char path[];  /* below the root, "" is the root itself */
};

/* Opens the root. `options` is read and not kept. Returns 0 or -errno: -ENOTDIR
 * and -ELOOP where it is not a directory itself, -EACCES where it is not ours
 * to write. */
int store_open(struct store *store, const struct options *options);
void store_close(struct store *store);

/*
 * Opens the directory that a name stands in, every step below the root and
 * through no symbolic link (openat2(2)); one already open in *directory is
 * used again when it is the same. The reference it held moves on. Returns 0 or
 * -errno.
 */
int store_enter(const struct store *store, const struct name *name,
    struct directory **directory);

struct directory *directory_hold(struct directory *directory);
void directory_release(struct directory **directory);

/* Whether a file of `size` bytes may come under this name: 0, -EFBIG, -ENOSPC,
 * -EISDIR, or another -errno. */
int store_admit(const struct store *store, const struct directory *directory,
    const struct name *name, uint64_t size);

/* Bytes free for us in the filesystem of `fd`, and those that shall stay. */
struct space {
	uint64_t free, floor;
};

/* 0 or -errno. */
int store_space(const struct store *store, int fd, struct space *ret);

/* Opens, and makes where it is missing, the private directory. Returns its fd,
 * owned by the store, or -errno. */
int store_private(struct store *store);

enum wire_error store_error(int error);

#endif
