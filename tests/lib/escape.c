/*
 * An escape attempt from inside a handler: preloaded, it waits until the first
 * file is about to become durable or visible, and then does one thing that a
 * confined process must not be able to do, told by its name in ESCAPE. What
 * came of it is one line on stderr, "escape NAME: done" or "escape NAME: " and
 * the error. Paths are in ESCAPE_OUTSIDE, a directory beside the root, in
 * which the test has put `file` and `directory`, and beside it the socket
 * `datagram`; into the root it has put a file `inside` and a link `out` that
 * leads outside.
 *
 * It stands for code of an attacker in the process. It knows nothing of putd.
 */
#define _GNU_SOURCE
#include "escape.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *outside(const char *name)
{
	static char path[2][PATH_BYTES];
	static unsigned turn;

	turn ^= 1;
	(void)snprintf(
	    path[turn], PATH_BYTES, "%s/%s", getenv("ESCAPE_OUTSIDE"), name);
	return path[turn];
}

int root(void)
{
	struct stat status;

	for (int fd = 3; fd < 64; fd++)
		if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
			return fd;
	return -1;
}

int open_path(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void tell(const char *name, const char *result)
{
	char line[256];
	int length =
	    snprintf(line, sizeof(line), "escape %s: %s\n", name, result);

	(void)!write(STDERR_FILENO, line, (size_t)length);
}

static void try_once(void)
{
	static bool tried;
	const char *name = getenv("ESCAPE");
	char symbol[64];
	int (*attempt)(void);

	if (tried || name == NULL)
		return;
	tried = true;
	(void)snprintf(symbol, sizeof(symbol), "escape_%s", name);
	attempt = (int (*)(void))dlsym(RTLD_DEFAULT, symbol);
	if (attempt == NULL)
		tell(name, "no such attempt");
	else
		tell(name, attempt() < 0 ? strerrorname_np(errno) : "done");
}

/* Whichever of these the handler calls first. */

int fdatasync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	try_once();
	return next(fd);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	int (*next)(int, const char *, int, const char *, int) = (int (*)(int,
	    const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat");

	try_once();
	return next(from_fd, from, to_fd, to, flags);
}
