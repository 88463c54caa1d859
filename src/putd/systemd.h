/*
 * What libsystemd gives, and the only file that knows it. The library is
 * opened at run time, and only where the environment shows systemd: linking it
 * costs each start half a millisecond and seven libraries.
 */
#ifndef PUTD_SYSTEMD_H
#define PUTD_SYSTEMD_H

#include <stdbool.h>
#include <sys/uio.h>

#define SYSTEMD_FIRST_FD 3 /* SD_LISTEN_FDS_START */

/*
 * Opens libsystemd if LISTEN_FDS, NOTIFY_SOCKET or JOURNAL_STREAM is set and
 * not empty, or if it is wanted all the same. Returns 0, also where there is
 * nothing to open; -ELIBACC where it is wanted and not there.
 */
int systemd_open(bool wanted);

/* The number of sockets passed to this process (sd_listen_fds(3)), marked
 * close-on-exec; 0 without systemd; -errno. */
int systemd_sockets(void);

/* Whether stderr is a stream to the journal, and the library is open. */
bool systemd_has_journal(void);

/* Whether the library is open. */
bool systemd_is_open(void);

/* A record of `count` fields NAME=VALUE (sd_journal_sendv(3)); nothing where
 * the library is not. */
void systemd_journal(const struct iovec *fields, int count);

/* What `systemctl status` shows of this process; nothing where systemd does
 * not listen (NOTIFY_SOCKET). */
bool systemd_has_status(void);
void systemd_status(const char *text);

#endif
