/*
 * See proxy.h.
 */
#include "putd/proxy.h"

#include "wire/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v2_signature[12] = {
    '\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
static const char v1_signature[] = "PROXY ";

#define V2_HEADER	 16   /* bytes before the addresses */
#define V2_LOCAL	 0x20 /* version 2, command LOCAL */
#define V2_PROXY	 0x21 /* version 2, command PROXY */
#define V2_TCP4		 0x11 /* family and transport */
#define V2_TCP6		 0x21
#define V2_FAMILY_MAX	 3 /* AF_UNIX; more are reserved */
#define V2_TRANSPORT_MAX 2
#define V2_TCP4_BYTES	 12 /* two addresses, two ports */
#define V2_TCP6_BYTES	 36

static long parse_v2(const uint8_t *bytes, size_t length, struct address *ret)
{
	const uint8_t *at = bytes + V2_HEADER;
	size_t size;

	if (length < V2_HEADER)
		return 0;
	size = (size_t)bytes[14] << 8 | bytes[15];
	if ((bytes[12] != V2_LOCAL && bytes[12] != V2_PROXY) ||
	    bytes[13] >> 4 > V2_FAMILY_MAX ||
	    (bytes[13] & 0xf) > V2_TRANSPORT_MAX)
		return -EBADMSG;
	*ret = (struct address){.family = AF_UNSPEC};
	if (bytes[12] == V2_LOCAL || length < V2_HEADER + size)
		return (long)(V2_HEADER + size);
	if (bytes[13] == V2_TCP4 && size >= V2_TCP4_BYTES)
		*ret = address_of_bytes(
		    AF_INET, at, (uint16_t)(at[8] << 8 | at[9]));
	else if (bytes[13] == V2_TCP6 && size >= V2_TCP6_BYTES)
		*ret = address_of_bytes(
		    AF_INET6, at, (uint16_t)(at[32] << 8 | at[33]));
	else if (bytes[13] == V2_TCP4 || bytes[13] == V2_TCP6)
		return -EBADMSG;
	return (long)(V2_HEADER + size);
}

/* A port: digits alone, no leading zero, at most 65535. */
static bool read_port(const char *text, uint16_t *ret)
{
	unsigned value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > UINT16_MAX)
			return false;
	}
	*ret = (uint16_t)value;
	return true;
}

/* Splits at single spaces into exactly `count` words. */
static bool split(char *line, char *words[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		words[i] = line;
		line = strchr(line, ' ');
		if (line == NULL)
			return i == count - 1;
		*line++ = '\0';
	}
	return false;
}

/* "TCP4 SOURCE DESTINATION PORT PORT", or "UNKNOWN" and anything. */
static bool read_line(char *line, struct address *ret)
{
	char *words[5];
	uint8_t source[16], destination[16];
	uint16_t from, to;
	int family;

	*ret = (struct address){.family = AF_UNSPEC};
	if (strcmp(line, "UNKNOWN") == 0 || strncmp(line, "UNKNOWN ", 8) == 0)
		return true;
	if (!split(line, words, ARRAY_LENGTH(words)))
		return false;
	if (strcmp(words[0], "TCP4") == 0)
		family = AF_INET;
	else if (strcmp(words[0], "TCP6") == 0)
		family = AF_INET6;
	else
		return false;
	if (inet_pton(family, words[1], source) != 1 ||
	    inet_pton(family, words[2], destination) != 1 ||
	    !read_port(words[3], &from) || !read_port(words[4], &to))
		return false;
	*ret = address_of_bytes(family, source, from);
	return true;
}

static long parse_v1(const uint8_t *bytes, size_t length, struct address *ret)
{
	size_t limit = length < PROXY_V1_MAX ? length : PROXY_V1_MAX;
	const uint8_t *end = memchr(bytes, '\n', limit);
	char line[PROXY_V1_MAX];
	size_t size;

	if (end == NULL)
		return length < PROXY_V1_MAX ? 0 : -EBADMSG;
	size = (size_t)(end - bytes) + 1;
	if (size < sizeof(v1_signature) + 1 || end[-1] != '\r' ||
	    memchr(bytes, '\0', size) != NULL)
		return -EBADMSG;
	size -= 2;
	memcpy(line, bytes, size);
	line[size] = '\0';
	if (!read_line(line + strlen(v1_signature), ret))
		return -EBADMSG;
	return (long)(size + 2);
}

static bool starts(const uint8_t *bytes, size_t length, const void *signature,
    size_t signature_length)
{
	return memcmp(bytes, signature,
		   length < signature_length ? length : signature_length) == 0;
}

long proxy_parse(const uint8_t *bytes, size_t length, struct address *ret)
{
	if (starts(bytes, length, v2_signature, sizeof(v2_signature)))
		return parse_v2(bytes, length, ret);
	if (starts(bytes, length, v1_signature, strlen(v1_signature)))
		return parse_v1(bytes, length, ret);
	return -EBADMSG;
}
