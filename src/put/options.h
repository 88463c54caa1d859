/*
 * The command line. It opens nothing; the FILEs are not judged here.
 */
#ifndef PUT_OPTIONS_H
#define PUT_OPTIONS_H

#include "put/address.h"
#include "put/report.h"

#include "wire/header.h"

#include <stdbool.h>
#include <stdint.h>

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct options {
	bool has_server;
	struct address address; /* where has_server */
	const char *name;	/* NULL: each file's own */
	const char *command;	/* whose output is sent, or NULL */
	bool recursive, relative, preserve, checksum;
	enum policy if_exists; /* POLICY_ABSENT: the server's */
	int retries;
	bool retries_given; /* and not the default */
	int timeout_ms;
	uint64_t bwlimit; /* bytes a second; 0: none */
	bool legacy, interactive, receipts, json;
	enum verbosity verbosity;
	enum progress_when progress;
	char **files; /* at least one, unless by the above; ends with NULL */
};

enum options_verdict {
	OPTIONS_RUN,
	OPTIONS_SHOWN,	 /* help or version was printed: done */
	OPTIONS_UNSHOWN, /* it could not be printed, see errno */
	OPTIONS_WRONG,	 /* the line that says why was printed */
};

enum options_verdict options_parse(int argc, char **argv, struct options *ret);

#endif
