/*
 * A frame's header: bytes in, a typed and validated struct out; and back. It
 * touches no fd and no global, and decides nothing about files.
 */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include "wire/error.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command {
	COMMAND_NONE, /* missing, or not a string */
	COMMAND_UNKNOWN,
	COMMAND_PUT,
	COMMAND_COMMIT,
	COMMAND_STAT,
	COMMAND_ABORT,
	COMMAND_END,
	COMMAND_HELLO,
	COMMANDS /* their number */
};

enum policy { POLICY_ABSENT, POLICY_REPLACE, POLICY_KEEP, POLICY_REJECT };

/* "replace", "keep", "reject": the looser is the smaller. False for others. */
bool policy_read(const char *word, enum policy *ret);
const char *policy_name(enum policy policy);

enum digest { DIGEST_NONE, DIGEST_TELL, DIGEST_EXPECT };

struct header {
	enum command command;
	const char *command_text; /* as sent; "" where it is COMMAND_NONE */
	/* WIRE_OK, or why the frame is refused whatever it asks for:
	 * WIRE_BAD_HEADER, WIRE_UNKNOWN_CMD, WIRE_UNSUPPORTED. */
	enum wire_error refusal;
	bool reply;
	uint64_t filesize; /* bytes of body that follow */

	const char *filename; /* NULL where absent */
	const char *id;	      /* NULL where absent; well-formed */
	uint64_t offset;      /* of a part */
	bool has_size;
	uint64_t size; /* of a commit */
	enum policy if_exists;
	enum digest digest;
	uint8_t sha256[SHA256_HEX / 2]; /* DIGEST_EXPECT */
	bool has_mtime;
	uint64_t mtime_usec; /* microseconds since 1970 */

	struct json json; /* owns the strings above */
};

/* The length field: -EBADMSG where it is out of range, else 0. */
int header_length(const uint8_t bytes[FRAME_LENGTH_SIZE], size_t *ret);

/*
 * Reads a header of `length` bytes. The text is borrowed until header_free()
 * and may be altered (json.h).
 * Returns 0, -EBADMSG for a bad-frame, -ENOMEM. Whatever else is wrong is told
 * in ret->refusal, with reply and filesize valid, so that the frame can be
 * skipped in step. On failure *ret is untouched.
 */
int header_parse(char *text, size_t length, struct header *ret);
void header_free(struct header *header);

/* What a client says; strings are borrowed. */
struct header_text {
	const char *command;
	const char *id;	      /* NULL: not told */
	const char *filename; /* NULL: not told */
	bool has_filesize, has_offset, has_size, has_mtime;
	uint64_t filesize;
	uint64_t offset;       /* of a part */
	uint64_t size;	       /* of a commit */
	uint64_t mtime_usec;   /* microseconds since 1970 */
	const char *sha256;    /* hex digits; NULL: not told */
	enum policy if_exists; /* POLICY_ABSENT: not told */
	bool reply;
};

/*
 * Writes length and header into out[0..size). Returns the bytes written, or
 * -EMSGSIZE where they do not fit `size` or HEADER_MAX.
 */
long header_format(const struct header_text *what, char *out, size_t size);

#endif
