/*
 * A FILE of the command line: opened, judged, its size fixed. It knows nothing
 * of frames or servers and prints nothing.
 */
#ifndef PUT_SOURCE_H
#define PUT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Below this many bytes a file is read whole before its header is made, so
 * that the announced size is true whatever happens to the file. */
#define SOURCE_SMALL (1024 * 1024)

#define SOURCE_STDIN "-"

enum source_flaw {
	SOURCE_GOOD,
	SOURCE_UNREADABLE, /* with an errno */
	SOURCE_DIRECTORY,
	SOURCE_LINK,
	SOURCE_FIFO,
	SOURCE_SOCKET,
	SOURCE_DEVICE,
	SOURCE_NO_SIZE, /* more bytes than the size it tells */
	SOURCE_TOO_LARGE,
	SOURCE_NAME_NOT_UTF8,
	SOURCE_NAME_CONTROL,
	SOURCE_NAME_TOO_LONG,
	SOURCE_NAME_NOT_PLAIN, /* empty, absolute, or an odd component */
	SOURCE_FLAWS	       /* their number */
};

/* What happened to a file between its header and the end of its body. */
enum source_change { SOURCE_UNCHANGED, SOURCE_GREW, SOURCE_ALTERED };

struct source {
	int fd;	       /* -1: none */
	bool endless;  /* a pipe or the like: its size is not known */
	uint64_t base; /* where the body begins in the file */
	uint64_t size; /* bytes to announce */
	char *content; /* all of them, or NULL: they are in the file */
	struct timespec mtime;
	ino_t inode;
};

#define SOURCE_NONE ((struct source){.fd = -1})

/*
 * Opens a file; SOURCE_STDIN is standard input, from where it stands. Never
 * waits for a fifo's writer. *ret_error is set with SOURCE_UNREADABLE. On a
 * flaw *ret is untouched.
 */
enum source_flaw source_open(
    const char *path, struct source *ret, int *ret_error);
void source_close(struct source *source);

/* To be asked once the whole body was sent. */
enum source_change source_change(const struct source *source);

/* The time of change as the protocol tells it, in microseconds; false where it
 * cannot: before 1970, or far ahead. */
bool source_mtime(const struct source *source, uint64_t *ret_usec);

/* The rules of put-protocol(7) section 4 that hold for every server. */
enum source_flaw source_name_flaw(const char *name);

#endif
