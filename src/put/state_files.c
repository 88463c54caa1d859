/*
 * See state_files.h. XDG_STATE_HOME is that of the XDG Base Directory
 * Specification: a value that is not absolute is ignored.
 */
#include "put/state_files.h"

#include "put/digest.h"

#include "wire/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define SECRET_NAME "secret"
#define SWEPT_NAME  "swept"
#define SWEEP_EVERY (24 * 60 * 60)	/* seconds */
#define STALE_AFTER (30 * 24 * 60 * 60) /* seconds without use */

static bool state_path(char path[PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n = PATH_MAX;

	if (state != NULL && *state == '/')
		n = snprintf(path, PATH_MAX, "%s/put/uploads", state);
	else if (home != NULL && *home == '/')
		n = snprintf(
		    path, PATH_MAX, "%s/.local/state/put/uploads", home);
	return n < PATH_MAX;
}

/* Each directory of the path that is not there. A home that is missing is not
 * made: nobody lives there. */
static int make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = mkdir(path, 0700) < 0 && errno != EEXIST &&
			    errno != EROFS && errno != EACCES
			? -errno
			: 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Under a name of its own first, so that nobody sees half of it. */
static int write_new(
    int directory, const char *name, const void *bytes, size_t n)
{
	CLEANUP_CLOSE int fd = openat(directory, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (write(fd, bytes, n) != (ssize_t)n)
		return -EIO;
	return 0;
}

int state_install(int directory, const char *name, const void *bytes, size_t n)
{
	uint8_t random[8];
	char new_name[2 * sizeof(random) + 5] = "new.";
	int r;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	hex_write(random, sizeof(random), new_name + 4);
	r = write_new(directory, new_name, bytes, n);
	if (r == 0 && linkat(directory, new_name, directory, name, 0) < 0)
		r = -errno;
	state_remove(directory, new_name);
	return r;
}

int state_read(int directory, const char *name, void *bytes, size_t n)
{
	CLEANUP_CLOSE int fd =
	    openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return -EPERM;
	if (st.st_size != (off_t)n || read(fd, bytes, n) != (ssize_t)n)
		return -EIO;
	(void)futimens(fd, NULL);
	return 0;
}

void state_remove(int directory, const char *name)
{
	(void)unlinkat(directory, name, 0);
}

/* The secret stands beside the directory of uploads. */
static int read_secret(int uploads, uint8_t secret[STATE_SECRET])
{
	CLEANUP_CLOSE int directory =
	    openat(uploads, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t fresh[STATE_SECRET];
	int r;

	if (directory < 0)
		return -errno;
	r = state_read(directory, SECRET_NAME, secret, STATE_SECRET);
	if (r != -ENOENT)
		return r;
	if (getrandom(fresh, sizeof(fresh), 0) != sizeof(fresh))
		return -EIO;
	r = state_install(directory, SECRET_NAME, fresh, sizeof(fresh));
	if (r < 0 && r != -EEXIST)
		return r;
	return state_read(directory, SECRET_NAME, secret, STATE_SECRET);
}

static bool is_older(int directory, const char *name, long seconds)
{
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_mtim.tv_sec + seconds < time(NULL);
}

/* Uploads that were given up leave their entries: once a day the old ones go.
 */
static void sweep(int uploads)
{
	DIR *directory;
	struct dirent *entry;
	int fd = -1;

	if (state_install(uploads, SWEPT_NAME, "", 0) == -EEXIST &&
	    !is_older(uploads, SWEPT_NAME, SWEEP_EVERY))
		return;
	(void)utimensat(uploads, SWEPT_NAME, NULL, 0);
	fd = openat(uploads, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL) {
		close_fd(&fd);
		return;
	}
	while ((entry = readdir(directory)) != NULL)
		if (is_older(uploads, entry->d_name, STALE_AFTER))
			state_remove(uploads, entry->d_name);
	(void)closedir(directory);
}

int state_directory(uint8_t secret[STATE_SECRET], const char **ret_why)
{
	CLEANUP_CLOSE int fd = -1;
	char path[PATH_MAX];
	int r;

	*ret_why = "there is no home directory";
	if (!state_path(path))
		return -ENOENT;
	r = make_directories(path);
	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : read_secret(fd, secret);
	}
	if (r < 0) {
		*ret_why = r == -EPERM ? "its secret is not private"
				       : strerrordesc_np(-r);
		return r;
	}
	sweep(fd);
	return take_fd(&fd);
}
