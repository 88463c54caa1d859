/*
 * See store.h.
 */
#include "putd/store.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	return fd < 0 ? -errno : (int)fd;
}

int store_open(struct store *store, const struct options *options)
{
	CLEANUP_CLOSE int root = open(options->directory,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root < 0)
		return -errno;
	if (faccessat(root, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	*store = (struct store){
	    .root = root,
	    .private_fd = -1,
	    .durable = options->durable,
	    .floor = options->min_free,
	    .max_size = options->max_size,
	};
	root = -1;
	return 0;
}

void store_close(struct store *store)
{
	close_fd(&store->private_fd);
	close_fd(&store->root);
}

/* Whether the directory is the one that the name stands in. */
static bool is_in(const struct directory *directory, const struct name *name)
{
	size_t length = name->base > 0 ? name->base - 1 : 0;

	return strlen(directory->path) == length &&
	       memcmp(directory->path, name->text, length) == 0;
}

int store_enter(const struct store *store, const struct name *name,
    struct directory **directory)
{
	size_t length = name->base > 0 ? name->base - 1 : 0;
	struct directory *entered;

	if (*directory != NULL && is_in(*directory, name))
		return 0;
	directory_release(directory);
	entered = calloc(1, sizeof(*entered) + length + 1);
	if (entered == NULL)
		return -ENOMEM;
	memcpy(entered->path, name->text, length);
	entered->references = 1;
	entered->fd = open_below(store->root, length > 0 ? entered->path : ".");
	if (entered->fd < 0) {
		int r = entered->fd;

		free(entered);
		return r;
	}
	*directory = entered;
	return 0;
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
		ret->floor = (uint64_t)fs.f_blocks / 100 * fs.f_frsize *
			     store->floor.percent;
	return 0;
}

static int check_space(
    const struct store *store, const struct directory *directory, uint64_t size)
{
	struct space space;
	int r = store_space(store, directory->fd, &space);

	if (r < 0)
		return r;
	if (space.free < space.floor || space.free - space.floor < size)
		return -ENOSPC;
	return 0;
}

int store_admit(const struct store *store, const struct directory *directory,
    const struct name *name, uint64_t size)
{
	struct stat status;

	if (store->max_size > 0 && size > store->max_size)
		return -EFBIG;
	if (fstatat(directory->fd, name->text + name->base, &status,
		AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(status.st_mode))
			return -EISDIR;
	} else if (errno != ENOENT) {
		return -errno;
	}
	return check_space(store, directory, size);
}

int store_private(struct store *store)
{
	if (store->private_fd >= 0)
		return store->private_fd;
	if (mkdirat(store->root, PRIVATE_DIRECTORY, 0700) < 0 &&
	    errno != EEXIST)
		return -errno;
	store->private_fd = open_below(store->root, PRIVATE_DIRECTORY);
	return store->private_fd;
}

enum wire_error store_error(int error)
{
	switch (-error) {
	case 0:
		return WIRE_OK;
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return WIRE_BAD_NAME;
	case EISDIR:
	case EEXIST:
		return WIRE_EXISTS;
	case EFBIG:
		return WIRE_TOO_LARGE;
	case ENOSPC:
	case EDQUOT:
		return WIRE_NO_SPACE;
	case EACCES:
	case EPERM:
	case EROFS:
	case EXDEV:
		return WIRE_DENIED;
	default:
		return WIRE_IO;
	}
}
