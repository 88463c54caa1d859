/*
 * Text made safe for a terminal. Knows nothing of files or peers.
 */
#ifndef PUT_ESCAPE_H
#define PUT_ESCAPE_H

/*
 * A copy of the text in which control characters, bytes that are not UTF-8,
 * and marks that turn the direction of writing are \-escapes, and a backslash
 * is two. The caller frees it. NULL where there is no memory.
 */
char *escape_text(const char *text);

#endif
