/*
 * Making the data of many files durable at once. It knows descriptors only.
 */
#ifndef PUTD_FLUSH_H
#define PUTD_FLUSH_H

#include <stddef.h>

/* The kernel's side of it, made at the first batch and kept for the life of the
 * process: giving it back waits 40 ms for a grace period. Start with zeros. */
struct flusher {
	unsigned long context; /* aio_context_t */
	enum { FLUSHER_NEW, FLUSHER_READY, FLUSHER_SERIAL } state;
};

/*
 * fdatasync(2) of each fds[i]; errors[i] becomes 0 or negative errno. For more
 * than one, Linux AIO carries all of them to the kernel in one call
 * (IOCB_CMD_FDSYNC, Linux 4.18), which flushes them side by side; where that is
 * not to be had, one after the other.
 */
void flush_files(
    struct flusher *flusher, const int *fds, int *errors, size_t count);

/* Makes a directory's names durable: 0 or -errno. */
int flush_directory(int fd);

#endif
