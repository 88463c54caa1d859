/*
 * For LD_PRELOAD: a clock that somebody sets while the process runs. The file
 * $JUMPING_CLOCK is mapped first of all, so that no sandbox is in the way. Its
 * first line, of 32 bytes, tells by how many seconds the time of day is wrong;
 * its second line is written here: how often the process has begun to wait.
 * Other clocks, and the kernel's stamps on files, are as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LINE 32 /* bytes */

static char *page;
static long waits;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_ppoll)(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

static void tell_waits(void)
{
	(void)snprintf(page + LINE, LINE, "%ld\n", waits);
}

__attribute__((constructor)) static void begin(void)
{
	int fd = open(getenv("JUMPING_CLOCK"), O_RDWR | O_CLOEXEC);

	page = mmap(NULL, 2 * LINE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || page == MAP_FAILED)
		abort();
	(void)close(fd);
	real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	real_ppoll = dlsym(RTLD_NEXT, "ppoll");
	tell_waits();
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int r = real_gettime(id, now);

	if (id == CLOCK_REALTIME)
		now->tv_sec += strtol(page, NULL, 10);
	return r;
}

time_t time(time_t *ret)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit,
    const sigset_t *mask)
{
	waits++;
	tell_waits();
	return real_ppoll(fds, n, limit, mask);
}
