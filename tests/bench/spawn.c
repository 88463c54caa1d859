/*
 * spawn N A [ARG...] [-- B [ARG...]]...: runs the commands in turn, N times
 * each, with stdin from /dev/null, and prints the median wall time of each in
 * microseconds, a line each. What it times is vfork and exec to exit.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define COMMANDS_MAX 8

extern char **environ;

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t run(char **argv)
{
	posix_spawn_file_actions_t actions;
	int64_t start = now_ns();
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "spawn: %s failed\n", argv[0]);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&actions);
	return now_ns() - start;
}

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

static double median(int64_t *times, size_t n)
{
	qsort(times, n, sizeof(*times), compare);
	return (double)times[n / 2] / 1000;
}

int main(int argc, char *argv[])
{
	size_t n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	int64_t *times[COMMANDS_MAX];
	char **commands[COMMANDS_MAX] = {argv + 2};
	size_t count = 1;

	if (n == 0) {
		fputs("usage: spawn N A [ARG...] [-- B [ARG...]]...\n", stderr);
		return 64;
	}
	for (int i = 2; i < argc && count < COMMANDS_MAX; i++)
		if (strcmp(argv[i], "--") == 0) {
			argv[i] = NULL;
			commands[count++] = argv + i + 1;
		}
	for (size_t c = 0; c < count; c++)
		times[c] = calloc(n, sizeof(**times));
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < count; c++)
			times[c][i] = run(commands[c]);
	for (size_t c = 0; c < count; c++)
		printf("%.1f\n", median(times[c], n));
	return 0;
}
