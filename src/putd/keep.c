/*
 * See publish.h. Its two judgements about a name that is taken: which number is
 * free under `keep`, and whether what stands there is the same file.
 */
#include "putd/publish.h"

#include "putd/bounds.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The component and the whole name have their bounds. */
static int number_name(
    const struct name *name, unsigned number, char out[NAME_COMPONENT_MAX + 1])
{
	int length = snprintf(out, NAME_COMPONENT_MAX + 1, "%s.~%u~",
	    name->text + name->base, number);

	return length > NAME_COMPONENT_MAX ||
		       name->base + (size_t)length > NAME_MAX_BYTES
		   ? -EILSEQ
		   : 0;
}

/* 1 taken, 0 free, -errno. A number that does not fit is not taken: the search
 * goes below it. */
static int is_taken(
    const struct directory *directory, const struct name *name, unsigned number)
{
	char base[NAME_COMPONENT_MAX + 1];
	struct stat status;

	if (number_name(name, number, base) < 0)
		return 0;
	if (fstatat(directory->fd, base, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/* A number that is free behind one that is taken: found by doubling, then by
 * halving, so that 10,000 copies cost 27 looks. */
static int find_free(
    const struct directory *directory, const struct name *name, unsigned *ret)
{
	unsigned taken = 0, free_number = 1;
	int r = 1;

	while (free_number <= KEEP_NUMBERS &&
	       (r = is_taken(directory, name, free_number)) > 0) {
		taken = free_number;
		free_number *= 2;
	}
	/* What is behind the last number is nobody's. */
	if (free_number > KEEP_NUMBERS)
		free_number = KEEP_NUMBERS + 1;
	while (r >= 0 && free_number - taken > 1) {
		unsigned middle = taken + (free_number - taken) / 2;

		r = is_taken(directory, name, middle);
		if (r > 0)
			taken = middle;
		else
			free_number = middle;
	}
	*ret = free_number;
	return r < 0 ? r : 0;
}

int keep_number(const struct directory *directory, const struct name *name,
    char kept_as[NAME_COMPONENT_MAX + 1],
    int (*attempt)(void *context, const char *base), void *context)
{
	unsigned number;
	int r;

	kept_as[0] = '\0';
	r = attempt(context, name->text + name->base);
	if (r != -EEXIST)
		return r;
	r = find_free(directory, name, &number);
	if (r < 0)
		return r;
	/* Others look for a number at the same time: the next one, then. */
	for (r = -EEXIST; r == -EEXIST && number <= KEEP_NUMBERS; number++) {
		r = number_name(name, number, kept_as);
		if (r == 0)
			r = attempt(context, kept_as);
	}
	return r;
}

int keep_has_number(const struct directory *directory, const struct name *name)
{
	struct stat status;
	char base[NAME_COMPONENT_MAX + 1];
	unsigned number;
	int r;

	if (fstatat(directory->fd, name->text + name->base, &status,
		AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = find_free(directory, name, &number);
	if (r < 0)
		return r;
	return number > KEEP_NUMBERS ? -EEXIST
				     : number_name(name, number, base);
}

/* Somebody may swap the name between two looks: both must find such a file. */
static bool may_be_same(const struct stat *status, const struct wish *wish)
{
	return S_ISREG(status->st_mode) &&
	       (uint64_t)status->st_size == wish->size;
}

int publish_is_same(const struct store *store,
    const struct directory *directory, const char *base,
    const struct wish *wish)
{
	CLEANUP_CLOSE int fd = -1;
	uint8_t digest[DIGEST_BYTES];
	struct stat status;
	int r;

	/* A device is not even opened: that alone can do something. */
	if (fstatat(directory->fd, base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    may_be_same(&status, wish))
		fd = openat(directory->fd, base,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* What cannot be read is not known to be the same. */
	if (fd < 0 || fstat(fd, &status) < 0 || !may_be_same(&status, wish))
		return 0;
	r = digest_file(fd, digest);
	if (r < 0)
		return r;
	if (memcmp(digest, wish->sha256, sizeof(digest)) != 0)
		return 0;
	/* Somebody may have put it there a moment ago. */
	if (store->durable && fdatasync(fd) < 0)
		return -errno;
	return 1;
}
