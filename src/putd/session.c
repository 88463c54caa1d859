/*
 * See session.h. A frame is read here, dispatched by one table, and answered.
 * The order of receipts is the order of frames because every answer but a
 * stored file's goes through answer(), which settles the batch first.
 */
#include "putd/session.h"

#include "putd/answer.h"
#include "putd/batch.h"
#include "putd/body.h"
#include "putd/peer.h"
#include "putd/proxy.h"
#include "putd/stream.h"
#include "putd/systemd.h"
#include "putd/wait.h"
#include "wire/cleanup.h"
#include "wire/header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* Why a frame, or the connection, goes no further. */
enum ending {
	GO_ON,
	END_CLEAN,	/* the peer is done, or asked us to be */
	END_TERMINATED, /* SIGTERM */
	END_IDLE,	/* a deadline between frames */
	END_TIMEOUT,	/* a deadline inside a frame */
	END_NO_PROXY,
	END_BAD_FRAME,
	END_CUT_HEADER, /* the stream ended inside a header */
	END_CUT_BODY,	/* or inside a body */
	END_IO,		/* the connection's descriptor failed */
};

static const struct {
	enum exit_status status;
	enum wire_error error; /* told at the end of the stream */
	const char *log;
} endings[] = {
    [END_CLEAN] = {EXIT_SERVED, WIRE_OK, NULL},
    [END_TERMINATED] = {EXIT_SERVED, WIRE_OK, "ended by SIGTERM"},
    [END_IDLE] = {EXIT_DEADLINE, WIRE_OK, "idle for too long"},
    [END_TIMEOUT] = {EXIT_DEADLINE, WIRE_TIMEOUT, "stalled inside a frame"},
    [END_NO_PROXY] = {EXIT_PROTOCOL, WIRE_BAD_FRAME,
	"a proxy that must send a PROXY header did not"},
    [END_BAD_FRAME] = {EXIT_PROTOCOL, WIRE_BAD_FRAME,
	"the stream cannot be read as frames"},
    [END_CUT_HEADER] = {EXIT_PROTOCOL, WIRE_BAD_FRAME,
	"the stream ended inside a header"},
    [END_CUT_BODY] = {EXIT_PROTOCOL, WIRE_MISMATCH,
	"the stream ended inside a body"},
    [END_IO] = {EXIT_IO, WIRE_IO, "the connection failed"},
};

struct session {
	const struct options *options;
	struct log log;
	struct peer peer;
	struct store *store;
	struct stream stream;
	struct batch batch;
	struct directory *directory; /* of the last file, or NULL */
	struct counts counts;
	int64_t started;  /* now_ms() at the current frame's header */
	int64_t reported; /* and when systemd was last told of its body */
	const struct header *header; /* of the body that is being received */
	bool asked;		     /* a receipt, on this connection */
	bool io_failed;		     /* the store did, at least once */
	bool told;     /* the frame that ended the stream has its receipt */
	bool recorded; /* and its line in the log */
	struct answer answer;
};

static enum ending inside_frame(int r, enum ending cut)
{
	if (r > 0)
		return GO_ON;
	if (r == 0)
		return cut;
	if (r == -ETIMEDOUT)
		return END_TIMEOUT;
	return r == -ECANCELED ? END_TERMINATED : END_IO;
}

static enum ending between_frames(int r)
{
	enum ending ending = inside_frame(r, END_CLEAN);

	return ending == END_TIMEOUT ? END_IDLE : ending;
}

/* What the protocol's word for an error does not say. */
static const char *cause_of(int error)
{
	enum wire_error word = store_error(error);

	return word == WIRE_IO || word == WIRE_DENIED ? strerror(-error) : NULL;
}

/* Told by the batch: the fate of one file is settled. */
static int file_settled(void *context, const struct pending *file)
{
	struct session *s = context;
	enum wire_error error = store_error(file->error);
	const char *name = file->name.text;
	struct log_record record = {
	    .name = name,
	    .size = file->size,
	    .cause = cause_of(file->error),
	    .ms = now_ms() - file->started,
	};
	size_t length;

	s->io_failed = s->io_failed || error == WIRE_IO;
	if (error == WIRE_OK) {
		record.stored = name;
		s->counts.files++;
		s->counts.bytes += file->size;
		log_stored(&s->log, &record);
	} else {
		record.error = wire_error_fact(error)->name;
		s->counts.failed++;
		log_refused(&s->log, &record);
	}
	if (!file->reply)
		return 0;
	length = error == WIRE_OK
		     ? answer_stored(&s->answer, name, name, file->size,
			   s->store->durable)
		     : answer_refused(&s->answer, "put", name, error);
	return stream_write(&s->stream, s->answer.text, length);
}

