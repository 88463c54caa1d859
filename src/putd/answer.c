/*
 * See answer.h. All fit RECEIPT_MAX: a file name of 4095 bytes is at most
 * 12285 once escaped, and stands in a line twice.
 */
#include "putd/answer.h"

#include "wire/json_write.h"

#define KEEP_SECONDS 604800 /* of the receipts of finished commits */

/* `ok` first, `cmd` second. */
static void begin(struct json_writer *writer, struct answer *answer, bool ok,
    const char *command)
{
	json_begin(writer, answer->text, sizeof(answer->text) - 1);
	json_add_boolean(writer, "ok", ok);
	if (command != NULL)
		json_add_string(writer, "cmd", command);
}

static size_t finish(struct json_writer *writer)
{
	size_t length = json_end(writer);

	writer->text[length] = '\n';
	return length + 1;
}

size_t answer_stored(struct answer *answer, const char *filename,
    const char *stored, uint64_t filesize, bool durable)
{
	struct json_writer writer;

	begin(&writer, answer, true, "put");
	json_add_string(&writer, "filename", filename);
	json_add_integer(&writer, "filesize", filesize);
	json_add_string(&writer, "stored", stored);
	json_add_boolean(&writer, "durable", durable);
	return finish(&writer);
}

size_t answer_refused(struct answer *answer, const char *command,
    const char *filename, enum wire_error error)
{
	const struct wire_error_fact *fact = wire_error_fact(error);
	struct json_writer writer;

	begin(&writer, answer, false, command);
	json_add_string(&writer, "error", fact->name);
	json_add_boolean(&writer, "retry", fact->retry);
	json_add_string(&writer, "message", fact->message);
	if (filename != NULL)
		json_add_string(&writer, "filename", filename);
	return finish(&writer);
}

size_t answer_end(
    struct answer *answer, const struct counts *counts, bool flushed)
{
	struct json_writer writer;

	begin(&writer, answer, counts->failed == 0 && flushed, "end");
	json_add_integer(&writer, "files", counts->files);
	json_add_integer(&writer, "failed", counts->failed);
	json_add_integer(&writer, "bytes", counts->bytes);
	return finish(&writer);
}

size_t answer_hello(struct answer *answer, const struct options *options)
{
	struct json_writer writer;

	begin(&writer, answer, true, "hello");
	json_add_integer(&writer, "protocol", PROTOCOL_VERSION);
	json_add_raw(&writer, "commands", "[\"put\",\"end\",\"hello\"]");
	json_add_string(&writer, "if_exists", "replace");
	json_add_boolean(&writer, "mkdirs", false);
	json_add_boolean(&writer, "hidden", false);
	json_add_boolean(&writer, "durable", options->durable);
	json_add_integer(&writer, "stall", (uint64_t)options->stall_timeout);
	json_add_integer(&writer, "keep", KEEP_SECONDS);
	if (options->max_size > 0)
		json_add_integer(&writer, "max_size", options->max_size);
	return finish(&writer);
}
