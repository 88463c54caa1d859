/*
 * Fuzzes the header parser: the input is a header, as the handler reads it. A
 * header that is accepted must keep what wire/header.h says of it, and a file
 * name in it must be judged without harm.
 */
#include "wire/header.h"
#include "putd/name.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header header;
	char *text;
	int r;

	if (size < HEADER_MIN || size > HEADER_MAX)
		return 0;
	/* Exactly as long as it is: a byte read beyond it is found. */
	text = malloc(size);
	memcpy(text, data, size);
	r = header_parse(text, size, &header);
	assert(r == 0 || r == -EBADMSG);
	if (r == 0) {
		check_header(&header);
		header_free(&header);
	}
	free(text);
	return 0;
}
