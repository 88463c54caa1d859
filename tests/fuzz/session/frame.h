/*
 * The grammar of the session fuzzer: bytes of fuzz become frames, whose header
 * is written here and whose meaning is told in a struct. The tables say what
 * put-protocol(7) says of a name or a broken header, without asking the code
 * that is tested.
 */
#ifndef FUZZ_FRAME_H
#define FUZZ_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fuzz, read a choice at a time; 0 once there is no more. */
struct reader {
	const uint8_t *at, *end;
};

unsigned choose(struct reader *reader, unsigned choices);

enum name_rule { NAME_FINE, NAME_HIDDEN, NAME_BAD };

struct name_entry {
	const char *text;    /* as it stands on disk */
	const char *written; /* in JSON; NULL: the same */
	enum name_rule rule;
};

#define NAMES 37
extern struct name_entry names[NAMES];

/* Makes the names that are long. */
void names_prepare(void);

#define IDS 3
extern const char *const ids[IDS];

enum frame_kind {
	FRAME_PUT,
	FRAME_PART,
	FRAME_COMMIT,
	FRAME_STAT,
	FRAME_ABORT,
	FRAME_HELLO,
	FRAME_END,
	FRAME_REFUSED, /* read and refused, whatever the store holds */
	FRAME_BROKEN,  /* cannot be read: the stream ends */
	FRAME_KINDS
};

enum digest_mode { NO_DIGEST, TELL, RIGHT, RIGHT_UPPER, WRONG, DIGEST_MODES };
enum if_exists { ABSENT, REPLACE, KEEP, REJECT };

struct frame {
	enum frame_kind kind;
	bool reply;
	const struct name_entry *name; /* NULL: not told */
	unsigned id;
	enum digest_mode digest;
	uint8_t sha256[32]; /* as announced */
	enum if_exists if_exists;
	bool has_mtime, has_size;
	uint64_t mtime_usec;
	uint64_t offset, size;
	const char *command; /* of a refused one, as it is told back */
	const char *error;   /* of the same */
	bool reply_told;     /* by the same, and not as a boolean */

	const uint8_t *body;
	size_t filesize;
	size_t start, body_at, end; /* in the stream */
};

/* What the grammar asks of the model, to be right on purpose. */
struct upload_view {
	const uint8_t *bytes;
	size_t size;
};

/* Makes the next frame and sends it (stream.h). */
void frame_make(struct reader *reader, const struct upload_view uploads[IDS],
    struct frame *ret);

#endif