/* Nobody's file waits for the next frame; the directory is looked up anew for
 * what comes after a wait. */
static int settle(void *context)
{
	struct session *s = context;

	directory_release(&s->directory);
	return batch_flush(&s->batch);
}

/* Sends s->answer behind the receipts of all earlier frames. */
static enum ending send_answer(struct session *s, size_t length)
{
	int r = stream_write(&s->stream, s->answer.text, length);

	return r < 0 ? inside_frame(r, END_IO) : GO_ON;
}

/* The command, as it is told back: a peer's word, if it is a short one. */
static const char *told_command(const struct header *header)
{
	if (strlen(header->command_text) > COMMAND_ECHO_MAX)
		return "";
	return header->command_text;
}

static enum ending refuse(struct session *s, const struct header *header,
    enum wire_error error, const char *cause)
{
	const char *filename =
	    header->command == COMMAND_PUT ? header->filename : NULL;
	struct name name = {0};
	struct log_record record = {
	    .name = filename,
	    .error = wire_error_fact(error)->name,
	    .cause = cause,
	    .size = header->filesize,
	    .ms = now_ms() - s->started,
	};
	int r = settle(s);

	s->io_failed = s->io_failed || error == WIRE_IO;
	log_refused(&s->log, &record);
	if (r < 0)
		return inside_frame(r, END_IO);
	if (!header->reply)
		return GO_ON;
	if (error == WIRE_BAD_NAME || filename == NULL ||
	    name_parse(filename, true, &name) < 0)
		filename = NULL;
	name_free(&name);
	return send_answer(s,
	    answer_refused(&s->answer, told_command(header), filename, error));
}

/* Of a frame that is not served: the client may end the stream instead of
 * sending the body. */
static enum ending skip(struct session *s, uint64_t left)
{
	struct body body = {.left = left};

	return inside_frame(body_skip(&s->stream, &body), END_CLEAN);
}

static enum ending refuse_and_skip(struct session *s,
    const struct header *header, enum wire_error error, const char *cause,
    uint64_t left)
{
	enum ending ending;

	/* Whole puts, and frames that were not understood. */
	if (header->command == COMMAND_PUT || error == WIRE_BAD_HEADER ||
	    error == WIRE_UNKNOWN_CMD || error == WIRE_UNSUPPORTED)
		s->counts.failed++;
	ending = refuse(s, header, error, cause);
	if (ending != GO_ON)
		return ending;
	ending = skip(s, left);
	if (ending != GO_ON)
		s->told = header->reply;
	return ending;
}

/* Opens where a file will stand: 0 or -errno. */
static int prepare_file(
    struct session *s, const struct header *header, struct pending *file)
{
	int r = name_parse(header->filename, false, &file->name);

	if (r < 0)
		return r;
	r = store_enter(s->store, &file->name, &s->directory);
	if (r < 0)
		return r;
	r = store_admit(s->store, s->directory, &file->name, header->filesize);
	if (r < 0)
		return r;
	r = temporary_open(s->store, s->directory, &file->temporary);
	if (r < 0)
		return r;
	file->directory = directory_hold(s->directory);
	return 0;
}

static void forget_file(struct session *s, struct pending *file)
{
	temporary_discard(s->store, &file->temporary);
	directory_release(&file->directory);
	name_free(&file->name);
}

/* For `systemctl status`: of bodies that take longer than a second, at most
 * once a second. */
static void report_progress(void *context, uint64_t left)
{
	struct session *s = context;
	uint64_t size = s->header->filesize;
	int64_t now = now_ms();
	char text[512];

	if (now - s->started < 1000 || now - s->reported < 1000)
		return;
	s->reported = now;
	(void)snprintf(text, sizeof(text), "receiving %.400s: %u %%",
	    s->header->filename,
	    (unsigned)((double)(size - left) * 100 / (double)size));
	systemd_status(text);
}

