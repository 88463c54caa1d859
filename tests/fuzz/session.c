/*
 * Fuzzes whole sessions: the input chooses options, what lies in the directory
 * before, and some connections of frames (session/frame.h), served by the
 * handler's own session_serve() over a stream in memory into a tmpfs. A shadow
 * model says what must be on disk and which receipts must have been sent; a
 * disagreement is a crash.
 */
#include "session/tree.h"

#include "putd/session.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECTIONS_MAX	   3
#define FRAMES_MAX	   16
#define MORE_THAN_THERE_IS UINT64_MAX

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *directory;
static bool tells; /* on standard output, what was answered */
static int fd;
static struct model model;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	(void)umask(0);
	directory = tree_open();
	tells = getenv("TELL_RECEIPTS") != NULL;
	fd = memory_open();
	names_prepare();
	return 0;
}

/* True where the disk is full from the second connection on. */
static bool choose_options(struct reader *reader, struct options *options)
{
	static const uint64_t limits[] = {0, 40, 700, 1 << 20};
	unsigned limit = choose(reader, 16), flags = choose(reader, 256);

	*options = (struct options){
	    .directory = directory,
	    .policy = (enum policy)(POLICY_REPLACE + choose(reader, 3)),
	    .max_size = limits[limit % 4],
	    .max_session = limit / 4 == 3 ? 100 : 0,
	    .max_partial = {.percent = limit / 4 == 2 ? 0 : 50},
	    .keep = 604800,
	    .mkdirs = flags & 1,
	    .hidden = flags & 2,
	    .file_mode = flags & 4 ? 0604 : 0640,
	    .durable = flags & 8,
	    .min_free = {.bytes =
			     (flags & 0x70) == 0x70 ? MORE_THAN_THERE_IS : 0},
	    .idle_timeout = 900,
	    .legacy_idle = 14400,
	    .stall_timeout = 60,
	    .session_timeout = flags & 0x80 ? 10 : 0,
	    .connections = 1,
	    .log = LOG_TO_NONE,
	};
	return (flags & 0x70) == 0x60;
}

/* How much of the stream the peer sends, and how it reads. */
static void choose_peer(struct reader *reader)
{
	static const size_t reads[] = {0, 1, 100, 300, 1000};
	unsigned which = choose(reader, 32);

	if (which >= 27)
		memory.peer_reads = reads[which - 27];
	else if (which >= 20)
		memory.send_size = which * 3;
	which = choose(reader, 16);
	if (which >= 13)
		memory.descriptors = which + 8;
}

/* What a client sends that thinks of no proxy. */
#define HELLO "\x1c\0\0\0{\"cmd\":\"hello\",\"reply\":true}"

/* A proxy, its header, and perhaps none: true where frames may follow. */
static bool choose_proxy(struct reader *reader, struct options *options)
{
	static const char *const headers[] = {
	    HELLO,
	    "PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n",
	    "PROXY UNKNOWN\r\n",
	    "PROXY TCP6 2001:db8::1 ::1 65535 80\r\n",
	    "PROXY TCP4 192.0.2.1\r\n",
	    "PROXY",
	};
	unsigned which = choose(reader, 64);

	options->proxies.count = 0;
	if (which < 64 - 6)
		return true;
	(void)networks_parse("127.0.0.0/8", &options->proxies);
	memory.is_proxy = true;
	which -= 64 - 6;
	memory_send(headers[which],
	    which == 0 ? sizeof(HELLO) - 1 : strlen(headers[which]));
	if (which >= 1 && which <= 3)
		return true;
	model_no_proxy(&model);
	return false;
}

static void view_uploads(struct upload_view views[IDS])
{
	for (int i = 0; i < IDS; i++) {
		views[i].bytes = model.uploads[i].content.bytes;
		views[i].size = model.uploads[i].content.size;
	}
}

/* Behind the frame that ends the connection, if its end could be read: a file
 * that nobody may store. */
static void send_more(const struct frame *frame)
{
	static const char more[] =
	    "\x36\0\0\0"
	    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":4,\"reply\":true}"
	    "more";

	if (frame->kind != FRAME_BROKEN)
		memory_send(more, sizeof(more) - 1);
}

