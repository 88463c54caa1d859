/*
 * See child.h.
 */
#include "put/child.h"

#include "put/clock.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* put itself ignores SIGPIPE; a command expects it as it always is. */
int child_spawn(const char *command, int input, int output, pid_t *ret_child)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int r;

	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attributes);
	r = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(
		    &files, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(&attributes, &defaults);
	if (r == 0)
		r = posix_spawnattr_setflags(
		    &attributes, POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawn(
		    ret_child, "/bin/sh", &files, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attributes);
	return -r;
}

int child_start(const char *command, struct server *ret)
{
	int frames[2] = {-1, -1};
	int receipts[2] = {-1, -1};
	pid_t child;
	int r = 0;

	if (pipe2(frames, O_CLOEXEC) < 0 || pipe2(receipts, O_CLOEXEC) < 0 ||
	    fcntl(frames[1], F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(receipts[0], F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	else
		r = child_spawn(command, frames[0], receipts[1], &child);
	close_fd(&frames[0]);
	close_fd(&receipts[1]);
	if (r < 0) {
		close_fd(&frames[1]);
		close_fd(&receipts[0]);
		return r;
	}
	*ret = (struct server){
	    .in = receipts[0],
	    .out = frames[1],
	    .child = child,
	};
	return 0;
}

/* A command that still writes would otherwise die of a closed pipe. */
static void read_to_end(int fd, int64_t deadline)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char scrap[4096];

	while (poll(&wait, 1, clock_left(deadline)) > 0) {
		ssize_t n = read(fd, scrap, sizeof(scrap));

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (clock_left(deadline) == 0)
			break;
	}
}

/* Whether it ended in time. Where the kernel has no pidfd (before 5.3) its
 * end is waited for without a bound. */
static bool await_end(pid_t child, int64_t deadline)
{
	CLEANUP_CLOSE int fd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return fd < 0 || poll(&wait, 1, clock_left(deadline)) > 0;
}

int child_end(struct server *server, int grace_ms)
{
	int64_t deadline = clock_ms() + grace_ms;
	int status = 0;

	close_fd(&server->out);
	read_to_end(server->in, deadline);
	close_fd(&server->in);
	if (!await_end(server->child, deadline)) {
		(void)kill(server->child, SIGTERM);
		return -ETIMEDOUT;
	}
	(void)waitpid(server->child, &status, 0);
	return status;
}
