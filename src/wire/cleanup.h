/*
 * Variables that release what they hold when their scope ends. It knows the
 * compiler's cleanup attribute and nothing of this program.
 */
#ifndef WIRE_CLEANUP_H
#define WIRE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

/* Closes *fd if it is open, keeps errno, and marks it closed. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		(void)close(*fd);
		errno = saved;
	}
	*fd = -1;
}

/* What *fd holds goes to the caller: it is not closed here. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define CLEANUP_FREE	    CLEANUP(free_pointer)
#define CLEANUP_CLOSE	    CLEANUP(close_fd)

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
