/*
 * Where the handler tells its administrator what happened: one line for each
 * file and each refusal. It escapes every byte that came from a peer, and
 * never writes to the client's socket.
 */
#ifndef PUTD_LOG_H
#define PUTD_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_target {
	LOG_TO_AUTO,
	LOG_TO_JOURNAL,
	LOG_TO_SYSLOG,
	LOG_TO_STDERR,
	LOG_TO_NONE
};

/* The priorities are syslog(3)'s, LOG_ERR to LOG_DEBUG. */
struct log {
	enum log_target target;
	bool verbose;	  /* LOG_DEBUG too */
	const char *peer; /* borrowed; "" until it is known */
};

/*
 * Settles `auto`: the journal where systemd has connected us to it, stderr
 * where fd 2 is neither the client nor /dev/null, else syslog. `in` and `out`
 * are the connection's descriptors. LOG_TO_STDERR is refused in the same way
 * where fd 2 is the client.
 */
void log_open(struct log *log, int in, int out);

/* Escapes the whole line, so arguments may be anybody's. */
void log_line(const struct log *log, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One record of what became of a file or a frame. NULL and 0: not known. */
struct log_file {
	const char *name;   /* as the client said it */
	const char *stored; /* NULL: it was not stored */
	const char *error;  /* the protocol's word; NULL: none */
	const char *cause;  /* more about it; NULL: none */
	uint64_t size;	    /* bytes */
};

void log_stored(const struct log *log, const struct log_file *file);
void log_refused(const struct log *log, const struct log_file *file);

#endif
