/*
 * Well-formed UTF-8, RFC 3629 section 4. Knows bytes only.
 */
#include "wire/json.h"

#include <string.h>

static int continuation_bytes(uint8_t lead)
{
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if ((lead & 0xf0) == 0xe0)
		return 2;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 3;
	return -1;
}

int32_t utf8_next(const uint8_t **cursor, const uint8_t *end)
{
	static const uint8_t lead_mask[] = {0x7f, 0x1f, 0x0f, 0x07};
	static const int32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	const uint8_t *at = *cursor;
	int more = continuation_bytes(*at);
	int32_t point;

	if (more < 0 || end - at <= more)
		return -1;
	point = *at & lead_mask[more];
	for (int i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < smallest[more] || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return -1;
	*cursor = at + more + 1;
	return point;
}

bool utf8_valid(const char *string, size_t length)
{
	const uint8_t *cursor = (const uint8_t *)string;
	const uint8_t *end = cursor + length;

	while (cursor < end)
		if (utf8_next(&cursor, end) < 0)
			return false;
	return true;
}

bool utf8_unsafe(int32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) ||
	       point == 0x61c || point == 0x200e || point == 0x200f ||
	       (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069);
}
