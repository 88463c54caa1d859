/*
 * See store.h.
 */
#include "putd/store.h"

#include "putd/acl.h"
#include "putd/bounds.h"
#include "wire/cleanup.h"
#include "wire/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whether two directories are in one mounted filesystem (statx(2)). */
static bool same_mount(int left, int right)
{
	struct statx a, b;

	return statx(left, "", AT_EMPTY_PATH, STATX_MNT_ID, &a) == 0 &&
	       statx(right, "", AT_EMPTY_PATH, STATX_MNT_ID, &b) == 0 &&
	       a.stx_mnt_id == b.stx_mnt_id;
}

/*
 * The same by hand, a component at a time, where a filter takes openat2(2)
 * away: RestrictSUIDSGID= of systemd does (it cannot see the mode behind the
 * pointer), and old container engines do. No component is "..": names have been
 * judged, and each step is taken from a held directory.
 */
static int walk_below(int root, const char *path)
{
	int at = fcntl(root, F_DUPFD_CLOEXEC, 0);

	while (at >= 0 && *path != '\0') {
		char step[NAME_COMPONENT_MAX + 1];
		size_t length = strcspn(path, "/");
		int below;

		memcpy(step, path, length);
		step[length] = '\0';
		below = openat(
		    at, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0 && !same_mount(root, below)) {
			close_fd(&below);
			errno = EXDEV;
		}
		close_fd(&at);
		at = below;
		path += length + (path[length] == '/');
	}
	return at < 0 ? -errno : at;
}

/* Nothing on the way may lead out of the root: no "..", no symbolic link, no
 * other filesystem. */
static int open_below(int root, const char *path)
{
	struct open_how how = {
	    .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN); /* a rename raced with the walk */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return walk_below(root, path);
	return fd < 0 ? -errno : (int)fd;
}

