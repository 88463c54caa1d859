/*
 * naive DIRECTORY N: N files of 4 KiB, each made durable before the next, as a
 * careful programmer writes it first: O_TMPFILE, write, fdatasync, linkat,
 * fsync of the directory. Prints files per second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int store(int directory, unsigned long number, const char *bytes)
{
	char path[64], name[64];
	int fd = openat(directory, ".", O_TMPFILE | O_WRONLY, 0640);

	if (fd < 0 || write(fd, bytes, 4096) != 4096 || fdatasync(fd) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(name, sizeof(name), "n%lu", number);
	if (linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) < 0 ||
	    fsync(directory) < 0)
		return -1;
	return close(fd);
}

int main(int argc, char *argv[])
{
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int directory = argc == 3 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	char bytes[4096];
	double start = now();

	memset(bytes, 'x', sizeof(bytes));
	for (unsigned long i = 0; i < n; i++)
		if (store(directory, i, bytes) < 0) {
			perror("naive");
			return 1;
		}
	printf("%.0f\n", (double)n / (now() - start));
	return 0;
}
