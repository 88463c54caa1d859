/*
 * spawn N A [ARG...] -- B [ARG...]: runs two commands in turn, N times each,
 * with stdin from /dev/null, and prints the median wall time of each in
 * microseconds and their ratio. What it times is vfork and exec to exit.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

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
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	int64_t *a = calloc(n + 1, sizeof(*a)), *b = calloc(n + 1, sizeof(*b));
	int split = 2;
	double first, second;

	while (split < argc && strcmp(argv[split], "--") != 0)
		split++;
	if (n == 0 || split == 2 || split + 1 >= argc || !a || !b) {
		fputs("usage: spawn N A [ARG...] -- B [ARG...]\n", stderr);
		return 64;
	}
	argv[split] = NULL;
	for (size_t i = 0; i < n; i++) {
		a[i] = run(argv + 2);
		b[i] = run(argv + split + 1);
	}
	first = median(a, n);
	second = median(b, n);
	printf("%.0f us, %.0f us, ratio %.2f\n", first, second, first / second);
	return 0;
}
