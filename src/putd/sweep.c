/*
 * See sweep.h. The private directory holds tmp.* (temporaries, and names about
 * to be renamed), ID.part and ID.note (partial files), ID.done (kept
 * receipts), and `swept`, whose modification time is that of the last sweep;
 * it says where that one stopped, where there was more than one may look at.
 * Errors are not told: the next sweep meets them again.
 */
#include "putd/sweep.h"

#include "putd/bounds.h"
#include "putd/commit.h"
#include "putd/partial.h"
#include "wire/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARKER "swept"

/* Opens the marker, and makes it new, if it is old; -1 where somebody has just
 * swept. */
static int take_turn(int private_fd)
{
	CLEANUP_CLOSE int fd = openat(private_fd, MARKER,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat status;
	time_t now = time(NULL);

	if (fd < 0 || fstat(fd, &status) < 0)
		return -1;
	/* A time to come is a clock that jumped. */
	if (status.st_mtim.tv_sec <= now &&
	    now - status.st_mtim.tv_sec < SWEEP_INTERVAL)
		return -1;
	if (futimens(fd, NULL) < 0)
		return -1;
	return take_fd(&fd);
}

/* Where to begin, telldir(3); 0 is the start. */
static long read_place(int marker)
{
	int64_t place = 0;

	return pread(marker, &place, sizeof(place), 0) == sizeof(place)
		   ? (long)place
		   : 0;
}

static void write_place(int marker, long at)
{
	int64_t place = at;

	(void)!pwrite(marker, &place, sizeof(place), 0);
}

/* Nobody holds a lock on it: nobody writes it. */
static bool is_free(int private_fd, const char *name)
{
	CLEANUP_CLOSE int fd =
	    openat(private_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 &&
	       whole.l_type == F_UNLCK;
}

static void sweep_partial(struct store *store, const char *name, size_t length)
{
	char id[ID_MAX + 1];
	struct partial partial;

	memcpy(id, name, length);
	id[length] = '\0';
	if (partial_open(store, id, true, &partial) == 0)
		(void)commit_forget(store, &partial);
}

/* The age of an upload is that of its bytes: a record is written less often. */
static void sweep_entry(struct store *store, const struct options *options,
    const char *name, time_t now)
{
	const char *ending = strrchr(name, '.');
	size_t length = ending != NULL ? (size_t)(ending - name) : 0;
	int fd = store->private_fd;
	struct stat status;
	int64_t age;

	if (ending == NULL || length == 0 || length > ID_MAX ||
	    name[0] == '.' ||
	    fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	age = (int64_t)now - status.st_mtim.tv_sec;
	if (strncmp(name, "tmp.", 4) == 0) {
		age = (int64_t)now - status.st_ctim.tv_sec;
		if (age > SWEEP_AGE && is_free(fd, name))
			(void)unlinkat(fd, name, 0);
	} else if (strcmp(ending, ".part") == 0) {
		if (age > options->keep)
			sweep_partial(store, name, length);
	} else if (age > options->keep) {
		/* A record whose bytes are young is not old. */
		if (strcmp(ending, ".done") == 0)
			(void)unlinkat(fd, name, 0);
		else if (strcmp(ending, ".note") == 0 &&
			 !partial_has_bytes(store, name, length))
			sweep_partial(store, name, length);
	}
}

/* From there on; returns where the next sweep is to begin. */
static long sweep_from(struct store *store, const struct options *options,
    DIR *directory, long place)
{
	time_t now = time(NULL);

	seekdir(directory, place);
	for (int n = 0; n < SWEEP_ENTRIES; n++) {
		const struct dirent *entry = readdir(directory);

		if (entry == NULL)
			return 0;
		sweep_entry(store, options, entry->d_name, now);
	}
	return telldir(directory);
}

void sweep_if_due(struct store *store, const struct options *options)
{
	/* Only a connection that used the directory looks after it. */
	CLEANUP_CLOSE int marker =
	    store->private_fd >= 0 ? take_turn(store->private_fd) : -1;
	DIR *directory;
	long place, next;
	int own;

	if (marker < 0)
		return;
	own =
	    openat(store->private_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = own >= 0 ? fdopendir(own) : NULL;
	if (directory == NULL) {
		close_fd(&own);
		return;
	}
	place = read_place(marker);
	next = sweep_from(store, options, directory, place);
	if (next != place)
		write_place(marker, next);
	(void)closedir(directory);
}
