/*
 * Fuzzes the header parser: the input is a header, as the handler reads it. A
 * header that is accepted must keep what wire/header.h says of it, and a file
 * name in it must be judged without harm. What was read is written again, and
 * reads the same; what does not fit its room is told so; and any bytes at all
 * can be a string of what is written.
 */
#include "wire/header.h"
#include "putd/name.h"
#include "wire/json_write.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	assert(utf8_valid(text, strlen(text)));
}

static void check_name(const char *text)
{
	struct name name;

	if (name_parse(text, strlen(text) % 2 == 1, &name) < 0)
		return;
	assert(strlen(name.text) <= NAME_MAX_BYTES);
	assert(strcmp(name.text, text) == 0);
	assert(name.text[0] != '/' && name.text[name.base] != '\0');
	assert(strstr(name.text, "//") == NULL);
	assert(strchr(name.text + name.base, '/') == NULL);
	name_free(&name);
}

static void check_header(const struct header *header)
{
	assert(header->filesize <= INTEGER_MAX);
	assert(header->offset <= INTEGER_MAX && header->size <= INTEGER_MAX);
	check_text(header->command_text);
	if (header->filename != NULL)
		check_text(header->filename);
	if (header->filename != NULL)
		check_name(header->filename);
	if (header->refusal != WIRE_OK)
		return;
	assert(header->command > COMMAND_UNKNOWN);
	if (header->command == COMMAND_PUT)
		assert((header->id == NULL) != (header->filename == NULL));
	if (header->id != NULL)
		assert(strlen(header->id) >= ID_MIN &&
		       strlen(header->id) <= ID_MAX);
}

static bool same_text(const char *one, const char *other)
{
	return (one == NULL) == (other == NULL) &&
	       (one == NULL || strcmp(one, other) == 0);
}

static void check_written(const struct header *header, char *text, size_t n)
{
	struct header again;

	assert(header_parse(text, n, &again) == 0);
	assert(again.refusal == WIRE_OK && again.command == header->command);
	assert(again.reply == header->reply);
	assert(again.filesize == header->filesize);
	assert(same_text(again.filename, header->filename));
	assert(same_text(again.id, header->id));
	assert(again.offset == header->offset);
	assert(
	    again.has_size == header->has_size && again.size == header->size);
	assert(again.if_exists == header->if_exists);
	/* `true` is no text that header_format() writes. */
	assert(header->digest == DIGEST_TELL ||
	       (again.digest == header->digest &&
		   memcmp(again.sha256, header->sha256, sizeof(again.sha256)) ==
		       0));
	assert(again.has_mtime == header->has_mtime &&
	       again.mtime_usec == header->mtime_usec);
	header_free(&again);
}

static void check_writing(const struct header *header)
{
	struct header_text what = {
	    .command = header->command_text,
	    .id = header->id,
	    .filename = header->filename,
	    .has_filesize = true,
	    /* Not only beside an id: a command that does not use a key
	     * reads over it. */
	    .has_offset = json_has(&header->json, "offset"),
	    .has_size = header->has_size,
	    .has_mtime = header->has_mtime,
	    .filesize = header->filesize,
	    .offset = header->offset,
	    .size = header->size,
	    .mtime_usec = header->mtime_usec,
	    .if_exists = header->if_exists,
	    .reply = header->reply,
	};
	static char out[FRAME_LENGTH_SIZE + HEADER_MAX];
	long n;

	if (json_string(&header->json, "sha256", &what.sha256) < 0)
		what.sha256 = NULL;
	n = header_format(&what, out, sizeof(out));
	assert(header_format(&what, out, FRAME_LENGTH_SIZE - 1) == -EMSGSIZE);
	if (n < 0)
		return;
	assert(header_format(&what, out, (size_t)n - 1) == -EMSGSIZE);
	assert(header_format(&what, out, (size_t)n) == n);
	if (header->refusal == WIRE_OK)
		check_written(header, out + FRAME_LENGTH_SIZE,
		    (size_t)n - FRAME_LENGTH_SIZE);
}

static void check_string(const char *text)
{
	static char out[HEADER_MAX];
	struct json_writer writer;
	struct json json;
	const char *read;
	size_t n;

	json_begin(&writer, out, sizeof(out));
	json_add_string(&writer, "x", text);
	n = json_end(&writer);
	if (n == 0)
		return;
	assert(json_read(out, n, &json) == 0);
	assert(json_string(&json, "x", &read) == 1 &&
	       (!utf8_valid(text, strlen(text)) || strcmp(read, text) == 0));
	json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header header;
	char *text;
	int r;

	if (size < HEADER_MIN || size > HEADER_MAX)
		return 0;
	text = strndup((const char *)data, size);
	check_string(text);
	free(text);
	/* Exactly as long as it is: a byte read beyond it is found. */
	text = malloc(size);
	memcpy(text, data, size);
	r = header_parse(text, size, &header);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		check_header(&header);
		check_writing(&header);
		header_free(&header);
	}
	free(text);
	return 0;
}
