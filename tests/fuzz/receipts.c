/*
 * Fuzzes what the client reads: the first bytes choose which frames are in
 * flight, the rest is what a server says, in reads of several sizes. Nothing is
 * told as stored but by a receipt that is there and true, and every line that
 * is said to the user can be shown on a terminal.
 */
#include "put/receipts.h"
#include "put/escape.h"
#include "put/say.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_SIZE 5
#define FLIGHT	  3

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	/* --json writes there; libFuzzer does not. */
	(void)!freopen("/dev/null", "w", stdout);
	fd = memfd_create("server", MFD_CLOEXEC);
	return 0;
}

static void judge_line(const char *format, va_list arguments)
{
	char *line, *escaped;
	int n = vasprintf(&line, format, arguments);

	assert(n >= 0);
	escaped = escape_text(line);
	for (const unsigned char *p = (unsigned char *)escaped; *p; p++)
		assert(*p >= 0x20 && *p != 0x7f);
	assert(utf8_valid(escaped, strlen(escaped)));
	free(escaped);
	free(line);
}

/* In the place of say.c: the line is judged, not shown. */
void say(struct report *report, const char *format, ...)
{
	va_list arguments;

	(void)report;
	va_start(arguments, format);
	judge_line(format, arguments);
	va_end(arguments);
}

void say_trouble(struct report *report, const char *format, ...)
{
	va_list arguments;

	(void)report;
	va_start(arguments, format);
	judge_line(format, arguments);
	va_end(arguments);
}

void say_kept(struct report *report)
{
	(void)report;
}

void forget_kept(struct report *report)
{
	(void)report;
}

static struct file *make_file(unsigned how)
{
	struct file *file = file_new("here", "there");

	assert(file != NULL);
	file->size = FILE_SIZE;
	snprintf(file->id, sizeof(file->id), "0123456789abcdef");
	if (how & 8)
		memset(file->sha256, 'a', SHA256_HEX);
	return file;
}

/* Fills the flight by three bytes. */
static void fly(struct receipts *receipts, const uint8_t *choices)
{
	for (int i = 0; i < FLIGHT; i++) {
		struct awaited awaited = {
		    .what = (enum ask)(choices[i] % (ASK_ABORT + 1)),
		    .bytes = FILE_SIZE,
		    .end = FILE_SIZE,
		    .whole = !(choices[i] & 16),
		};
		struct file *file = make_file(choices[i]);

		if (awaited.what != ASK_HELLO && awaited.what != ASK_ABORT)
			awaited.file = file;
		assert(flight_add(&receipts->flight, &awaited) == 0);
		file_release(&file);
	}
}

static size_t count(const uint8_t *data, size_t size, const char *what)
{
	size_t n = 0, length = strlen(what);

	for (size_t i = 0; i + length <= size; i++)
		n += memcmp(data + i, what, length) == 0;
	return n;
}

static void read_all(
    struct receipts *receipts, const uint8_t *data, size_t size, size_t piece)
{
	int r = 0;

	while (r >= 0 && r != -ENODATA && !receipts->summary) {
		size_t n = size < piece ? size : piece;

		assert(ftruncate(fd, 0) == 0 &&
		       pwrite(fd, data, n, 0) == (ssize_t)n &&
		       lseek(fd, 0, SEEK_SET) == 0);
		data += n;
		size -= n;
		r = receipts_read(receipts, fd);
		assert(r >= 0 || r == -ENODATA || r == -EBADMSG ||
		       r == -ECONNABORTED);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct receipts receipts;
	struct options options = {0};
	struct report report = {.verbosity = VERBOSITY_VERBOSE};
	struct state state = STATE_NONE;
	struct queue queue;
	struct verdict verdict = {
	    .report = &report, .queue = &queue, .state = &state};
	static char *no_files[] = {NULL};

	if (size < FLIGHT + 2)
		return 0;
	options.files = no_files;
	queue_begin(&queue, &options, &report);
	report.json = data[0] & 32;
	verdict.retrying = data[0] & 64;
	receipts_begin(&receipts, &report, &verdict);
	receipts.end_sent = data[0] & 128;
	fly(&receipts, data);
	size -= FLIGHT + 1;
	data += FLIGHT;
	read_all(&receipts, data + 1, size, (size_t)data[0] * 16 + 1);
	assert(report.stored <= FLIGHT);
	assert(report.stored <= count(data, size + 1, "true"));
	assert(report.bytes == report.stored * FILE_SIZE);
	receipts_end(&receipts);
	queue_end(&queue);
	state_close(&state);
	return 0;
}
