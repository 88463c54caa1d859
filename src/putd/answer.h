/*
 * The lines that go to the client, put-protocol(7) section 3. Each function
 * writes one, with its newline, and returns its length in bytes. It decides
 * nothing and sends nothing.
 */
#ifndef PUTD_ANSWER_H
#define PUTD_ANSWER_H

#include "putd/options.h"
#include "wire/error.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
	char text[RECEIPT_MAX];
};

/* What there was of whole puts and commits. */
struct counts {
	uint64_t files, failed, bytes;
};

/* A file that is stored: the receipt of a put, of a commit, and of a stat. */
struct stored {
	const char *command;
	const char *filename;
	const char *as; /* the name it really got */
	uint64_t size;	/* bytes */
	bool durable, unchanged;
	const char *sha256; /* hex digits, where asked; else NULL */
};

size_t answer_stored(struct answer *answer, const struct stored *stored);

struct refusal {
	enum wire_error error;
	const char *command;  /* NULL: the line that ends the stream */
	const char *filename; /* NULL: not told */
	bool has_offset;
	uint64_t offset; /* bytes held of this id */
	bool is_stored;	 /* this id is finished */
	bool final;	 /* trying again cannot help, though it may else */
	bool on_new_connection; /* it may help there, though it may not else */
};

size_t answer_refused(struct answer *answer, const struct refusal *refusal);
size_t answer_end(
    struct answer *answer, const struct counts *counts, bool flushed);
size_t answer_hello(struct answer *answer, const struct options *options);

/* A part was taken: `held` bytes are there of this id. */
size_t answer_part(
    struct answer *answer, const char *id, uint64_t held, bool durable);
size_t answer_partial(struct answer *answer, uint64_t held);
size_t answer_abort(struct answer *answer);

#endif
