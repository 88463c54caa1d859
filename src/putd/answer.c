/*
 * See answer.h. All fit RECEIPT_MAX: a file name of 4095 bytes is at most
 * 12285 once escaped, and stands in a line twice.
 */
#include "putd/answer.h"

#include "wire/header.h"
#include "wire/json_write.h"

#include <string.h>

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

/* A put tells `filesize`, as it was told; a commit tells `size`. */
size_t answer_stored(struct answer *answer, const struct stored *stored)
{
	bool put = strcmp(stored->command, "put") == 0;
	struct json_writer writer;

	begin(&writer, answer, true, stored->command);
	if (strcmp(stored->command, "stat") == 0)
		json_add_string(&writer, "state", "stored");
	json_add_string(&writer, "filename", stored->filename);
	json_add_integer(&writer, put ? "filesize" : "size", stored->size);
	json_add_string(&writer, "stored", stored->as);
	json_add_boolean(&writer, "durable", stored->durable);
	if (stored->sha256 != NULL)
		json_add_string(&writer, "sha256", stored->sha256);
	if (stored->unchanged)
		json_add_boolean(&writer, "unchanged", true);
	return finish(&writer);
}

size_t answer_refused(struct answer *answer, const struct refusal *refusal)
{
	const struct wire_error_fact *fact = wire_error_fact(refusal->error);
	bool retry =
	    (fact->retry && !refusal->final) || refusal->on_new_connection;
	struct json_writer writer;

	begin(&writer, answer, false, refusal->command);
	json_add_string(&writer, "error", fact->name);
	json_add_boolean(&writer, "retry", retry);
	json_add_string(&writer, "message", fact->message);
	if (refusal->filename != NULL)
		json_add_string(&writer, "filename", refusal->filename);
	if (refusal->has_offset)
		json_add_integer(&writer, "offset", refusal->offset);
	if (refusal->is_stored)
		json_add_string(&writer, "state", "stored");
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
	json_add_raw(&writer, "commands",
	    "[\"put\",\"commit\",\"stat\",\"abort\",\"end\",\"hello\"]");
	json_add_string(&writer, "if_exists", policy_name(options->policy));
	json_add_boolean(&writer, "mkdirs", options->mkdirs);
	json_add_boolean(&writer, "hidden", options->hidden);
	json_add_boolean(&writer, "durable", options->durable);
	json_add_integer(&writer, "stall", (uint64_t)options->stall_timeout);
	json_add_integer(&writer, "keep", (uint64_t)options->keep);
	if (options->max_size > 0)
		json_add_integer(&writer, "max_size", options->max_size);
	if (options->max_session > 0)
		json_add_integer(&writer, "max_session", options->max_session);
	return finish(&writer);
}

size_t answer_part(
    struct answer *answer, const char *id, uint64_t held, bool durable)
{
	struct json_writer writer;

	begin(&writer, answer, true, "put");
	json_add_string(&writer, "id", id);
	json_add_integer(&writer, "offset", held);
	json_add_boolean(&writer, "durable", durable);
	return finish(&writer);
}

size_t answer_partial(struct answer *answer, uint64_t held)
{
	struct json_writer writer;

	begin(&writer, answer, true, "stat");
	json_add_string(&writer, "state", "partial");
	json_add_integer(&writer, "offset", held);
	return finish(&writer);
}

size_t answer_abort(struct answer *answer)
{
	struct json_writer writer;

	begin(&writer, answer, true, "abort");
	return finish(&writer);
}
