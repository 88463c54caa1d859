/*
 * See stream.h. Nothing is read here: what becomes of the files is told by
 * whoever carries the frames.
 */
#include "put/stream.h"

#include "put/frame.h"
#include "put/legacy.h"
#include "put/queue.h"

#include <errno.h>
#include <unistd.h>

/* Returns 0, or a negative errno after telling what happened: then nothing
 * more can be written. */
static int write_file(struct frame *frame, const struct source *source,
    const struct options *options, struct report *report)
{
	int r = frame_begin_put(frame, source, false);

	if (r == 0 && options->legacy && !legacy_fits(frame)) {
		report_name_too_long(report, source->path);
		return 0;
	}
	if (r == 0)
		r = frame_pump(frame, STDOUT_FILENO, -1);
	if (r == 0)
		report_written(report, source);
	else if (r != -ECANCELED)
		report_output_failed(report, r);
	else
		report_stream_broken(report, source->path, frame->broken,
		    frame_body_sent(frame), source->size);
	return r;
}

static void write_end(struct frame *frame, struct report *report)
{
	int r = frame_begin_end(frame);

	if (r == 0)
		r = frame_pump(frame, STDOUT_FILENO, -1);
	if (r < 0)
		report_output_failed(report, r);
}

/* The summary of nothing would be ok: where no file could be sent, nothing at
 * all is written. */
void stream_files(const struct options *options, struct report *report)
{
	struct queue queue;
	struct frame frame;
	bool any = false;
	int r = 0;

	if (isatty(STDOUT_FILENO)) {
		report_terminal(report);
		return;
	}
	queue_init(&queue, options->files, options->name, report);
	while (r == 0 && queue_has_next(&queue)) {
		struct source source = queue_take(&queue);

		r = write_file(&frame, &source, options, report);
		source_close(&source);
		any = true;
	}
	queue_give_up(&queue);
	if (r == 0 && any && !options->legacy)
		write_end(&frame, report);
	if (close(STDOUT_FILENO) < 0 && r == 0)
		report_output_failed(report, -errno);
}
