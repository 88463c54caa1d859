/*
 * See wait.h. The flag is the program's one global variable: a signal handler
 * can reach nothing else.
 */
#include "putd/wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

static volatile sig_atomic_t terminated;

static void note_termination(int signal_number)
{
	(void)signal_number;
	terminated = 1;
}

void wait_prepare_signals(void)
{
	struct sigaction action = {.sa_handler = note_termination};

	(void)sigaction(SIGTERM, &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigaction(SIGXFSZ, &action, NULL);
}

bool wait_terminated(void)
{
	return terminated != 0;
}

/* Sleeps with SIGTERM let through only inside ppoll(2), so that one that comes
 * just before is not slept over. */
static int sleep_on(
    struct pollfd *poll_fd, const struct timespec *limit, enum wait_mode mode)
{
	sigset_t term, before;
	int r;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, &before);
	if (terminated && mode == WAIT_HEED_TERM)
		r = -ECANCELED;
	else if ((r = ppoll(poll_fd, 1, limit, &before)) < 0)
		r = -errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int wait_for(int fd, short events, int64_t ms, enum wait_mode mode)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int64_t end;

	if (ms == 0)
		return poll(&poll_fd, 1, 0) > 0;
	end = now_ms() + ms;
	for (;;) {
		int64_t left = ms < 0 ? 0 : end - now_ms();
		struct timespec limit = {
		    .tv_sec = left / 1000,
		    .tv_nsec = left % 1000 * 1000000,
		};
		int r;

		if (left < 0)
			return -ETIMEDOUT;
		r = sleep_on(&poll_fd, ms < 0 ? NULL : &limit, mode);
		if (r > 0)
			return 1;
		if (r == 0)
			return -ETIMEDOUT;
		if (r != -EINTR)
			return r;
	}
}
