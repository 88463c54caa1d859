/*
 * Making the data of many files durable at once. It knows descriptors only.
 */
#ifndef PUTD_FLUSH_H
#define PUTD_FLUSH_H

#include <stddef.h>

/*
 * fdatasync(2) of each fds[i]; errors[i] becomes 0 or negative errno. For more
 * than one, Linux AIO carries all of them to the kernel in one call
 * (IOCB_CMD_FDSYNC, Linux 4.18), which flushes them side by side; where that is
 * not to be had, one after the other.
 */
void flush_files(const int *fds, int *errors, size_t count);

#endif
