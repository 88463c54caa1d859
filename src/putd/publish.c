/*
 * See publish.h. linkat(2) never replaces and rename(2) always does, so: link
 * first, and only where the name is taken link under a private name and rename
 * that over it. renameat2(2) with flags is not relied on: FUSE filesystems
 * refuse or ignore it.
 */
#include "putd/publish.h"

#include "putd/acl.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COPY_BUFFER (64 * 1024)	       /* bytes */
#define COPY_INSIDE (64 * 1024 * 1024) /* bytes, of one call */

int private_name(char name[PRIVATE_NAME])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	(void)snprintf(name, PRIVATE_NAME, "tmp.%016" PRIx64, number);
	return 0;
}

/* What the filesystem does by itself for a file made in its own place: the
 * group of a set-group-ID directory, and else ours. 1 where it is not ours to
 * give: nobody may who is not in the group, and a unit can take fchown(2) away
 * altogether. 0 or -errno. */
static int take_group(const struct store *store, int fd, int fresh,
    const struct directory *directory)
{
	struct stat there, private, file, kept;
	gid_t group;

	if (fstat(directory->fd, &there) < 0 ||
	    fstat(store->private_fd, &private) < 0 || fstat(fd, &file) < 0 ||
	    fstat(fresh, &kept) < 0)
		return -errno;
	if (there.st_mode & S_ISGID)
		group = there.st_gid;
	else
		group = private.st_mode & S_ISGID ? getegid() : kept.st_gid;
	return group != file.st_gid && fchown(fd, (uid_t)-1, group) < 0;
}

int file_move_in(const struct store *store, int fd, int fresh,
    const struct directory *directory)
{
	int group = take_group(store, fd, fresh, directory);
	int r = group < 0 ? group
			  : acl_inherit(directory->fd, fd, store->file_mode);

	if (r == 0 && fchmod(fd, store->file_mode) < 0)
		r = -errno;
	return r < 0 ? r : group;
}

static int open_named(struct store *store, const struct directory *directory,
    struct temporary *ret)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int private_fd = store_private(store);
	int r = private_name(ret->name);

	if (private_fd < 0 || r < 0)
		return private_fd < 0 ? private_fd : r;
	ret->fd = openat(private_fd, ret->name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    store->file_mode);
	if (ret->fd < 0)
		return -errno;
	/* Locked as long as it is open: the sweep leaves it alone. */
	(void)!fcntl(ret->fd, F_OFD_SETLK, &whole);
	r = file_move_in(store, ret->fd, ret->fd, directory);
	return r < 0 ? r : 0;
}

