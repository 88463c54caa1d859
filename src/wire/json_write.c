/*
 * See json_write.h. Everything outside printable ASCII is written as \uXXXX, so
 * that a receipt can be shown on any terminal and a header be read by anyone.
 */
#include "wire/json_write.h"

#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xfffd

static void put_bytes(struct json_writer *writer, const char *bytes, size_t n)
{
	if (writer->size - writer->length < n) {
		writer->overflow = true;
		return;
	}
	memcpy(writer->text + writer->length, bytes, n);
	writer->length += n;
}

static void put_text(struct json_writer *writer, const char *text)
{
	put_bytes(writer, text, strlen(text));
}

static void put_point(struct json_writer *writer, int32_t point)
{
	char escaped[24];

	if (point == '"' || point == '\\') {
		escaped[0] = '\\';
		escaped[1] = (char)point;
		put_bytes(writer, escaped, 2);
	} else if (point >= 0x20 && point < 0x7f) {
		escaped[0] = (char)point;
		put_bytes(writer, escaped, 1);
	} else if (point < 0x10000) {
		(void)snprintf(
		    escaped, sizeof(escaped), "\\u%04x", (unsigned)point);
		put_text(writer, escaped);
	} else {
		unsigned high = 0xd800 + ((unsigned)(point - 0x10000) >> 10);
		unsigned low = 0xdc00 + ((unsigned)(point - 0x10000) & 0x3ff);

		(void)snprintf(
		    escaped, sizeof(escaped), "\\u%04x\\u%04x", high, low);
		put_text(writer, escaped);
	}
}

static void put_string(struct json_writer *writer, const char *string)
{
	const uint8_t *cursor = (const uint8_t *)string;
	const uint8_t *end = cursor + strlen(string);

	put_text(writer, "\"");
	while (cursor < end) {
		int32_t point = utf8_next(&cursor, end);

		if (point < 0) {
			point = REPLACEMENT;
			cursor++;
		}
		put_point(writer, point);
	}
	put_text(writer, "\"");
}

static void put_key(struct json_writer *writer, const char *key)
{
	if (writer->length > 1)
		put_text(writer, ",");
	put_string(writer, key);
	put_text(writer, ":");
}

void json_begin(struct json_writer *writer, char *text, size_t size)
{
	*writer = (struct json_writer){.text = text, .size = size};
	put_text(writer, "{");
}

void json_add_string(
    struct json_writer *writer, const char *key, const char *string)
{
	put_key(writer, key);
	put_string(writer, string);
}

void json_add_integer(
    struct json_writer *writer, const char *key, uint64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	json_add_raw(writer, key, digits);
}

void json_add_boolean(struct json_writer *writer, const char *key, bool value)
{
	json_add_raw(writer, key, value ? "true" : "false");
}

void json_add_raw(
    struct json_writer *writer, const char *key, const char *value)
{
	put_key(writer, key);
	put_text(writer, value);
}

size_t json_end(struct json_writer *writer)
{
	put_text(writer, "}");
	return writer->overflow ? 0 : writer->length;
}
