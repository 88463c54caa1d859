/*
 * For LD_PRELOAD: the STARVE-th request for memory of the process finds none,
 * and says so on stderr. It knows libc's functions, nothing of what it starves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static bool over;

/* What was printed is there, whatever it dies of behind that. */
__attribute__((constructor)) static void by_lines(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
}

/* What runs behind main is not putd's: libgcov's, in the build of coverage. */
static void end_it(void)
{
	over = true;
}

static bool is_starved(void)
{
	static const char *wanted;
	static long asked;

	if (asked++ == 0) {
		wanted = getenv("STARVE");
		(void)atexit(end_it);
	}
	if (over || wanted == NULL || atol(wanted) != asked)
		return false;
	(void)!write(STDERR_FILENO, "starved\n", 8);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_starved() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_starved() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return is_starved() ? NULL : __libc_realloc(memory, size);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t from)
{
	if (is_starved())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, from);
}

/* What mmap is called with _FILE_OFFSET_BITS=64. */
void *mmap64(
    void *at, size_t size, int protection, int flags, int fd, off64_t from)
{
	return mmap(at, size, protection, flags, fd, from);
}
