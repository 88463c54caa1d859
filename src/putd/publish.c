/*
 * See publish.h. linkat(2) never replaces and rename(2) always does, so: link
 * first, and only where the name is taken link under a private name and rename
 * that over it. renameat2(2) with flags is not relied on: FUSE filesystems
 * refuse or ignore it.
 */
#include "putd/publish.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE   0640
#define COPY_BUFFER (64 * 1024) /* bytes */

static int make_private_name(char name[PRIVATE_NAME])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	(void)snprintf(name, PRIVATE_NAME, "tmp.%016" PRIx64, number);
	return 0;
}

/* What the filesystem does by itself for a file made in its own place. */
static void take_group(int fd, const struct directory *directory)
{
	struct stat status;

	if (fstat(directory->fd, &status) == 0 && status.st_mode & S_ISGID)
		(void)!fchown(fd, (uid_t)-1, status.st_gid);
}

static int open_named(struct store *store, const struct directory *directory,
    struct temporary *ret)
{
	int private_fd = store_private(store);
	int r = make_private_name(ret->name);

	if (private_fd < 0 || r < 0)
		return private_fd < 0 ? private_fd : r;
	ret->fd = openat(private_fd, ret->name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (ret->fd < 0)
		return -errno;
	take_group(ret->fd, directory);
	return 0;
}

int temporary_open(struct store *store, const struct directory *directory,
    struct temporary *ret)
{
	*ret = (struct temporary){.fd = -1};
	if (!store->named) {
		ret->fd = openat(directory->fd, ".",
		    O_RDWR | O_TMPFILE | O_CLOEXEC, FILE_MODE);
		if (ret->fd >= 0)
			return 0;
		/* EISDIR: a kernel before O_TMPFILE; ENOENT: overlayfs of
		 * such a one (open(2)). */
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
			return -errno;
		store->named = true;
	}
	return open_named(store, directory, ret);
}

void temporary_discard(struct store *store, struct temporary *temporary)
{
	if (temporary->name[0] != '\0')
		(void)unlinkat(store->private_fd, temporary->name, 0);
	temporary->name[0] = '\0';
	close_fd(&temporary->fd);
}

/*
 * Gives the unnamed file a name that is free. /proc may be missing or closed
 * to us, and AT_EMPTY_PATH needs a capability or Linux 6.10: whichever works.
 */
static int link_unnamed(int fd, int to_fd, const char *to)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, to_fd, to, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT && errno != EACCES && errno != EPERM)
		return -errno;
	return linkat(fd, "", to_fd, to, AT_EMPTY_PATH) == 0 ? 0 : -errno;
}

static int copy_bytes(int from, int to)
{
	char buffer[COPY_BUFFER];
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(from, buffer, sizeof(buffer), at);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (pwrite(to, buffer, (size_t)n, at) != n)
			return -EIO;
		at += n;
	}
}

/* Neither way of linking is allowed here: the bytes move to a named temporary,
 * and so do all that follow on this connection. */
static int become_named(struct store *store, struct temporary *temporary,
    const struct directory *directory)
{
	struct temporary copy = {.fd = -1};
	int r = open_named(store, directory, &copy);

	if (r == 0)
		r = copy_bytes(temporary->fd, copy.fd);
	if (r == 0 && store->durable && fdatasync(copy.fd) < 0)
		r = -errno;
	if (r < 0) {
		temporary_discard(store, &copy);
		return r;
	}
	store->named = true;
	temporary_discard(store, temporary);
	*temporary = copy;
	return 0;
}

/* A name that is free: 0, -EEXIST where it is not, -errno. */
static int link_to(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name)
{
	if (temporary->name[0] == '\0')
		return link_unnamed(temporary->fd, directory->fd, name);
	if (linkat(store->private_fd, temporary->name, directory->fd, name, 0) <
	    0)
		return -errno;
	(void)unlinkat(store->private_fd, temporary->name, 0);
	temporary->name[0] = '\0';
	return 0;
}

static int rename_over(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name)
{
	int r = 0;

	if (temporary->name[0] == '\0') {
		char private_name[PRIVATE_NAME];
		int private_fd = store_private(store);

		r = private_fd < 0 ? private_fd
				   : make_private_name(private_name);
		if (r == 0)
			r = link_unnamed(
			    temporary->fd, private_fd, private_name);
		if (r < 0)
			return r;
		memcpy(temporary->name, private_name, PRIVATE_NAME);
	}
	if (renameat(store->private_fd, temporary->name, directory->fd, name) <
	    0)
		return -errno;
	temporary->name[0] = '\0';
	return 0;
}

int publish_replace(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name)
{
	int r = link_to(store, temporary, directory, name);

	if ((r == -EPERM || r == -EACCES || r == -ENOENT) &&
	    temporary->name[0] == '\0') {
		r = become_named(store, temporary, directory);
		if (r == 0)
			r = link_to(store, temporary, directory, name);
	}
	if (r == -EEXIST)
		r = rename_over(store, temporary, directory, name);
	return r;
}
