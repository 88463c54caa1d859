/*
 * See legacy.h. That receiver reads the length and the header with one recv(2)
 * each, then until it has the bytes announced: so both go in one write, nothing
 * follows the body, and a body that breaks off is ended by a reset, since at a
 * plain end of the stream it would loop for ever. It never closes by itself;
 * that the kernel has delivered everything is all that can be known.
 */
#include "put/legacy.h"

#include "put/queue.h"
#include "put/server.h"

#include <errno.h>

#define LEGACY_HEAD_END                                                        \
	1400		  /* bytes, exclusive: one segment of any network      \
			   */
#define CUT_GRACE_MS 2000 /* for the command of exec: */

bool legacy_fits(const struct frame *frame)
{
	return frame->head_length < LEGACY_HEAD_END;
}

/* The body is not, or perhaps not, over there. */
static void fail(struct server *server, struct report *report,
    const struct file *file, const struct frame *frame, int error)
{
	int status = server_reset(server, CUT_GRACE_MS);

	if (error == -ECANCELED)
		report_legacy_broken(
		    report, file, frame->broken, frame_body_sent(frame));
	else
		report_legacy_failed(report, file, error);
	report_child(report, status, false);
}

static void send_file(struct server *server, const struct file *file,
    const struct source *source, struct frame *frame, int timeout_ms,
    struct report *report)
{
	int r = frame_pump(frame, server->out, timeout_ms);

	if (r == 0)
		r = server_drain(server, timeout_ms);
	if (r < 0) {
		fail(server, report, file, frame, r);
		return;
	}
	r = server_close(server, timeout_ms);
	if (r == 0)
		report_legacy_sent(report, file, source_change(source));
	else
		report_legacy_failed(report, file, 0);
	report_child(report, r, false);
}

/* Returns 0 if the next file may be tried. */
static int connect_and_send(const struct options *options,
    struct report *report, const struct file *file, const struct source *source)
{
	struct server server = SERVER_NONE;
	struct frame frame;
	const char *why;
	int r = frame_begin_put(&frame, file->name, source, false);

	if (r < 0 || !legacy_fits(&frame)) {
		report_name_too_long(report, file->path);
		return 0;
	}
	r = server_open(&options->address, options->timeout_ms, &server, &why);
	if (r < 0) {
		report_no_server(report, &options->address, why);
		report_no_retry(report);
		report_unsent(report, file->path);
		return r;
	}
	send_file(&server, file, source, &frame, options->timeout_ms, report);
	return 0;
}

void legacy_files(const struct options *options, struct report *report)
{
	struct queue queue;
	int r = 0;

	queue_begin(&queue, options, report);
	while (r == 0 && queue_has_next(&queue)) {
		struct source source;
		struct file *file = queue_take(&queue, &source);

		r = connect_and_send(options, report, file, &source);
		source_close(&source);
		file_release(&file);
	}
	queue_give_up(&queue);
	queue_end(&queue);
	report_final(report);
}
