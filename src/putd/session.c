/*
 * See session.h. Frames are read here and dispatched by one table; how the
 * connection ends is here too. The commands themselves are in serve_*.c.
 */
#include "putd/session.h"

#include "putd/proxy.h"
#include "putd/serve.h"
#include "putd/sweep.h"
#include "putd/wait.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <syslog.h>

static const struct {
	enum exit_status status;
	enum wire_error error; /* told at the end of the stream */
	const char *log;
} endings[] = {
    [END_CLEAN] = {EXIT_SERVED, WIRE_OK, NULL},
    [END_TERMINATED] = {EXIT_SERVED, WIRE_OK, "ended by SIGTERM"},
    [END_IDLE] = {EXIT_DEADLINE, WIRE_OK, "idle for too long"},
    [END_TIMEOUT] = {EXIT_DEADLINE, WIRE_TIMEOUT,
	"a deadline passed inside a frame"},
    [END_NO_PROXY] = {EXIT_PROTOCOL, WIRE_BAD_FRAME,
	"a proxy that must send a PROXY header did not"},
    [END_BAD_FRAME] = {EXIT_PROTOCOL, WIRE_BAD_FRAME,
	"the stream cannot be read as frames"},
    [END_CUT_HEADER] = {EXIT_PROTOCOL, WIRE_BAD_FRAME,
	"the stream ended inside a header"},
    [END_CUT_BODY] = {EXIT_PROTOCOL, WIRE_MISMATCH,
	"the stream ended inside a body"},
    [END_SESSION] = {EXIT_DEADLINE, WIRE_TOO_LARGE,
	"more bytes than one connection may bring"},
    [END_IO] = {EXIT_IO, WIRE_IO, "the connection failed"},
};

static enum ending (*const handlers[COMMANDS])(
    struct session *s, const struct header *header) = {
    [COMMAND_PUT] = serve_put,
    [COMMAND_COMMIT] = serve_commit,
    [COMMAND_STAT] = serve_stat,
    [COMMAND_ABORT] = serve_abort,
    [COMMAND_END] = serve_end,
    [COMMAND_HELLO] = serve_hello,
};

static enum ending between_frames(int r)
{
	enum ending ending = inside_frame(r, END_CLEAN);

	return ending == END_TIMEOUT ? END_IDLE : ending;
}

/* All bodies count, also those of refused frames: they are bytes all the same.
 */
static bool is_over_session(struct session *s, const struct header *header)
{
	uint64_t limit = s->options->max_session;

	s->announced += header->filesize;
	return limit > 0 && s->announced > limit;
}

static enum ending serve_frame(struct session *s, const struct header *header)
{
	struct reason reason = {.error = header->refusal};
	enum ending ending;

	if (is_over_session(s, header))
		ending = END_SESSION;
	else if (reason.error != WIRE_OK)
		ending =
		    serve_refuse_and_skip(s, header, &reason, header->filesize);
	else
		ending = handlers[header->command](s, header);
	if (endings[ending].error != WIRE_OK && ending != END_IO && !s->told) {
		reason.error = endings[ending].error;
		reason.cause = endings[ending].log;
		(void)serve_refuse(s, header, &reason);
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

	stream_end_frame(stream);
	ending = between_frames(stream_need(stream, 1, idle_limit(s)));
	if (ending != GO_ON)
		return ending;
	stream_begin_frame(stream);
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
		struct header header = {.refusal = WIRE_BAD_HEADER};

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
	struct refusal last = {.error = endings[ending].error};
	int r = serve_settle(s);

	if (serve_release_partial(s) < 0)
		s->io_failed = true;
	last.on_new_connection = ending == END_SESSION;
	if (r >= 0 && last.error != WIRE_OK && s->asked && !s->told)
		(void)serve_send(s, answer_refused(&s->answer, &last));
	if (r < 0 && endings[ending].status == EXIT_SERVED)
		ending = inside_frame(r, END_IO);
	log_ending(s, ending);
	if (ending != END_IDLE)
		stream_finish(&s->stream);
	return ending;
}

/* Before waiting for input: nobody's file waits with us, and an upload by id
 * that is between its parts is free for others. */
static int before_wait(void *context)
{
	struct session *s = context;
	int r = serve_settle(s);

	directory_release(&s->directory);
	serve_report_progress(s);
	if (s->in_part)
		partial_checkpoint_if_due(s->store, &s->partial);
	else if (serve_release_partial(s) < 0)
		s->io_failed = true;
	return r;
}

/* Pages of its own: those that are not used are not there, as most connections
 * need neither the whole batch nor a long answer; and a process that serves
 * many begins each with zeros, of which nothing is left at its end. */
static struct session *session_map(void)
{
	void *s = mmap(NULL, sizeof(struct session), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return s == MAP_FAILED ? NULL : s;
}

static void session_free(struct session *s)
{
	(void)munmap(s, sizeof(*s));
}

static struct session *session_new(const struct connection *connection,
    const struct options *options, const struct log *log, struct store *store)
{
	struct session *s = session_map();

	if (s == NULL)
		return NULL;
	if (stream_open(&s->stream, connection->in, connection->out,
		options->stall_timeout) < 0) {
		session_free(s);
		return NULL;
	}
	s->options = options;
	peer_find(connection->in, &s->peer);
	s->log = *log;
	s->log.peer = s->peer.text;
	s->store = store;
	s->partial = PARTIAL_NONE;
	s->stream.before_wait = before_wait;
	s->stream.context = s;
	s->stream.min_rate = options->min_rate;
	if (options->session_timeout > 0)
		s->stream.deadline =
		    now_ms() + (int64_t)options->session_timeout * 1000;
	batch_init(&s->batch, store);
	s->batch.settled = serve_file_settled;
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
	sweep_if_due(store, options);
	directory_release(&s->directory);
	stream_close(&s->stream);
	session_free(s);
	return status;
}
