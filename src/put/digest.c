/*
 * See digest.h.
 */
#include "put/digest.h"

void hex_write(const uint8_t *bytes, size_t n, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*hex++ = digits[bytes[i] >> 4];
		*hex++ = digits[bytes[i] & 15];
	}
	*hex = '\0';
}

void digest_begin(struct digest_state *digest)
{
	sha256_init(&digest->context);
}

void digest_add(struct digest_state *digest, const void *bytes, size_t n)
{
	sha256_update(&digest->context, n, bytes);
}

void digest_end(struct digest_state *digest, char hex[SHA256_HEX + 1])
{
	uint8_t bytes[SHA256_DIGEST_SIZE];

	sha256_digest(&digest->context, sizeof(bytes), bytes);
	hex_write(bytes, sizeof(bytes), hex);
}
