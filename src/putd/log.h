/*
 * Where the handler tells its administrator what happened: one record for each
 * file and each refusal. It escapes every byte that came from a peer, and
 * never writes to the client's socket.
 */
#ifndef PUTD_LOG_H
#define PUTD_LOG_H

#include <stdbool.h>
#include <stddef.h>
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
	const char *peer; /* borrowed; NULL until it is known */
};

/* What happened. Each has a MESSAGE_ID in the journal, and an entry in the
 * catalog, units/putd.catalog. */
enum log_event {
	LOG_STORED,  /* a file is in its place */
	LOG_REFUSED, /* a frame was refused, or its file failed */
	LOG_ENDED,   /* a connection ended otherwise than by its peer's wish */
	LOG_FAILED,  /* nothing is served */
	LOG_OTHER,   /* no entry */
};

/* A record. NULL: not known. */
struct log_record {
	const char *name;   /* as the client said it */
	const char *stored; /* the name it got */
	const char *error;  /* the protocol's word */
	const char *cause;  /* more about it */
	const char *sha256; /* 64 hex digits */
	uint64_t size;	    /* bytes */
	int64_t ms;	    /* from the frame's header to this record */
};

/*
 * Settles `auto`: the journal where systemd has connected us to it, stderr
 * where fd 2 is neither the client nor /dev/null, else syslog. `in` and `out`
 * are the connection's descriptors; -1 where there is none, and fd 2 is the
 * caller's. LOG_TO_JOURNAL without libsystemd is
 * `auto`. LOG_TO_STDERR is refused in the same way
 * where fd 2 is the client.
 */
void log_open(struct log *log, int in, int out);

/* The whole line is escaped, so arguments may be anybody's. */
void log_line(const struct log *log, enum log_event event, int priority,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What log_line() does to a line: printable ASCII stays, and UTF-8 that is
 * neither a control character nor one that turns the direction of writing; each
 * other byte becomes \xHH. `out` is cut at `size` bytes, its NUL included. */
void log_escape(const char *text, char *out, size_t size);

void log_stored(const struct log *log, const struct log_record *record);
void log_refused(const struct log *log, const struct log_record *record);

#endif
