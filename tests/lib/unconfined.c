/*
 * Linked into the build of tests/coverage, with --wrap=syscall: what would
 * confine the process is asked of the kernel in a child, which ends, and its
 * answer is handed on. So the sandbox's own code runs from its first line to
 * its last, and the process can still write its counts. It knows the two calls
 * that confine, and nothing of putd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS 6
#define NO_FLAGS  (~0u) /* no kernel knows all of these */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static long forward(long number, const long *a)
{
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* In the process itself, where a tracer that injects errors sees it, only with
 * flags that the kernel refuses before it does anything. */
static int asked_in_vain(long number, const long *arguments)
{
	long refused[ARGUMENTS];

	for (int i = 0; i < ARGUMENTS; i++)
		refused[i] = arguments[i];
	refused[1] = NO_FLAGS;
	if (forward(number, refused) >= 0)
		return 0;
	return errno == EINVAL ? 0 : errno;
}

static int asked_in_a_child(long number, const long *arguments)
{
	int status;
	pid_t waited, child = fork();

	if (child < 0)
		abort();
	if (child == 0) {
		int error = forward(number, arguments) < 0 ? errno : 0;

		(void)__real_syscall(SYS_exit_group, (long)error);
	}
	do {
		waited = waitpid(child, &status, 0);
	} while (waited < 0 && errno == EINTR);
	if (waited != child || !WIFEXITED(status))
		abort();
	return WEXITSTATUS(status);
}

long __wrap_syscall(long number, ...)
{
	long arguments[ARGUMENTS];
	va_list list;
	int error;

	va_start(list, number);
	for (int i = 0; i < ARGUMENTS; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number != SYS_seccomp && number != SYS_landlock_restrict_self)
		return forward(number, arguments);
	/* What a tracer takes for the end of the beginning comes last. */
	error = asked_in_a_child(number, arguments);
	if (error == 0)
		error = asked_in_vain(number, arguments);
	errno = error;
	return error == 0 ? 0 : -1;
}
