/*
 * Everything put says to people, on standard error, one line at a time, and the
 * exit status that follows from it; with --json a line for each file on
 * standard output instead. Whatever a line holds, it reaches the terminal
 * escaped: callers hand over names and the peer's text as they are. Nothing
 * is asked or sent here.
 */
#ifndef PUT_REPORT_H
#define PUT_REPORT_H

#include "put/address.h"
#include "put/file.h"
#include "put/source.h"

#include "wire/receipt.h"

#include <stdbool.h>
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

struct progress;

struct report {
	enum verbosity verbosity;
	bool json;
	enum put_exit status;	 /* the worst so far */
	enum put_exit trouble;	 /* of connections, if it stays at that */
	uint64_t stored, failed; /* files */
	uint64_t bytes;		 /* of those stored */
	bool stateless_told;	 /* that nothing can be kept */
	bool interactive;	 /* at a prompt: in the words of old */
	char *kept; /* lines of trouble that may pass; NULL: none; see say.h */
	struct progress *progress; /* NULL: not shown */
};

/* Makes the exit status at least as bad. */
void report_status(struct report *report, enum put_exit status);

/* A wrong command line: "put: WHAT 'VALUE': WHY"; value and why may be NULL. */
void report_usage(const char *what, const char *value, const char *why);

/* --- of one file: report_file.c ------------------------------------------- */

void report_flaw(
    struct report *report, const char *path, enum source_flaw flaw, int error);
void report_name_too_long(struct report *report, const char *path);
void report_unsent(struct report *report, const char *path);
/* The command whose output is the file; error is an errno. */
void report_command_not_run(
    struct report *report, const struct file *file, int error);
/* The body stopped after `sent` bytes, for the reason frame.h gives. */
void report_broken(
    struct report *report, const struct file *file, int reason, uint64_t sent);
/* The same, and the stream on standard output ends there. */
void report_stream_broken(
    struct report *report, const struct file *file, int reason, uint64_t sent);
void report_legacy_broken(
    struct report *report, const struct file *file, int reason, uint64_t sent);
/* The input ended badly; the server cannot go on with it. */
void report_feed_failed(struct report *report, const struct file *file);
void report_feed_lost(struct report *report, const struct file *file);
void report_stored(
    struct report *report, struct file *file, const struct receipt *receipt);
void report_refused(struct report *report, const struct file *file,
    const struct receipt *receipt);
/* What is known of a file that is not tried again. */
void report_gave_up(struct report *report, const struct file *file);
void report_written(
    struct report *report, const struct file *file, enum source_change change);
void report_legacy_sent(
    struct report *report, const struct file *file, enum source_change change);
/* error: what the connection died of; 0 where it was the command of exec:. */
void report_legacy_failed(
    struct report *report, const struct file *file, int error);

/* --- on its way: report_way.c --------------------------------------------- */

/* Sending begins, of this file or again of it. */
void report_file_begins(struct report *report, const struct file *file);
/* Its bytes from `at` on are sent next: those before are there. */
void report_starts(struct report *report, struct file *file, uint64_t at);
/* So much of what is there was read again for a digest. */
void report_prefix(struct report *report, const struct file *file, uint64_t at);
/* `sent` bytes more, of the file (NULL: none) up to `at`. */
void report_sent(
    struct report *report, struct file *file, uint64_t at, uint64_t sent);
/* Milliseconds until report_tick() has something to show; -1: never. */
int report_tick_ms(const struct report *report);
void report_tick(struct report *report);
/* Nothing can be kept for a later run; static text. */
void report_no_state(struct report *report, const char *why);

/* --- of a whole connection: report.c -----------------------------------------
 */

/* What these tell is final only with report_final(): until then a retry may
 * undo it. */
void report_no_server(
    struct report *report, const struct address *address, const char *why);
void report_connected(struct report *report, const struct address *address);
/* broken: because of the file; otherwise the server did not want the rest. */
void report_cut(struct report *report, bool broken);
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

void report_retry(struct report *report, int wait_ms, int attempt, int most);
/* No other attempt is made. */
void report_no_retry(struct report *report);
void report_busy(struct report *report, const struct file *file, int seconds);
void report_final(struct report *report);
/* Of all files, where there was more than one. */
void report_total(struct report *report);

/* --- of put itself: report.c
 * -------------------------------------------------- */

void report_terminal(struct report *report);
void report_output_failed(struct report *report, int error);
void report_input_failed(struct report *report, int error);
/* Receipts came, or none, and no summary. */
void report_no_summary(struct report *report);
void report_no_memory(struct report *report);

#endif
