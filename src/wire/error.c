/*
 * The table of errors. Knows nothing else.
 */
#include "wire/error.h"

static const struct wire_error_fact facts[WIRE_ERRORS] = {
    [WIRE_OK] = {"ok", false, "ok"},
    [WIRE_BAD_FRAME] = {"bad-frame", false,
	"the stream cannot be read as frames"},
    [WIRE_TIMEOUT] = {"timeout", true, "a deadline passed inside a frame"},
    [WIRE_BAD_HEADER] = {"bad-header", false,
	"a key is missing, of the wrong type or out of range"},
    [WIRE_UNKNOWN_CMD] = {"unknown-cmd", false, "no such command"},
    [WIRE_UNSUPPORTED] = {"unsupported", false,
	"a key that was asked for is not supported here"},
    [WIRE_BAD_NAME] = {"bad-name", false, "the file name is refused"},
    [WIRE_EXISTS] = {"exists", false, "the name is taken"},
    [WIRE_TOO_LARGE] = {"too-large", false, "over the limit for a file"},
    [WIRE_NO_SPACE] = {"no-space", true, "not enough free space"},
    [WIRE_MISMATCH] = {"mismatch", true,
	"what arrived is not what was announced"},
    [WIRE_BAD_OFFSET] = {"bad-offset", true,
	"the part does not start where the last one ended"},
    [WIRE_UNKNOWN_ID] = {"unknown-id", false, "nothing is known of this id"},
    [WIRE_BUSY] = {"busy", true, "another connection is writing this id"},
    [WIRE_DENIED] = {"denied", false, "not permitted here"},
    [WIRE_IO] = {"io", true, "the server could not store it"},
};

const struct wire_error_fact *wire_error_fact(enum wire_error error)
{
	return &facts[error];
}
