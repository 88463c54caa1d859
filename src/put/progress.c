/*
 * See progress.h. The width is asked for at every drawing, so a terminal that
 * is made narrower is noticed without a signal. progress_line.c composes.
 */
#include "put/progress.h"

#include "put/clock.h"

#include "wire/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define DRAW_EVERY_MS 100  /* at most so often, on a terminal */
#define LINE_EVERY_MS 1000 /* and elsewhere */
#define IDLE_EVERY_MS 1000 /* that nothing moves is shown as well */
#define RATE_EVERY_MS 300
#define RATE_WEIGHT   0.3 /* of the latest measure */
#define COLUMNS	      80
#define COLUMNS_LEAST 20

struct progress *progress_begin(uint64_t files, uint64_t bytes)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (progress == NULL)
		return NULL;
	progress->terminal = isatty(STDERR_FILENO) == 1;
	progress->files = files;
	progress->bytes = bytes;
	progress->begun = progress->rated = progress->drawn = clock_ms();
	return progress;
}

void progress_end(struct progress *progress)
{
	if (progress == NULL)
		return;
	progress_hide(progress);
	free(progress->name);
	free(progress);
}

void progress_file(struct progress *progress, const struct file *file)
{
	free(progress->name);
	progress->name = strdup(file->path);
	if (file->attempts <= 1)
		progress->files_begun++;
	progress->size = file->way == WAY_STREAM ? 0 : file->size;
	progress->at = progress->resumed = 0;
	progress->checking = false;
	progress->changed = true;
}

/* Back, too, where it is sent again. */
static void count(struct progress *progress, struct file *file, uint64_t at)
{
	progress->bytes_done = progress->bytes_done - file->shown + at;
	file->shown = at;
}

void progress_at(
    struct progress *progress, struct file *file, uint64_t at, uint64_t resumed)
{
	count(progress, file, at);
	progress->at = at;
	progress->resumed = resumed;
	progress->changed = true;
}

void progress_checked(struct progress *progress, uint64_t at)
{
	progress->checking = true;
	progress->at = at;
	progress->changed = true;
	progress_show(progress);
}

static void measure(struct progress *progress)
{
	int64_t now = clock_ms();
	int64_t span = now - progress->rated;
	double latest;

	if (span < RATE_EVERY_MS)
		return;
	latest = (double)progress->sent * 1000 / (double)span;
	progress->rate =
	    progress->rate == 0
		? latest
		: progress->rate * (1 - RATE_WEIGHT) + latest * RATE_WEIGHT;
	progress->sent = 0;
	progress->rated = now;
}

void progress_stored(struct progress *progress, struct file *file)
{
	count(progress, file, file->size);
	progress->changed = true;
}

void progress_sent(
    struct progress *progress, struct file *file, uint64_t at, uint64_t sent)
{
	count(progress, file, at);
	progress->checking = false;
	progress->at = at;
	progress->sent += sent;
	progress->changed = true;
}

int progress_due_ms(const struct progress *progress)
{
	int every = progress->terminal ? DRAW_EVERY_MS : LINE_EVERY_MS;

	if (progress->name == NULL)
		return -1;
	if (!progress->changed)
		every = IDLE_EVERY_MS;
	return clock_left(progress->drawn + every);
}

static int columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS;
	return size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
}

void progress_show(struct progress *progress)
{
	CLEANUP_FREE char *line = NULL;

	if (progress_due_ms(progress) != 0)
		return;
	measure(progress);
	/* The last column is left free: some terminals wrap behind it. */
	line = progress_line(progress, columns() - 1);
	if (line == NULL)
		return;
	if (progress->terminal)
		(void)fprintf(stderr, "\r%s\033[K", line);
	else
		(void)fprintf(stderr, "%s\n", line);
	(void)fflush(stderr);
	progress->shown = progress->terminal;
	progress->changed = false;
	progress->drawn = clock_ms();
}

void progress_hide(struct progress *progress)
{
	if (progress->shown)
		(void)fputs("\r\033[K", stderr);
	progress->shown = false;
}
