/*
 * The receipts of the model: their text by put-protocol(7) section 3, written
 * without the handler's own writer.
 */
#include "model.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) uint8_t arena[CONTENT_ROOM];
static size_t taken;

void *arena_take(size_t n)
{
	void *start = arena + taken;

	n = (n + 15) & ~(size_t)15;
	if (n > CONTENT_ROOM - taken)
		abort();
	taken += n;
	return start;
}

void arena_reset(void)
{
	taken = 0;
}

static char text[2 * LINE_MAX];
static size_t length;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text + length, sizeof(text) - length, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(text) - length)
		abort();
	length += (size_t)n;
}

/* All but printable ASCII as \uXXXX; what comes in is well-formed. */
static void add_point(const unsigned char **at)
{
	const unsigned char *p = *at;
	unsigned more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
	uint32_t point = p[0] & (0x3fu >> more);

	for (unsigned i = 1; i <= more; i++)
		point = point << 6 | (p[i] & 0x3f);
	*at += more + 1;
	if (point >= 0x10000)
		add("\\u%04x\\u%04x", 0xd7c0 + (point >> 10),
		    0xdc00 | (point & 0x3ff));
	else
		add("\\u%04x", point);
}

static void add_string(const char *key, const char *value)
{
	const unsigned char *at = (const unsigned char *)value;

	add(",\"%s\":\"", key);
	while (*at != '\0') {
		const unsigned char *run = at;

		while (*at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
			at++;
		add("%.*s", (int)(at - run), (const char *)run);
		if (*at == '"' || *at == '\\')
			add("\\%c", *at++);
		else if (*at >= 0x80)
			add_point(&at);
	}
	add("\"");
}

static char *keep_text(void)
{
	char *kept = arena_take(length + 1);

	memcpy(kept, text, length + 1);
	length = 0;
	return kept;
}

struct line line_text(const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(text))
		abort();
	length = (size_t)n;
	return (struct line){keep_text(), NULL};
}

bool error_retries(const char *error)
{
	static const char *const retried[] = {
	    "timeout", "no-space", "mismatch", "bad-offset", "busy", "io"};

	for (size_t i = 0; i < sizeof(retried) / sizeof(*retried); i++)
		if (strcmp(error, retried[i]) == 0)
			return true;
	return false;
}

static const char *told_command(const struct frame *frame)
{
	static const char *const commands[FRAME_KINDS] = {
	    [FRAME_PUT] = "put",
	    [FRAME_PART] = "put",
	    [FRAME_COMMIT] = "commit",
	    [FRAME_STAT] = "stat",
	    [FRAME_ABORT] = "abort",
	    [FRAME_HELLO] = "hello",
	    [FRAME_END] = "end",
	};

	return frame->kind == FRAME_REFUSED ? frame->command
					    : commands[frame->kind];
}

/* Section 3: `filename` is told unless section 4 refused it. */
static bool tells_name(const struct frame *frame, const char *error)
{
	return frame->name != NULL && frame->kind != FRAME_STAT &&
	       frame->name->rule != NAME_BAD && strcmp(error, "bad-name") != 0;
}

struct line line_refused(
    const struct frame *frame, const char *error, const char *more, bool retry)
{
	struct line line;

	length = 0;
	add("{\"ok\":false,\"cmd\":\"%s\",\"error\":\"%s\",\"retry\":%s,"
	    "\"message\":\"",
	    told_command(frame), error, retry ? "true" : "false");
	line.before = keep_text();
	add("\"");
	if (tells_name(frame, error))
		add_string("filename", frame->name->text);
	add("%s}\n", more);
	line.after = keep_text();
	return line;
}

struct line line_last(const char *error, bool retry)
{
	struct line line = line_text("{\"ok\":false,\"error\":\"%s\","
				     "\"retry\":%s,\"message\":\"",
	    error, retry ? "true" : "false");

	line.after = line_text("\"}\n").before;
	return line;
}

/* Of a put, its commit, or a stat of it; `upload` tells the facts of the last
 * two. */
struct line line_stored(const struct frame *frame, const char *command,
    const char *stored, const struct upload *upload, bool unchanged,
    bool durable)
{
	const uint8_t *sha256 = frame->sha256;
	bool tells = frame->digest != NO_DIGEST;

	length = 0;
	if (upload != NULL) {
		sha256 = upload->sha256;
		tells = upload->has_sha256;
	}
	add("{\"ok\":true,\"cmd\":\"%s\"", command);
	if (strcmp(command, "stat") == 0)
		add(",\"state\":\"stored\"");
	add_string(
	    "filename", upload != NULL ? upload->filename : frame->name->text);
	if (upload != NULL)
		add(",\"size\":%" PRIu64, upload->size);
	else
		add(",\"filesize\":%zu", frame->filesize);
	add_string("stored", stored);
	add(",\"durable\":%s", durable ? "true" : "false");
	if (tells)
		add(",\"sha256\":\"");
	for (int i = 0; tells && i < 32; i++)
		add("%02x", sha256[i]);
	add("%s%s}\n", tells ? "\"" : "",
	    unchanged ? ",\"unchanged\":true" : "");
	return (struct line){keep_text(), NULL};
}

void expect(struct model *model, struct line line)
{
	if (model->expected_count == LINES_MAX)
		abort();
	model->expected[model->expected_count++] =
	    (struct expected){.line = line};
}

void expect_one_of(struct model *model, struct line line, struct line other)
{
	expect(model, line);
	model->expected[model->expected_count - 1].other = other;
	model->expected[model->expected_count - 1].has_other = true;
}

/* Moves *at over `want`: 1; 0 where it differs; -1 where the output ends. */
static int match_text(const char **at, const char *end, const char *want)
{
	size_t size = strlen(want), left = (size_t)(end - *at);

	if (memcmp(*at, want, size < left ? size : left) != 0)
		return 0;
	*at += size < left ? size : left;
	return size <= left ? 1 : -1;
}

static int match_line(const char **at, const char *end, const struct line *line)
{
	const char *start = *at;
	int r;

	if (line->before == NULL)
		return 1;
	r = match_text(at, end, line->before);
	if (r == 1 && line->after != NULL) {
		const char *message = *at;

		while (*at < end && (isalnum((unsigned char)**at) ||
					**at == ' ' || **at == ','))
			(*at)++;
		if (*at == end)
			return -1;
		r = *at > message ? match_text(at, end, line->after) : 0;
	}
	if (r == 0)
		*at = start;
	return r;
}

bool model_agrees(
    const struct model *model, const char *output, size_t n, bool prefix)
{
	const char *at = output, *end = output + n;

	for (size_t i = 0; i < model->expected_count; i++) {
		const struct expected *want = &model->expected[i];
		const char *start = at;
		int r = match_line(&at, end, &want->line);

		if (r <= 0 && want->has_other) {
			const char *after = at;
			int first = r;

			at = start;
			r = match_line(&at, end, &want->other);
			if (r == 0 && first < 0) {
				at = after;
				r = first;
			}
		}
		if (r == 0) {
			fprintf(stderr, "expected: %s%s%s", want->line.before,
			    want->line.after ? "*" : "",
			    want->line.after ? want->line.after : "");
			return false;
		}
		if (r < 0)
			return prefix;
	}
	return at == end;
}
