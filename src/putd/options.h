/*
 * The command line of putd(8), and nothing else.
 */
#ifndef PUTD_OPTIONS_H
#define PUTD_OPTIONS_H

#include "putd/log.h"
#include "putd/network.h"
#include "wire/header.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* An amount of disk: bytes, or a share of the filesystem. */
struct amount {
	uint64_t bytes;
	unsigned percent; /* 0: bytes count */
};

struct options {
	const char *directory;
	enum policy policy;   /* --if-exists */
	uint64_t max_size;    /* bytes; 0: no limit */
	uint64_t max_session; /* bytes; 0: no limit */
	struct amount max_partial;
	long keep; /* seconds: partial files, receipts of commits */
	bool mkdirs, hidden;
	mode_t file_mode;
	uint64_t min_rate;    /* bytes per second; 0: none */
	long session_timeout; /* seconds; 0: none */
	struct amount min_free;
	bool durable;				       /* --sync=full */
	long idle_timeout, legacy_idle, stall_timeout; /* seconds */
	unsigned long connections;		       /* listening socket */
	long idle_exit;				       /* seconds; 0: never */
	struct networks proxies;		       /* --proxy-protocol */
	enum log_target log;
	bool sandbox;
	bool verbose;
	enum { ACTION_SERVE, ACTION_CHECK, ACTION_HELP, ACTION_VERSION } action;
};

#define PROBLEM_TEXT 200 /* bytes */

/* Reads the arguments. Returns 0, or -EINVAL with one line in `problem`.
 * Strings belong to argv. */
int options_parse(
    int argc, char *argv[], struct options *ret, char problem[PROBLEM_TEXT]);

void options_print_help(void);

#endif
