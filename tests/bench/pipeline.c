/*
 * pipeline N COMMAND...: N puts of 4 KiB over one socket pair to COMMAND, at
 * most 256 ahead of their receipts; prints files per second. Exit status 1
 * where a receipt says anything but ok.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AHEAD 256
#define BODY  4096

static const char well[] = "{\"ok\":true,\"cmd\":\"put\"";

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int start(char *argv[], pid_t *ret_pid)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	*ret_pid = fork();
	if (*ret_pid == 0) {
		(void)dup2(ends[1], STDIN_FILENO);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	(void)close(ends[1]);
	return *ret_pid < 0 ? -1 : ends[0];
}

/* All frames, and where each ends. */
static char *build(size_t n, size_t *ends)
{
	char *frames = malloc(n * (BODY + 128)), *at = frames;

	for (size_t i = 0; frames != NULL && i < n; i++) {
		int32_t length = sprintf(at + 4,
		    "{\"cmd\":\"put\",\"filename\":\"p%zu\","
		    "\"filesize\":%d,\"reply\":true}",
		    i, BODY);

		memcpy(at, &length, 4);
		memset(at + 4 + length, 'y', BODY);
		at += 4 + length + BODY;
		ends[i] = (size_t)(at - frames);
	}
	return frames;
}

/* Counts the lines that ended; false where one is not well. */
static int count_lines(const char *bytes, size_t n, size_t *answered)
{
	static size_t column;

	for (size_t i = 0; i < n; i++) {
		if (column < sizeof(well) - 1 && bytes[i] != well[column])
			return 0;
		column++;
		if (bytes[i] == '\n') {
			column = 0;
			(*answered)++;
		}
	}
	return 1;
}

static int run(int fd, size_t n, const char *frames, const size_t *ends)
{
	size_t answered = 0, sent = 0;
	static char lines[1 << 16];

	while (answered < n) {
		size_t may = answered + AHEAD < n ? answered + AHEAD : n;
		struct pollfd it = {.fd = fd, .events = POLLIN};
		ssize_t r;

		if (sent < ends[may - 1])
			it.events |= POLLOUT;
		if (poll(&it, 1, -1) < 0)
			return -1;
		if (it.revents & POLLOUT) {
			r = send(fd, frames + sent, ends[may - 1] - sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
			if (r < 0 && errno != EAGAIN)
				return -1;
			sent += r > 0 ? (size_t)r : 0;
		}
		if (it.revents & (POLLIN | POLLHUP)) {
			r = recv(fd, lines, sizeof(lines), MSG_DONTWAIT);
			if (r == 0 || (r > 0 && !count_lines(lines, (size_t)r,
						    &answered)))
				return -1;
		}
	}
	return 0;
}

int main(int argc, char *argv[])
{
	size_t n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t *ends = calloc(n + 1, sizeof(*ends));
	char *frames = ends != NULL ? build(n, ends) : NULL;
	double started = now();
	pid_t pid;
	int fd = n > 0 && frames != NULL ? start(argv + 2, &pid) : -1;

	if (fd < 0 || run(fd, n, frames, ends) < 0) {
		(void)fprintf(stderr, "pipeline: not all were stored\n");
		return 1;
	}
	printf("%.0f\n", (double)n / (now() - started));
	(void)close(fd);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}