/* 0 or -errno; a filesystem that is read only is -EROFS. */
static int may_write(int directory)
{
	return faccessat(directory, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno
								      : 0;
}

int store_open(struct store *store, const struct options *options)
{
	CLEANUP_CLOSE int root = open(options->directory,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = root < 0 ? -errno : may_write(root);

	if (r < 0)
		return r;
	*store = (struct store){
	    .root = take_fd(&root),
	    .private_fd = -1,
	    .durable = options->durable,
	    .floor = options->min_free,
	    .max_partial = options->max_partial,
	    .max_size = options->max_size,
	    .file_mode = options->file_mode,
	    .policy = options->policy,
	    .mkdirs = options->mkdirs,
	    .hidden = options->hidden,
	};
	return 0;
}

void store_close(struct store *store)
{
	close_fd(&store->private_fd);
	close_fd(&store->root);
}

/* Makes what is missing of a path, and each step durable before the next: a
 * name that survives must not lie in a directory that does not. The mode is
 * that of files with x where they have r; group and ACL come from the parent.
 */
static int make_directories(const struct store *store, const char *path)
{
	mode_t mode = store->file_mode | (store->file_mode & 0444) >> 2 | 0300;
	CLEANUP_CLOSE int parent = open_below(store->root, ".");

	while (parent >= 0 && *path != '\0') {
		char step[NAME_COMPONENT_MAX + 1];
		size_t length = strcspn(path, "/");
		int below, r;

		memcpy(step, path, length);
		step[length] = '\0';
		if (mkdirat(parent, step, mode) < 0 && errno != EEXIST)
			return -errno;
		r = store->durable ? flush_directory(parent) : 0;
		if (r < 0)
			return r;
		below = open_below(parent, step);
		(void)close(parent);
		parent = below;
		path += length + (path[length] == '/');
	}
	return parent < 0 ? parent : 0;
}

/* What is wrong with the way is wrong with the name. */
static int name_error(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ||
		       r == -ENAMETOOLONG
		   ? -EILSEQ
		   : r;
}

static int make_and_open(const struct store *store, const char *path)
{
	int r = make_directories(store, path);

	return r < 0 ? r : open_below(store->root, path);
}

bool directory_has(const struct directory *directory, const struct name *name)
{
	size_t length = name->base > 0 ? name->base - 1 : 0;

	return strlen(directory->path) == length &&
	       memcmp(directory->path, name->text, length) == 0;
}

static int enter(const struct store *store, const struct name *name, bool make,
    struct directory **directory)
{
	size_t length = name->base > 0 ? name->base - 1 : 0;
	struct directory *entered;
	int fd;

	if (*directory != NULL && directory_has(*directory, name))
		return 0;
	directory_release(directory);
	entered = calloc(1, sizeof(*entered) + length + 1);
	if (entered == NULL)
		return -ENOMEM;
	memcpy(entered->path, name->text, length);
	/* Also where all is there already: who made it may have died before
	 * its name was flushed. */
	if (make && length > 0)
		fd = make_and_open(store, entered->path);
	else
		fd = open_below(store->root, length > 0 ? entered->path : ".");
	if (fd < 0) {
		free(entered);
		return fd;
	}
	entered->references = 1;
	entered->fd = fd;
	*directory = entered;
	return 0;
}

int store_enter(const struct store *store, const struct name *name,
    struct directory **directory)
{
	return name_error(enter(store, name, store->mkdirs, directory));
}

int store_enter_made(const struct store *store, const struct name *name,
    struct directory **directory)
{
	int r = enter(store, name, false, directory);

	return r == -ENOENT ? r : name_error(r);
}

/* The way as far as it is there; the rest would be made. */
int store_can_enter(const struct store *store, const struct name *name)
{
	size_t length = name->base > 0 ? name->base - 1 : 0;
	char path[NAME_MAX_BYTES + 1];
	CLEANUP_CLOSE int fd = -1;

	memcpy(path, name->text, length);
	path[length] = '\0';
	for (;;) {
		char *slash = strrchr(path, '/');

		fd = open_below(store->root, path[0] != '\0' ? path : ".");
		if (fd != -ENOENT || !store->mkdirs || path[0] == '\0')
			break;
		*(slash != NULL ? slash : path) = '\0';
	}
	if (fd < 0)
		return name_error(fd);
	return may_write(fd) == -EACCES ? -EACCES : 0;
}

struct directory *directory_hold(struct directory *directory)
{
	directory->references++;
	return directory;
}

void directory_release(struct directory **directory)
{
	struct directory *released = *directory;

	*directory = NULL;
	if (released == NULL || --released->references > 0)
		return;
	close_fd(&released->fd);
	free(released);
}

int store_space(const struct store *store, int fd, struct space *ret)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return -errno;
	ret->free = (uint64_t)fs.f_bavail * fs.f_frsize;
	ret->floor = store->floor.bytes;
	if (store->floor.percent > 0)
		ret->floor = (uint64_t)fs.f_blocks * store->floor.percent /
			     100 * fs.f_frsize;
	return 0;
}

void store_forget_free(struct store *store)
{
	store->seen_free = 0;
}

/* What is left beyond `coming` may be promised without asking again. */
static int look_for(struct store *store, uint64_t coming)
{
	struct space space = {0};
	int r = store_space(store, store->root, &space);

	if (r < 0)
		return r;
	if (space.free < space.floor || space.free - space.floor < coming)
		return -ENOSPC;
	store->seen_free = space.free - space.floor;
	if (store->seen_free > SEEN_FREE_MAX)
		store->seen_free = SEEN_FREE_MAX;
	return 0;
}

int store_admit_size(struct store *store, uint64_t size, uint64_t coming)
{
	int r = 0;

	if (store->max_size > 0 && size > store->max_size)
		return -EFBIG;
	if (coming > store->seen_free)
		r = look_for(store, coming);
	if (r == 0)
		store->seen_free -=
		    coming < store->seen_free ? coming : store->seen_free;
	return r;
}

int store_policy(const struct store *store, enum policy wished)
{
	if (wished == POLICY_ABSENT)
		return (int)store->policy;
	return wished < store->policy ? -EPERM : (int)wished;
}

int store_admit_name(
    const struct directory *directory, const struct name *name, bool fresh)
{
	struct stat status;

	if (fstatat(directory->fd, name->text + name->base, &status,
		AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	return fresh ? -EEXIST : 0;
}

/* What is made in there belongs to nobody's directory yet: no default ACL. */
static int make_private(const struct store *store)
{
	int made = mkdirat(store->root, PRIVATE_DIRECTORY, 0700);
	int fd, r;

	if (made < 0 && errno != EEXIST)
		return -errno;
	fd = open_below(store->root, PRIVATE_DIRECTORY);
	if (fd < 0 || made < 0)
		return fd;
	r = acl_drop_default(fd);
	if (r == 0)
		return fd;
	(void)close(fd);
	return r;
}

int store_private(struct store *store)
{
	if (store->private_fd < 0)
		store->private_fd = make_private(store);
	return store->private_fd;
}

/* To a name that is free: where it is taken, the kernel says so by itself and
 * the filesystem is not asked at all. */
static bool try_noreplace(int private_fd)
{
	static const char one[] = "tmp.probe1", two[] = "tmp.probe2";
	int fd = openat(
	    private_fd, one, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool works;

	if (fd < 0)
		return false;
	(void)close(fd);
	(void)unlinkat(private_fd, two, 0);
	works =
	    renameat2(private_fd, one, private_fd, two, RENAME_NOREPLACE) == 0;
	(void)unlinkat(private_fd, one, 0);
	(void)unlinkat(private_fd, two, 0);
	return works;
}

/* Whoever made the directory may have died before its name was flushed. */
int store_flush_private(struct store *store)
{
	int r = 0;

	if (!store->durable)
		return 0;
	if (!store->root_flushed)
		r = flush_directory(store->root);
	store->root_flushed = r == 0;
	return r < 0 ? r : flush_directory(store->private_fd);
}

bool store_can_noreplace(struct store *store)
{
	if (store->noreplace == UNTRIED)
		store->noreplace =
		    try_noreplace(store->private_fd) ? WORKS : WORKS_NOT;
	return store->noreplace == WORKS;
}

enum wire_error store_error(int error)
{
	switch (-error) {
	case 0:
		return WIRE_OK;
	case EILSEQ:
		return WIRE_BAD_NAME;
	case EISDIR:
	case EEXIST:
		return WIRE_EXISTS;
	case EFBIG:
		return WIRE_TOO_LARGE;
	case ENOSPC:
	case EDQUOT:
		return WIRE_NO_SPACE;
	case EBADMSG:
		return WIRE_MISMATCH;
	case EBUSY:
		return WIRE_BUSY;
	case EACCES:
	case EPERM:
	case EXDEV:
		return WIRE_DENIED;
	default:
		/* EROFS, too: of a directory that could be written to when we
		 * came it is how ext4 and others go on after an error of the
		 * disk, and nothing that anybody forbids. */
		return WIRE_IO;
	}
}
