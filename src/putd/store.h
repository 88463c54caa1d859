/*
 * The tree of files below the root: directories reached without leaving it,
 * and the judgement whether a file may come. It takes names only as `struct
 * name`, and knows nothing of frames and receipts. What it returns is 0 or a
 * negative errno; store_error() gives the protocol's word for one.
 */
#ifndef PUTD_STORE_H
#define PUTD_STORE_H

#include "putd/flush.h"
#include "putd/name.h"
#include "putd/options.h"
#include "putd/turn.h"
#include "wire/error.h"
#include "wire/header.h"

#include <stdbool.h>
#include <stdint.h>

struct store {
	int root;	     /* the held directory */
	int private_fd;	     /* PRIVATE_DIRECTORY, -1 until it is needed */
	bool durable;	     /* flush at all */
	bool named;	     /* this filesystem has no unnamed files */
	bool linked_by_path; /* an unnamed file, as by its number alone fails */
	bool root_flushed;   /* the private directory's own name is durable */
	enum { UNTRIED, WORKS, WORKS_NOT } noreplace; /* renameat2(2) */
	struct flusher flusher;	   /* of all connections of this process */
	struct turn turn;	   /* likewise */
	struct amount floor;	   /* of free space */
	uint64_t seen_free;	   /* bytes above it that are nobody's yet */
	struct amount max_partial; /* of free space, for partial files */
	uint64_t max_size;	   /* bytes of one file, 0: no limit */
	mode_t file_mode;
	enum policy policy; /* for a name that is taken */
	bool mkdirs;	    /* make directories that a name wants */
	bool hidden;	    /* allow components that start with a dot */
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
 * used again when it is the same. The reference it held moves on. Returns 0,
 * -EILSEQ where the way is none (put-protocol(7), File names), or -errno.
 */
int store_enter(const struct store *store, const struct name *name,
    struct directory **directory);

/* The same, and no directory is made: -ENOENT where one is missing. */
int store_enter_made(const struct store *store, const struct name *name,
    struct directory **directory);

/* Whether store_enter() would be possible, and nothing made: 0 or as that; and
 * -EACCES where nothing may be put there. */
int store_can_enter(const struct store *store, const struct name *name);

/* Whether it is the one that the name stands in. */
bool directory_has(const struct directory *directory, const struct name *name);

struct directory *directory_hold(struct directory *directory);
void directory_release(struct directory **directory);

/* The policy for a file that wishes for `wished`: the server's own where it is
 * POLICY_ABSENT. Returns it, or -EPERM for a looser one. */
int store_policy(const struct store *store, enum policy wished);

/* Whether a file may stand under this name: 0; -EISDIR; -EEXIST where the name
 * is taken and `fresh` says that it must not be; another -errno. */
int store_admit_name(
    const struct directory *directory, const struct name *name, bool fresh);

/* Whether a file of `size` bytes may come, of which `coming` are still to be
 * written: 0, -EFBIG, -ENOSPC, another -errno. What brings nothing needs no
 * space, also below the floor. The filesystem is asked once for the small files
 * of a batch, up to SEEN_FREE_MAX bytes, and for each large one. */
int store_admit_size(struct store *store, uint64_t size, uint64_t coming);

/* The batch is over: what was seen may no longer be there. */
void store_forget_free(struct store *store);

/* Bytes free for us in the filesystem of `fd`, and those that shall stay. */
struct space {
	uint64_t free, floor;
};

/* 0 or -errno. */
int store_space(const struct store *store, int fd, struct space *ret);

/* Opens, and makes where it is missing, the private directory. Returns its fd,
 * owned by the store, or -errno. */
int store_private(struct store *store);

/* Makes the names in the private directory durable, and its own. Returns 0,
 * also where the store does not flush, or -errno. */
int store_flush_private(struct store *store);

/* Whether rename(2) without clobbering can be relied on here: tried, since
 * FUSE filesystems refuse or ignore the flag. */
bool store_can_noreplace(struct store *store);

/* -EILSEQ is a name that is refused, -EBADMSG a size or digest that differs,
 * -EBUSY an id in use; the other numbers are what they say. */
enum wire_error store_error(int error);

#endif
