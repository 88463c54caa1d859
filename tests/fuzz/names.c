/*
 * Fuzzes the judgement of file names: the first byte says whether hidden names
 * are allowed, the rest is the name. A second judge, written from
 * put-protocol(7) section 4 alone and byte by byte, must agree.
 */
#include "putd/name.h"
#include "wire/json.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* C0, DEL, and C1 as UTF-8 writes it: C2 80 to C2 9F. */
static bool controls(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f ||
		    (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f))
			return true;
	return false;
}

static bool component_fine(const char *text, size_t n, bool hidden)
{
	if (n == 0 || n > 255)
		return false;
	if (text[0] != '.')
		return true;
	return hidden && !(n == 1) && !(n == 2 && text[1] == '.');
}

static bool is_own(const char *text)
{
	static const char own[] = ".putd";

	for (int i = 0; i < 5; i++)
		if ((text[i] | (i > 0 ? 0x20 : 0)) != own[i])
			return false;
	return text[5] == '/' || text[5] == '\0';
}

static bool fine(const char *text, bool hidden)
{
	if (strlen(text) > 4095 || controls(text) || is_own(text))
		return false;
	for (;;) {
		const char *slash = strchr(text, '/');
		size_t n = slash ? (size_t)(slash - text) : strlen(text);

		if (!component_fine(text, n, hidden))
			return false;
		if (slash == NULL)
			return true;
		text = slash + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name name = {0};
	bool hidden;
	char *text;
	int r;

	if (size < 1)
		return 0;
	hidden = data[0] & 1;
	/* What comes here has passed the header's judge: UTF-8, no NUL. */
	if (memchr(data + 1, '\0', size - 1) != NULL)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (utf8_valid(text, size - 1)) {
		r = name_parse(text, hidden, &name);
		assert(r == (fine(text, hidden) ? 0 : -EILSEQ));
		if (r == 0) {
			const char *slash = strrchr(text, '/');

			assert(strcmp(name.text, text) == 0);
			assert(name.base ==
			       (slash ? (size_t)(slash + 1 - text) : 0));
			name_free(&name);
		}
		assert(name.text == NULL);
	}
	free(text);
	return 0;
}
