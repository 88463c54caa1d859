/*
 * Bytes from the server, cut into lines. What a line says is not known here.
 */
#ifndef PUT_INBOX_H
#define PUT_INBOX_H

#include "wire/limits.h"

#include <stddef.h>

struct inbox {
	char bytes[RECEIPT_MAX];
	size_t start, end; /* not handed out yet */
};

/* One read(2). Returns the bytes read, 0 at the end of the stream, -EAGAIN, or
 * another negative errno. Call it only after inbox_line() returned 0. */
long inbox_fill(struct inbox *inbox, int fd);

/*
 * Hands out the next line, without its newline, valid until inbox_fill().
 * Returns 1; 0 where none is complete; -EBADMSG where what is there can never
 * be a receipt: too long, or not begun with a brace. The line is then that.
 */
int inbox_line(struct inbox *inbox, char **ret_line, size_t *ret_length);

#endif
