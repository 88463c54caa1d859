/*
 * The command line. It opens nothing; the FILEs are not judged here.
 */
#ifndef PUT_OPTIONS_H
#define PUT_OPTIONS_H

#include "put/address.h"
#include "put/report.h"

#include <stdbool.h>

struct options {
	bool has_server;
	struct address address; /* where has_server */
	const char *name;	/* NULL: each file's own */
	int timeout_ms;
	bool legacy;
	enum verbosity verbosity;
	char **files; /* at least one; ends with NULL */
};

enum options_verdict {
	OPTIONS_RUN,
	OPTIONS_SHOWN,	 /* help or version was printed: done */
	OPTIONS_UNSHOWN, /* it could not be printed, see errno */
	OPTIONS_WRONG,	 /* the line that says why was printed */
};

enum options_verdict options_parse(int argc, char **argv, struct options *ret);

#endif
