/*
 * See name.h. Names are refused, never repaired.
 */
#include "putd/name.h"

#include "wire/json.h"
#include "wire/limits.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has_control(const char *text)
{
	const uint8_t *cursor = (const uint8_t *)text;
	const uint8_t *end = cursor + strlen(text);

	while (cursor < end) {
		int32_t point = utf8_next(&cursor, end);

		if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
			return true;
	}
	return false;
}

/* "." and ".." are refused even where hidden names are not. */
static bool component_valid(const char *at, size_t length, bool allow_hidden)
{
	if (length == 0 || length > NAME_COMPONENT_MAX)
		return false;
	if (at[0] != '.')
		return true;
	return allow_hidden && length != 1 && !(length == 2 && at[1] == '.');
}

static bool is_private(const char *text)
{
	size_t length = strcspn(text, "/");

	return length == strlen(PRIVATE_DIRECTORY) &&
	       strncasecmp(text, PRIVATE_DIRECTORY, length) == 0;
}

int name_parse(const char *text, bool allow_hidden, struct name *ret)
{
	size_t start = 0;
	char *copy;

	if (strlen(text) > NAME_MAX_BYTES || has_control(text) ||
	    is_private(text))
		return -EILSEQ;
	for (;;) {
		size_t length = strcspn(text + start, "/");

		if (!component_valid(text + start, length, allow_hidden))
			return -EILSEQ;
		if (text[start + length] == '\0')
			break;
		start += length + 1;
	}
	copy = strdup(text);
	if (copy == NULL)
		return -ENOMEM;
	*ret = (struct name){.text = copy, .base = start};
	return 0;
}

void name_free(struct name *name)
{
	free(name->text);
	*name = (struct name){0};
}
