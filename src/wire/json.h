/*
 * One JSON object, read strictly. cJSON builds the tree and is forgiving; the
 * rules of put-protocol(7) section 1 are not, so the text is judged before it
 * and the tree after it. This is the only part that knows cJSON. It touches no
 * file descriptor and no global.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	struct cJSON *tree;
	const char *text; /* borrowed: outlives the struct */
	size_t length;
};

/*
 * Reads the one object in text[0..length). White space (space, TAB, LF, CR) may
 * stand around it. The text is borrowed until json_free() and may be altered:
 * a number too long for cJSON is rewritten in place.
 * Returns 0; -EBADMSG where the text breaks a rule; -ENOMEM.
 */
int json_read(char *text, size_t length, struct json *ret);
void json_free(struct json *json);

/*
 * The getters look a key up in the object, comparing case. They return 1 and
 * set *ret where the key is there and of the right type, 0 where it is absent
 * (*ret untouched), -EINVAL where it is null, of another type or out of range.
 * Strings belong to the struct json.
 */
int json_string(const struct json *json, const char *key, const char **ret);
int json_boolean(const struct json *json, const char *key, bool *ret);

/* "0" or [1-9][0-9]*, at most INTEGER_MAX: no sign, fraction or exponent. */
int json_integer(const struct json *json, const char *key, uint64_t *ret);

/* A number of seconds, 0 <= t < MTIME_END, told in microseconds, rounded. */
int json_seconds(const struct json *json, const char *key, uint64_t *ret_usec);

/* An array of strings: calls visit for each; stops and returns its result
 * where that is negative. */
int json_strings(const struct json *json, const char *key,
    int (*visit)(const char *string, void *context), void *context);

bool json_has(const struct json *json, const char *key);

/* Whether the string is well-formed UTF-8 (RFC 3629) of `length` bytes. */
bool utf8_valid(const char *string, size_t length);

/* Whether a code point must not reach a terminal as it is: controls, and what
 * reorders or breaks a line there (Unicode's bidirectional marks and its line
 * and paragraph separators). -1, no code point, is unsafe. */
bool utf8_unsafe(int32_t point);

/*
 * Reads one code point at *cursor (< end) and moves past it. Returns it, or -1
 * where the bytes are not well-formed: overlong, a surrogate, above U+10FFFF,
 * cut short.
 */
int32_t utf8_next(const uint8_t **cursor, const uint8_t *end);

#endif