static void follow_progress(
    struct session *s, const struct header *header, struct body *body)
{
	if (!systemd_has_status())
		return;
	s->header = header;
	body->progress = report_progress;
	body->context = s;
}

static enum ending serve_whole_file(
    struct session *s, const struct header *header)
{
	struct pending file = {.temporary = {.fd = -1},
	    .size = header->filesize,
	    .started = s->started,
	    .reply = header->reply};
	struct body body = {.left = header->filesize};
	enum ending ending = GO_ON;

	follow_progress(s, header, &body);
	body.error = prepare_file(s, header, &file);
	if (body.error == 0)
		ending = inside_frame(
		    body_receive(&s->stream, file.temporary.fd, &body),
		    END_CUT_BODY);
	if (ending == GO_ON && body.error == 0) {
		batch_add(&s->batch, &file);
		return batch_full(&s->batch) && settle(s) < 0 ? END_TIMEOUT
							      : GO_ON;
	}
	forget_file(s, &file);
	if (ending != GO_ON)
		return ending;
	return refuse_and_skip(s, header, store_error(body.error),
	    cause_of(body.error), body.left);
}

static enum ending serve_put(struct session *s, const struct header *header)
{
	/* Understood, and not to be done silently in another way. */
	if (header->id != NULL || header->digest != DIGEST_NONE ||
	    header->has_mtime || header->if_exists > POLICY_REPLACE)
		return refuse_and_skip(
		    s, header, WIRE_UNSUPPORTED, NULL, header->filesize);
	return serve_whole_file(s, header);
}

/* The body of a command that has no use for one. */
static enum ending skip_unused(struct session *s, const struct header *header)
{
	struct body body = {.left = header->filesize};
	int r = settle(s);

	if (r >= 0)
		r = body_skip(&s->stream, &body);
	return inside_frame(r, END_CUT_BODY);
}

static enum ending serve_hello(struct session *s, const struct header *header)
{
	enum ending ending = skip_unused(s, header);

	if (ending != GO_ON || !header->reply)
		return ending;
	return send_answer(s, answer_hello(&s->answer, s->options));
}

static enum ending serve_end(struct session *s, const struct header *header)
{
	enum ending ending = skip_unused(s, header);

	if (ending == GO_ON && header->reply)
		ending = send_answer(
		    s, answer_end(&s->answer, &s->counts, !s->io_failed));
	return ending == GO_ON ? END_CLEAN : ending;
}

static enum ending (*const handlers[COMMANDS])(
    struct session *s, const struct header *header) = {
    [COMMAND_PUT] = serve_put,
    [COMMAND_END] = serve_end,
    [COMMAND_HELLO] = serve_hello,
};

static enum ending serve_frame(struct session *s, const struct header *header)
{
	enum wire_error error = header->refusal;
	enum ending ending;

	if (error == WIRE_OK && handlers[header->command] == NULL)
		error = WIRE_UNKNOWN_CMD;
	if (error != WIRE_OK)
		ending =
		    refuse_and_skip(s, header, error, NULL, header->filesize);
	else
		ending = handlers[header->command](s, header);
	if ((ending == END_CUT_BODY || ending == END_TIMEOUT) && !s->told) {
		(void)refuse(
		    s, header, endings[ending].error, endings[ending].log);
		s->told = header->reply;
		s->recorded = true;
	}
	s->asked = s->asked || header->reply;
	return ending;
}

static long idle_limit(const struct session *s)
{
	bool stored = s->counts.files > 0 || s->batch.count > 0;
	bool legacy = stored && !s->asked;

	return legacy ? s->options->legacy_idle : s->options->idle_timeout;
}

static enum ending read_header(struct session *s, struct header *header)
{
	struct stream *stream = &s->stream;
	enum ending ending;
	size_t length;
	int r;

	ending = between_frames(stream_need(stream, 1, idle_limit(s)));
	if (ending != GO_ON)
		return ending;
	r = stream_need(stream, FRAME_LENGTH_SIZE, stream->stall);
	if (r > 0 && header_length(stream_data(stream), &length) < 0)
		return END_BAD_FRAME;
	if (r > 0)
		r = stream_need(
		    stream, FRAME_LENGTH_SIZE + length, stream->stall);
	if (r <= 0)
		return inside_frame(r, END_CUT_HEADER);
	s->started = now_ms();
	r = header_parse(
	    (char *)stream_data(stream) + FRAME_LENGTH_SIZE, length, header);
	stream_take(stream, FRAME_LENGTH_SIZE + length);
	if (r == -EBADMSG)
		return END_BAD_FRAME;
	return r < 0 ? END_IO : GO_ON;
}

