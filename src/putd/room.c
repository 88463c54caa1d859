/*
 * See room.h.
 */
#include "putd/room.h"

#include "putd/bounds.h"
#include "putd/commit.h"
#include "putd/partial.h"
#include "wire/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct one {
	char id[ID_MAX + 1];
	int64_t age;	/* modification time, seconds */
	uint64_t bytes; /* on disk */
};

struct all {
	struct one *list;
	size_t count, room; /* of the list */
	size_t ids;	    /* that there are, or would be */
	uint64_t bytes;
};

static void free_all(struct all *all)
{
	free(all->list);
}

static int add_one(
    struct all *all, const char *id, size_t length, const struct stat *status)
{
	struct one *one;

	if (all->count == all->room) {
		size_t room = all->room > 0 ? all->room * 2 : 64;
		struct one *grown =
		    reallocarray(all->list, room, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		all->list = grown;
		all->room = room;
	}
	one = &all->list[all->count++];
	memcpy(one->id, id, length);
	one->id[length] = '\0';
	one->age = status->st_mtim.tv_sec;
	one->bytes = (uint64_t)status->st_blocks * 512;
	all->bytes += one->bytes;
	return 0;
}

static void close_directory(DIR **directory)
{
	if (*directory != NULL)
		(void)closedir(*directory);
}

/* A second descriptor of the same directory, to be read from its start. */
static DIR *read_directory(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = own >= 0 ? fdopendir(own) : NULL;

	if (directory == NULL)
		close_fd(&own);
	return directory;
}

static int list_partials(const struct store *store, struct all *all)
{
	CLEANUP(close_directory)
	DIR *directory = read_directory(store->private_fd);
	const struct dirent *entry;

	if (directory == NULL)
		return -errno;
	while ((entry = readdir(directory)) != NULL) {
		const char *ending = strrchr(entry->d_name, '.');
		size_t length =
		    ending != NULL ? (size_t)(ending - entry->d_name) : 0;
		struct stat status;
		int r;

		if (ending == NULL || strcmp(ending, ".part") != 0 ||
		    length > ID_MAX ||
		    fstatat(store->private_fd, entry->d_name, &status,
			AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		r = add_one(all, entry->d_name, length, &status);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_age(const void *left, const void *right)
{
	const struct one *a = left, *b = right;

	return (a->age > b->age) - (a->age < b->age);
}

/* What partial files may take: of what is free, and of what they have. */
static int limit_bytes(const struct store *store, uint64_t taken, uint64_t *ret)
{
	struct space space;
	int r;

	*ret = store->max_partial.bytes;
	if (store->max_partial.percent == 0)
		return 0;
	r = store_space(store, store->private_fd, &space);
	if (r == 0)
		*ret = (space.free + taken) / 100 * store->max_partial.percent;
	return r;
}

static bool fits(const struct all *all, uint64_t limit, uint64_t coming)
{
	return all->ids <= PARTIALS_MAX && all->bytes <= limit &&
	       coming <= limit - all->bytes;
}

/* The oldest first, as long as it does not fit. */
static void forget_oldest(
    struct store *store, struct all *all, uint64_t limit, uint64_t coming)
{
	qsort(all->list, all->count, sizeof(*all->list), compare_age);
	for (size_t i = 0; i < all->count && !fits(all, limit, coming); i++) {
		struct partial oldest;

		if (partial_open(store, all->list[i].id, true, &oldest) < 0)
			continue;
		(void)commit_forget(store, &oldest);
		all->bytes -= all->list[i].bytes;
		all->ids--;
	}
}

int partial_make_room(
    struct store *store, uint64_t coming, bool make, uint64_t *ret_room)
{
	CLEANUP(free_all) struct all all = {0};
	int private_fd = store_private(store);
	uint64_t limit = 0;
	int r = private_fd < 0 ? private_fd : list_partials(store, &all);

	if (r == 0)
		r = limit_bytes(store, all.bytes, &limit);
	if (r < 0)
		return r;
	if (coming > limit)
		return -ENOSPC;
	all.ids = all.count + (make ? 1 : 0);
	if (!fits(&all, limit, coming))
		forget_oldest(store, &all, limit, coming);
	if (!fits(&all, limit, coming))
		return -ENOSPC;
	*ret_room = limit - all.bytes;
	if (*ret_room > coming + ROOM_MAX)
		*ret_room = coming + ROOM_MAX;
	return 0;
}
