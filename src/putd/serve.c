/*
 * What serving every command needs (serve.h), and the two commands that touch
 * no file. The order of receipts is the order of frames because every answer
 * but a stored file's is sent behind serve_settle().
 */
#include "putd/serve.h"

#include "putd/systemd.h"
#include "putd/wait.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STATUS_MAX 400 /* bytes of a name in `systemctl status` */

enum ending inside_frame(int r, enum ending cut)
{
	if (r > 0)
		return GO_ON;
	if (r == 0)
		return cut;
	if (r == -ETIMEDOUT)
		return END_TIMEOUT;
	return r == -ECANCELED ? END_TERMINATED : END_IO;
}

int serve_settle(struct session *s)
{
	int queued = batch_flush(&s->batch);
	int pushed = stream_push(&s->stream);

	return queued < 0 ? queued : pushed;
}

enum ending serve_send(struct session *s, size_t length)
{
	int r = stream_queue(&s->stream, s->answer.text, length);

	if (r == 0)
		r = stream_push(&s->stream);
	return r < 0 ? inside_frame(r, END_IO) : GO_ON;
}

int serve_release_partial(struct session *s)
{
	int r = 0;

	if (!partial_is_open(&s->partial))
		return 0;
	r = partial_checkpoint(s->store, &s->partial);
	partial_close(&s->partial);
	return r;
}

struct reason reason_of(int error)
{
	struct reason reason = {.error = store_error(error)};

	if (reason.error == WIRE_IO || reason.error == WIRE_DENIED)
		reason.cause = strerror(-error);
	return reason;
}

/* The command, as it is told back: a peer's word, if it is a short one. */
static const char *told_command(const struct header *header)
{
	if (strlen(header->command_text) > COMMAND_ECHO_MAX)
		return "";
	return header->command_text;
}

/* The name is told unless its own rules refused it. */
static const char *told_name(
    const struct header *header, const struct reason *reason)
{
	struct name name = {0};
	bool fine = (header->command == COMMAND_PUT ||
			header->command == COMMAND_COMMIT) &&
		    header->filename != NULL &&
		    reason->error != WIRE_BAD_NAME &&
		    name_parse(header->filename, true, &name) == 0;

	name_free(&name);
	return fine ? header->filename : NULL;
}

enum ending serve_refuse(
    struct session *s, const struct header *header, const struct reason *reason)
{
	struct log_record record = {
	    .name = header->filename,
	    .error = wire_error_fact(reason->error)->name,
	    .cause = reason->cause,
	    .size = header->filesize,
	    .ms = now_ms() - s->started,
	};
	struct refusal refusal = {
	    .error = reason->error,
	    .command = told_command(header),
	    .filename = told_name(header, reason),
	    .has_offset = reason->has_offset,
	    .offset = reason->offset,
	    .is_stored = reason->is_stored,
	    .final = reason->final,
	};
	int r = serve_settle(s);

	/* Of all connections this one has brought too much: not the file. */
	refusal.on_new_connection = reason->error == WIRE_TOO_LARGE &&
				    s->options->max_session > 0 &&
				    s->announced > s->options->max_session;
	s->io_failed = s->io_failed || reason->error == WIRE_IO;
	log_refused(&s->log, &record);
	if (r < 0)
		return inside_frame(r, END_IO);
	if (!header->reply)
		return GO_ON;
	return serve_send(s, answer_refused(&s->answer, &refusal));
}

/* Whole puts, commits, and frames that were not understood. */
static bool counts_as_failed(
    const struct header *header, const struct reason *reason)
{
	return reason->error == WIRE_BAD_HEADER ||
	       reason->error == WIRE_UNKNOWN_CMD ||
	       reason->error == WIRE_UNSUPPORTED ||
	       header->command == COMMAND_COMMIT ||
	       (header->command == COMMAND_PUT && header->id == NULL);
}

enum ending serve_refuse_and_skip(struct session *s,
    const struct header *header, const struct reason *reason, uint64_t left)
{
	struct body body = {.left = left};
	enum ending ending;

	if (counts_as_failed(header, reason))
		s->counts.failed++;
	ending = serve_refuse(s, header, reason);
	if (ending != GO_ON)
		return ending;
	ending = inside_frame(body_skip(&s->stream, &body), END_CLEAN);
	if (ending != GO_ON)
		s->told = header->reply;
	return ending;
}

enum ending serve_skip_unused(struct session *s, const struct header *header)
{
	struct body body = {.left = header->filesize};
	int r = serve_settle(s);

	if (r >= 0)
		r = body_skip(&s->stream, &body);
	return inside_frame(r, END_CUT_BODY);
}

/* For `systemctl status`: of bodies that take longer than a second, at most
 * once a second. What waits in the buffer has come, too. */
void serve_report_progress(struct session *s)
{
	int64_t now = now_ms();
	char name[STATUS_MAX], text[STATUS_MAX + 40];
	uint64_t size, held;

	if (s->body == NULL || !systemd_has_status() ||
	    now - s->started < 1000 || now - s->reported < 1000)
		return;
	s->reported = now;
	size = s->header->filesize;
	held = stream_held(&s->stream);
	held = held < s->body->left ? held : s->body->left;
	log_escape(s->header->filename != NULL ? s->header->filename : "a part",
	    name, sizeof(name));
	(void)snprintf(text, sizeof(text), "receiving %s: %u %%", name,
	    (unsigned)((double)(size - s->body->left + held) * 100 /
		       (double)size));
	systemd_status(text);
}

void serve_begin_body(
    struct session *s, const struct header *header, const struct body *body)
{
	s->header = header;
	s->body = body;
}

/* A status that was shown is over with its body. */
void serve_end_body(struct session *s)
{
	s->header = NULL;
	s->body = NULL;
	if (s->reported >= s->started)
		systemd_status("");
}

enum ending serve_hello(struct session *s, const struct header *header)
{
	enum ending ending = serve_skip_unused(s, header);

	if (ending != GO_ON || !header->reply)
		return ending;
	return serve_send(s, answer_hello(&s->answer, s->options));
}

enum ending serve_end(struct session *s, const struct header *header)
{
	enum ending ending = serve_skip_unused(s, header);

	if (ending == GO_ON && serve_release_partial(s) < 0)
		s->io_failed = true;
	if (ending == GO_ON && header->reply)
		ending = serve_send(
		    s, answer_end(&s->answer, &s->counts, !s->io_failed));
	return ending == GO_ON ? END_CLEAN : ending;
}
