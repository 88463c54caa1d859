/*
 * SHA-256, and the only part that knows where it comes from (nettle).
 */
#ifndef PUTD_DIGEST_H
#define PUTD_DIGEST_H

#include "wire/limits.h"

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES (SHA256_HEX / 2)

struct digest_state {
	struct sha256_ctx context;
};

void digest_begin(struct digest_state *state);
void digest_add(struct digest_state *state, const void *bytes, size_t n);
void digest_end(struct digest_state *state, uint8_t digest[DIGEST_BYTES]);

/* Lower case, with a NUL. */
void digest_hex(const uint8_t digest[DIGEST_BYTES], char hex[SHA256_HEX + 1]);

/* Of the whole file, from its start. Returns 0 or -errno. */
int digest_file(int fd, uint8_t digest[DIGEST_BYTES]);

#endif
