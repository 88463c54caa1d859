/*
 * A receipt, as the client reads it: one line in, a struct out. (The server
 * writes its lines with json_write.h.) Touches no fd and no global.
 */
#ifndef WIRE_RECEIPT_H
#define WIRE_RECEIPT_H

#include "wire/error.h"
#include "wire/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strings are NULL where absent and belong to the struct. */
struct receipt {
	bool ok;
	const char *command; /* NULL: the line that ends the stream */
	const char *error;   /* as sent, perhaps one not known here */
	bool retry;
	const char *message;
	const char *filename;
	const char *stored;
	const char *sha256;
	const char *state;
	const char *id;	       /* of a part */
	const char *if_exists; /* of `hello` */
	bool durable, unchanged;
	bool has_offset;
	uint64_t offset;
	uint64_t filesize;	       /* of a put: bytes of the stored file */
	uint64_t size;		       /* the same of a commit or stat */
	uint64_t files, failed, bytes; /* of `end` */
	/* Of `hello`: seconds, seconds, bytes; 0 where absent. */
	uint64_t stall, keep, max_session;

	struct json json;
};

/*
 * Reads one line, without its newline; the text is borrowed until
 * receipt_free() and may be altered. Returns 0; -EBADMSG where it is not a
 * receipt: not a strict JSON object, `ok` missing, a known key of the wrong
 * type, ok false without an error; -ENOMEM. Unknown keys are ignored.
 */
int receipt_parse(char *line, size_t length, struct receipt *ret);
void receipt_free(struct receipt *receipt);

#endif
