/*
 * See report_json.h. A line is printable ASCII; bytes of a path that are not
 * UTF-8 are told as U+FFFD.
 */
#include "put/report_json.h"

#include "put/progress.h"

#include "wire/json_write.h"

#include <errno.h>
#include <stdio.h>

#define JSON_LINE_MAX (64 * 1024) /* bytes: two paths escaped, and the rest */

static void begin(
    struct json_writer *writer, char *line, bool ok, const char *path)
{
	json_begin(writer, line, JSON_LINE_MAX);
	json_add_boolean(writer, "ok", ok);
	json_add_string(writer, "path", path);
}

static void finish(struct report *report, struct json_writer *writer)
{
	size_t length = json_end(writer);

	if (report->progress != NULL)
		progress_hide(report->progress);
	if (printf("%.*s\n", (int)length, writer->text) < 0 ||
	    fflush(stdout) != 0)
		report_output_failed(report, -errno);
}

void report_json_stored(struct report *report, const struct file *file,
    const struct receipt *receipt)
{
	struct json_writer writer;
	char line[JSON_LINE_MAX];

	begin(&writer, line, true, file->path);
	json_add_string(&writer, "filename", file->name);
	json_add_string(&writer, "stored", receipt->stored);
	json_add_integer(&writer, "size", file->size);
	if (receipt->sha256 != NULL)
		json_add_string(&writer, "sha256", receipt->sha256);
	json_add_boolean(&writer, "durable", receipt->durable);
	if (receipt->unchanged)
		json_add_boolean(&writer, "unchanged", true);
	if (file->resumed > 0)
		json_add_integer(&writer, "resumed", file->resumed);
	if (file->change != SOURCE_UNCHANGED)
		json_add_boolean(&writer, "changed", true);
	finish(report, &writer);
}

void report_json_failed(struct report *report, const char *path,
    const char *outcome, const char *reason)
{
	struct json_writer writer;
	char line[JSON_LINE_MAX];

	begin(&writer, line, false, path);
	json_add_string(&writer, "outcome", outcome);
	if (reason != NULL)
		json_add_string(&writer, "reason", reason);
	finish(report, &writer);
}
