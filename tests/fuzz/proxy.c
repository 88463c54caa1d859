/*
 * Fuzzes the PROXY header parser, the first thing that an untrusted peer behind
 * a trusted proxy can reach. What it accepts must be an address that prints,
 * and no prefix of it may be judged otherwise.
 */
#include "putd/proxy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long parse_exact(const uint8_t *data, size_t size, struct address *ret)
{
	/* Exactly as long as it is: a byte read beyond it is found. */
	uint8_t *copy = malloc(size);
	long r;

	memcpy(copy, data, size);
	r = proxy_parse(copy, size, ret);
	free(copy);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address address, again;
	char text[ADDRESS_TEXT];
	long r;

	if (size == 0 || size > PROXY_V2_MAX)
		return 0;
	r = parse_exact(data, size, &address);
	assert(r == -EBADMSG || r >= 0);
	if (r <= 0 || (size_t)r > size)
		return 0;
	assert(address.family == AF_UNSPEC || address.family == AF_INET ||
	       address.family == AF_INET6);
	if (address.family != AF_UNSPEC)
		address_format(&address, text);
	/* The bytes behind the header change nothing of it. */
	assert(parse_exact(data, (size_t)r, &again) == r);
	assert(again.family == address.family);
	/* A shorter one is not complete yet. */
	if (r > 1) {
		long shorter = parse_exact(data, (size_t)r - 1, &again);

		assert(shorter == 0 || shorter == r);
	}
	return 0;
}
