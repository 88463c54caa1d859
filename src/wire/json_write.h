/*
 * One compact JSON object in printable ASCII, written into the caller's buffer.
 * Both headers and receipts are made with it. Touches no fd and no global.
 */
#ifndef WIRE_JSON_WRITE_H
#define WIRE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
	char *text; /* caller's buffer */
	size_t size, length;
	bool overflow; /* something did not fit: the text is of no use */
};

void json_begin(struct json_writer *writer, char *text, size_t size);
/* `string` is UTF-8; bytes that are not become U+FFFD. */
void json_add_string(
    struct json_writer *writer, const char *key, const char *string);
void json_add_integer(
    struct json_writer *writer, const char *key, uint64_t value);
void json_add_boolean(struct json_writer *writer, const char *key, bool value);
/* `value` is JSON already. */
void json_add_raw(
    struct json_writer *writer, const char *key, const char *value);
/* Closes the object. Returns its length in bytes (no NUL is written), 0 where
 * the buffer was too small. */
size_t json_end(struct json_writer *writer);

#endif