/* The PROXY header of a peer that is a proxy by its address: required of it,
 * and of nobody else believed. */
static enum ending read_proxy_header(struct session *s)
{
	struct stream *stream = &s->stream;
	struct address client;
	size_t want = 1;

	if (!networks_contain(&s->options->proxies, &s->peer.address))
		return GO_ON;
	for (;;) {
		int r = stream_need(stream, want, stream->stall);
		long size;

		if (r <= 0)
			return inside_frame(r,
			    stream_held(stream) > 0 ? END_NO_PROXY : END_CLEAN);
		size = proxy_parse(
		    stream_data(stream), stream_held(stream), &client);
		if (size < 0)
			return END_NO_PROXY;
		want = stream_held(stream) + 1;
		if (size > (long)stream_held(stream))
			want = (size_t)size;
		else if (size > 0) {
			stream_take(stream, (size_t)size);
			peer_speaks_for(&s->peer, &client);
			return GO_ON;
		}
	}
}

static enum ending serve_frames(struct session *s)
{
	enum ending ending = read_proxy_header(s);

	while (ending == GO_ON) {
		struct header header;

		ending = read_header(s, &header);
		if (ending != GO_ON)
			break;
		ending = serve_frame(s, &header);
		header_free(&header);
	}
	return ending;
}

static void log_ending(struct session *s, enum ending ending)
{
	if (endings[ending].log != NULL && !s->recorded)
		log_line(
		    &s->log, LOG_ENDED, LOG_NOTICE, "%s", endings[ending].log);
	if (s->stream.out_gone)
		log_line(&s->log, LOG_ENDED, LOG_NOTICE,
		    "the peer went away before its last receipt");
	log_line(&s->log, LOG_OTHER, LOG_DEBUG,
	    "end: %" PRIu64 " files, %" PRIu64 " bytes, %" PRIu64 " refused",
	    s->counts.files, s->counts.bytes, s->counts.failed);
}

/* The last receipts, the last line, the end of our side. Returns how it ended
 * after all: the last receipts may find nobody. */
static enum ending close_stream(struct session *s, enum ending ending)
{
	enum wire_error error = endings[ending].error;
	int r = settle(s);

	if (r >= 0 && error != WIRE_OK && s->asked && !s->told)
		(void)send_answer(
		    s, answer_refused(&s->answer, NULL, NULL, error));
	if (r < 0 && endings[ending].status == EXIT_SERVED)
		ending = inside_frame(r, END_IO);
	log_ending(s, ending);
	if (ending != END_IDLE)
		stream_finish(&s->stream);
	return ending;
}

/* On the heap, where pages that are not used are not there: most connections
 * need neither the whole batch nor a long answer. */
static struct session *session_new(const struct connection *connection,
    const struct options *options, const struct log *log, struct store *store)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL || stream_open(&s->stream, connection->in,
			     connection->out, options->stall_timeout) < 0) {
		free(s);
		return NULL;
	}
	s->options = options;
	peer_find(connection->in, &s->peer);
	s->log = *log;
	s->log.peer = s->peer.text;
	s->store = store;
	s->stream.before_wait = settle;
	s->stream.context = s;
	batch_init(&s->batch, store);
	s->batch.settled = file_settled;
	s->batch.context = s;
	return s;
}

enum exit_status session_serve(const struct connection *connection,
    const struct options *options, const struct log *log, struct store *store)
{
	struct session *s = session_new(connection, options, log, store);
	enum exit_status status;
	enum ending ending;

	if (s == NULL) {
		log_line(log, LOG_FAILED, LOG_ERR, "out of memory");
		return EXIT_IO;
	}
	ending = close_stream(s, serve_frames(s));
	status = endings[ending].status;
	if (s->io_failed && status == EXIT_SERVED)
		status = EXIT_IO;
	stream_close(&s->stream);
	free(s);
	return status;
}
