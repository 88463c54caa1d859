/*
 * The errors of put-protocol(7) section 3: their names, whether a client may
 * try again, and the fixed English told with them.
 */
#ifndef WIRE_ERROR_H
#define WIRE_ERROR_H

#include <stdbool.h>

enum wire_error {
	WIRE_OK,
	WIRE_BAD_FRAME,
	WIRE_TIMEOUT,
	WIRE_BAD_HEADER,
	WIRE_UNKNOWN_CMD,
	WIRE_UNSUPPORTED,
	WIRE_BAD_NAME,
	WIRE_EXISTS,
	WIRE_TOO_LARGE,
	WIRE_NO_SPACE,
	WIRE_MISMATCH,
	WIRE_BAD_OFFSET,
	WIRE_UNKNOWN_ID,
	WIRE_BUSY,
	WIRE_DENIED,
	WIRE_IO,
	WIRE_ERRORS /* their number */
};

struct wire_error_fact {
	const char *name;
	bool retry; /* trying again may help */
	const char *message;
};

/* Never NULL, for every value below WIRE_ERRORS. */
const struct wire_error_fact *wire_error_fact(enum wire_error error);

#endif
