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

/* How many whole puts there were, and what they held. */
struct counts {
	uint64_t files, failed, bytes;
};

size_t answer_stored(struct answer *answer, const char *filename,
    const char *stored, uint64_t filesize, bool durable);

/* command NULL: the line that ends the stream. filename NULL: not told. */
size_t answer_refused(struct answer *answer, const char *command,
    const char *filename, enum wire_error error);
size_t answer_end(
    struct answer *answer, const struct counts *counts, bool flushed);
size_t answer_hello(struct answer *answer, const struct options *options);

#endif
