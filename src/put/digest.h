/*
 * SHA-256 of bytes as they pass, as hex digits in lower case. The only part
 * that knows nettle's hash; touches no descriptor.
 */
#ifndef PUT_DIGEST_H
#define PUT_DIGEST_H

#include "wire/limits.h"

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

struct digest_state {
	struct sha256_ctx context;
};

void digest_begin(struct digest_state *digest);
void digest_add(struct digest_state *digest, const void *bytes, size_t n);
/* To be begun again afterwards. */
void digest_end(struct digest_state *digest, char hex[SHA256_HEX + 1]);

/* Each byte as two digits, and a NUL. */
void hex_write(const uint8_t *bytes, size_t n, char *hex);

#endif
