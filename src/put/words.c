/*
 * See words.h.
 */
#include "put/words.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* Copies one word to *to, which is not behind *from. Returns 0 or -EINVAL. */
static int take_word(char **from, char **to)
{
	char quote = '\0';

	for (; **from != '\0'; (*from)++) {
		char c = **from;

		if (quote == '\0' && strchr(BLANKS, c) != NULL)
			break;
		if (quote == '\0' && (c == '"' || c == '\''))
			quote = c;
		else if (c == quote)
			quote = '\0';
		else if (c == '\\' && quote != '\'' && (*from)[1] != '\0')
			*(*to)++ = *++*from;
		else
			*(*to)++ = c;
	}
	return quote == '\0' ? 0 : -EINVAL;
}

int words_split(char *line, char *words[WORDS_MAX + 1])
{
	char *to = line;
	int count = 0;

	for (;;) {
		line += strspn(line, BLANKS);
		if (*line == '\0')
			break;
		if (count == WORDS_MAX)
			return -E2BIG;
		words[count++] = to;
		if (take_word(&line, &to) < 0)
			return -EINVAL;
		/* The blank that ended the word makes room for its end. */
		line += *line != '\0' ? 1 : 0;
		*to++ = '\0';
	}
	words[count] = NULL;
	return count;
}
