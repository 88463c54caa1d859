/*
 * See digest.h.
 */
#include "putd/digest.h"

#include <errno.h>
#include <unistd.h>

#define READ_BUFFER (64 * 1024) /* bytes */

void digest_begin(struct digest_state *state)
{
	sha256_init(&state->context);
}

void digest_add(struct digest_state *state, const void *bytes, size_t n)
{
	sha256_update(&state->context, n, bytes);
}

void digest_end(struct digest_state *state, uint8_t digest[DIGEST_BYTES])
{
	sha256_digest(&state->context, DIGEST_BYTES, digest);
}

void digest_hex(const uint8_t digest[DIGEST_BYTES], char hex[SHA256_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_BYTES; i++) {
		*hex++ = digits[digest[i] >> 4];
		*hex++ = digits[digest[i] & 0xf];
	}
	*hex = '\0';
}

int digest_file(int fd, uint8_t digest[DIGEST_BYTES])
{
	struct digest_state state;
	uint8_t buffer[READ_BUFFER];
	off_t at = 0;

	digest_begin(&state);
	for (;;) {
		ssize_t n = pread(fd, buffer, sizeof(buffer), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		digest_add(&state, buffer, (size_t)n);
		at += n;
	}
	digest_end(&state, digest);
	return 0;
}
