/*
 * A line of words, as a shell would read it: quotes and backslashes, nothing
 * else. Touches nothing.
 */
#ifndef PUT_WORDS_H
#define PUT_WORDS_H

#define WORDS_MAX 1024

/*
 * Splits the line in place. Returns the number of words, with words[] ended by
 * NULL; -EINVAL where a quote is not closed; -E2BIG where there are too many.
 */
int words_split(char *line, char *words[WORDS_MAX + 1]);

#endif
