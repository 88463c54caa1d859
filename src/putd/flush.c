/*
 * See flush.h.
 */
#include "putd/flush.h"

#include "putd/bounds.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOT_FLUSHED 1 /* no result yet; errors are 0 or negative */

static void flush_serially(const int *fds, int *errors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (errors[i] == NOT_FLUSHED)
			errors[i] = fdatasync(fds[i]) < 0 ? -errno : 0;
}

/* Hands them in, a few at a time where the kernel takes no more at once.
 * Returns how many it took. */
static size_t submit(
    aio_context_t context, struct iocb **requests, size_t count)
{
	size_t taken = 0;

	while (taken < count) {
		long n = syscall(SYS_io_submit, context, (long)(count - taken),
		    requests + taken);

		if (n <= 0)
			break;
		taken += (size_t)n;
	}
	return taken;
}

/* Waits for `count` <= BATCH_FILES results, in one call but for a signal. False
 * where they do not come: the context is not to be used again. */
static bool reap(aio_context_t context, int *errors, size_t count)
{
	struct io_event events[BATCH_FILES];

	while (count > 0) {
		long n = syscall(SYS_io_getevents, context, (long)count,
		    (long)count, events, NULL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (long i = 0; i < n; i++)
			errors[events[i].data] = (int)events[i].res;
		count -= (size_t)n;
	}
	return true;
}

static bool make_ready(struct flusher *flusher)
{
	aio_context_t context = 0;

	if (flusher->state == FLUSHER_NEW) {
		long r = syscall(SYS_io_setup, BATCH_FILES, &context);

		flusher->state = r == 0 ? FLUSHER_READY : FLUSHER_SERIAL;
		flusher->context = context;
	}
	return flusher->state == FLUSHER_READY;
}

/* A filesystem that does not know the request says EINVAL: asked again below.
 * What was handed in and gives no result is not asked again: a failed flush is
 * told once, and the next one says that all is well. */
static void flush_side_by_side(
    struct flusher *flusher, const int *fds, int *errors, size_t count)
{
	struct iocb requests[BATCH_FILES];
	struct iocb *pointers[BATCH_FILES];
	size_t taken;

	memset(requests, 0, count * sizeof(*requests));
	for (size_t i = 0; i < count; i++) {
		requests[i].aio_data = i;
		requests[i].aio_lio_opcode = IOCB_CMD_FDSYNC;
		requests[i].aio_fildes = (uint32_t)fds[i];
		pointers[i] = &requests[i];
	}
	taken = submit(flusher->context, pointers, count);
	for (size_t i = 0; i < taken; i++)
		errors[i] = -EIO;
	if (!reap(flusher->context, errors, taken))
		flusher->state = FLUSHER_SERIAL;
	for (size_t i = 0; i < count; i++)
		if (errors[i] == -EINVAL || errors[i] > 0)
			errors[i] = NOT_FLUSHED;
}

void flush_files(
    struct flusher *flusher, const int *fds, int *errors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		errors[i] = NOT_FLUSHED;
	if (count > 1 && count <= BATCH_FILES && make_ready(flusher))
		flush_side_by_side(flusher, fds, errors, count);
	flush_serially(fds, errors, count);
}

/* XFS that was shut down says 0 to fsync(2) of a directory, and EIO only to
 * fstat(2): names of such a moment are gone at the next mount. */
int flush_directory(int fd)
{
	struct stat status;

	return fsync(fd) < 0 || fstat(fd, &status) < 0 ? -errno : 0;
}
