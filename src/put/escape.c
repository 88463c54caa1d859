/*
 * See escape.h. The result holds no byte below 0x20, no 0x7f, and is UTF-8.
 */
#include "put/escape.h"

#include "wire/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* \xNN for one byte; \uNNNN for two or three. */
#define ESCAPED_MAX 4

/* Returns the end of what was written at `out`. */
static char *escape_point(
    char *out, int32_t point, const uint8_t *from, const uint8_t *to)
{
	if (point < 0)
		return out + sprintf(out, "\\x%02x", *from);
	if (point == '\\')
		return stpcpy(out, "\\\\");
	if (point < 0x80 && utf8_unsafe(point))
		return out + sprintf(out, "\\x%02x", (unsigned)point);
	if (utf8_unsafe(point))
		return out + sprintf(out, "\\u%04x", (unsigned)point);
	return mempcpy(out, from, (size_t)(to - from));
}

char *escape_text(const char *text)
{
	const uint8_t *cursor = (const uint8_t *)text;
	const uint8_t *end = cursor + strlen(text);
	char *escaped = malloc(strlen(text) * ESCAPED_MAX + 1);
	char *out = escaped;

	if (escaped == NULL)
		return NULL;
	while (cursor < end) {
		const uint8_t *from = cursor;
		int32_t point = utf8_next(&cursor, end);

		if (point < 0)
			cursor++;
		out = escape_point(out, point, from, cursor);
	}
	*out = '\0';
	return escaped;
}
