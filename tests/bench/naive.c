/*
 * naive durable|renamed DIRECTORY N: N files of 4 KiB, one after another, out
 * of memory. Prints files per second.
 *
 *   durable   each made so before the next, as a careful programmer writes it
 *             first: O_TMPFILE, write, fdatasync, linkat, fsync of the
 * directory renamed   the least that shows a file whole, and flushes nothing:
 * open, write, rename
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BODY 4096 /* bytes */

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int store_durable(int directory, const char *name, const char *bytes)
{
	char path[64];
	int fd = openat(directory, ".", O_TMPFILE | O_WRONLY, 0640);

	if (fd < 0 || write(fd, bytes, BODY) != BODY || fdatasync(fd) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) < 0 ||
	    fsync(directory) < 0)
		return -1;
	return close(fd);
}

static int store_renamed(int directory, const char *name, const char *bytes)
{
	int fd = openat(directory, "new", O_CREAT | O_EXCL | O_WRONLY, 0640);

	if (fd < 0 || write(fd, bytes, BODY) != BODY || close(fd) < 0)
		return -1;
	return renameat(directory, "new", directory, name);
}

int main(int argc, char *argv[])
{
	unsigned long n = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	int directory = argc == 4 ? open(argv[2], O_RDONLY | O_DIRECTORY) : -1;
	int (*store)(int, const char *, const char *) = store_durable;
	char bytes[BODY], name[64];
	double start = now();

	if (argc == 4 && strcmp(argv[1], "renamed") == 0)
		store = store_renamed;
	memset(bytes, 'x', sizeof(bytes));
	for (unsigned long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "n%lu", i);
		if (store(directory, name, bytes) < 0) {
			perror("naive");
			return 1;
		}
	}
	printf("%.0f\n", (double)n / (now() - start));
	return 0;
}
