/*
 * Everything put says to people, on standard error, one line at a time, and the
 * exit status that follows from it. Whatever a line holds, it reaches the
 * terminal escaped: callers hand over names and the peer's text as they are.
 */
#ifndef PUT_REPORT_H
#define PUT_REPORT_H

#include "put/address.h"
#include "put/flight.h"
#include "put/source.h"

#include "wire/receipt.h"

#include <stddef.h>
#include <stdint.h>

enum verbosity { VERBOSITY_QUIET, VERBOSITY_NORMAL, VERBOSITY_VERBOSE };

/* See sysexits.h; the order of the worst is report.c's. */
enum put_exit {
	PUT_EXIT_OK = 0,
	PUT_EXIT_REFUSED = 1,
	PUT_EXIT_USAGE = 64,
	PUT_EXIT_NO_SERVER = 69,
	PUT_EXIT_IO = 74,
	PUT_EXIT_TRY_AGAIN = 75,
};

struct report {
	enum verbosity verbosity;
	enum put_exit status; /* the worst so far */
};

/* Makes the exit status at least as bad. */
void report_status(struct report *report, enum put_exit status);

/* A wrong command line: "put: WHAT 'VALUE': WHY"; value and why may be NULL. */
void report_usage(const char *what, const char *value, const char *why);

/* Of one file. */
void report_flaw(
    struct report *report, const char *path, enum source_flaw flaw, int error);
void report_name_too_long(struct report *report, const char *path);
void report_unsent(struct report *report, const char *path);
/* The body stopped after `sent` bytes, for the reason frame.h gives. */
void report_broken(struct report *report, const char *path, int reason,
    uint64_t sent, uint64_t size);
/* The same, and the stream on standard output ends there. */
void report_stream_broken(struct report *report, const char *path, int reason,
    uint64_t sent, uint64_t size);
void report_legacy_broken(struct report *report, const char *path, int reason,
    uint64_t sent, uint64_t size);
void report_receipt(struct report *report, const struct flown *file,
    const struct receipt *receipt);
/* A file whose receipt did not come. */
void report_no_receipt(struct report *report, const struct flown *file);
void report_written(struct report *report, const struct source *source);
void report_legacy_sent(struct report *report, const struct source *source);
/* error: what the connection died of; 0 where it was the command of exec:. */
void report_legacy_failed(struct report *report, const char *path, int error);

/* Of a whole connection. */
void report_no_server(
    struct report *report, const struct address *address, const char *why);
void report_connected(struct report *report, const struct address *address);
void report_cut(struct report *report);
/* answered: a receipt had come; waiting: all that could be sent was taken. */
void report_no_progress(struct report *report, const struct address *address,
    int timeout_ms, bool answered, bool waiting);
/* error: 0 where the server closed it; answered: a receipt had come. */
void report_closed(struct report *report, const struct address *address,
    int error, bool answered);
void report_garbage(struct report *report, const char *line, size_t length);
void report_untrue(
    struct report *report, const char *line, size_t length, const char *doubt);
/* The line without cmd. */
void report_stream_ended(struct report *report, const struct receipt *receipt);
void report_summary(struct report *report, const struct receipt *receipt);
/* As server_close() returns it; answered: a receipt had come. */
void report_child(struct report *report, int status, bool answered);

/* Of put itself. */
void report_terminal(struct report *report);
void report_output_failed(struct report *report, int error);
void report_no_memory(struct report *report);

#endif
