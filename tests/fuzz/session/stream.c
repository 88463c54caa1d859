/*
 * See stream.h. wait.c is included, not linked, for the one variable that a
 * signal sets and nothing unsets.
 */
#include "stream.h"

#include "putd/wait.c"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

struct memory_stream memory;

static struct timespec virtual_now = {.tv_sec = 1000};

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_getpeername(int fd, struct sockaddr *address, socklen_t *size);
int __real_getrlimit(int resource, struct rlimit *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *size);
int __wrap_getrlimit(int resource, struct rlimit *ret);
ssize_t __wrap_recv(int fd, void *to, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *from, size_t size, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit,
    const sigset_t *mask);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *ret);

int memory_open(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		abort();
	return fds[0];
}

void memory_reset(void)
{
	memory.length = memory.pause_count = 0;
	memory.ending = ENDS;
	memory.output_length = 0;
	memory.peer_reads = SIZE_MAX;
	memory.send_size = 0;
	memory.at = memory.pause = 0;
	memory.paused = memory.full = memory.shut = false;
	memory.is_proxy = false;
	memory.descriptors = 0;
	terminated = 0;
}

void memory_send(const void *bytes, size_t n)
{
	if (n > STREAM_MAX - memory.length)
		abort();
	memcpy(memory.sent + memory.length, bytes, n);
	memory.length += n;
}

void memory_pause(void)
{
	if (memory.pause_count < PAUSES_MAX)
		memory.pauses[memory.pause_count++] = memory.length;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (clock != CLOCK_MONOTONIC)
		return __real_clock_gettime(clock, ret);
	*ret = virtual_now;
	return 0;
}

int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(1)};

	if (!memory.is_proxy)
		return __real_getpeername(fd, address, size);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(address, &in, sizeof(in));
	*size = sizeof(in);
	return 0;
}

int __wrap_getrlimit(int resource, struct rlimit *ret)
{
	int r = __real_getrlimit(resource, ret);

	if (resource == RLIMIT_NOFILE && memory.descriptors > 0)
		ret->rlim_cur = memory.descriptors;
	return r;
}

/* Nothing is there for now: once at each pause. */
static bool must_pause(void)
{
	if (memory.pause < memory.pause_count &&
	    memory.pauses[memory.pause] == memory.at) {
		memory.pause++;
		return true;
	}
	return false;
}

static ssize_t receive_end(void)
{
	switch (memory.ending) {
	case ENDS:
		return 0;
	case IS_RESET:
		errno = ECONNRESET;
		return -1;
	case FAILS:
		errno = EIO;
		return -1;
	default:
		errno = EAGAIN;
		return -1;
	}
}

ssize_t __wrap_recv(int fd, void *to, size_t size, int flags)
{
	size_t end = memory.length;

	(void)fd, (void)flags;
	if (must_pause()) {
		errno = EAGAIN;
		return -1;
	}
	if (memory.at == memory.length)
		return receive_end();
	if (memory.pause < memory.pause_count)
		end = memory.pauses[memory.pause];
	if (size > end - memory.at)
		size = end - memory.at;
	memcpy(to, memory.sent + memory.at, size);
	memory.at += size;
	return (ssize_t)size;
}

ssize_t __wrap_send(int fd, const void *from, size_t size, int flags)
{
	(void)fd, (void)flags;
	if (memory.shut)
		abort(); /* not one byte after the end of our side */
	if (memory.output_length >= memory.peer_reads) {
		errno = EPIPE;
		return -1;
	}
	if (memory.send_size > 0) {
		memory.full = !memory.full;
		if (memory.full) {
			errno = EAGAIN;
			return -1;
		}
		if (size > memory.send_size)
			size = memory.send_size;
	}
	if (size > OUTPUT_MAX - memory.output_length)
		abort();
	memcpy(memory.output + memory.output_length, from, size);
	memory.output_length += size;
	return (ssize_t)size;
}

int __wrap_shutdown(int fd, int how)
{
	(void)fd, (void)how;
	memory.shut = true;
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	(void)fds, (void)n, (void)ms;
	return 1;
}

/* Time passes here, all of it at once. */
static int pass(const struct timespec *limit)
{
	virtual_now.tv_sec += limit->tv_sec + 1;
	return 0;
}

int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit,
    const sigset_t *mask)
{
	(void)n, (void)mask;
	if ((fds->events & POLLIN) == 0 || memory.at < memory.length)
		return 1;
	if (memory.ending == STALLS)
		return pass(limit);
	if (memory.ending != TERMINATED)
		return 1;
	/* While the last bytes are drained nothing more comes, either. */
	if (memory.shut)
		return pass(limit);
	terminated = 1;
	errno = EINTR;
	return -1;
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *ret)
{
	(void)how, (void)set, (void)ret;
	return 0;
}