/* One frame more, or the part of it that comes before the end. */
static void add_frame(struct reader *reader)
{
	struct upload_view views[IDS];
	struct frame frame;
	unsigned cut;

	view_uploads(views);
	frame_make(reader, views, &frame);
	cut = choose(reader, 64);
	if (cut >= 60) {
		size_t size = frame.end - frame.start;
		size_t at = choose(reader, 256) * size / 256;

		if (cut == 63 && frame.body_at < frame.end)
			at = frame.body_at - frame.start;
		memory.length = frame.start + at;
		memory.ending = (enum ending_kind)choose(reader, ENDING_KINDS);
		if (memory.length < frame.body_at &&
		    frame.kind != FRAME_BROKEN) {
			model_end(&model, memory.ending, at > 0);
			return;
		}
	}
	if (cut >= 60 && frame.kind == FRAME_BROKEN)
		memory.length = frame.end;
	model_frame(
	    &model, &frame, memory.length - frame.body_at, memory.ending);
	if (model.over && memory.length == frame.end)
		send_more(&frame);
	if (cut >= 52 && cut < 60)
		memory_pause();
}

static void build_connection(struct reader *reader, struct options *options)
{
	memory_reset();
	model_connect(&model);
	choose_peer(reader);
	if (!choose_proxy(reader, options))
		return;
	for (int n = 0; n < FRAMES_MAX && reader->at < reader->end; n++) {
		add_frame(reader);
		if (model.over)
			break;
		if (choose(reader, 32) == 31)
			break;
	}
	if (model.over)
		return;
	memory.ending = (enum ending_kind)(choose(reader, 16) % ENDING_KINDS);
	model_end(&model, memory.ending, false);
}

/* What a reader of the crash wants to see. */
static void disagree(void)
{
	fprintf(stderr, "--- ending %d, received:\n", memory.ending);
	(void)fwrite(memory.sent, 1, memory.length, stderr);
	fprintf(stderr, "\n--- sent:\n%.*s", (int)memory.output_length,
	    memory.output);
	abort();
}

static void judge_connection(enum exit_status status)
{
	bool prefix = memory.peer_reads != SIZE_MAX;

	if (tells)
		(void)fwrite(memory.output, 1, memory.output_length, stdout);
	if ((int)status != model.status && (int)status != model.other_status) {
		fprintf(stderr, "status %d, not %d\n", status, model.status);
		disagree();
	}
	if (!model_agrees(
		&model, memory.output, memory.output_length, prefix) ||
	    !tree_agrees(&model))
		disagree();
}

static void serve_connection(struct reader *reader, struct options *options)
{
	const struct connection connection = {fd, fd, -1};
	const struct log log = {.target = LOG_TO_NONE};
	unsigned locked = choose(reader, 8);
	enum exit_status status;
	static struct flusher flusher;
	struct store store;
	int lock = -1;

	if (locked < IDS && model.uploads[locked].state == PARTIAL) {
		lock = tree_lock(ids[locked]);
		model.uploads[locked].locked = true;
	}
	build_connection(reader, options);
	if (store_open(&store, options) < 0)
		abort();
	store.flusher = flusher; /* the process's, also of other connections */
	status = session_serve(&connection, options, &log, &store);
	flusher = store.flusher;
	store_close(&store);
	if (lock >= 0) {
		(void)close(lock);
		model.uploads[locked].locked = false;
	}
	judge_connection(status);
}

/* The number that the next descriptor gets. */
static int lowest_free(void)
{
	int number = dup(fd);

	(void)close(number);
	return number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader reader = {data, data + size};
	struct options options;
	int before = lowest_free();
	bool fills;

	if (tells)
		puts("session");
	fills = choose_options(&reader, &options);
	model_reset(&model, &options);
	tree_furnish(&model, choose(&reader, 8));
	for (int n = 0; n < CONNECTIONS_MAX && reader.at < reader.end; n++) {
		serve_connection(&reader, &options);
		if (fills)
			options.min_free.bytes = MORE_THAN_THERE_IS;
	}
	tree_empty();
	if (lowest_free() != before) {
		fprintf(stderr, "a descriptor is left open\n");
		abort();
	}
	return 0;
}
