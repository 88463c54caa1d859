/*
 * See inbox.h.
 */
#include "put/inbox.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

long inbox_fill(struct inbox *inbox, int fd)
{
	size_t length = inbox->end - inbox->start;
	ssize_t n;

	memmove(inbox->bytes, inbox->bytes + inbox->start, length);
	inbox->start = 0;
	inbox->end = length;
	n = read(fd, inbox->bytes + length, sizeof(inbox->bytes) - length);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	inbox->end += (size_t)n;
	return n;
}

int inbox_line(struct inbox *inbox, char **ret_line, size_t *ret_length)
{
	char *line = inbox->bytes + inbox->start;
	size_t length = inbox->end - inbox->start;
	char *newline = memchr(line, '\n', length);

	*ret_line = line;
	*ret_length = length;
	if (newline != NULL) {
		*ret_length = (size_t)(newline - line);
		inbox->start += *ret_length + 1;
		return 1;
	}
	if (length == sizeof(inbox->bytes) || (length > 0 && *line != '{'))
		return -EBADMSG;
	return 0;
}
