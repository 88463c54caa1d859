/*
 * See columns.h. The ranges are the coarse ones of Unicode's EastAsianWidth
 * (W and F) and of its marks that take no place of their own (Mn).
 */
#include "put/columns.h"

#include "wire/cleanup.h"
#include "wire/json.h"

#include <stdint.h>
#include <string.h>

struct range {
	int32_t from, to;
};

static const struct range none[] = {{0x300, 0x36f}, {0x483, 0x489},
    {0x591, 0x5bd}, {0x610, 0x61a}, {0x64b, 0x65f}, {0x6d6, 0x6dc},
    {0xe31, 0xe31}, {0xe34, 0xe3a}, {0xe47, 0xe4e}, {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}};

static const struct range two[] = {{0x1100, 0x115f}, {0x2e80, 0x303e},
    {0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa4cf},
    {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe4f}, {0xff00, 0xff60},
    {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

static int is_in(const struct range *ranges, size_t n, int32_t point)
{
	for (size_t i = 0; i < n; i++)
		if (point >= ranges[i].from && point <= ranges[i].to)
			return 1;
	return 0;
}

static int width(int32_t point)
{
	if (is_in(none, ARRAY_LENGTH(none), point))
		return 0;
	return is_in(two, ARRAY_LENGTH(two), point) ? 2 : 1;
}

static int next_width(const uint8_t **cursor, const uint8_t *end)
{
	int32_t point = utf8_next(cursor, end);

	if (point < 0)
		(*cursor)++;
	return width(point);
}

int columns_of(const char *text)
{
	const uint8_t *cursor = (const uint8_t *)text;
	const uint8_t *end = cursor + strlen(text);
	int columns = 0;

	while (cursor < end)
		columns += next_width(&cursor, end);
	return columns;
}

const char *columns_tail(const char *text, int columns)
{
	const uint8_t *cursor = (const uint8_t *)text;
	const uint8_t *end = cursor + strlen(text);
	int left = columns_of(text);

	/* A mark without a place stays with what it stands on. */
	while (cursor < end) {
		const uint8_t *next = cursor;
		int wide = next_width(&next, end);

		if (left <= columns && wide > 0)
			break;
		left -= wide;
		cursor = next;
	}
	return (const char *)cursor;
}
