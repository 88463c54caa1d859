/*
 * Preloaded into putd: what a kernel may do and strace cannot make it do. It
 * knows libc's functions, nothing of putd. $SHIM is a list of words:
 *
 *   no-tmpfile     a filesystem without O_TMPFILE
 *   no-unnamed     linkat(2) of an unnamed file is not permitted
 *   no-noreplace   renameat2(2) without flags only
 *   no-chown       no file is given to another group
 *   chop=N         the connection gives and takes 1 to 16 bytes at once (after
 *                  the first few thousand: a part of what is asked), files a
 *                  part of what is asked; N is a seed
 *   short=N        the N-th write to a file takes one byte less than it should
 *   aio-one        io_submit and io_getevents move one request at once
 *   aio=N:RES      the N-th result of Linux AIO is RES, which the data's is not
 *   late=CALL:N    the N-th CALL, of renameat, renameat2, linkat, unlinkat,
 *                  mkdirat, fsync and fdatasync, is carried out and says EIO
 *   clock=N        time(2) is N seconds ahead
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool no_tmpfile, no_unnamed, no_noreplace, no_chown, aio_one;
static unsigned chop, chance, short_at, aio_at, late_at, ahead;
static int aio_result;
static char late_call[16];

static const char *word(const char *list, const char *name)
{
	const char *at = list != NULL ? strstr(list, name) : NULL;

	return at != NULL ? at + strlen(name) : NULL;
}

static unsigned number(const char *list, const char *name)
{
	const char *at = word(list, name);

	return at != NULL ? (unsigned)strtoul(at, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *list = getenv("SHIM");
	const char *at;

	no_tmpfile = word(list, "no-tmpfile") != NULL;
	no_unnamed = word(list, "no-unnamed") != NULL;
	no_noreplace = word(list, "no-noreplace") != NULL;
	no_chown = word(list, "no-chown") != NULL;
	aio_one = word(list, "aio-one") != NULL;
	chop = chance = number(list, "chop=");
	short_at = number(list, "short=");
	ahead = number(list, "clock=");
	at = word(list, "aio=");
	if (at != NULL)
		(void)sscanf(at, "%u:%d", &aio_at, &aio_result);
	at = word(list, "late=");
	if (at != NULL)
		(void)sscanf(at, "%15[a-z0-9]:%u", late_call, &late_at);
}

/* The function behind the one here. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Of n bytes, how many go: at least one. */
static size_t some(size_t n)
{
	chance = chance * 1103515245 + 12345;
	if (chop == 0 || n == 0)
		return n;
	return 1 + (chance >> 8) % n;
}

/* The same on the connection. */
static size_t a_few(size_t n)
{
	static unsigned calls;

	return chop > 0 && n > 16 && calls++ < 512 ? some(16) : some(n);
}

/* The N-th write comes short, and all that are chopped. A record of a few
 * bytes is written at once by every disk. */
static size_t some_written(size_t n)
{
	if (short_at > 0 && --short_at == 0)
		return n - (n > 1);
	return n > 512 ? some(n) : n;
}

ssize_t recv(int fd, void *to, size_t n, int flags)
{
	return NEXT(recv)(fd, to, a_few(n), flags);
}

ssize_t send(int fd, const void *from, size_t n, int flags)
{
	return NEXT(send)(fd, from, a_few(n), flags);
}

ssize_t read(int fd, void *to, size_t n)
{
	return NEXT(read)(fd, to, fd == 0 ? a_few(n) : n);
}

ssize_t write(int fd, const void *from, size_t n)
{
	return NEXT(write)(fd, from, fd <= 2 ? a_few(n) : some_written(n));
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
	return NEXT(pwrite)(fd, from, some_written(n), at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	return NEXT(pwrite64)(fd, from, some_written(n), at);
}

ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
	return NEXT(pread64)(fd, to, n > 512 ? some(n) : n, at);
}

int openat64(int fd, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = va_arg(more, mode_t);
	va_end(more);
	if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return NEXT(openat64)(fd, path, flags, mode);
}

/* What the call said, or that it failed although it did not. */
static int said(const char *call, int r)
{
	if (strcmp(call, late_call) != 0 || late_at == 0 || --late_at > 0)
		return r;
	errno = EIO;
	return -1;
}

int linkat(int from, const char *path, int to, const char *name, int flags)
{
	if (no_unnamed && flags != 0) {
		errno = EPERM;
		return -1;
	}
	return said("linkat", NEXT(linkat)(from, path, to, name, flags));
}

int renameat2(
    int from, const char *path, int to, const char *name, unsigned flags)
{
	if (no_noreplace && flags != 0) {
		errno = EINVAL;
		return -1;
	}
	return said("renameat2", NEXT(renameat2)(from, path, to, name, flags));
}

int renameat(int from, const char *path, int to, const char *name)
{
	return said("renameat", NEXT(renameat)(from, path, to, name));
}

int fchown(int fd, uid_t owner, gid_t group)
{
	if (no_chown) {
		errno = EPERM;
		return -1;
	}
	return NEXT(fchown)(fd, owner, group);
}

int unlinkat(int fd, const char *path, int flags)
{
	return said("unlinkat", NEXT(unlinkat)(fd, path, flags));
}

int mkdirat(int fd, const char *path, mode_t mode)
{
	return said("mkdirat", NEXT(mkdirat)(fd, path, mode));
}

int fsync(int fd)
{
	return said("fsync", NEXT(fsync)(fd));
}

int fdatasync(int fd)
{
	return said("fdatasync", NEXT(fdatasync)(fd));
}

time_t time(time_t *ret)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += ahead;
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}

/* Linux AIO has no functions in libc. */
long syscall(long call, ...)
{
	long (*next)(long, ...) = dlsym(RTLD_NEXT, "syscall");
	struct io_event *events;
	va_list more;
	long a[6], n;

	va_start(more, call);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(more, long);
	va_end(more);
	if (aio_one && call == SYS_io_submit)
		a[1] = 1;
	if (aio_one && call == SYS_io_getevents)
		a[1] = a[2] = 1;
	n = next(call, a[0], a[1], a[2], a[3], a[4], a[5]);
	events = (struct io_event *)a[3];
	for (long i = 0; call == SYS_io_getevents && i < n; i++)
		if (aio_at > 0 && --aio_at == 0)
			events[i].res = aio_result;
	return n;
}
