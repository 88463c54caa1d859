/*
 * A recogniser for RFC 8259 with the further rules of put-protocol(7) section
 * 1: no U+0000, paired surrogates, well-formed UTF-8, at most HEADER_DEPTH_MAX
 * levels. It builds nothing. The recursion is bounded by that depth.
 */
#include "wire/json_scan.h"

#include "wire/json.h"
#include "wire/limits.h"

#include <string.h>

/* cJSON copies a number into 64 bytes and stops at the 63rd. */
#define NUMBER_LENGTH_MAX 60

void scan_space(struct json_scan *scan)
{
	while (
	    scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' ||
					*scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

bool scan_byte(struct json_scan *scan, uint8_t byte)
{
	if (scan->at >= scan->end || *scan->at != byte)
		return false;
	scan->at++;
	return true;
}

static int hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
		return (byte | 0x20) - 'a' + 10;
	return -1;
}

/* Four hex digits; -1 where they are not. */
static int32_t scan_unit(struct json_scan *scan)
{
	int32_t unit = 0;

	if (scan->end - scan->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(scan->at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	scan->at += 4;
	return unit;
}

static bool scan_unicode_escape(struct json_scan *scan)
{
	int32_t unit = scan_unit(scan);

	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return false;
	if (unit < 0xd800 || unit > 0xdbff)
		return true;
	if (!scan_byte(scan, '\\') || !scan_byte(scan, 'u'))
		return false;
	unit = scan_unit(scan);
	return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool scan_escape(struct json_scan *scan)
{
	uint8_t kind;

	if (scan->at >= scan->end)
		return false;
	kind = *scan->at++;
	if (kind == 'u')
		return scan_unicode_escape(scan);
	return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL;
}

bool scan_string(struct json_scan *scan)
{
	if (!scan_byte(scan, '"'))
		return false;
	while (scan->at < scan->end) {
		const uint8_t *cursor = scan->at;

		if (scan_byte(scan, '"'))
			return true;
		if (scan_byte(scan, '\\')) {
			if (!scan_escape(scan))
				return false;
			continue;
		}
		if (*cursor < 0x20 || utf8_next(&cursor, scan->end) < 0)
			return false;
		scan->at += cursor - scan->at;
	}
	return false;
}

static size_t scan_digits(struct json_scan *scan)
{
	const uint8_t *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return (size_t)(scan->at - start);
}

/*
 * A number cJSON could not hold keeps its meaning for this protocol: digits of
 * a fraction beyond the 50th place are dropped; anything else that long is out
 * of range of every key, and becomes a number that is.
 */
static void shorten_number(uint8_t *start, const uint8_t *end, bool exponent)
{
	const uint8_t *point = memchr(start, '.', NUMBER_LENGTH_MAX - 1);
	size_t keep = NUMBER_LENGTH_MAX;

	if (point == NULL || exponent) {
		/* Of four bytes inside a longer text, which ends elsewhere. */
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
		memcpy(start, "1e99", 4);
		keep = 4;
	}
	memset(start + keep, ' ', (size_t)(end - start) - keep);
}

static bool scan_number(struct json_scan *scan)
{
	uint8_t *start = scan->at;
	bool exponent = false;

	(void)scan_byte(scan, '-');
	if (!scan_byte(scan, '0') && scan_digits(scan) == 0)
		return false;
	if (scan_byte(scan, '.') && scan_digits(scan) == 0)
		return false;
	if (scan_byte(scan, 'e') || scan_byte(scan, 'E')) {
		exponent = true;
		if (!scan_byte(scan, '+'))
			(void)scan_byte(scan, '-');
		if (scan_digits(scan) == 0)
			return false;
	}
	if (scan->at - start > NUMBER_LENGTH_MAX)
		shorten_number(start, scan->at, exponent);
	return true;
}

static bool scan_literal(struct json_scan *scan, const char *literal)
{
	size_t length = strlen(literal);

	if ((size_t)(scan->end - scan->at) < length ||
	    memcmp(scan->at, literal, length) != 0)
		return false;
	scan->at += length;
	return true;
}

static bool scan_member(struct json_scan *scan)
{
	scan_space(scan);
	if (!scan_string(scan))
		return false;
	scan_space(scan);
	return scan_byte(scan, ':') && scan_value(scan);
}

/* What stands between the brackets of an object or an array. */
static bool scan_list(struct json_scan *scan, uint8_t closing,
    bool (*scan_element)(struct json_scan *))
{
	if (++scan->depth > HEADER_DEPTH_MAX)
		return false;
	scan->at++;
	scan_space(scan);
	if (!scan_byte(scan, closing)) {
		do {
			if (!scan_element(scan))
				return false;
		} while (scan_byte(scan, ','));
		if (!scan_byte(scan, closing))
			return false;
	}
	scan->depth--;
	return true;
}

static bool scan_bare_value(struct json_scan *scan)
{
	switch (*scan->at) {
	case '{':
		return scan_list(scan, '}', scan_member);
	case '[':
		return scan_list(scan, ']', scan_value);
	case '"':
		return scan_string(scan);
	case 't':
		return scan_literal(scan, "true");
	case 'f':
		return scan_literal(scan, "false");
	case 'n':
		return scan_literal(scan, "null");
	default:
		return scan_number(scan);
	}
}

bool scan_value(struct json_scan *scan)
{
	scan_space(scan);
	if (scan->at >= scan->end || !scan_bare_value(scan))
		return false;
	scan_space(scan);
	return true;
}
