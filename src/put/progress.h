/*
 * One line on standard error that shows how far things are: of the file that is
 * being sent, and of all. On a terminal it is drawn over itself; where it was
 * asked for without one, a plain line is added now and then.
 */
#ifndef PUT_PROGRESS_H
#define PUT_PROGRESS_H

#include "put/file.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool terminal;
	bool shown;    /* the line stands there */
	bool changed;  /* since it was drawn */
	int64_t drawn; /* clock_ms() when it was last */
	int64_t begun; /* and when all began */
	/* The file. */
	char *name;
	uint64_t size; /* 0: not known */
	uint64_t at, resumed;
	bool checking; /* what is there is being read again */
	/* All files. */
	uint64_t files, files_begun;
	uint64_t bytes;	     /* 0: not known */
	uint64_t bytes_done; /* the sum of what is shown of each */
	/* Bytes a second, of late. */
	double rate;
	uint64_t sent; /* since `rated` */
	int64_t rated;
};

/* NULL: no memory. `files` and `bytes` are of all that will be sent; bytes 0:
 * that is not known. */
struct progress *progress_begin(uint64_t files, uint64_t bytes);
void progress_end(struct progress *progress);

void progress_file(struct progress *progress, const struct file *file);
void progress_at(struct progress *progress, struct file *file, uint64_t at,
    uint64_t resumed);
void progress_checked(struct progress *progress, uint64_t at);
void progress_sent(
    struct progress *progress, struct file *file, uint64_t at, uint64_t sent);
/* It is there, whatever was sent of it. */
void progress_stored(struct progress *progress, struct file *file);

/* Milliseconds until it is to be drawn again; -1: nothing changed. */
int progress_due_ms(const struct progress *progress);
/* Draws if it is due. */
void progress_show(struct progress *progress);
/* Takes the line away, for another one to stand there. */
void progress_hide(struct progress *progress);

/*
 * The line for a terminal of so many columns, without a newline and never wider
 * than that. The caller frees it; NULL: no memory. For progress.c and its line.
 */
char *progress_line(const struct progress *progress, int columns);

#endif
