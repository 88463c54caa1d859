/*
 * Waiting for a descriptor under a deadline and under SIGTERM. It knows
 * signals and poll(2), and reads and writes nothing itself.
 */
#ifndef PUTD_WAIT_H
#define PUTD_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* SIGTERM asks for an orderly end; SIGPIPE and SIGXFSZ become errno. */
void wait_prepare_signals(void);

/* Milliseconds of a clock that nobody sets. */
int64_t now_ms(void);

/* True once SIGTERM has come. */
bool wait_terminated(void);

enum wait_mode {
	WAIT_HEED_TERM,	  /* SIGTERM ends the wait */
	WAIT_IGNORE_TERM, /* it does not: something is being finished */
};

/*
 * Waits until fd is ready for `events` (poll(2)), `ms` milliseconds at most; 0
 * only looks, a negative number waits for ever.
 * Returns 1 when it is (or is in error: the next call on it tells), 0 when
 * `ms` is 0 and it is not, -ETIMEDOUT, -ECANCELED after SIGTERM.
 */
int wait_for(int fd, short events, int64_t ms, enum wait_mode mode);

#endif