int temporary_open(struct store *store, const struct directory *directory,
    struct temporary *ret)
{
	*ret = (struct temporary){.fd = -1};
	if (!store->named) {
		ret->fd = openat(directory->fd, ".",
		    O_RDWR | O_TMPFILE | O_CLOEXEC, store->file_mode);
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
 * Gives the unnamed file a name that is free. AT_EMPTY_PATH, the shorter way,
 * needs a capability or Linux 6.10; /proc may be missing or closed to us:
 * whichever works.
 */
static int link_unnamed(struct store *store, int fd, int to_fd, const char *to)
{
	char path[32];

	if (!store->linked_by_path) {
		if (linkat(fd, "", to_fd, to, AT_EMPTY_PATH) == 0)
			return 0;
		if (errno != ENOENT && errno != EACCES && errno != EPERM)
			return -errno;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, to_fd, to, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	store->linked_by_path = true;
	return 0;
}

static int write_at(int fd, const char *bytes, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t written = pwrite(fd, bytes, n, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		n -= (size_t)written;
		at += written;
	}
	return 0;
}

/* Within the kernel, where a filesystem may even share the blocks: how far. */
static off_t copy_inside(int from, int to)
{
	loff_t at = 0, to_at = 0;

	while (copy_file_range(from, &at, to, &to_at, COPY_INSIDE, 0) > 0)
		;
	return at;
}

static int copy_bytes(int from, int to)
{
	char buffer[COPY_BUFFER];
	off_t at = copy_inside(from, to);

	for (;;) {
		ssize_t n = pread(from, buffer, sizeof(buffer), at);
		int r;

		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = write_at(to, buffer, (size_t)n, at);
		if (r < 0)
			return r;
		at += n;
	}
}

/* The access time is given too: FUSE filesystems of the older library ignore a
 * call that leaves it out. */
static int set_mtime(int fd, struct timespec mtime)
{
	struct timespec times[2] = {[1] = mtime};

	(void)clock_gettime(CLOCK_REALTIME, &times[0]);
	return futimens(fd, times) < 0 ? -errno : 0;
}

static int copy_time(int from, int to)
{
	struct stat status;

	if (fstat(from, &status) < 0)
		return -errno;
	return set_mtime(to, status.st_mtim);
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
	if (r == 0)
		r = copy_time(temporary->fd, copy.fd);
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

static bool is_forbidden(int r)
{
	return r == -EPERM || r == -EACCES || r == -ENOENT;
}

/* The copy gets the name, and with it all that was recorded of the file. 1
 * where unnamed files cannot be linked: it does not. */
static int take_name(struct store *store, int fd, const char *name)
{
	char own_name[PRIVATE_NAME];
	int r = private_name(own_name);

	if (r < 0)
		return r;
	r = link_unnamed(store, fd, store->private_fd, own_name);
	if (r < 0)
		return is_forbidden(r) ? 1 : r;
	if (renameat(store->private_fd, own_name, store->private_fd, name) == 0)
		return 0;
	r = -errno;
	(void)unlinkat(store->private_fd, own_name, 0);
	return r;
}

int file_remake(struct store *store, int *fd, const char *name,
    const struct directory *directory)
{
	struct temporary copy = {.fd = -1};
	int r = temporary_open(store, directory, &copy);

	/* A named one is made in the private directory, too. */
	if (r < 0 || copy.name[0] != '\0') {
		temporary_discard(store, &copy);
		return r;
	}
	r = copy_bytes(*fd, copy.fd);
	if (r == 0 && store->durable && fsync(copy.fd) < 0)
		r = -errno;
	if (r == 0)
		r = take_name(store, copy.fd, name);
	if (r != 0) {
		temporary_discard(store, &copy);
		return r < 0 ? r : 0;
	}
	(void)close(*fd);
	*fd = copy.fd;
	return 0;
}

/* A name that is free: 0, -EEXIST where it is not, -errno. */
static int link_to(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name)
{
	if (temporary->name[0] == '\0')
		return link_unnamed(store, temporary->fd, directory->fd, name);
	if (linkat(store->private_fd, temporary->name, directory->fd, name, 0) <
	    0)
		return -errno;
	(void)unlinkat(store->private_fd, temporary->name, 0);
	temporary->name[0] = '\0';
	return 0;
}

/* Busy is a name that something is mounted on: not ours to replace. */
int rename_error(int error)
{
	return error == EBUSY ? -EPERM : -error;
}

int replace_error(
    int r, const struct directory *directory, const struct name *name)
{
	if (r == -EACCES && store_admit_name(directory, name, false) == -EISDIR)
		return -EISDIR;
	return r;
}

static int rename_over(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name)
{
	int r = 0;

	if (temporary->name[0] == '\0') {
		char own_name[PRIVATE_NAME];
		int private_fd = store_private(store);

		r = private_fd < 0 ? private_fd : private_name(own_name);
		if (r == 0)
			r = link_unnamed(
			    store, temporary->fd, private_fd, own_name);
		if (r < 0)
			return r;
		memcpy(temporary->name, own_name, PRIVATE_NAME);
	}
	if (renameat(store->private_fd, temporary->name, directory->fd, name) <
	    0)
		return rename_error(errno);
	temporary->name[0] = '\0';
	return 0;
}

/* As link_to(), by copying where the kernel links no unnamed file. */
static int link_somehow(struct store *store, struct temporary *temporary,
    const struct directory *directory, const char *name)
{
	int r = link_to(store, temporary, directory, name);

	if (is_forbidden(r) && temporary->name[0] == '\0') {
		r = become_named(store, temporary, directory);
		if (r == 0)
			r = link_to(store, temporary, directory, name);
	}
	return r;
}

struct attempt {
	struct store *store;
	struct temporary *temporary;
	const struct directory *directory;
};

static int attempt_link(void *context, const char *base)
{
	struct attempt *attempt = context;

	return link_somehow(
	    attempt->store, attempt->temporary, attempt->directory, base);
}

void outcome_name(const struct outcome *outcome, const struct name *name,
    char *out, size_t size)
{
	if (outcome->kept_as[0] == '\0')
		(void)snprintf(out, size, "%s", name->text);
	else
		(void)snprintf(out, size, "%.*s%s", (int)name->base, name->text,
		    outcome->kept_as);
}

int wish_apply(int fd, const struct wish *wish)
{
	struct timespec mtime = {
	    .tv_sec = (time_t)(wish->mtime_usec / 1000000),
	    .tv_nsec = (long)(wish->mtime_usec % 1000000) * 1000,
	};

	return wish->has_mtime ? set_mtime(fd, mtime) : 0;
}

int publish(struct store *store, struct temporary *temporary,
    const struct directory *directory, const struct name *name,
    const struct wish *wish, struct outcome *ret)
{
	struct attempt attempt = {store, temporary, directory};
	const char *base = name->text + name->base;
	int r;

	*ret = (struct outcome){.unchanged = false};
	if (wish->has_sha256) {
		r = publish_is_same(store, directory, base, wish);
		ret->unchanged = r > 0;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (wish->policy == POLICY_KEEP)
		return keep_number(
		    directory, name, ret->kept_as, attempt_link, &attempt);
	r = link_somehow(store, temporary, directory, base);
	if (r == -EEXIST && wish->policy == POLICY_REPLACE)
		r = replace_error(
		    rename_over(store, temporary, directory, base), directory,
		    name);
	return r;
}
