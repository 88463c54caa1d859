/*
 * Fuzzes the lines of the client's prompt. Whatever comes is split inside its
 * own bytes, and words that are quoted again are the same words.
 */
#include "put/words.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A word as a careful user would type it. */
static char *quote(char *to, const char *word)
{
	*to++ = '\'';
	for (; *word != '\0'; word++) {
		if (*word == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	*to++ = '\'';
	*to++ = ' ';
	return to;
}

static void check_again(char *words[], int count, size_t size)
{
	static char *others[WORDS_MAX + 1];
	/* Each byte may become four, and each word has three around it. */
	char *line = malloc(size * 4 + (size_t)count * 3 + 1), *to = line;

	for (int i = 0; i < count; i++)
		to = quote(to, words[i]);
	*to = '\0';
	assert(words_split(line, others) == count);
	for (int i = 0; i < count; i++)
		assert(strcmp(words[i], others[i]) == 0);
	assert(others[count] == NULL);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *words[WORDS_MAX + 1];
	char *line = malloc(size + 1);
	int count;

	memcpy(line, data, size);
	line[size] = '\0';
	count = words_split(line, words);
	assert((count >= 0 && count <= WORDS_MAX) || count == -EINVAL ||
	       count == -E2BIG);
	for (int i = 0; i < count; i++)
		assert(words[i] >= line && words[i] <= line + size &&
		       words[i] + strlen(words[i]) <= line + size);
	if (count >= 0) {
		assert(words[count] == NULL);
		check_again(words, count, size);
	}
	free(line);
	return 0;
}
